"""Small data sets in the published formats, written field by field from their schemas.

Each writer draws known boxes by the projection that the format's own documentation gives, never
by this program's camera, and returns where the corners (in this program's order) must be seen.
"""

from tests.neural_assets_core.data.readers.drawn.footage import write_footage
from tests.neural_assets_core.data.readers.drawn.movi import write_movi
from tests.neural_assets_core.data.readers.drawn.object import write_object
from tests.neural_assets_core.data.readers.drawn.objectron import write_objectron
from tests.neural_assets_core.data.readers.drawn.outlines import Truth
from tests.neural_assets_core.data.readers.drawn.waymo import SEGMENT, write_waymo

__all__ = [
    "SEGMENT",
    "Truth",
    "write_footage",
    "write_movi",
    "write_object",
    "write_objectron",
    "write_waymo",
]
