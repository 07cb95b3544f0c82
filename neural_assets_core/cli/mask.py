"""`neural-assets mask`: what of the photograph belongs to an object."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from neural_assets_core.cli.scene import ScenePath
from neural_assets_core.errors import UserError

if TYPE_CHECKING:
    from neural_assets_core.scene import Picture
    from neural_assets_core.segmentation import Stroke

RADIUS = 0.015
"""Of the brush, as a share of the photograph's larger side."""

LARGEST = 16_000
"""Pixels: OpenCV draws no wider lines than twice that."""

Points = Annotated[
    list[str] | None,
    typer.Option(metavar="X,Y,X,Y,…", help="Positions in the photograph, pixels. May be repeated."),
]


def mask(
    scene: ScenePath,
    name: Annotated[str, typer.Option("--object", metavar="NAME", help="The object.")],
    out: Annotated[
        Path, typer.Option("--out", metavar="NEW.nascene", help="Where the new scene is written.")
    ],
    add: Points = None,
    remove: Points = None,
    radius: Annotated[
        float | None,
        typer.Option(min=0.5, max=LARGEST, metavar="PX", help="Of the brush, pixels."),
    ] = None,
    automatic: Annotated[
        bool, typer.Option("--auto", help="Find the outline anew before anything is painted.")
    ] = False,
    box: Annotated[
        bool, typer.Option("--box", help="Begin with all that the box covers.")
    ] = False,
) -> None:
    """Correct which pixels of the photograph are an object, and write a new scene file.

    Strokes of a brush: what they touch is the object (--add) or is not (--remove, which counts
    where both do), and the outline near them follows the photograph's edges.
    """
    if automatic and box:
        raise UserError("Begin with the outline or with the box: give --auto or --box.")
    if not (add or remove or automatic or box):
        raise UserError("Nothing to do: give --add, --remove, --auto or --box.")
    from neural_assets_core.scene import SCENE_SUFFIX, load_scene, save_scene
    from neural_assets_core.segmentation import Stroke, corrected, segment, with_mask

    if out.suffix != SCENE_SUFFIX:
        raise UserError(f"--out must end in {SCENE_SUFFIX}, unlike {out.name}.")
    painted = [("--add", points) for points in add or ()]
    painted += [("--remove", points) for points in remove or ()]
    places = [(option == "--add", _points(option, text)) for option, text in painted]
    after = load_scene(scene)
    looks = after.object(name).appearance
    size = max(looks.view.picture.width, looks.view.picture.height)
    wide = radius if radius is not None else RADIUS * size
    if automatic:
        after = with_mask(after, name, segment(looks.view, looks.box))
    elif box:
        after = with_mask(after, name, None)
    strokes: list[Stroke] = []
    for foreground, points in places:
        strokes.append(Stroke(points, wide, foreground))
        found = corrected(after.object(name).appearance, strokes)
        after = with_mask(after, name, found)
    save_scene(after, out)
    typer.echo(f"{name}  {_share(after.object(name).appearance.mask)}")


def _points(option: str, text: str) -> list[tuple[float, float]]:
    try:
        values = [float(word) for word in text.split(",")]
    except ValueError:
        values = []
    if not values or len(values) % 2 or not all(math.isfinite(value) for value in values):
        raise UserError(f"{option} takes pairs of numbers, X,Y,X,Y, not {text[:40]!r}.")
    return list(zip(values[::2], values[1::2], strict=True))


def _share(mask: Picture | None) -> str:
    if mask is None:
        return "is all that its box covers"
    return f"covers {100 * (mask.pixels > 127).mean():.1f} % of the photograph"
