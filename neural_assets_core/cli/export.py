"""`neural-assets export`: stills in other programs' formats, of one scene or of many."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from neural_assets_core.cli.progress import progress_bar
from neural_assets_core.cli.render import DecoderName
from neural_assets_core.cli.request import decoder_of, requested
from neural_assets_core.errors import UserError

STEM = "{}"
"""Stands for the scene's own name in --out."""


class What(StrEnum):
    """What is exported; the names are those of `neural_assets_core.export.KINDS`."""

    picture = "picture"
    objects = "objects"
    masks = "masks"
    depth = "depth"
    boxes = "boxes"
    sheet = "sheet"
    layers = "layers"
    glb = "glb"


def export(
    scenes: Annotated[
        list[Path], typer.Argument(metavar="SCENE...", help="Scene files (.nascene).")
    ],
    out: Annotated[
        str,
        typer.Option(
            "--out",
            metavar="FILE",
            help="Ends in .png, .jpg, .webp, .tif, .exr, .ora or .glb; {} is the scene's name.",
        ),
    ],
    what: Annotated[
        What | None,
        typer.Option(
            help="The finished picture; the edited objects alone; a mask an object; depth of the "
            "boxes; their edges; before and after; layers (.ora); the 3D scene (.glb)."
        ),
    ] = None,
    metadata: Annotated[
        bool, typer.Option(help="Put the whole request into the file's metadata.")
    ] = True,
    quality: Annotated[
        int, typer.Option(metavar="N", min=1, max=100, help="Of JPEG and WebP.")
    ] = 95,
    seed: Annotated[
        int | None, typer.Option(metavar="N", help="Same seed, same picture.")
    ] = None,
    decoder: Annotated[DecoderName | None, typer.Option(help="Instead of the scene's.")] = None,
    checkpoint: Annotated[
        str | None, typer.Option(metavar="PATH", help="Instead of the scene's.")
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing.")] = False,
) -> None:
    """Export pictures, masks, depth, boxes, before/after sheets and layers."""
    targets = _targets(scenes, out)
    from neural_assets_core.export.stills import KINDS, check_still, default_kind, export_still

    kind = what.value if what is not None else default_kind(out)
    for target in targets:
        check_still(target, kind)
    with progress_bar(quiet) as bar:
        task = bar.add_task("exporting", total=len(scenes))
        for path, target in zip(scenes, targets, strict=True):
            scene = requested(
                path, seed=seed, decoder=decoder and decoder.value, checkpoint=checkpoint
            )
            picture = decoder_of(scene).generate(scene).picture if KINDS[kind].drawn else None
            written = export_still(
                picture, scene, target, what=kind, metadata=metadata, quality=quality
            )
            bar.advance(task)
            if not quiet:
                for file in written:
                    typer.echo(file)


def _targets(scenes: list[Path], out: str) -> list[Path]:
    if len(scenes) > 1 and STEM not in out:
        raise UserError(
            f"Several scenes need several files: write {STEM} into --out for the scenes' names, "
            "as in --out 'out/{}.png'."
        )
    targets = [Path(out.replace(STEM, scene.stem)) for scene in scenes]
    if len(set(targets)) < len(targets):
        raise UserError("Two of the scenes have the same name: export them one by one.")
    return targets


def import_(
    file: Annotated[Path, typer.Argument(metavar="FILE.glb", help="Boxes, from Blender say.")],
    scene: Annotated[
        Path, typer.Option("--into", metavar="SCENE", help="Whose objects are placed so.")
    ],
    out: Annotated[
        Path, typer.Option("--out", metavar="NEW.nascene", help="Where the new scene is written.")
    ],
) -> None:
    """Place a scene's objects, found by their names, and its camera as a GLB file does."""
    from neural_assets_core.export.gltf import read_glb
    from neural_assets_core.proxy import check_boxes
    from neural_assets_core.scene import SCENE_SUFFIX, load_scene, save_scene

    if out.suffix != SCENE_SUFFIX:
        raise UserError(f"--out must end in {SCENE_SUFFIX}, unlike {out.name}.")
    placed = read_glb(file).applied(load_scene(scene))
    check_boxes(placed)
    save_scene(placed, out)
