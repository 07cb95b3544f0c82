"""Train the judge of the scoreboard on made data.

`python -m neural_assets_core.training.judge --data out/made-192 --out resources/judge`
"""

from __future__ import annotations

import argparse
import json
import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from safetensors.torch import save_file

from neural_assets_core.data.dataset import AnnotatedFrame, Clip, ClipDataset
from neural_assets_core.evaluation.judge import (
    JUDGE,
    WEIGHTS,
    Image,
    Judge,
    JudgeNet,
    Look,
    Region,
    look_at,
)
from neural_assets_core.evaluation.metrics import centroid, silhouette_iou
from neural_assets_core.model.latents import to_pixels

log = logging.getLogger(__name__)

CROP = 64
CHANNELS = (48, 96, 192)
IDENTITY = 64
OBJECTS = 24
"""In a batch, each from two frames of its clip."""
SMALLEST_AREA = 0.004
"""Of the picture: objects that can be seen less teach nothing."""
TEMPERATURE = 0.1
IDENTITY_WEIGHT = 0.25
LEARNING_RATE = 2e-3
LOG_STEPS = 50


@dataclass(frozen=True)
class Batch:
    """`pixels` (b, s, s, 3), `prompts` (b, s, s), `masks` (b, s, s).

    The first `2 * objects` are pairs: number k and k + `objects` show the same object. The rest
    are places that may be empty.
    """

    pixels: torch.Tensor
    prompts: torch.Tensor
    masks: torch.Tensor
    objects: int


@dataclass(frozen=True)
class _Example:
    pixels: Image
    prompt: NDArray[np.float32]
    mask: NDArray[np.float32]


def batches(clips: list[Clip], seed: int) -> Iterator[Batch]:
    """Random crops without end."""
    rng = np.random.default_rng(seed)
    firsts: list[_Example] = []
    seconds: list[_Example] = []
    places: list[_Example] = []
    while True:
        clip = clips[int(rng.integers(len(clips)))]
        a, b = (clip[int(k)] for k in rng.choice(len(clip), 2, replace=False))
        ids = _seen_in_both(a, b)
        for number in ids:
            firsts.append(_example(rng, a, number))
            seconds.append(_example(rng, b, number))
        if ids:
            place = _place(rng, a, _region(b, int(rng.choice(ids))))
            places += [place] if place is not None else []
        if len(firsts) >= OBJECTS:
            chosen = [*firsts[:OBJECTS], *seconds[:OBJECTS], *places]
            firsts, seconds, places = firsts[OBJECTS:], seconds[OBJECTS:], []
            yield Batch(
                torch.from_numpy(np.stack([item.pixels for item in chosen])),
                torch.from_numpy(np.stack([item.prompt for item in chosen])),
                torch.from_numpy(np.stack([item.mask for item in chosen])),
                OBJECTS,
            )


def _seen_in_both(a: AnnotatedFrame, b: AnnotatedFrame) -> list[int]:
    seen = [
        {item.id for item in frame.objects if (frame.mask == item.id).mean() >= SMALLEST_AREA}
        for frame in (a, b)
    ]
    return sorted(seen[0] & seen[1])


def _region(frame: AnnotatedFrame, number: int) -> Region:
    return next(item.region for item in frame.objects if item.id == number)


def _example(rng: np.random.Generator, frame: AnnotatedFrame, number: int) -> _Example:
    return _cut(rng, frame, _jittered(rng, _region(frame, number)), number)


def _place(rng: np.random.Generator, frame: AnnotatedFrame, region: Region) -> _Example | None:
    """A place where the object is, or another, or none; None if it is hard to say which."""
    overlaps = [(_box_iou(region, item.region), item.id) for item in frame.objects]
    best, number = max(overlaps)
    if 0.2 < best < 0.5:
        return None
    return _cut(rng, frame, region, number if best >= 0.5 else -1)


def _jittered(rng: np.random.Generator, region: Region) -> Region:
    """Moved and resized by up to a fifth: the judge must look, not believe the prompt."""
    x0, y0, x1, y1 = region
    width, height = x1 - x0, y1 - y0
    u, v = rng.uniform(-0.2, 0.2, 2)
    w, h = np.exp(rng.uniform(-0.2, 0.2, 2))
    x, y = 0.5 * (x0 + x1) + u * width, 0.5 * (y0 + y1) + v * height
    return (
        float(x - 0.5 * w * width),
        float(y - 0.5 * h * height),
        float(x + 0.5 * w * width),
        float(y + 0.5 * h * height),
    )


def _cut(
    rng: np.random.Generator, frame: AnnotatedFrame, region: Region, number: int
) -> _Example:
    height, width = frame.mask.shape
    look: Look = look_at(region, width, height)
    pixels = look.crop(frame.image, CROP)
    mask = look.crop(np.where(frame.mask == number, np.uint8(255), np.uint8(0)), CROP)
    outline = np.divide(mask, 255, dtype=np.float32)
    parts = _worn(rng, pixels), look.prompt_map(CROP), outline
    if rng.random() < 0.5:
        return _Example(*(np.ascontiguousarray(part[:, ::-1]) for part in parts))
    return _Example(*parts)


