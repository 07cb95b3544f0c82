"""`neural-assets photo`: a photograph of one's own made a scene."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand

from neural_assets_core.cli.settings import warn
from neural_assets_core.errors import UserError
from neural_assets_core.files import check_writable

if TYPE_CHECKING:
    from neural_assets_core.calibration import Axis, Calibration, Photograph, Segment
    from neural_assets_core.geometry import Camera
    from neural_assets_core.scene import Scene

LINE, BOX, RECTANGLE = "--line", "--box", "--rectangle"
WORDS = {
    LINE: "AXIS X0 Y0 X1 Y1",
    BOX: "NAME X0 Y0 X1 Y1 X2 Y2 X3 Y3",
    RECTANGLE: "NAME LEFT TOP RIGHT BOTTOM",
}
"""Options that take several words and may be repeated, which typer does not know."""

SEPARATOR = "\0"
"""Between such words: no argument of a program holds it."""


class PhotoCommand(TyperCommand):
    """Hands each of the options in `WORDS` to typer as if it had one value."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        joined, rest = [], list(args)
        while rest:
            word = rest.pop(0)
            joined.append(word)
            if word in WORDS:
                count = len(WORDS[word].split())
                values, rest = rest[:count], rest[count:]
                if len(values) < count:
                    raise UserError(f"{word} takes {count} values: {WORDS[word]}.")
                joined.append(SEPARATOR.join(values))
        return super().parse_args(ctx, joined)


def photo(
    picture: Annotated[
        Path, typer.Argument(metavar="PICTURE", help="A photograph, or an fSpy project.")
    ],
    out: Annotated[
        Path, typer.Option("--out", metavar="NEW.nascene", help="Where the new scene is written.")
    ],
    focal_mm: Annotated[
        float | None,
        typer.Option(metavar="MM", help="Focal length, as if on 36 x 24 mm film; else the file's."),
    ] = None,
    focal_px: Annotated[
        float | None, typer.Option(metavar="PX", help="Focal length in pixels.")
    ] = None,
    distortion: Annotated[
        tuple[float, float] | None,
        typer.Option(
            metavar="K1 K2",
            help="How the lens bends straight lines, as OpenCV counts it; else the file's. "
            "Everything else is in pixels of the straightened picture.",
        ),
    ] = None,
    horizon: Annotated[
        tuple[float, float] | None,
        typer.Option(metavar="LEFT RIGHT", help="The horizon's y at both sides, pixels."),
    ] = None,
    camera_of: Annotated[
        Path | None,
        typer.Option(
            metavar="SCENE",
            help="The camera of another photograph: of a clip whose camera stood still.",
        ),
    ] = None,
    height: Annotated[
        float | None, typer.Option(metavar="M", help="Of the camera over the ground, metres.")
    ] = None,
    length: Annotated[
        tuple[float, float, float, float, float] | None,
        typer.Option(
            metavar="X0 Y0 X1 Y1 M",
            help="Two points of the ground in pixels and their distance in metres.",
        ),
    ] = None,
    line: Annotated[
        list[str] | None,
        typer.Option(
            LINE,
            metavar=WORDS[LINE],
            help="A line along the world's x, y or z (up), pixels. May be repeated.",
        ),
    ] = None,
    box: Annotated[
        list[str] | None,
        typer.Option(
            BOX,
            metavar=WORDS[BOX],
            help="An object by four clicks: an edge of its base, how far that reaches to the "
            "side, the top. May be repeated.",
        ),
    ] = None,
    rectangle: Annotated[
        list[str] | None,
        typer.Option(
            RECTANGLE,
            metavar=WORDS[RECTANGLE],
            help="An object by a rectangle around it: its outline is found, its depth guessed. "
            "May be repeated.",
        ),
    ] = None,
) -> None:
    """Make a scene of a photograph: find its camera, and draw boxes over its objects.

    The camera comes from lines, from the horizon, or from the file. Two lines along each of two
    directions give its focal length; along one, set it or have it in the file.
    """
    if focal_mm is not None and focal_px is not None:
        raise UserError("Give the focal length once: --focal-mm or --focal-px.")
    if line and horizon is not None:
        raise UserError("Lines say where the horizon is: give --line or --horizon.")
    told = (line, horizon, focal_mm, focal_px, height, length)
    if camera_of is not None and any(one is not None for one in told):
        raise UserError("--camera-of says all about the camera: leave the other options out.")
    if height is not None and length is not None:
        raise UserError("The known length says how high the camera is: give --height or --length.")
    from neural_assets_core.calibration import load_photograph, scaled_to_length, undistorted
    from neural_assets_core.calibration.photograph import FILM_DIAGONAL
    from neural_assets_core.scene import SCENE_SUFFIX, load_scene, save_scene

    if out.suffix != SCENE_SUFFIX:
        raise UserError(f"--out must end in {SCENE_SUFFIX}, unlike {out.name}.")
    check_writable(out)
    lines, boxes = _lines(line or ()), [_named(BOX, words) for words in box or ()]
    rectangles = [_named(RECTANGLE, words) for words in rectangle or ()]
    photograph = load_photograph(picture)
    if focal_mm is not None:
        focal_px = focal_mm / FILM_DIAGONAL * math.hypot(*photograph.size)
    if distortion is not None or photograph.distortion is not None:
        photograph = undistorted(photograph, distortion, focal_px)
        focal_px = None if focal_px is None else photograph.focal
        typer.echo("straightened what the lens had bent")
    if camera_of is not None:
        camera, found = load_scene(camera_of).background.view.camera, None
    else:
        camera, found = _camera(photograph, lines, horizon, focal_px, height)
    if length is not None:
        x0, y0, x1, y1, metres = length
        camera = scaled_to_length(camera, (x0, y0), (x1, y1), metres)
    scene = _with_boxes(photograph, camera, boxes, rectangles)
    save_scene(scene, out)
    _report(scene, found)


