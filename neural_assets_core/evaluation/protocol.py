"""The paper's way of measuring, on any data set that can be read.

What is cropped, resized, left out and kept is told in resources/evaluation/PROTOCOL.md.
"""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from neural_assets_core.data.dataset import Clips
from neural_assets_core.data.readers import Split, find_format, open_clips
from neural_assets_core.errors import UserError
from neural_assets_core.evaluation.inception import frechet_distance
from neural_assets_core.evaluation.methods import TRUTH, Lineup, Method, line_up
from neural_assets_core.evaluation.metrics import Image
from neural_assets_core.evaluation.networks import Judged, Networks, cut
from neural_assets_core.evaluation.page import write_pages
from neural_assets_core.evaluation.pairs import SIZE, Pair, paper_pairs
from neural_assets_core.evaluation.results import CASES, Results, write_results
from neural_assets_core.evaluation.sheet import best_median_worst, framed, paste_sheet
from neural_assets_core.files import write_atomically
from neural_assets_core.model.loading import placement
from neural_assets_core.preferences import Preferences
from neural_assets_core.scene import GenerationSettings

PROTOCOL = 1
"""Number of the protocol: one higher whenever figures would change."""
SAMPLES = {"object": 4}
"""By the format of the data: pictures drawn of each case, one where nothing is said."""

Progress = Callable[[str, int, int], None]


@dataclass
class _Gathered:
    """What grows case by case."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    features: dict[str, list[NDArray[np.float32]]] = field(default_factory=dict)
    regions: dict[str, list[tuple[float, float, float, float]]] = field(default_factory=dict)
    clips: int = 0

    def keep(self, name: str, images: Sequence[Image], networks: Networks) -> None:
        """Remember what the Inception network sees in a picture and its crops."""
        self.features.setdefault(name, []).append(networks.features(images))

    def distances(self, method: str) -> dict[str, float]:
        """FID of a method's pictures, and of their crops."""
        pair = self.features[method], self.features[TRUTH]
        if pair[0][0].shape[1] == 0:
            return {}
        whole = [np.stack([found[0] for found in of]) for of in pair]
        parts = [np.concatenate([found[1:] for found in of]) for of in pair]
        out = {"fid": whole, "object_fid": parts}
        return {k: frechet_distance(*v) for k, v in out.items() if len(v[0]) > 1}


def evaluate_paper(
    checkpoint: str,
    *,
    data: str | Path,
    against: Sequence[str] = (),
    split: Split = "heldout",
    pairs: int | None = None,
    size: int = SIZE,
    samples: int | None = None,
    whole: bool = False,
    out: str | Path = Path("out/evaluation"),
    settings: GenerationSettings | None = None,
    networks: Networks | None = None,
    progress: Progress | None = None,
) -> Results:
    """Judge checkpoints by the paper's protocol.

    Parameters
    ----------
    checkpoint, against
        See `evaluation.run.evaluate`.
    data : Path
        A data set of any format that `data.readers` knows.
    split : {"heldout", "train"}
    pairs : int, optional
        How many; else one of every clip.
    size : int
        Side of the pictures, pixels.
    samples : int, optional
        Pictures drawn of each case, with consecutive seeds; the one with the best masked PSNR
        counts. Default: as `SAMPLES` says.
    whole : bool
        See `methods_for`.
    out : Path
        Gets `cases.parquet`, `summary.md`, `summary.json`, `report.html`, `sheet.png` and
        `pictures/METHOD/CASE.png`.
    settings : GenerationSettings, optional
        Steps, guidance, and the first seed, which also chooses the pairs.
    networks : Networks, optional
        Without, all that needs weights of others is left out.
    progress : callable, optional
        Told (what is done, pairs done, pairs in all).

    Raises
    ------
    UserError
        If a checkpoint or the data cannot be read, `out` cannot be written, or no pair is left.
    """
    settings = settings or GenerationSettings()
    networks, data, out = networks or Networks(), Path(data), Path(out)
    clips = open_clips(data, split)
    kind = find_format(data) or ""
    _make_folder(out)
    lineup = line_up((checkpoint, *against), settings, whole=whole)
    lineup = replace(lineup, methods=[m for m in lineup.methods if m.name != TRUTH])
    drawing = _Drawing(lineup, samples or SAMPLES.get(kind, 1), settings.seed, out)
    found = _Gathered()
    for pair in _some(clips, pairs, size, settings.seed):
        found.clips += 1
        if pair is not None:
            _judge(pair, drawing, networks, found)
        if progress is not None:
            done = found.clips if pairs is None else len(found.regions)
            progress("evaluating", done, pairs or len(clips))
    if not found.rows:
        raise UserError(
            f"{data} has no pair of frames in which an object fills 1 % of both pictures: check "
            "it with `neural-assets dataset check`."
        )
    first = lineup.settings
    results = Results(
        about={
            "protocol": PROTOCOL, "checkpoint": checkpoint, "data": str(data), "format": kind,
            "split": split, "pairs": len(found.regions), "clips": found.clips, "size": size,
            "samples": drawing.samples, "seed": first.seed, "steps": first.steps,
            "guidance": first.guidance, "whole": whole, "weights": networks.weights,
        },
        columns=networks.columns(),
        methods=lineup.labels,
        rows=found.rows,
        sets={name: found.distances(name) for name in lineup.ways},
        folder=out.absolute(),
    )  # fmt: skip
    write_results(out / CASES, results)
    _write_sheet(results, found.regions, out / "sheet.png")
    write_pages(results, out, networks.left_out())
    return results


