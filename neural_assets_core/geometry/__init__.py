"""Camera, box, ray and manipulation mathematics: pure functions on float64 arrays."""

from neural_assets_core.geometry import rotations as rotations
from neural_assets_core.geometry.box import CORNER_SIGNS, EDGES, FACES, MINIMUM_EXTENT, Box
from neural_assets_core.geometry.camera import Camera

__all__ = ["CORNER_SIGNS", "EDGES", "FACES", "MINIMUM_EXTENT", "Box", "Camera"]
