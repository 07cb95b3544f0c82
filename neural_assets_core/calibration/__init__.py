"""One's own photograph made a scene: its camera found, boxes drawn over its objects.

Positions in the picture are pixels, (x, y) with the origin at the top left corner and a pixel's
centre at + 0.5; a size is (width, height). The world is right-handed, z up, metres, the ground
is z = 0. All functions are pure and quick enough to run at every move of the pointer.
"""

from neural_assets_core.calibration.boxes import box_from_rectangle, cuboid_from_clicks
from neural_assets_core.calibration.distortion import undistorted
from neural_assets_core.calibration.ground import (
    camera_from_horizon,
    guessed_camera,
    horizon,
    scaled_to_length,
)
from neural_assets_core.calibration.lines import Axis, Segment
from neural_assets_core.calibration.photograph import Photograph, load_photograph
from neural_assets_core.calibration.scene import (
    recalibrated,
    scene_from_photograph,
    with_drawn_object,
)
from neural_assets_core.calibration.solve import Calibration, calibrate

__all__ = [
    "Axis",
    "Calibration",
    "Photograph",
    "Segment",
    "box_from_rectangle",
    "calibrate",
    "camera_from_horizon",
    "cuboid_from_clicks",
    "guessed_camera",
    "horizon",
    "load_photograph",
    "recalibrated",
    "scaled_to_length",
    "scene_from_photograph",
    "undistorted",
    "with_drawn_object",
]