def _some(clips: Clips, pairs: int | None, size: int, seed: int) -> Iterator[Pair | None]:
    count = 0
    for pair in paper_pairs(clips, size, seed):
        yield pair
        count += pair is not None
        if count == pairs:
            return


@dataclass(frozen=True)
class _Drawing:
    """Who draws, how often, and where the pictures go."""

    lineup: Lineup
    samples: int
    seed: int
    out: Path

    def seeds(self, method: Method) -> list[int | None]:
        return [self.seed + k for k in range(self.samples)] if method.seeded else [None]

    def run_as(self, method: Method) -> dict[str, float | int | None]:
        """Steps and guidance, of checkpoints."""
        found = self.lineup.candidates.get(method.name)
        if found is None:
            return {"steps": None, "guidance": None}
        return {"steps": found.settings.steps, "guidance": found.settings.guidance}

    def save(self, name: str, case: str, image: Image) -> str:
        """Write a picture; its path from the results' folder."""
        path = Path("pictures", slug(name), f"{case}.png")
        (self.out / path).parent.mkdir(parents=True, exist_ok=True)
        encoded = cv2.imencode(".png", image[..., ::-1])[1]
        write_atomically(self.out / path, encoded.tobytes())
        return path.as_posix()


def slug(name: str) -> str:
    """A method's name as a folder's; a part of a hash keeps those apart that are alike in it."""
    plain = re.sub(r"[^\w.@,-]+", "-", name).strip("-.")
    if plain == name:
        return name
    return f"{plain[-60:]}-{hashlib.sha256(name.encode()).hexdigest()[:6]}"


def _judge(pair: Pair, drawing: _Drawing, networks: Networks, found: _Gathered) -> None:
    case, judged = pair.case, Judged.of(pair, networks)
    found.keep(TRUTH, [judged.truth, *judged.parts], networks)
    found.regions[case.name] = case.regions
    told = {
        "case": case.name, "clip": pair.clip, "source_frame": pair.frames[0],
        "target_frame": pair.frames[1], "group": case.group, "task": case.task,
        "objects": len(case.scene.objects) + (len(case.edited) if case.removes else 0),
        "edited": list(case.edited),
        "source": drawing.save("source", case.name, case.source.image),
        "truth": drawing.save(TRUTH, case.name, judged.truth),
    }  # fmt: skip
    names = [column.name for column in networks.columns()]
    for method in drawing.lineup.methods:
        rows: list[dict[str, Any]] = []
        pictures: list[Image] = []
        for sample, seed in enumerate(drawing.seeds(method)):
            started = time.perf_counter()
            pictures.append(method.picture(replace(case, seed=seed)))
            seconds = round(time.perf_counter() - started, 3)
            figures = judged.figures(pictures[-1], networks)
            rows.append(
                {
                    **told, "method": method.name, "sample": sample, "seed": seed,
                    **drawing.run_as(method), "kept": False, "seconds": seconds, "picture": None,
                    **{name: figures[name] for name in names},
                }
            )  # fmt: skip
        best = int(np.argmax([row["masked_psnr"] for row in rows]))
        path = drawing.save(method.name, case.name, pictures[best])
        rows[best] |= {"kept": True, "picture": path}
        found.keep(method.name, [pictures[best], *cut(pictures[best], judged.crops)], networks)
        found.rows += rows


def _write_sheet(
    results: Results, regions: dict[str, list[tuple[float, float, float, float]]], path: Path
) -> None:
    """Best, median and worst cases of the first method, by PSNR inside the objects."""
    methods = [name for name in results.methods if name != "copy"]
    values = results.values(methods[0], "object_psnr").tolist()
    cases = list(results.of(methods[0]))
    rows = []
    for index in best_median_worst(values):
        row = results.of(methods[0])[cases[index]]
        files = [row["source"], row["truth"]]
        files += [results.of(name)[row["case"]]["picture"] for name in methods]
        images = [cv2.imread(str(results.folder / file))[..., ::-1] for file in files]
        tiles = [framed(regions[row["case"]] if k == 1 else [], x) for k, x in enumerate(images)]
        told = [f"{values[index]:.1f} dB", row["task"], row["group"], row["case"]]
        rows.append(("\n".join(told), tiles))
    paste_sheet(["source", "truth", *methods], rows, path)


def _make_folder(out: Path) -> None:
    """Before the work, not after it; pictures of an earlier run would be mixed up with ours."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        for old in (out / "pictures").glob("*/*.png"):
            old.unlink()
    except OSError as error:
        raise UserError(
            f"Cannot write the folder {out} ({error.strerror}): choose another place."
        ) from None


def device() -> str:
    """Where the networks run: figures do not depend on what the user prefers."""
    return placement(Preferences())[0]
