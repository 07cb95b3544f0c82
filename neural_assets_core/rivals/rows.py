"""A row of a comparison: trained, then asked all cases; what is done is not done again.

Layout, beside the other rows'::

    DIR/rows/NAME/                      what training wrote
    DIR/rows/NAME/done.json             {config, steps, pairs, minutes}: trained, and how
    DIR/rows/NAME/answers-X/cases.json  what the answers are worth, in the order of the cases
    DIR/rows/NAME/answers-X/NAME.png    the answer to a case

X says which cases were asked, with how many steps and how much guidance.
"""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from PIL import Image as PILImage
from pydantic import ValidationError

from neural_assets_core.decoders import ProxyDecoder
from neural_assets_core.decoders.base import Decoder
from neural_assets_core.decoders.neural import NeuralDecoder
from neural_assets_core.errors import UserError
from neural_assets_core.evaluation.benchmark import Case, fingerprint
from neural_assets_core.evaluation.judge import Judge
from neural_assets_core.evaluation.metrics import Image
from neural_assets_core.evaluation.scores import scores
from neural_assets_core.files import write_atomically
from neural_assets_core.model.loading import load_pipeline, placement
from neural_assets_core.preferences import Preferences
from neural_assets_core.proxy import CARVER
from neural_assets_core.rivals.chained import ChainedEditor
from neural_assets_core.rivals.comparison import TRAINED, Comparison, Row, merged, read_json
from neural_assets_core.rivals.threedit import ThreeDITEditor
from neural_assets_core.rivals.training import train_rival
from neural_assets_core.scene import GenerationSettings
from neural_assets_core.scene.validation import describe
from neural_assets_core.training.config import TrainingConfig
from neural_assets_core.training.run import run_training

log = logging.getLogger(__name__)


def row_config(row: Row, base: TrainingConfig, out: Path) -> TrainingConfig:
    """The row's own training configuration; raises `UserError` if its changes do not fit."""
    try:
        config = TrainingConfig.model_validate(merged(base.model_dump(), row.changes))
    except ValidationError as error:
        raise UserError(f"The changes of row {row.name!r}: {describe(error)}.") from None
    return config.model_copy(update={"out": out / "rows" / row.name})


def train_row(row: Row, base: TrainingConfig, out: Path) -> dict[str, Any]:
    """Train the row, or go on with it; what is trained already is left as it is.

    Returns
    -------
    dict
        {config, steps, pairs, minutes}, empty for rows that need no training.

    Raises
    ------
    UserError
        If its folder holds a row that was trained in another way.
    """
    if row.method not in TRAINED:
        return {}
    config = row_config(row, base, out)
    done = read_json(config.out / "done.json")
    if done is not None:
        # What the program has learnt to set since then was as it is by default.
        before = TrainingConfig.model_validate(done["config"])
        if before.model_copy(update={"out": config.out}) != config:
            raise UserError(
                f"{config.out} was trained with other settings: delete it, or give another --out."
            )
        return dict(done)
    shutil.copytree(out / "vae", config.out / "vae", dirs_exist_ok=True)
    if row.method == "neural assets":
        run_training(config, stage="decoder", resume=True)
    elif row.method in ("3dit", "chained"):
        train_rival(row.method, config, resume=True)
    clocks = [
        read_json(newest(states) / "clock.json")
        for states in sorted(config.out.glob("*-training"))
        if states.name not in ("vae-training", "lifter-training")
    ]
    steps, stage = [clock["step"] for clock in clocks], config.decoder
    done = {
        "config": config.model_dump(mode="json"),
        "steps": steps,
        "pairs": sum(steps) * stage.batch_size * stage.accumulation,
        "minutes": round(sum(clock["used_seconds"] for clock in clocks) / 60, 2),
    }
    write_atomically(config.out / "done.json", (json.dumps(done, indent=1) + "\n").encode())
    return done


def newest(states: Path) -> Path:
    """The newest of a network's checkpoints."""
    return max(states.glob("checkpoint-[0-9]*"), key=lambda path: int(path.name[11:]))


def row_picture(row: Row, comparison: Comparison, out: Path) -> Callable[[Case], Image]:
    """How the row answers a case."""
    if row.method == "copy":
        return lambda case: case.source.image
    # The decoder's whole picture, not its window put back: no other row has that.
    settings = GenerationSettings(
        steps=comparison.steps, guidance=comparison.guidance, keep_source=False
    )
    editor = _editor(row, out / "rows" / row.name)

    def picture(case: Case) -> Image:
        scene = case.scene.model_copy(update={"settings": settings})
        return editor.generate(scene).picture.pixels

    return picture


def _editor(row: Row, folder: Path) -> Decoder:
    # Figures do not depend on what the user prefers.
    placed = placement(Preferences())
    if row.method == "proxy":
        return ProxyDecoder(CARVER)
    if row.method == "3dit":
        return ThreeDITEditor.open(folder, placed)
    if row.method == "chained":
        return ChainedEditor.open(folder, placed)
    return NeuralDecoder(load_pipeline(str(folder / "pipeline"), *placed))


def answer_row(
    row: Row,
    comparison: Comparison,
    cases: Sequence[Case],
    judge: Judge,
    out: Path,
    tell: Callable[[int, int], None],
) -> list[dict[str, float]]:
    """The figures of the row's answers to all cases, which are kept with their pictures."""
    folder = answers(row, comparison, cases, out)
    folder.mkdir(parents=True, exist_ok=True)
    known = read_json(folder / "cases.json")
    if known is None:
        picture, known = row_picture(row, comparison, out), []
        for done, case in enumerate(cases, start=1):
            image = picture(case)
            found = scores(case, image, judge.read(image, case.regions), judge)
            known.append({name: round(value, 4) for name, value in found.items()})
            PILImage.fromarray(image).save(folder / f"{case.name}.png")
            tell(done, len(cases))
        write_atomically(folder / "cases.json", (json.dumps(known) + "\n").encode())
    return list(known)


def answers(row: Row, comparison: Comparison, cases: Sequence[Case], out: Path) -> Path:
    """Where the row's answers to these cases are kept."""
    how = f"{fingerprint(cases)}-{comparison.steps}-{comparison.guidance:g}"
    return out / "rows" / row.name / f"answers-{how}"
