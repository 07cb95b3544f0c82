"""`neural-assets evaluate`: a checkpoint's figures on the benchmark."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from neural_assets_core.cli.progress import progress_bar
from neural_assets_core.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from neural_assets_core.evaluation.report import Report
    from neural_assets_core.evaluation.results import Results
    from neural_assets_core.scene import GenerationSettings

PAPER = "Of --protocol paper"
"""Panel of the options that nothing else has."""


def evaluate(
    checkpoint: Annotated[
        str,
        typer.Option(
            metavar="PATH[@STEPS[,G]]",
            help='A folder in diffusers layout, or "default"; its steps and guidance, if others.',
        ),
    ] = "default",
    against: Annotated[
        list[str] | None,
        typer.Option(
            metavar="PATH[@STEPS[,G]]", help="Another one to compare; may be repeated."
        ),
    ] = None,
    pairs: Annotated[
        int | None,
        typer.Option(metavar="N", min=1, help="Only the first N pairs, a fair sample; else all."),
    ] = None,
    size: Annotated[
        int | None,
        typer.Option(metavar="PIXELS", min=32, help="Side of the pictures; else the model's."),
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="A held-out data set, instead of the benchmark."),
    ] = None,
    protocol: Annotated[
        Literal["own", "paper", "beyond"],
        typer.Option(
            help='"paper": as Wu et al. measure, on any data set that can be read; "beyond": '
            "what an artist notices, by number of objects."
        ),
    ] = "own",
    out: Annotated[
        Path, typer.Option(metavar="DIR", help="Gets the report and a sheet of pictures.")
    ] = Path("out/evaluation"),
    steps: Annotated[int | None, typer.Option(metavar="N", help="Denoising steps.")] = None,
    guidance: Annotated[
        float | None, typer.Option(metavar="G", help="Guidance scale; 1 is none.")
    ] = None,
    split: Annotated[
        Literal["heldout", "train"] | None,
        typer.Option(help="Part of the data, else heldout.", rich_help_panel=PAPER),
    ] = None,
    samples: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=1,
            help="Pictures drawn of each case, the best counts; else 4 on OBJect, 1 on videos.",
            rich_help_panel=PAPER,
        ),
    ] = None,
    seed: Annotated[
        int | None,
        typer.Option(
            metavar="N", min=0, help="Of the pairs and the first sample; else 0.",
            rich_help_panel=PAPER,
        ),
    ] = None,
    whole: Annotated[
        bool,
        typer.Option(
            "--whole", help="Checkpoints draw all pixels, as the paper's does.",
            rich_help_panel=PAPER,
        ),
    ] = False,
    lpips_weights: Annotated[
        Path | None,
        typer.Option(
            metavar="PATH", help="Folder: AlexNet's or VGG-16's weights and the lpips package's.",
            rich_help_panel=PAPER,
        ),
    ] = None,
    inception_weights: Annotated[
        Path | None,
        typer.Option(metavar="PATH", help="pytorch-fid's file.", rich_help_panel=PAPER),
    ] = None,
    dino: Annotated[
        str | None,
        typer.Option(
            metavar="PATH_OR_REPO", help="DINO in transformers' layout.", rich_help_panel=PAPER
        ),
    ] = None,
    download: Annotated[
        bool,
        typer.Option(
            "--download", help="DINO may be fetched from the Hugging Face hub.",
            rich_help_panel=PAPER,
        ),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Figures on a fixed benchmark of edits whose truth is known.

    Likeness to the truth, pose, identity and background, for this checkpoint, for others, for
    the proxy alone, for the source unchanged, and for the autoencoder's copy of the truth; by
    families that training saw or not, and by task. The benchmark is rendered once.

    With `--protocol paper`: PSNR, SSIM, LPIPS, FID and DINO similarity of pairs of frames of any
    data set, of the whole picture and of objects; see resources/evaluation/PROTOCOL.md.

    With `--protocol beyond`: pose and orientation, identity once round, untouched background,
    mirrored far sides, who is in front, copies that are counted, each by number of objects; see
    resources/beyond/README.md.
    """
    from pydantic import ValidationError

    from neural_assets_core.evaluation.candidates import parse_candidate
    from neural_assets_core.scene import GenerationSettings
    from neural_assets_core.scene.validation import describe

    extra = {
        "split": split, "samples": samples, "seed": seed, "whole": whole or None,
        "lpips-weights": lpips_weights, "inception-weights": inception_weights, "dino": dino,
        "download": download or None,
    }  # fmt: skip
    given_extra = [f"--{name}" for name, value in extra.items() if value is not None]
    if protocol != "paper" and given_extra:
        raise UserError(f"{given_extra[0]} needs --protocol paper.")
    if protocol == "beyond" and data is not None:
        raise UserError("--protocol beyond has scenes of its own: leave out --data.")
    if protocol == "paper" and data is None:
        raise UserError("--protocol paper needs --data with the folder of a data set.")
    options = {"steps": steps, "guidance": guidance, "seed": seed}
    given = {name: value for name, value in options.items() if value is not None}
    try:
        settings = GenerationSettings.model_validate(given)
    except ValidationError as error:
        raise UserError(f"--{describe(error)}.") from None
    # Before torch is loaded, which takes seconds.
    for name in (checkpoint, *(against or ())):
        parse_candidate(name, settings)
    os.environ.setdefault("MUJOCO_GL", "egl")
    if protocol == "paper" and data is not None:
        from neural_assets_core.evaluation.networks import Networks
        from neural_assets_core.evaluation.pairs import SIZE
        from neural_assets_core.evaluation.protocol import device, evaluate_paper

        with progress_bar() as bar:
            task = bar.add_task("loading", total=None)
            networks = Networks.load(
                device(), lpips=lpips_weights, inception=inception_weights, dino=dino,
                download=download,
            )  # fmt: skip
            results = evaluate_paper(
                checkpoint,
                data=data,
                against=against or (),
                split=split or "heldout",
                pairs=pairs,
                size=size or SIZE,
                samples=samples,
                whole=whole,
                out=out,
                settings=settings,
                networks=networks,
                progress=lambda what, done, total: bar.update(
                    task, description=what, completed=done, total=total
                ),
            )
        _print_results(results, networks.left_out(), out, as_json=as_json)
        return
    if protocol == "beyond":
        _beyond(checkpoint, against or (), pairs, size, out, settings, as_json=as_json)
        return
    from neural_assets_core.evaluation.run import evaluate as evaluate_checkpoint

    with progress_bar() as bar:
        task = bar.add_task("loading", total=None)
        report = evaluate_checkpoint(
            checkpoint,
            against=against or (),
            pairs=pairs,
            size=size,
            data=data,
            out=out,
            settings=settings,
            progress=lambda what, done, total: bar.update(
                task, description=what, completed=done, total=total
            ),
        )
    if as_json:
        typer.echo(json.dumps(report.to_json(), indent=2))
    else:
        _print(report)
        fewer = f"only {report.pairs} of {pairs}" if report.pairs < (pairs or 0) else report.pairs
        typer.echo(f"{fewer} pairs; pictures and all figures in {out}")


