"""The finished picture as a PNG file that says how it was made."""

from __future__ import annotations

import io
from pathlib import Path

from PIL import Image
from PIL.PngImagePlugin import PngInfo

from neural_assets_core.files import write_atomically
from neural_assets_core.scene import Picture, Scene

SCENE_TEXT_KEY = "neural-assets-scene"
"""Keyword of the PNG text chunk that holds the scene's JSON."""


def export_png(picture: Picture, scene: Scene, path: str | Path) -> None:
    """Write a picture with the scene it was made from in a text chunk.

    The chunk holds every box, the camera, seed, steps, guidance, decoder and checkpoint;
    pictures appear in it by their hash. The file appears complete or not at all.

    Parameters
    ----------
    picture : Picture
    scene : Scene
        What `picture` shows.
    path : str or Path

    Raises
    ------
    UserError
        If the file cannot be written.
    """
    text = PngInfo()
    text.add_itxt(SCENE_TEXT_KEY, scene.model_dump_json(), zip=True)
    buffer = io.BytesIO()
    Image.fromarray(picture.pixels).save(buffer, "PNG", pnginfo=text)
    write_atomically(Path(path), buffer.getvalue())
