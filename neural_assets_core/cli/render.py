"""`neural-assets render`: a scene file in, a picture out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from neural_assets_core.cli.progress import following, progress_bar
from neural_assets_core.cli.request import DecoderName, Prompt, Strength, requested
from neural_assets_core.cli.scene import ScenePath
from neural_assets_core.cli.settings import warn
from neural_assets_core.errors import UserError

if TYPE_CHECKING:
    from neural_assets_core.decoders import Generation
    from neural_assets_core.preferences import Preferences
    from neural_assets_core.scene import Scene


def render(
    scene: ScenePath,
    out: Annotated[
        Path, typer.Option("--out", metavar="PNG", help="Where the picture is written.")
    ],
    seed: Annotated[
        int | None, typer.Option(metavar="N", help="Same seed, same picture.")
    ] = None,
    steps: Annotated[int | None, typer.Option(metavar="N", help="Denoising steps.")] = None,
    guidance: Annotated[
        float | None, typer.Option(metavar="G", help="Guidance scale; 1 is none.")
    ] = None,
    decoder: Annotated[
        DecoderName | None,
        typer.Option(
            help="neural: by a trained model; proxy: by geometry alone, at once; inpainting: the "
            "proxy, finished by a Stable Diffusion inpainting checkpoint of yours."
        ),
    ] = None,
    checkpoint: Annotated[
        str | None,
        typer.Option(metavar="PATH", help='A folder in diffusers layout, or "default".'),
    ] = None,
    prompt: Prompt = None,
    strength: Strength = None,
    device: Annotated[
        str | None, typer.Option(metavar="DEVICE", help="auto, cpu, cuda or mps; else as set.")
    ] = None,
    precision: Annotated[
        str | None, typer.Option(metavar="P", help="auto, fp32, bf16 or fp16; else as set.")
    ] = None,
    keep_source: Annotated[
        bool | None,
        typer.Option(help="Keep the source's own pixels wherever the edit cannot be seen."),
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing.")] = False,
) -> None:
    """Make the picture of a scene; what is not given is taken from the scene's settings."""
    from neural_assets_core.decoders import doubts_about
    from neural_assets_core.export.image import export_png
    from neural_assets_core.files import check_writable
    from neural_assets_core.preferences import load_preferences

    if out.suffix.lower() != ".png":
        raise UserError(
            f"--out must end in .png, unlike {out.name}: `export` writes other formats."
        )
    # Before the work, not after it.
    check_writable(out)
    request = requested(
        scene,
        seed=seed,
        steps=steps,
        guidance=guidance,
        decoder=decoder and decoder.value,
        checkpoint=checkpoint,
        prompt=prompt,
        strength=strength,
        keep_source=keep_source,
    )
    if doubt := doubts_about(request):
        warn(doubt)
    machine = {"device": device, "precision": precision}
    given = {name: value for name, value in machine.items() if value is not None}
    generation = _generate(request, load_preferences(warn).changed(**given), quiet)
    export_png(generation.picture, generation.scene, out)
    if not quiet:
        size = f"{generation.picture.width} x {generation.picture.height}"
        typer.echo(f"{out}: {size} pixels in {generation.seconds:.1f} s")


def _generate(request: Scene, preferences: Preferences, quiet: bool) -> Generation:
    from neural_assets_core.decoders import open_decoder

    with progress_bar(quiet) as bar:
        progress = following(bar)
        return open_decoder(request.settings, preferences).generate(request, progress=progress)
