"""Make the photograph that ships, and the pictures of its edits.

The camera and the boxes were found by hand: circles of the saucer's and the cup's size, laid over
their rims, say how the camera looks at the table. The masks are GrabCut's, with the strokes of a
brush that an artist would make where red porcelain stands on red porcelain. For the second picture
the program found all that by itself, from three rectangles.
"""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw
from skimage.data import coffee

from neural_assets_core.calibration import Photograph, guessed_camera, scene_from_photograph
from neural_assets_core.decoders import ProxyDecoder
from neural_assets_core.geometry import Box, Camera
from neural_assets_core.scene import (
    Appearance,
    Picture,
    Scene,
    SceneObject,
    View,
    save_scene,
    scene_from_view,
)
from neural_assets_core.segmentation import Stroke, object_in_rectangle, segment

FOLDER = Path(__file__).parent / "photographs"
SHEET = Path(__file__).parent / "pictures" / "coffee.jpg"
RECTANGLES_SHEET = Path(__file__).parent / "pictures" / "rectangles.jpg"
SHOWN = (480, 320)

RECTANGLES: dict[str, tuple[float, float, float, float]] = {
    "saucer": (76, 50, 481, 388), "cup": (172, 18, 408, 308), "spoon": (320, 210, 412, 330),
}
"""Left, top, right and bottom, as a new user would draw them."""

FOCAL, DISTANCE = 900.0, 0.338
ELEVATION, ROLL = 0.996, -0.103

CUP = Box(center=(-0.0058, -0.0128, 0.0385), size=(0.074, 0.074, 0.065))
SAUCER = Box(center=(-0.0062, -0.0129, 0.0095), size=(0.141, 0.141, 0.019))
SPOON = Box(center=(0.0305, -0.0155, 0.02), size=(0.031, 0.108, 0.012)).rotated((0, 0, 1), -0.12)

CUP_STROKES = [
    Stroke([(178, 120), (186, 170), (200, 215), (225, 255), (262, 281), (290, 282), (312, 277)], 4),
    Stroke([(393, 160), (380, 195), (365, 215)], 5),
    Stroke([(250, 260), (330, 235), (300, 270)], 8),
    Stroke([(205, 290), (225, 300), (240, 262), (215, 265)], 5),
    Stroke([(400, 75), (416, 90), (414, 120), (404, 165), (388, 210), (352, 243)], 4, False),
    Stroke([(345, 275), (330, 310), (400, 300)], 14, False),
    Stroke([(166, 110), (170, 160), (180, 200), (194, 232), (206, 240)], 4, False),
    Stroke([(190, 290), (205, 314), (232, 316), (260, 296), (290, 294), (318, 290)], 4, False),
]
SAUCER_STROKES = [
    Stroke([(90, 330), (150, 378)], 8, False),
    Stroke([(440, 370), (480, 330)], 8, False),
    Stroke([(150, 60), (200, 26), (250, 6), (340, 6), (395, 45), (408, 62)], 5, False),
    Stroke([(140, 370), (190, 385), (230, 395), (345, 396)], 3, False),
    Stroke([(345, 397), (400, 382), (440, 358)], 4, False),
    Stroke([(186, 70), (150, 98), (120, 120)], 2),
]
SPOON_STROKES = [
    Stroke([(398, 62), (390, 140), (374, 200), (355, 238), (330, 262), (322, 300)], 3, False),
    Stroke([(430, 62), (428, 110), (414, 160), (400, 215), (412, 250), (414, 290)], 3, False),
    Stroke([(412, 298), (400, 318), (372, 334), (345, 332), (325, 312)], 3, False),
    Stroke([(411, 75), (413, 85)], 6),
    Stroke([(409, 95), (402, 135), (393, 170), (384, 210), (379, 228)], 3),
    Stroke([(378, 238), (372, 250)], 6),
    Stroke([(358, 275), (366, 272), (374, 282)], 26),
    Stroke([(356, 295), (366, 297)], 22),
]


def coffee_camera() -> Camera:
    """The camera that took the photograph, looking at the middle of the table from above."""
    forward = np.array([0.0, math.cos(ELEVATION), -math.sin(ELEVATION)])
    right, down = np.array([1.0, 0.0, 0.0]), np.cross(forward, [1.0, 0.0, 0.0])
    cosine, sine = math.cos(ROLL), math.sin(ROLL)
    pose = np.eye(4)
    pose[:3, :3] = cosine * right + sine * down, cosine * down - sine * right, forward
    pose[:3, 3] = pose[:3, :3] @ (DISTANCE * forward)
    k = np.array([[FOCAL, 0.0, 300.0], [0.0, FOCAL, 200.0], [0.0, 0.0, 1.0]])
    return Camera.from_matrices(600, 400, k, pose)


