"""Results and scenes in other programs' formats."""

from neural_assets_core.export.image import export_png

__all__ = ["export_png"]