def _worn(rng: np.random.Generator, pixels: Image) -> Image:
    """Blurred, noisy, lighter or darker, as generated pictures may be."""
    out = pixels.astype(np.float32)
    if rng.random() < 0.4:
        out = np.asarray(cv2.GaussianBlur(out, (0, 0), float(rng.uniform(0.4, 2.0))))
    if rng.random() < 0.4:
        out += rng.normal(0, float(rng.uniform(1, 12)), out.shape)
    out = (out - 127.5) * float(rng.uniform(0.85, 1.15)) + 127.5 + float(rng.uniform(-14, 14))
    return np.clip(out, 0, 255).astype(np.uint8)


def _box_iou(a: Region, b: Region) -> float:
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    areas = [(r[2] - r[0]) * (r[3] - r[1]) for r in (a, b)]
    return width * height / (sum(areas) - width * height)


def loss_of(net: JudgeNet, batch: Batch) -> tuple[torch.Tensor, torch.Tensor]:
    """Of the outlines (cross-entropy and Dice) and of the identities (InfoNCE)."""
    pixels = to_pixels(batch.pixels).to(memory_format=torch.channels_last)
    with torch.autocast("cpu", torch.bfloat16):
        logits, identity = net(pixels, batch.prompts[:, None])
    logits, target = logits.float(), batch.masks
    chance = logits.sigmoid()
    overlap = (chance * target).sum(dim=(1, 2))
    total = (chance + target).sum(dim=(1, 2))
    dice = 1 - (2 * overlap + 1) / (total + 1)
    outline = F.binary_cross_entropy_with_logits(logits, target) + 0.5 * dice.mean()
    count = batch.objects
    pairs = identity[:count], identity[count : 2 * count]
    likeness = pairs[0] @ pairs[1].T / TEMPERATURE
    own = torch.arange(count)
    identities = 0.5 * (F.cross_entropy(likeness, own) + F.cross_entropy(likeness.T, own))
    return outline, identities


def train(
    data: list[Path],
    *,
    steps: int,
    minutes: float,
    seed: int,
    start: Path | None = None,
    learning_rate: float = LEARNING_RATE,
) -> tuple[Judge, dict[str, float]]:
    """Train on clips of two frames or more; returns the judge and what it took.

    The learning rate falls to nothing by a cosine over the steps or the minutes, whichever end
    first. With `start`, the judge in that folder learns on; what it took before is counted in.
    """
    torch.manual_seed(seed)
    cv2.setNumThreads(0)
    clips = [clip for path in data for clip in ClipDataset(path)]
    net = JudgeNet(CHANNELS, IDENTITY) if start is None else Judge.load(start).net.train()
    before = {} if start is None else json.loads((start / "config.json").read_text())["training"]
    optimizer = torch.optim.AdamW(net.parameters(), lr=learning_rate, weight_decay=1e-2)
    started, done = time.monotonic(), 0
    for batch in batches(clips, seed):
        used = max(done / steps, (time.monotonic() - started) / (60 * minutes))
        if used >= 1:
            break
        falling = max(0.01, 0.5 * (1 + np.cos(np.pi * used)))
        optimizer.param_groups[0]["lr"] = learning_rate * min(1, (done + 1) / 50) * falling
        outline, identities = loss_of(net, batch)
        optimizer.zero_grad()
        total: Any = outline + IDENTITY_WEIGHT * identities
        total.backward()
        optimizer.step()
        done += 1
        if done % LOG_STEPS == 0:
            log.info("step %d (%.0f %%): outline %.3f, identity %.3f",
                     done, 100 * used, outline.item(), identities.item())
    judge = Judge(net, CROP)
    judge.scale = unrelated_distance(judge, clips)
    took = {
        "steps": done,
        "crops": done * 2 * OBJECTS,
        "minutes": (time.monotonic() - started) / 60,
    }
    return judge, {key: value + before.get(key, 0) for key, value in took.items()}


def unrelated_distance(judge: Judge, clips: list[Clip], count: int = 40) -> float:
    """Mean perceptual distance between pictures of different clips."""
    rng = np.random.default_rng(1)
    chosen = rng.choice(len(clips), (count, 2))
    pairs = [(clips[int(a)][0].image, clips[int(b)][0].image) for a, b in chosen if a != b]
    return float(np.mean([judge.distance(*pair) for pair in pairs]))


