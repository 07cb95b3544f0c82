"""Evaluate a decoder on held-out pairs, beside what it has to beat and what limits it."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image as PILImage
from PIL import ImageDraw

from neural_assets_core.data.dataset import AnnotatedFrame, Clip, ClipDataset
from neural_assets_core.data.frames import scene_from_pair
from neural_assets_core.data.made import make_dataset
from neural_assets_core.decoders import ProxyDecoder
from neural_assets_core.decoders.neural import NeuralDecoder
from neural_assets_core.errors import UserError
from neural_assets_core.evaluation.methods import METHODS
from neural_assets_core.evaluation.metrics import Image, crop_bounds, psnr, ssim
from neural_assets_core.files import check_writable
from neural_assets_core.model.latents import decode_latents, encode_latents, to_images, to_pixels
from neural_assets_core.model.loading import load_pipeline
from neural_assets_core.model.pipeline import NeuralAssetsPipeline
from neural_assets_core.scene import GenerationSettings, Scene

log = logging.getLogger(__name__)

HELDOUT_SEED = 20_001
SMALLEST_AREA = 0.01
"""A moved object counts if it covers at least this share of the picture in both frames."""

COLUMNS = ("source", "truth", "this checkpoint", "proxy", "autoencoder")
"""Of the sheet of pictures."""


@dataclass(frozen=True)
class Case:
    """One held-out pair and its pictures by method; `crops` are the moved objects' boxes."""

    name: str
    source: Image
    truth: Image
    crops: list[tuple[slice, slice]]
    pictures: dict[str, Image]

    def scores(self, method: str) -> dict[str, float]:
        """PSNR and SSIM of the picture, and means over the moved objects' target boxes."""
        picture = self.pictures[method]
        inside = [(picture[crop], self.truth[crop]) for crop in self.crops]
        return {
            "psnr": psnr(picture, self.truth),
            "ssim": ssim(picture, self.truth),
            "object_psnr": float(np.mean([psnr(*pair) for pair in inside])),
            "object_ssim": float(np.mean([ssim(*pair) for pair in inside])),
        }


@dataclass(frozen=True)
class Report:
    """Mean figures over all cases.

    Attributes
    ----------
    figures : dict of str to float
        `psnr`, `ssim`, `object_psnr`, `object_ssim` of the decoder, the same with the prefixes
        `copy_source_`, `proxy_` and `ceiling_`, and `..._ci`: half of a 95 % bootstrap interval.
    """

    checkpoint: str
    pairs: int
    size: int
    steps: int
    guidance: float
    figures: dict[str, float]

    def to_json(self) -> dict[str, object]:
        """One flat dictionary."""
        fields = asdict(self)
        return {**{k: v for k, v in fields.items() if k != "figures"}, **self.figures}


