"""An object of a photograph by one rectangle: its pixels, and a box around it."""

from __future__ import annotations

from neural_assets_core.calibration import recalibrated, with_drawn_object
from neural_assets_core.calibration.boxes import box_around_mask
from neural_assets_core.calibration.ground import is_guessed
from neural_assets_core.calibration.rims import camera_by_rim
from neural_assets_core.scene import Scene
from neural_assets_core.segmentation.grabcut import Rectangle, segment_rectangle


def object_in_rectangle(
    scene: Scene, rectangle: Rectangle, name: str = "object", category: str = ""
) -> Scene:
    """The scene with one more object, seen where a rectangle was drawn around it.

    What in the rectangle is the object is found first; its box stands on the ground and encloses
    that. While the photograph's camera is the one guessed at first, and nothing has been drawn
    yet, the object may tell how steeply it looks down: then the camera is tilted so.

    Parameters
    ----------
    scene : Scene
    rectangle : (float, float, float, float)
        Left, top, right and bottom, pixels of the photograph.
    name, category : str
        As for `with_drawn_object`.

    Raises
    ------
    UserError
        If the rectangle is empty, or no box on the ground can be in it.
    """
    view = scene.background.view
    mask = segment_rectangle(view.picture, rectangle)
    if not scene.background.occluders and scene.camera == view.camera and is_guessed(view.camera):
        camera = camera_by_rim(view.camera, view.picture, mask)
        if camera is not None:
            scene = recalibrated(scene, camera)
    box = box_around_mask(scene.background.view.camera, mask)
    return with_drawn_object(scene, box, name, category, mask)
