"""The stage before the decoder: learning to lift objects, from pairs of frames with masks."""

from __future__ import annotations

import logging
from pathlib import Path

import cv2
import numpy as np
import torch
from accelerate import Accelerator
from torch import nn
from torch.utils.data import Dataset
from torch.utils.tensorboard import SummaryWriter

from neural_assets_core.data.dataset import AnnotatedFrame, Clips, ObjectAnnotation
from neural_assets_core.data.frames import frame_appearance, frame_view
from neural_assets_core.errors import UserError
from neural_assets_core.geometry.raycast import cast_box
from neural_assets_core.model.build import build_lifter
from neural_assets_core.model.frustum import (
    lifting_inputs,
    ray_points,
    source_colours,
    volume_coordinates,
)
from neural_assets_core.model.lifting import ObjectLifter, colours, densities
from neural_assets_core.model.loading import load_lifter, placement
from neural_assets_core.preferences import Preferences
from neural_assets_core.training.config import TrainingConfig
from neural_assets_core.training.loop import (
    LOOKED_AT,
    Checkpoints,
    Clock,
    channels_last,
    descend,
    sample_loader,
    sample_seed,
    save_whole,
    to_device,
)

log = logging.getLogger(__name__)

RAYS = 256
SAMPLES = 24
"""Rays an object, and points on each."""

HELDOUT_PAIRS = 64
"""Pairs of frames on which a trained network is measured."""

COLOUR_WEIGHT = 4.0

MOST_TRIES = 200
"""Pairs of frames looked at for one that can be learnt from."""

Sample = dict[str, torch.Tensor]


class ObjectRays(Dataset[Sample]):
    """An object as one frame shows it, and rays of another frame towards it.

    Parameters
    ----------
    clips : Clips
    size : int
        Side of the network's crop in pixels.
    length : int
    seed : int
    unmasked_share : float
        Share of the samples without the source's mask.
    """

    def __init__(
        self, clips: Clips, size: int, length: int, seed: int, unmasked_share: float
    ) -> None:
        self.clips, self.size, self.length, self.seed = clips, size, length, seed
        self.unmasked_share = unmasked_share

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, index: int) -> Sample:
        cv2.setNumThreads(0)
        rng = np.random.default_rng((self.seed, index, 2))
        for _ in range(MOST_TRIES):
            clip = self.clips[int(rng.integers(len(self.clips)))]
            if len(clip) < 2:
                continue
            first, second = rng.choice(len(clip), size=2, replace=False)
            source, target = clip[int(first)], clip[int(second)]
            targets = {item.id: item for item in target.objects}
            usable = [
                (item, targets[item.id])
                for item in source.objects
                if item.id in targets and _visible(item) and _visible(targets[item.id])
            ]
            masked = bool(rng.random() >= self.unmasked_share)
            rays = [_object_rays(source, target, *pair, self.size, masked, rng) for pair in usable]
            made = [sample for sample in rays if sample is not None]
            if made:
                return {key: torch.stack([sample[key] for sample in made]) for key in made[0]}
        raise UserError(
            f"Of {MOST_TRIES} pairs of frames none shows the same object clearly in both, and "
            "the lifting network learns from such: see what `neural-assets dataset check` says."
        )


def concatenated(samples: list[Sample]) -> Sample:
    """A batch: all objects of some pairs of frames."""
    return {key: torch.cat([sample[key] for sample in samples]) for key in samples[0]}


def _visible(item: ObjectAnnotation) -> bool:
    x0, y0, x1, y1 = item.region
    return item.visible_fraction > 0.25 and (x1 - x0) * (y1 - y0) > 0.004


def _object_rays(
    source: AnnotatedFrame,
    target: AnnotatedFrame,
    before: ObjectAnnotation,
    after: ObjectAnnotation,
    size: int,
    masked: bool,
    rng: np.random.Generator,
) -> Sample | None:
    appearance = frame_appearance(source, frame_view(source), before, masked=masked)
    hits = cast_box(target.camera, after.box)
    rows, columns = np.nonzero(hits.hit)
    if rows.size < 16:
        return None
    ids = target.mask[rows + hits.rect.top, columns + hits.rect.left]
    # Others hide or are hidden: nothing is known of this object there.
    usable = np.flatnonzero((ids == after.id) | (ids == 0))
    if usable.size < 16:
        return None
    picked = usable[rng.integers(usable.size, size=RAYS)]
    rows, columns = rows[picked], columns[picked]
    # Anywhere in its part of the ray: the network must not count on fixed positions.
    fractions = (np.arange(SAMPLES) + rng.random((RAYS, SAMPLES))) / SAMPLES
    entry, leave = hits.entry[rows, columns].T, hits.exit[rows, columns].T
    points = ray_points(entry, leave, fractions)
    shown, seen = source_colours(appearance, appearance.view.picture, points)
    coordinates = np.stack(volume_coordinates(appearance, points), axis=-1)
    lengths = np.linalg.norm(leave - entry, axis=0) / SAMPLES
    at = (rows + hits.rect.top, columns + hits.rect.left)
    return {
        "crop": torch.from_numpy(lifting_inputs(appearance, size)),
        "coordinates": torch.from_numpy(coordinates),
        "colours": torch.from_numpy(shown),
        "seen": torch.from_numpy(seen),
        "lengths": torch.from_numpy(lengths.astype(np.float32)),
        "truth": torch.from_numpy(target.image[at]),
        "inside": torch.from_numpy((target.mask[at] == after.id).astype(np.float32)),
    }


