"""Results and scenes in other programs' formats."""

from neural_assets_core.export.image import export_png, read_request
from neural_assets_core.export.stills import KINDS, check_still, export_still, still_paths

__all__ = ["KINDS", "check_still", "export_png", "export_still", "read_request", "still_paths"]