def score(judge: Judge, data: Path, count: int = 200) -> dict[str, float]:
    """The judge's own figures on true pictures of a held-out data set.

    Returns
    -------
    dict
        `silhouette_iou`; `centroid_error` in % of the picture's side; `identity`: share of
        objects nearest to themselves in the next frame among all objects of all clips;
        `shift_seen`: by how much of its true shift the centroid moves when the picture is
        shifted by 4 % of its side and the prompt is not; `false_alarm`: share of the prompt's
        own area that is taken for an object where there is none.
    """
    rng = np.random.default_rng(0)
    ious, errors, shifts, alarms = [], [], [], []
    first, second = [], []
    for clip in list(ClipDataset(data))[:count]:
        a, b = clip[0], clip[1]
        side = a.mask.shape[1]
        ids = _seen_in_both(a, b)
        if not ids:
            continue
        regions = [_region(a, k) for k in ids]
        readings = judge.read(a.image, regions)
        offset = round(0.04 * side)
        moved = judge.read(np.roll(a.image, offset, axis=1), regions)
        for number, reading, after in zip(ids, readings, moved, strict=True):
            truth = a.mask == number
            ious.append(silhouette_iou(reading.silhouette, truth))
            if reading.silhouette.any() and after.silhouette.any():
                at = centroid(reading.silhouette)
                errors.append(100 * float(np.linalg.norm(at - centroid(truth))) / side)
                shifts.append((centroid(after.silhouette) - at)[0] / offset)
        first += [reading.identity for reading in readings]
        second += [r.identity for r in judge.read(b.image, [_region(b, k) for k in ids])]
        region = _empty_place(rng, a)
        if region is not None:
            found = judge.read(a.image, [region])[0].silhouette.sum()
            area = (region[2] - region[0]) * (region[3] - region[1]) * side**2
            alarms.append(float(found) / area)
    nearest = (np.stack(first) @ np.stack(second).T).argmax(axis=1)
    return {
        "objects": len(ious),
        "silhouette_iou": float(np.mean(ious)),
        "centroid_error": float(np.mean(errors)),
        "identity": float(np.mean(nearest == np.arange(len(first)))),
        "shift_seen": float(np.mean(shifts)),
        "false_alarm": float(np.mean(alarms)) if alarms else 0.0,
    }


def _empty_place(rng: np.random.Generator, frame: AnnotatedFrame) -> Region | None:
    for _ in range(20):
        x, y = rng.uniform(0, 0.75, 2)
        region = (float(x), float(y), float(x) + 0.25, float(y) + 0.25)
        if all(_box_iou(region, item.region) == 0 for item in frame.objects):
            return region
    return None


CARD = """# The judge of the scoreboard

Reads an object's silhouette and identity in a picture, and tells how alike two pictures are
(`neural_assets_core/evaluation/judge.py`). Trained on made scenes, apart from every decoder.

| | |
|---|---|
| data | {frames} frames of {clips} clips of made scenes |
| training | {steps} steps of {batch} crops of {crop} x {crop} pixels ({crops} in all), \
{minutes:.1f} minutes on one processor core |
| weights | {parameters:.2f} million numbers in half precision |

Its own figures, on true pictures of held-out scenes and instances ({objects} objects):

| | |
|---|---|
| silhouette IoU | {silhouette_iou:.3f} |
| centroid error | {centroid_error:.2f} % of the picture's side |
| nearest instance, from one frame to another, among all of them | {identity:.1%} |
| centroid's share of a shift that the prompt does not make (best: 1) | {shift_seen:.2f} |
| taken for an object where there is none | {false_alarm:.1%} of the prompt's area |

The distance is 0 for equal pictures and 1, on average, for pictures of different scenes.

Made again by `python -m neural_assets_core.training.judge --data out/made-192`.
Apache-2.0, weights included.
"""


def save(judge: Judge, took: dict[str, float], data: list[Path], heldout: Path, out: Path) -> None:
    """Write weights, configuration and card."""
    out.mkdir(parents=True, exist_ok=True)
    weights = {
        name: value.half().contiguous() if value.is_floating_point() else value
        for name, value in judge.net.state_dict().items()
    }
    save_file(weights, out / WEIGHTS)
    figures = score(judge, heldout)
    config = {"channels": CHANNELS, "identity": IDENTITY, "size": CROP, "scale": judge.scale,
              "training": took, "scores": figures}
    (out / "config.json").write_text(json.dumps(config, indent=2) + "\n")
    infos = [ClipDataset(path) for path in data]
    card = CARD.format(
        frames=sum(len(clips) * clips.info.frames for clips in infos),
        clips=sum(len(clips) for clips in infos),
        batch=2 * OBJECTS,
        crop=CROP,
        parameters=sum(p.numel() for p in judge.net.parameters()) / 1e6,
        **took,
        **figures,
    )
    (out / "README.md").write_text(card)


def main() -> None:
    """Command line of this module."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, action="append", required=True)
    parser.add_argument("--heldout", type=Path, default=Path("out/made-192-heldout"))
    parser.add_argument("--out", type=Path, default=JUDGE)
    parser.add_argument("--start", type=Path, help="folder of a judge that is to learn on")
    parser.add_argument("--learning-rate", type=float, default=LEARNING_RATE)
    parser.add_argument("--steps", type=int, default=6000)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    judge, took = train(
        arguments.data,
        steps=arguments.steps,
        minutes=arguments.minutes,
        seed=arguments.seed,
        start=arguments.start,
        learning_rate=arguments.learning_rate,
    )
    save(judge, took, arguments.data, arguments.heldout, arguments.out)


if __name__ == "__main__":
    main()
