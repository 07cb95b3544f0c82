"""`neural-assets camera`: the picture from somewhere else."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated

import typer

from neural_assets_core.cli.scene import ScenePath
from neural_assets_core.errors import UserError


def camera(
    scene: ScenePath,
    out: Annotated[
        Path, typer.Option("--out", metavar="NEW.nascene", help="Where the new scene is written.")
    ],
    move: Annotated[
        tuple[float, float, float] | None,
        typer.Option(metavar="X Y Z", help="Move it, metres along the world's axes (z is up)."),
    ] = None,
    turn: Annotated[
        tuple[float, float, float] | None,
        typer.Option(
            metavar="H T R",
            help="Turn it: heading (to the left), tilt (up) and roll, degrees.",
        ),
    ] = None,
    reset: Annotated[
        bool, typer.Option("--reset", help="First back to where the photograph was taken from.")
    ] = False,
) -> None:
    """Move or turn the camera a little, and write a new scene file."""
    if not (move or turn or reset):
        raise UserError("Nothing to do: give --move, --turn or --reset.")
    if not all(math.isfinite(value) for value in (*(move or ()), *(turn or ()))):
        raise UserError("--move and --turn need finite numbers.")
    from neural_assets_core.geometry.camera_pose import camera_angles, placed_camera
    from neural_assets_core.proxy import check_boxes
    from neural_assets_core.scene import SCENE_SUFFIX, load_scene, save_scene

    if out.suffix != SCENE_SUFFIX:
        raise UserError(f"--out must end in {SCENE_SUFFIX}, unlike {out.name}.")
    before = load_scene(scene)
    start = before.background.view.camera if reset else before.camera
    (x, y, z), (heading, tilt, roll) = start.position, camera_angles(start)
    dx, dy, dz = move or (0.0, 0.0, 0.0)
    dh, dt, dr = turn or (0.0, 0.0, 0.0)
    if move or turn:
        start = placed_camera(
            start, (x + dx, y + dy, z + dz), (heading + dh, tilt + dt, roll + dr)
        )
    after = before.with_camera(start)
    check_boxes(after)
    save_scene(after, out)