def evaluate(
    checkpoint: str = "default",
    *,
    pairs: int = 200,
    data: Path | None = None,
    out: Path = Path("out/evaluation"),
    settings: GenerationSettings | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Report:
    """Judge a checkpoint.

    Parameters
    ----------
    checkpoint : str
        "default" or a folder.
    pairs : int
        Fewer are judged if `data` does not hold as many.
    data : Path, optional
        A held-out data set; rendered into `out` at the model's resolution if not given.
    out : Path
        Gets `report.json`, `cases.json` and `sheet.png` (best, median and worst cases: source,
        truth, neural, proxy, ceiling).
    settings : GenerationSettings, optional
        Steps, guidance and seed.
    progress : callable, optional
        Told (pairs done, pairs in all).

    Raises
    ------
    UserError
        If the checkpoint cannot be loaded, `out` cannot be written, or `data` is no data set
        with clips of two frames, one of them at least with a visible object that moves.
    """
    pipeline = load_pipeline(checkpoint)
    settings = (settings or GenerationSettings()).model_copy(update={"checkpoint": checkpoint})
    _make_folder(out)
    if data is None:
        chosen = _made_clips(out, pipeline.sample_size, pairs)
    else:
        chosen = _moving_clips(ClipDataset(data), pairs)
    if not chosen:
        raise UserError(f"{data} holds no pair in which a visible object moves: make more clips.")
    decoder = NeuralDecoder(pipeline)
    cases = []
    for clip in chosen:
        cases.append(_case(clip.name, clip[0], clip[1], decoder, pipeline, settings))
        if progress is not None:
            progress(len(cases), len(chosen))
    return _report(cases, checkpoint, settings, out)


def moved_objects(source: AnnotatedFrame, target: AnnotatedFrame) -> list[int]:
    """Ids of the objects that moved and cover enough of both pictures."""
    before = {item.id: item for item in source.objects}
    moved = []
    for item in target.objects:
        old = before.get(item.id)
        shares = [float(np.mean(frame.mask == item.id)) for frame in (source, target)]
        if old is not None and old.box != item.box and min(shares) >= SMALLEST_AREA:
            moved.append(item.id)
    return moved


def _make_folder(out: Path) -> None:
    # Before the work, not after it.
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(
            f"Cannot make the folder {out} ({error.strerror}): choose another place."
        ) from None
    check_writable(out / "report.json")


def _made_clips(out: Path, size: int, count: int) -> list[Clip]:
    data = out / f"heldout-{size}"
    # Some clips have no pair that counts: a few more than asked for, then more until it is enough.
    extra = count // 4 + 4
    scenes = count + extra
    while True:
        make_dataset(data, scenes, 2, size, HELDOUT_SEED, "heldout", 2)
        chosen = _moving_clips(ClipDataset(data), count)
        if len(chosen) == count:
            return chosen
        scenes += extra


def _moving_clips(clips: ClipDataset, count: int) -> list[Clip]:
    """The first `count` clips, or fewer, in which an object moves that can be seen."""
    chosen: list[Clip] = []
    for clip in clips:
        if len(clip) < 2:
            raise UserError(f"{clip.path} has fewer than two frames: make clips of two or more.")
        if moved_objects(clip[0], clip[1]):
            chosen.append(clip)
        if len(chosen) == count:
            break
    return chosen


def _case(
    name: str,
    source: AnnotatedFrame,
    target: AnnotatedFrame,
    decoder: NeuralDecoder,
    pipeline: NeuralAssetsPipeline,
    settings: GenerationSettings,
) -> Case:
    scene: Scene = scene_from_pair(source, target).model_copy(update={"settings": settings})
    height, width = target.mask.shape
    regions = {item.id: item.region for item in target.objects}
    return Case(
        name=name,
        source=source.image,
        truth=target.image,
        crops=[
            crop_bounds(regions[id_], width, height) for id_ in moved_objects(source, target)
        ],
        pictures={
            "neural": decoder.generate(scene).picture.pixels,
            "copy_source": source.image,
            "proxy": ProxyDecoder().generate(scene).picture.pixels,
            "ceiling": _reconstruction(pipeline, target.image),
        },
    )


@torch.no_grad()
def _reconstruction(pipeline: NeuralAssetsPipeline, image: Image) -> Image:
    """What the autoencoder makes of the truth.

    A guide to what the latents can hold, no bound: decoders put the source's detail back.
    """
    vae = pipeline.vae
    pixels = to_pixels(image[None]).to(vae.device, vae.dtype)
    restored: Image = to_images(decode_latents(vae, encode_latents(vae, pixels)))[0]
    return restored


def _report(
    cases: list[Case], checkpoint: str, settings: GenerationSettings, out: Path
) -> Report:
    table = {method: [case.scores(method) for case in cases] for method in METHODS}
    rng = np.random.default_rng(0)
    draws = rng.integers(len(cases), size=(1000, len(cases)))
    figures: dict[str, float] = {}
    for method, rows in table.items():
        prefix, _ = METHODS[method]
        for key in rows[0]:
            values = np.array([row[key] for row in rows])
            low, high = np.percentile(values[draws].mean(axis=1), [2.5, 97.5])
            figures[prefix + key] = round(float(values.mean()), 4)
            figures[prefix + key + "_ci"] = round(float(high - low) / 2, 4)
    report = Report(
        checkpoint=checkpoint,
        pairs=len(cases),
        size=cases[0].truth.shape[0],
        steps=settings.steps,
        guidance=settings.guidance,
        figures=figures,
    )
    (out / "report.json").write_text(json.dumps(report.to_json(), indent=2))
    by_case = [
        {"name": case.name, **{m: table[m][index] for m in METHODS}}
        for index, case in enumerate(cases)
    ]
    (out / "cases.json").write_text(json.dumps(by_case, indent=1))
    order = np.argsort([-row["object_psnr"] for row in table["neural"]])
    _contact_sheet([cases[index] for index in _best_median_worst(order)], out / "sheet.png")
    return report


def _best_median_worst(order: NDArray[np.intp], each: int = 10) -> list[int]:
    if len(order) <= 3 * each:
        return [int(index) for index in order]
    middle = len(order) // 2 - each // 2
    chosen = [*order[:each], *order[middle : middle + each], *order[-each:]]
    return [int(index) for index in chosen]


def _contact_sheet(cases: list[Case], path: Path) -> None:
    """One row below another, in dB at its left the checkpoint's PSNR inside the moved objects."""
    rows = [
        np.concatenate(
            [case.source, case.truth]
            + [case.pictures[method] for method in ("neural", "proxy", "ceiling")],
            axis=1,
        )
        for case in cases
    ]
    height, width = rows[0].shape[:2]
    left, top = 36, 14
    sheet = PILImage.new("RGB", (left + width, top + height * len(rows)), "white")
    sheet.paste(PILImage.fromarray(np.concatenate(rows)), (left, top))
    draw = ImageDraw.Draw(sheet)
    for index, label in enumerate(COLUMNS):
        draw.text((left + index * width // len(COLUMNS) + 2, 1), label, fill="black")
    for index, case in enumerate(cases):
        value = case.scores("neural")["object_psnr"]
        draw.text((2, top + index * height + height // 2 - 6), f"{value:.1f}", fill="black")
    sheet.save(path)
