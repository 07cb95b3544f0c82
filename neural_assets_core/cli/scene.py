"""`neural-assets info` and `neural-assets edit`: scene files without a decoder."""

from __future__ import annotations

import json
import math
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from neural_assets_core.cli.request import DecoderName, Prompt, Strength, with_options
from neural_assets_core.cli.settings import warn
from neural_assets_core.errors import UserError

if TYPE_CHECKING:
    from neural_assets_core.geometry import Box
    from neural_assets_core.scene import Scene, SceneObject

ScenePath = Annotated[Path, typer.Argument(metavar="SCENE", help="A scene file (.nascene).")]


def info(
    scene: ScenePath,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show a scene's objects, camera and settings."""
    from neural_assets_core.scene import load_scene

    report = scene_report(load_scene(scene))
    if as_json:
        typer.echo(json.dumps(report, indent=2))
    else:
        _print_report(report)


def edit(
    scene: ScenePath,
    name: Annotated[str, typer.Option("--object", metavar="NAME", help="The object to edit.")],
    out: Annotated[
        Path, typer.Option("--out", metavar="NEW.nascene", help="Where the new scene is written.")
    ],
    translate: Annotated[
        tuple[float, float, float] | None,
        typer.Option(metavar="X Y Z", help="Move it, metres along the world's axes (z is up)."),
    ] = None,
    rotate_z: Annotated[
        float | None, typer.Option(metavar="DEG", help="Turn it about its vertical axis, degrees.")
    ] = None,
    scale: Annotated[
        float | None, typer.Option(metavar="S", help="Scale it about the centre of its base.")
    ] = None,
    size: Annotated[
        tuple[float, float, float] | None,
        typer.Option(metavar="X Y Z", help="Its size, metres along its own axes; its base stays."),
    ] = None,
    put_back: Annotated[
        bool, typer.Option("--put-back", help="First back to where the photograph shows it.")
    ] = False,
    drop: Annotated[
        bool, typer.Option("--drop", help="At last, let it stand on the ground.")
    ] = False,
    fit: Annotated[
        bool,
        typer.Option("--fit", help="Say better where the photograph shows it: the picture stays."),
    ] = False,
    rename: Annotated[
        str | None, typer.Option(metavar="NEWNAME", help="Call it differently.")
    ] = None,
    remove: Annotated[bool, typer.Option("--remove", help="Take it out of the scene.")] = False,
    isolate: Annotated[
        bool, typer.Option("--isolate", help="Leave nothing but it, before an even grey.")
    ] = False,
    duplicate: Annotated[
        str | None,
        typer.Option(metavar="NEWNAME", help="Leave it, and edit a copy with this name."),
    ] = None,
    decoder: Annotated[
        DecoderName | None, typer.Option(help="What shall draw the new scene.")
    ] = None,
    checkpoint: Annotated[
        str | None, typer.Option(metavar="PATH", help="The decoder's, a folder.")
    ] = None,
    prompt: Prompt = None,
    strength: Strength = None,
) -> None:
    """Move, turn, scale, copy, isolate or remove one object, and write a new scene file."""
    moves = any(value is not None for value in (translate, rotate_z, scale, size))
    moves = moves or put_back or drop
    drawing = {"decoder": decoder, "checkpoint": checkpoint, "prompt": prompt, "strength": strength}
    drawn = any(value is not None for value in drawing.values())
    if remove and (moves or isolate or duplicate is not None or rename is not None):
        raise UserError("--remove cannot be combined with other edits: use two commands.")
    if fit and (duplicate is not None or not moves):
        raise UserError("--fit needs a move, and no --duplicate.")
    if not (remove or moves or isolate or drawn or duplicate is not None or rename is not None):
        raise UserError(
            "Nothing to do: give --translate, --rotate-z, --scale, --size, --put-back, --drop, "
            "--rename, --duplicate, --isolate, --remove or --decoder."
        )
    from neural_assets_core.scene import SCENE_SUFFIX, load_scene, save_scene

    if out.suffix != SCENE_SUFFIX:
        raise UserError(f"--out must end in {SCENE_SUFFIX}, unlike {out.name}.")
    before = load_scene(scene)
    if remove:
        after = before.without(name)
    else:
        box = _placed(before.object(name), put_back, translate, rotate_z, scale, size, drop)
        after = _edited(before, name, duplicate, box, fit)
    if isolate:
        from neural_assets_core.library import isolated

        after = isolated(after, [name if duplicate is None else duplicate])
    if rename is not None:
        after = _renamed(after, name if duplicate is None else duplicate, rename)
    if drawn:
        from neural_assets_core.decoders import doubts_about

        after = with_options(after, **drawing)
        if doubt := doubts_about(after):
            warn(doubt)
    save_scene(after, out)


def _placed(
    item: SceneObject,
    put_back: bool,
    translate: tuple[float, float, float] | None,
    rotate_z: float | None,
    scale: float | None,
    size: tuple[float, float, float] | None,
    drop: bool,
) -> Box:
    """Where the edited object is to stand."""
    from pydantic import ValidationError

    from neural_assets_core.geometry.manipulation import drop_to_ground
    from neural_assets_core.scene.validation import describe

    try:
        start = item.appearance.box if put_back else item.box
        box = _moved(start, translate, rotate_z, scale)
        if size is not None:
            resized = box.with_size(size)
            box = resized.translated(box.base_center() - resized.base_center())
    except ValidationError as error:
        raise UserError(f"The edit of {item.name!r} is impossible: {describe(error)}.") from None
    return drop_to_ground(box) if drop else box


def _renamed(scene: Scene, name: str, new_name: str) -> Scene:
    from pydantic import ValidationError

    from neural_assets_core.scene.validation import describe

    try:
        return scene.renamed(name, new_name)
    except ValidationError as error:
        raise UserError(f"{name!r} cannot be called so: {describe(error)}.") from None


def _edited(scene: Scene, name: str, duplicate: str | None, box: Box, fit: bool) -> Scene:
    from pydantic import ValidationError

    from neural_assets_core.proxy import check_boxes
    from neural_assets_core.scene import SceneObject
    from neural_assets_core.scene.source_box import with_source_box
    from neural_assets_core.scene.validation import describe

    item = scene.object(name)
    try:
        if duplicate is not None:
            item = SceneObject.model_validate({**dict(item), "name": duplicate})
    except ValidationError as error:
        raise UserError(f"The edit of {name!r} is impossible: {describe(error)}.") from None
    placed = item.model_copy(update={"box": box})
    # Only the edited object: another one that stands badly must not prevent mending this one.
    check_boxes(scene.model_copy(update={"objects": (placed,)}))
    if duplicate is None:
        return with_source_box(scene, name, box) if fit else scene.with_box(name, box)
    if any(other.name == duplicate for other in scene.objects):
        raise UserError(f"There is already an object called {duplicate!r}: choose another name.")
    return scene.with_object(placed)


def _moved(
    box: Box,
    translate: tuple[float, float, float] | None,
    rotate_z: float | None,
    scale: float | None,
) -> Box:
    if not all(math.isfinite(value) for value in (*(translate or ()), rotate_z or 0, scale or 0)):
        raise UserError("--translate, --rotate-z and --scale need finite numbers.")
    if scale is not None and scale <= 0:
        raise UserError(f"--scale must be greater than 0, not {scale}.")
    if rotate_z is not None:
        box = box.rotated((0.0, 0.0, 1.0), math.radians(rotate_z))
    if scale is not None:
        box = box.scaled(scale)
    if translate is not None:
        box = box.translated(translate)
    return box


# -- info --------------------------------------------------------------------------------------


def scene_report(scene: Scene) -> dict[str, Any]:
    """What `info --json` prints: metres, degrees and pixels in plain lists."""
    camera = scene.camera
    return {
        "picture": {"width": camera.width, "height": camera.height},
        "camera": {
            "intrinsics": camera.intrinsics,
            "world_to_camera": camera.world_to_camera,
            "position": camera.position.tolist(),
        },
        "objects": [_object_report(item) for item in scene.objects],
        "settings": scene.settings.model_dump(mode="json"),
    }


def _object_report(item: SceneObject) -> dict[str, Any]:
    from scipy.spatial.transform import Rotation

    rotation = Rotation.from_quat(item.box.rotation, scalar_first=True)
    with warnings.catch_warnings():
        # Gimbal lock: the angles are still right, merely not the only ones.
        warnings.simplefilter("ignore", UserWarning)
        angles = rotation.as_euler("xyz", degrees=True)
    return {
        "name": item.name,
        "category": item.category,
        "center": item.box.center,
        "size": item.box.size,
        "rotation": {
            "quaternion": item.box.rotation,
            "euler_degrees": [float(angle) for angle in angles],
        },
    }


def _print_report(report: dict[str, Any]) -> None:
    from rich.table import Table
    from rich.text import Text

    from neural_assets_core.cli.tables import console

    table = Table("object", "category", "center (m)", "size (m)", "turned (deg)")
    for item in report["objects"]:
        # Text: a name may look like rich's markup.
        table.add_row(
            Text(item["name"]),
            Text(item["category"]),
            _numbers(item["center"], 3),
            _numbers(item["size"], 3),
            _numbers(item["rotation"]["euler_degrees"], 1),
        )
    picture, settings = report["picture"], report["settings"]
    printer = console()
    printer.print(f"picture   {picture['width']} x {picture['height']} pixels", highlight=False)
    position = _numbers(report["camera"]["position"], 3)
    steps = "1 step" if settings["steps"] == 1 else f"{settings['steps']} steps"
    printer.print(f"camera    at {position} m", highlight=False)
    printer.print(
        Text(
            f"settings  {settings['decoder']} decoder, checkpoint {settings['checkpoint']}, "
            f"seed {settings['seed']}, {steps}, guidance {settings['guidance']:g}"
        )
    )
    printer.print(table)


def _numbers(values: list[float], digits: int) -> str:
    return " ".join(f"{value:.{digits}f}" for value in values)