class _Lifting(nn.Module):
    def __init__(self, lifter: ObjectLifter) -> None:
        super().__init__()
        self.lifter = lifter

    def forward(self, batch: Sample) -> tuple[torch.Tensor, torch.Tensor]:
        """Premultiplied colours (b, n, 3) and coverage (b, n)."""
        volumes = self.lifter(batch["crop"])
        with torch.autocast(volumes.device.type, enabled=False):
            volumes = volumes.float()
            weights = densities(volumes, batch["coordinates"], batch["lengths"][..., None])
            mixed = colours(
                volumes, batch["coordinates"], batch["colours"].float() / 255.0, batch["seen"]
            )
            return (weights * mixed).sum(dim=-1).movedim(0, -1), weights.sum(dim=2)


def lifting_loss(
    colour: torch.Tensor, alpha: torch.Tensor, batch: Sample
) -> tuple[torch.Tensor, torch.Tensor]:
    """Errors of coverage and of colour where the object is."""
    inside = batch["inside"]
    safe = alpha.clamp(1e-3, 1 - 1e-3)
    # Cross entropy. Torch's own ends the program where a training diverges.
    shape = -(inside * safe.log() + (1.0 - inside) * (1.0 - safe).log()).mean()
    truth = batch["truth"].float() / 255.0
    # Where too little is met the colour means nothing yet.
    error = (colour / safe.detach().clamp(min=0.2)[..., None] - truth).abs().mean(dim=-1)
    return shape, (error * inside).sum() / inside.sum().clamp(min=1.0)


def train_lifter(
    config: TrainingConfig,
    clips: Clips,
    heldout: Clips,
    accelerator: Accelerator,
    *,
    resume: bool,
) -> None:
    """Train the lifting network and save it to `out`/lifter."""
    stage, out = config.lifter, config.out / "lifter-training"
    out.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(config.seed)
    assert config.model.lifter is not None
    lifter = build_lifter(config.model.lifter)
    lifter.train()
    optimizer = torch.optim.AdamW(lifter.parameters(), lr=stage.learning_rate, weight_decay=1e-3)
    clock = Clock(stage, accelerator)
    model, optimizer = accelerator.prepare(channels_last(_Lifting(lifter)), optimizer)
    checkpoints = Checkpoints(accelerator, out, clock, None)
    checkpoints.begin(resume=resume)
    size = 2 * config.model.lifter.sample_size
    seed = sample_seed(config.seed, accelerator)
    rays = ObjectRays(clips, size, 10**9, seed, config.data.unmasked_share)
    start = clock.step * stage.batch_size
    loader = sample_loader(rays, stage.batch_size, config.data.workers, concatenated, start)
    writer = SummaryWriter(str(config.out / "logs"))
    parts: dict[str, torch.Tensor] = {}

    def loss_of(batch: Sample) -> torch.Tensor:
        batch = to_device(batch, accelerator.device)
        with accelerator.autocast():
            colour, alpha = model(batch)
        parts["coverage"], parts["colour"] = lifting_loss(colour, alpha, batch)
        return parts["coverage"] + COLOUR_WEIGHT * parts["colour"]

    peaks, minutes = [stage.learning_rate], config.checkpoint_minutes
    for _ in descend(loader, loss_of, model, optimizer, peaks, checkpoints, minutes):
        if clock.step % LOOKED_AT == 0 and accelerator.is_main_process:
            shape, error = parts["coverage"].item(), parts["colour"].item()
            writer.add_scalar("lifter/coverage", shape, clock.step)
            writer.add_scalar("lifter/colour", error, clock.step)
            log.info(
                "lifter step %d (%.0f %%): coverage %.4f, colour %.4f",
                clock.step, 100 * clock.fraction, shape, error,
            )
    checkpoints.save()
    if accelerator.is_main_process:
        finished = accelerator.unwrap_model(model).lifter.eval()
        save_whole(finished.save_pretrained, config.out / "lifter")
        shape_, colour_ = lifting_errors(finished, heldout, size)
        writer.add_scalar("lifter/heldout_coverage", shape_, clock.step)
        writer.add_scalar("lifter/heldout_colour", colour_, clock.step)
        log.info("lifter: %d steps, held out: coverage %.4f, colour %.4f", clock.step, shape_,
                 colour_)
    writer.close()
    accelerator.wait_for_everyone()


def trained_lifter(folder: Path) -> ObjectLifter:
    """The network that `train_lifter` saved.

    Raises
    ------
    UserError
        If there is none.
    """
    if not (folder / "config.json").is_file():
        raise UserError(
            f"There is no lifting network in {folder}: train it first, with --stage lifter."
        )
    # Training does not depend on what the user prefers.
    return load_lifter(folder, placement(Preferences())[0])


@torch.no_grad()
def lifting_errors(lifter: ObjectLifter, clips: Clips, size: int) -> tuple[float, float]:
    """Mean errors of coverage and colour over held-out pairs."""
    rays = ObjectRays(clips, size, HELDOUT_PAIRS, 7, 0.0)
    totals = np.zeros(2)
    for index in range(len(rays)):
        batch = {key: value.to(lifter.device) for key, value in rays[index].items()}
        colour, alpha = _Lifting(lifter)(batch)
        totals += [float(value) for value in lifting_loss(colour, alpha, batch)]
    shape, error = totals / len(rays)
    return float(shape), float(error)
