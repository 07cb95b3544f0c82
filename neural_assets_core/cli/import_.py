"""`neural-assets import`: what other programs placed, and meshes to place things by."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from neural_assets_core.errors import UserError


def import_(
    file: Annotated[
        Path,
        typer.Argument(metavar="FILE", help="Boxes from Blender say (.glb), or with --scene a "
                       "mesh (.obj, .glb, .ply, .stl)."),
    ],
    out: Annotated[
        Path, typer.Option("--out", metavar="NEW.nascene", help="Where the new scene is written.")
    ],
    into: Annotated[
        Path | None,
        typer.Option("--into", metavar="SCENE", help="Whose objects and camera are placed so."),
    ] = None,
    scene: Annotated[
        Path | None,
        typer.Option("--scene", metavar="SCENE", help="In which the mesh stands in for an object."),
    ] = None,
    at: Annotated[
        tuple[float, float] | None,
        typer.Option(metavar="X Y", help="Where the mesh stands; else amid the ground in view."),
    ] = None,
    scale: Annotated[
        float | None,
        typer.Option(metavar="S", help="Metres of the mesh's unit; else large ones are in mm."),
    ] = None,
) -> None:
    """Place a scene's objects as a GLB file does, or add a mesh as a stand-in made of clay."""
    if (into is None) == (scene is None):
        raise UserError("Give either --into, to place objects, or --scene, to add a mesh.")
    from neural_assets_core.export.gltf import read_glb
    from neural_assets_core.library import inserted
    from neural_assets_core.meshes import load_mesh, stand_in
    from neural_assets_core.proxy import check_boxes
    from neural_assets_core.scene import SCENE_SUFFIX, load_scene, save_scene

    if out.suffix != SCENE_SUFFIX:
        raise UserError(f"--out must end in {SCENE_SUFFIX}, unlike {out.name}.")
    if into is not None:
        placed = read_glb(file).applied(load_scene(into))
    else:
        assert scene is not None
        placed = inserted(load_scene(scene), stand_in(load_mesh(file, scale)), at)
    check_boxes(placed)
    save_scene(placed, out)