def _lines(words: list[str] | tuple[str, ...]) -> dict[Axis, list[Segment]]:
    from neural_assets_core.calibration import Segment

    found: dict[Axis, list[Segment]] = {}
    for text in words:
        axis, (x0, y0, x1, y1) = _named(LINE, text)
        if axis not in ("x", "y", "z"):
            raise UserError(f"{LINE} goes along x, y or z, not {axis[:20]!r}.")
        # The check above is what the type says.
        found.setdefault(axis, []).append(Segment((x0, y0), (x1, y1)))  # type: ignore[arg-type]
    return found


def _named(option: str, text: str) -> tuple[str, list[float]]:
    name, *numbers = text.split(SEPARATOR)
    try:
        values = [float(number) for number in numbers]
    except ValueError:
        values = []
    if not values or not all(math.isfinite(value) for value in values):
        raise UserError(f"{option} takes {WORDS[option]} with finite numbers, not {numbers}.")
    if not name:
        raise UserError(f"{option} needs a name.")
    return name, values


def _camera(
    photograph: Photograph,
    lines: dict[Axis, list[Segment]],
    horizon: tuple[float, float] | None,
    focal: float | None,
    height: float | None,
) -> tuple[Camera, Calibration | None]:
    """The camera, and what the lines said about it if there are any."""
    from neural_assets_core.calibration import calibrate, camera_from_horizon, guessed_camera
    from neural_assets_core.calibration.ground import at_height
    from neural_assets_core.calibration.solve import DEFAULT_HEIGHT

    start = guessed_camera(photograph, focal)
    tall = DEFAULT_HEIGHT if height is None else height
    if horizon is not None:
        return camera_from_horizon(photograph.size, float(start.k[0, 0]), *horizon, tall), None
    if not lines:
        return (start if height is None else at_height(start, height)), None
    # Lines along two directions know better than a file that may have been cropped.
    directions = sum(len(segments) >= 2 for segments in lines.values())
    if focal is None and directions == 1:
        focal = photograph.focal
    found = calibrate(photograph.size, lines, focal=focal, height=tall)
    return found.camera, found


def _report(scene: Scene, found: Calibration | None) -> None:
    from neural_assets_core.calibration import horizon
    from neural_assets_core.calibration.photograph import FILM_DIAGONAL
    from neural_assets_core.geometry.camera_pose import camera_angles

    if found is not None:
        for axis, misses in found.residuals.items():
            for number, miss in enumerate(misses, start=1):
                typer.echo(f"line {axis} {number} misses its vanishing point by {miss:.2f} px")
        for text in found.warnings:
            warn(text)
    camera = scene.camera
    focal = float(camera.k[0, 0])
    film = focal / math.hypot(camera.width, camera.height) * FILM_DIAGONAL
    _, tilt, roll = camera_angles(camera)
    left, right = horizon(camera)
    typer.echo(f"camera   {focal:.0f} px ({film:.0f} mm on film), {camera.position[2]:.2f} m high")
    typer.echo(f"         tilted by {tilt:.1f} degrees, rolled by {roll:.1f}")
    typer.echo(f"horizon  {left:.0f} px at the left, {right:.0f} px at the right")
    for item in scene.objects:
        size = " x ".join(f"{side:.3f}" for side in item.box.size)
        place = " ".join(f"{value:.3f}" for value in item.box.base_center()[:2])
        typer.echo(f"{item.name}  {size} m, at {place}")


def _with_boxes(
    photograph: Photograph,
    camera: Camera,
    clicks: list[tuple[str, list[float]]],
    rectangles: list[tuple[str, list[float]]],
) -> Scene:
    from neural_assets_core.calibration import cuboid_from_clicks, scene_from_photograph
    from neural_assets_core.segmentation import (
        object_in_rectangle,
        segment,
        with_boxed_object,
        with_cut_out,
    )

    scene = scene_from_photograph(photograph, camera)
    for name, at in (*clicks, *rectangles):
        try:
            if len(at) == 4:
                left, top, right, bottom = at
                scene = object_in_rectangle(scene, (left, top, right, bottom), name)
                continue
            box = cuboid_from_clicks(camera, list(zip(at[::2], at[1::2], strict=True)))
        except UserError as error:
            raise UserError(f"{name}: {error}") from None
        scene = with_boxed_object(scene, box, name)
        item = scene.objects[-1]
        scene = with_cut_out(scene, item.name, segment(item.appearance.view, item.box))
    return scene
