"""Results and scenes in other programs' formats."""

from neural_assets_core.export.credentials import read_credentials
from neural_assets_core.export.image import export_png, read_request
from neural_assets_core.export.signing import find_signature
from neural_assets_core.export.stills import KINDS, check_still, export_still, still_paths

__all__ = [
    "KINDS",
    "check_still",
    "export_png",
    "export_still",
    "find_signature",
    "read_credentials",
    "read_request",
    "still_paths",
]
