"""`neural-assets train`: from a configuration file to a checkpoint."""

from __future__ import annotations

import logging
import os
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from neural_assets_core.cli.progress import progress_bar
from neural_assets_core.errors import UserError


class Stage(StrEnum):
    """The parts of a training run, in their order."""

    data = "data"
    vae = "vae"
    lifter = "lifter"
    decoder = "decoder"
    all = "all"


def train(
    config: Annotated[Path, typer.Option("--config", metavar="FILE", help="A TOML file.")],
    stage: Annotated[Stage, typer.Option(help="Only this part of the run.")] = Stage.all,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on where an earlier run stopped.")
    ] = False,
    max_minutes: Annotated[
        float | None,
        typer.Option(metavar="M", min=0.001, help="Time limit of each stage, not the file's."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="Instead of the file's `out`.")
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(
            "--data",
            metavar="DIR",
            help="Instead of the file's data path; any data that `dataset show` shows.",
        ),
    ] = None,
    estimate: Annotated[
        bool,
        typer.Option("--estimate", help="Only say what memory and time the decoder will need."),
    ] = False,
) -> None:
    """Render the data if they are missing; train autoencoder, lifter, then the rest end to end.

    Losses, held-out figures and pictures are logged for TensorBoard in the run's folder. Several
    processes, GPUs or machines train together when `accelerate launch` or `torchrun` starts them.
    """
    os.environ.setdefault("MUJOCO_GL", "egl")
    from neural_assets_core.training.config import read_config
    from neural_assets_core.training.run import run_training

    run = read_config(config)
    if out is not None:
        run = run.model_copy(update={"out": out})
    if data is not None:
        run = run.model_copy(update={"data": run.data.model_copy(update={"path": data})})
    if max_minutes is not None:
        limit = {"minutes": max_minutes}
        stages = {name: getattr(run, name) for name in ("vae", "lifter", "decoder")}
        run = run.model_copy(
            update={name: stage.model_copy(update=limit) for name, stage in stages.items()}
        )
    if estimate:
        import torch

        from neural_assets_core.training.estimate import estimate as reckon

        device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        typer.echo("\n".join(reckon(run, device).lines()))
        return
    if data is not None:
        check_data(data)
    main = speak()
    with progress_bar() as bar:
        task = bar.add_task("rendering", total=None, visible=False)

        def show(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total, visible=done < total)

        folder = run_training(run, stage=stage.value, resume=resume, progress=show)
    if main:
        typer.echo(f"finished: {folder}")
        if (folder / "model_index.json").is_file():
            typer.echo(
                "look at it: neural-assets render SCENE.nascene --decoder neural "
                f"--checkpoint {folder} --out picture.png"
            )


def check_data(folder: Path) -> None:
    """A name that is misspelt is not a place to render data in.

    Raises
    ------
    UserError
        If the folder holds nothing that can be trained on.
    """
    from neural_assets_core.data.readers import find_format

    if find_format(folder) is None:
        raise UserError(
            f"{folder} holds no data to train on: check the name. `neural-assets dataset make` and "
            "`dataset from-scenes` write some."
        )


def speak() -> bool:
    """Log how a training goes, on stderr; of several processes the first one speaks for all.

    Returns
    -------
    bool
        Whether this is the one.
    """
    main = os.environ.get("RANK", "0") == "0"
    logging.basicConfig(
        level=logging.INFO if main else logging.WARNING,
        format="%(asctime)s %(message)s",
        datefmt="%H:%M:%S",
        force=True,
    )
    # It tells of every file of a state; the run itself says what counts.
    logging.getLogger("accelerate").setLevel(logging.WARNING)
    return main
