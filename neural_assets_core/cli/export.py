"""`neural-assets export`: stills in other programs' formats, of one scene or of many."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from neural_assets_core.cli.progress import progress_bar
from neural_assets_core.cli.request import (
    DecoderName,
    decoder_of,
    requested,
    signature_for,
)
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
    difference = "difference"
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
            "boxes; their edges; before and after; where they differ; layers (.ora); the 3D "
            "scene (.glb)."
        ),
    ] = None,
    metadata: Annotated[
        bool, typer.Option(help="Put the whole request into the file's metadata.")
    ] = True,
    quality: Annotated[
        int, typer.Option(metavar="N", min=1, max=100, help="Of JPEG and WebP.")
    ] = 95,
    credentials: Annotated[
        bool,
        typer.Option(
            "--credentials",
            help="Sign a statement into the file of how it was made (C2PA), with a small picture "
            "of the photograph.",
        ),
    ] = False,
    certificate: Annotated[
        str | None,
        typer.Option(metavar="PEM", help="To sign with; else as set, or made on this machine."),
    ] = None,
    signing_key: Annotated[
        str | None, typer.Option(metavar="PEM", help="The certificate's, if in another file.")
    ] = None,
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
        check_still(target, kind, credentials)
    signature = signature_for(credentials, certificate, signing_key)
    with progress_bar(quiet) as bar:
        task = bar.add_task("exporting", total=len(scenes))
        for path, target in zip(scenes, targets, strict=True):
            scene = requested(
                path, seed=seed, decoder=decoder and decoder.value, checkpoint=checkpoint
            )
            picture = decoder_of(scene).generate(scene).picture if KINDS[kind].drawn else None
            written = export_still(
                picture, scene, target, what=kind, metadata=metadata, quality=quality,
                signature=signature,
            )  # fmt: skip
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