def _beyond(
    checkpoint: str,
    against: Sequence[str],
    pairs: int | None,
    size: int | None,
    out: Path,
    settings: GenerationSettings,
    *,
    as_json: bool,
) -> None:
    from neural_assets_core.cli.tables import console
    from neural_assets_core.evaluation.beyond.page import overall
    from neural_assets_core.evaluation.beyond.run import evaluate_beyond

    with progress_bar() as bar:
        task = bar.add_task("loading", total=None)
        report = evaluate_beyond(
            checkpoint,
            against=against,
            pairs=pairs,
            size=size,
            out=out,
            settings=settings,
            progress=lambda what, done, total: bar.update(
                task, description=what, completed=done, total=total
            ),
        )
    if as_json:
        typer.echo(json.dumps(report.to_json(), indent=1))
    else:
        _print_tables(console(), [overall(report, name) for name in report.figures])
        typer.echo(f"{report.trials} trials; pictures and all figures in {out}/README.md")


def _print_results(results: Results, left_out: list[str], out: Path, *, as_json: bool) -> None:
    from neural_assets_core.cli.tables import console
    from neural_assets_core.evaluation.page import summary, table

    if as_json:
        typer.echo(json.dumps(summary(results), indent=1))
    else:
        _print_tables(console(), [table(results, group) for group in results.groups()])
        about = results.about
        typer.echo(f"{about['pairs']} pairs of {about['clips']} clips; all in {out}/report.html")
    for line in left_out:
        typer.echo(line, err=True)


def _print_tables(printer: Console, tables: list[tuple[list[str], list[list[str]]]]) -> None:
    from rich.markup import escape
    from rich.table import Table
    from rich.text import Text

    for heads, rows in tables:
        drawn = Table(*(escape(head) for head in heads))
        for row in rows:
            drawn.add_row(*(Text(cell) for cell in row))
        printer.print(drawn)


def _print(report: Report) -> None:
    from rich.text import Text

    from neural_assets_core.cli.tables import console
    from neural_assets_core.evaluation.report import main_groups, table, task_table

    printer = console()
    tables = [table(report, group) for group in main_groups(report)]
    _print_tables(printer, [*tables, task_table(report)])
    for gained, figure in report.gains.items():
        printer.print(
            Text(f"{figure.mean:+.2f} dB ({figure.low:+.2f} to {figure.high:+.2f}) inside the "
                 f"objects over {gained}")
        )
    marks = {True: "reached    ", False: "NOT reached", None: "not measured"}
    for target in report.targets:
        value = "" if target.value is None else f"{target.value:.2f}"
        printer.print(Text(f"{marks[target.reached]}  {target.label}: {value}"))