def coffee_scene() -> Scene:
    """The coffee cup, its saucer and its spoon, nothing edited yet."""
    view = View(picture=Picture(coffee()), camera=coffee_camera())
    cup = segment(view, CUP, CUP_STROKES).pixels
    spoon = np.minimum(segment(view, SPOON, SPOON_STROKES).pixels, 255 - cup)
    # What stands before something is no part of it.
    saucer = np.minimum(
        segment(view, SAUCER, SAUCER_STROKES).pixels, 255 - np.maximum(cup, spoon)
    )
    parts = [("cup", CUP, cup), ("saucer", SAUCER, saucer), ("spoon", SPOON, spoon)]
    return scene_from_view(
        view,
        tuple(
            SceneObject(
                name=name,
                category="tableware",
                box=box,
                appearance=Appearance(view=view, box=box, mask=Picture(mask)),
            )
            for name, box, mask in parts
        ),
    ).with_settings(decoder="proxy")


def edits(scene: Scene) -> dict[str, Scene]:
    """The README's five edits of it, by what is done."""
    names = [item.name for item in scene.objects]
    pivot = scene.object("saucer").box.base_center()
    moved = turned = removed = scene
    for name in names:
        box = scene.object(name).box
        moved = moved.with_box(name, box.translated((0.05, 0.03, 0.0)))
        turned = turned.with_box(name, box.rotated((0, 0, 1), math.radians(20), pivot))
        removed = removed.without(name)
    cup = scene.object("cup").box
    aside = scene
    for name in names:
        aside = aside.with_box(name, scene.object(name).box.translated((-0.045, 0.01, 0.0)))
    return {
        "moved": moved,
        "turned by 20°": turned,
        "cup scaled by 1.3": scene.with_box("cup", cup.scaled(1.3)),
        "moved, cup duplicated": aside.duplicated("cup", cup.translated((0.07, 0.0, -0.006))),
        "removed": removed,
    }


def rectangles_scene() -> Scene:
    """The photograph with three rectangles drawn on it, and nothing else told."""
    photograph = Photograph(Picture(coffee()))
    scene = scene_from_photograph(photograph, guessed_camera(photograph))
    for name, rectangle in RECTANGLES.items():
        scene = object_in_rectangle(scene, rectangle, name)
    return scene


def rectangles_edits(scene: Scene) -> dict[str, Scene]:
    """What may be done with it at once."""
    cup, spoon = scene.object("cup").box, scene.object("spoon").box
    return {
        "cup removed": scene.without("cup"),
        "cup moved": scene.with_box("cup", cup.translated((0.1, 0.02, 0.0))),
        "spoon moved": scene.with_box("spoon", spoon.translated((-0.25, -0.03, 0.0))),
    }


def main() -> None:
    """Write the scene, its edits as one picture, and those of the rectangles as another."""
    scene = coffee_scene()
    FOLDER.mkdir(exist_ok=True)
    path = FOLDER / "coffee.nascene"
    path.unlink(missing_ok=True)
    save_scene(scene, path)
    _write_sheet({"photograph": scene, **edits(scene)}, 3, SHEET)
    drawn = rectangles_scene()
    _write_sheet({"three rectangles": drawn, **rectangles_edits(drawn)}, 2, RECTANGLES_SHEET)


def _write_sheet(shown: dict[str, Scene], columns: int, path: Path) -> None:
    """Pictures of scenes in rows, each with its label."""
    decoder = ProxyDecoder()
    rows = -(-len(shown) // columns)
    wide, high = columns * (SHOWN[0] + 8) - 8, rows * (SHOWN[1] + 8) - 8
    sheet = Image.new("RGB", (wide, high), "white")
    for number, (label, edited) in enumerate(shown.items()):
        picture = Image.fromarray(decoder.generate(edited).picture.pixels)
        factor = SHOWN[0] / picture.width
        picture = picture.resize(SHOWN, Image.Resampling.LANCZOS)
        draw = ImageDraw.Draw(picture)
        if "rectangles" in label:
            for rectangle in RECTANGLES.values():
                corners = [factor * side for side in rectangle]
                draw.rectangle(corners, outline="white", width=2)
        draw.rectangle((0, SHOWN[1] - 24, 18 + 8 * len(label), SHOWN[1]), fill=(24, 24, 24))
        draw.text((9, SHOWN[1] - 20), label, fill="white", font_size=14)
        row, column = divmod(number, columns)
        sheet.paste(picture, (column * (SHOWN[0] + 8), row * (SHOWN[1] + 8)))
    sheet.save(path, quality=92)


if __name__ == "__main__":
    main()
