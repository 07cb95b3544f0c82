"""An object of a photograph by one rectangle: its pixels, and a box around it."""

from __future__ import annotations

from contextlib import suppress

from neural_assets_core.calibration.ground import camera_by_rim, is_guessed
from neural_assets_core.errors import UserError
from neural_assets_core.scene import Scene
from neural_assets_core.segmentation.grabcut import Rectangle, segment_rectangle
from neural_assets_core.segmentation.rims import rim_of
from neural_assets_core.segmentation.stacking import found_again, is_as_found, with_found_object


def object_in_rectangle(
    scene: Scene, rectangle: Rectangle, name: str = "object", category: str = ""
) -> Scene:
    """The scene with one more object, seen where a rectangle was drawn around it.

    What in the rectangle is the object is found first; its box encloses that, and stands on the
    ground, or on another object: see `with_found_object`. While the photograph's camera is the one
    guessed at first, and nothing was edited or fitted by hand, the object may tell how steeply
    it looks down: then the camera is tilted so.

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
    if scene.camera == view.camera and is_guessed(view.camera) and is_as_found(scene):
        rim = rim_of(view.picture, mask)
        camera = None if rim is None else camera_by_rim(view.camera, rim)
        if camera is not None:
            # Nothing can be there for a camera that looks elsewhere: then it keeps looking so.
            with suppress(UserError):
                scene = found_again(scene, camera)
    return with_found_object(scene, mask, name, category)
