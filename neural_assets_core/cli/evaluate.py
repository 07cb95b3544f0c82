"""`neural-assets evaluate`: a checkpoint's figures on held-out pairs."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from neural_assets_core.cli.progress import progress_bar
from neural_assets_core.errors import UserError
from neural_assets_core.evaluation.methods import LABELS


def evaluate(
    checkpoint: Annotated[
        str, typer.Option(metavar="PATH", help='A folder in diffusers layout, or "default".')
    ] = "default",
    pairs: Annotated[int, typer.Option(metavar="N", min=1, help="Number of held-out pairs.")] = 200,
    data: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="A held-out data set; made if not given."),
    ] = None,
    out: Annotated[
        Path, typer.Option(metavar="DIR", help="Gets the report and a sheet of pictures.")
    ] = Path("out/evaluation"),
    steps: Annotated[int | None, typer.Option(metavar="N", help="Denoising steps.")] = None,
    guidance: Annotated[
        float | None, typer.Option(metavar="G", help="Guidance scale; 1 is none.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """PSNR and SSIM of the whole picture and inside the moved objects' boxes.

    Beside the checkpoint's figures stand those for handing back the source picture, for the
    proxy alone, and for the VAE's own reconstruction of the target.
    """
    from pydantic import ValidationError

    from neural_assets_core.model.checkpoints import resolve_checkpoint
    from neural_assets_core.scene import GenerationSettings
    from neural_assets_core.scene.validation import describe

    options = {"steps": steps, "guidance": guidance}
    given = {name: value for name, value in options.items() if value is not None}
    try:
        settings = GenerationSettings.model_validate(given)
    except ValidationError as error:
        raise UserError(f"--{describe(error)}.") from None
    # Before torch is loaded, which takes seconds.
    resolve_checkpoint(checkpoint)
    os.environ.setdefault("MUJOCO_GL", "egl")
    from neural_assets_core.evaluation.run import evaluate as evaluate_checkpoint

    with progress_bar() as bar:
        task = bar.add_task("evaluating", total=pairs)
        report = evaluate_checkpoint(
            checkpoint,
            pairs=pairs,
            data=data,
            out=out,
            settings=settings,
            progress=lambda done, total: bar.update(task, completed=done, total=total),
        )
    if as_json:
        typer.echo(json.dumps(report.to_json(), indent=2))
    else:
        _print_figures(report.figures)
        number = str(report.pairs) if report.pairs == pairs else f"only {report.pairs} of {pairs}"
        typer.echo(f"{number} pairs; pictures and all figures in {out}")


def _print_figures(figures: Mapping[str, float]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("", "PSNR", "SSIM", "PSNR, moved objects", "SSIM, moved objects")
    for prefix, label in LABELS.items():
        names = (f"{prefix}{name}" for name in ("psnr", "ssim", "object_psnr", "object_ssim"))
        table.add_row(label, *(f"{figures[name]:.3f}" for name in names))
    Console().print(table)
