"""`neural-assets estimate`: depth, masks, boxes and camera told by models of one's own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from neural_assets_core.cli.scene import ScenePath
from neural_assets_core.cli.settings import warn
from neural_assets_core.errors import UserError

if TYPE_CHECKING:
    from neural_assets_core.estimators import DepthMap, MaskProposer
    from neural_assets_core.estimators.registry import Kind
    from neural_assets_core.scene import Scene

MODEL = "FOLDER|OWNER/NAME"


def estimate(
    scene: ScenePath,
    out: Annotated[
        Path, typer.Option("--out", metavar="NEW.nascene", help="Where the new scene is written.")
    ],
    depth: Annotated[
        str | None,
        typer.Option(metavar=MODEL, help="Shapes of objects: a depth estimation model, or moge:…."),
    ] = None,
    masks: Annotated[
        str | None,
        typer.Option(metavar=MODEL, help="Masks of objects: a mask generation model (SAM)."),
    ] = None,
    propose: Annotated[
        int, typer.Option(metavar="N", min=0, max=64, help="New objects, at most; needs --masks.")
    ] = 0,
    camera: Annotated[
        str | None, typer.Option(metavar="NAME", help="The camera: geocalib, or moge:….")
    ] = None,
    name: Annotated[
        list[str] | None,
        typer.Option("--object", metavar="NAME", help="Only this one; may be repeated."),
    ] = None,
    download: Annotated[
        bool,
        typer.Option(
            "--download",
            help="Models named as owner/name may be fetched from the Hugging Face Hub.",
        ),
    ] = False,
) -> None:
    """Let models tell what a photograph shows: camera, masks, boxes, shapes; in this order.

    A model is a folder in transformers' layout (safetensors only), or a repository; its licence
    is told. Nothing is downloaded without --download.
    """
    if not (depth or masks or camera):
        raise UserError("Nothing to do: give --depth, --masks or --camera.")
    if propose and not masks:
        raise UserError("New objects are found by their masks: give --masks with --propose.")
    from neural_assets_core.scene import SCENE_SUFFIX, load_scene, save_scene

    if out.suffix != SCENE_SUFFIX:
        raise UserError(f"--out must end in {SCENE_SUFFIX}, unlike {out.name}.")
    result = load_scene(scene)
    names = tuple(name or (item.name for item in result.objects))
    for one in names:
        result.object(one)
    # Before any of them is loaded: what is missing is told at once.
    if depth is not None:
        _make_sure("depth", depth, download)
    if masks is not None:
        _make_sure("masks", masks, download)
    save_scene(_estimated(result, names, depth, masks, propose, camera), out)


def _make_sure(kind: Kind, model: str, download: bool) -> None:
    """Have the model on this machine, and tell its licence."""
    from neural_assets_core.estimators import download_model, find_model, registered
    from neural_assets_core.estimators.sources import look_up

    if model.partition(":")[0] in registered(kind):
        return
    try:
        source = find_model(model)
    except UserError:
        if not download or "/" not in model or Path(model).expanduser().exists():
            raise
        typer.echo(look_up(model).told())
        source = download_model(model)
    typer.echo(source.told())


def _estimated(
    scene: Scene,
    names: tuple[str, ...],
    depth: str | None,
    masks: str | None,
    propose: int,
    camera: str | None,
) -> Scene:
    from neural_assets_core.estimators import (
        with_estimated_camera,
        with_model_masks,
        with_proposals,
        with_relief,
    )

    picture = scene.background.view.picture
    if camera is not None:
        scene = with_estimated_camera(scene, _opened("camera", camera)(picture))
    map_: DepthMap | None = None if depth is None else _opened("depth", depth)(picture)
    before = len(scene.objects)
    if masks is not None:
        proposer: MaskProposer = _opened("masks", masks)
        scene = with_model_masks(scene, names, proposer)
        if propose:
            scene = with_proposals(scene, proposer, map_, propose)
    new = tuple(item.name for item in scene.objects[before:])
    for one in new:
        typer.echo(f"found {one}")
    if propose and not new:
        warn("The model saw nothing new that could stand on the ground.")
    if map_ is not None:
        scene = with_relief(scene, (*names, *new), map_)
        for one in (*names, *new):
            if scene.object(one).appearance.relief is None:
                warn(f"The depth model sees {one} flat: its shape stays guessed.")
    return scene


def _opened(kind: Kind, name: str) -> Any:
    from neural_assets_core.estimators import open_estimator
    from neural_assets_core.preferences import load_preferences

    return open_estimator(kind, name, load_preferences(warn))
