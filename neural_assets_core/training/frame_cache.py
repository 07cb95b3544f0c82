"""What frozen networks make of every frame, kept on disk: computed once, read by every step.

The decoder's stage never changes its autoencoder, and with `frozen_encoder` not its visual encoder
either. Latents of windows that are drawn anew for every sample cannot be kept; so with
`cache_views` samples look through a few fixed windows, the same in all frames.

Layout::

    DIR/KEY/cache.json            what it was made from; KEY is a part of its SHA-256
    DIR/KEY/0003/041.safetensors  clip 3041, f frames, v views, n objects at most

========================  ==========================================================================
`latents`                 float16 (f, v, c, h, h)
`covered`                 uint8 (f, v, h, h), how much of a cell is some object's
`ids`                     int16 (f, n): what a sample may show, the largest first; 0: none
`cameras`                 float64 (f, 27): width, height, intrinsics and extrinsics row by row
`boxes`, `box_ids`        float64 (all, 10), int16 (all,): centre, size, quaternion of all objects
`first_box`               int64 (f + 1,): where each frame's boxes begin
`appearances`             float16 (f, n, k, c); only of a frozen encoder, as is
`backgrounds`             float16 (f, v, m, c)
========================  ==========================================================================

A clip's file gets its name when it is whole: an interrupted run goes on, and the processes of a
run share the clips between them.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import shutil
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from accelerate import Accelerator
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from neural_assets_core.data.contact_sheet import spread
from neural_assets_core.data.dataset import AnnotatedFrame, Clips, ObjectAnnotation
from neural_assets_core.errors import UserError
from neural_assets_core.files import write_atomically
from neural_assets_core.geometry import Box, Camera
from neural_assets_core.model.latents import encode_latents, to_pixels
from neural_assets_core.model.pipeline import NeuralAssetsPipeline
from neural_assets_core.training.cache_input import (
    FixedView,
    chunk_loader,
    fixed_views,
)
from neural_assets_core.training.config import TrainingConfig
from neural_assets_core.training.samples import Sample, SampleShape

log = logging.getLogger(__name__)

VERSION = 1
_AT_ONCE = 32
"""Pictures encoded at once."""
_KEPT = ("covered", "ids", "cameras", "boxes", "box_ids", "counts")
_HALVED = {"latents", "appearances", "backgrounds"}
_SPARE = 2**29
"""Bytes that stay free on the disk."""
_TOLD_EVERY = 20.0


@dataclass(frozen=True)
class FrameCache:
    """A complete cache.

    Parameters
    ----------
    folder : Path
    views : tuple of FixedView
    features : bool
        Whether appearances are kept, too.
    """

    folder: Path
    views: tuple[FixedView, ...]
    features: bool

    def clip(self, number: int) -> CachedClip:
        """A clip's file, read where it is asked.

        Raises
        ------
        UserError
            If it is missing or damaged.
        """
        return CachedClip(clip_file(self.folder, number))


class CachedClip:
    """What is kept of one clip."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._file = cast(Any, safe_open(str(path), framework="pt"))
            self._frames = int(self._file.get_slice("latents").get_shape()[0])
        except (OSError, SafetensorError) as error:
            raise self._damaged(error) from None

    def __len__(self) -> int:
        return self._frames

    def part(self, name: str, frame: int, view: int | None = None) -> torch.Tensor:
        """One frame's (and view's) part of a tensor; the rest is not read."""
        try:
            whole = self._file.get_slice(name)
            part: torch.Tensor = (
                whole[frame : frame + 1][0]
                if view is None
                else whole[frame : frame + 1, view : view + 1][0, 0]
            )
        except (OSError, SafetensorError, IndexError) as error:
            raise self._damaged(error) from None
        return part

    def annotation(self, frame: int) -> AnnotatedFrame:
        """The frame's camera and boxes; its pictures have no pixels."""
        told = self.part("cameras", frame).numpy()
        camera = Camera.from_matrices(
            int(told[0]), int(told[1]), told[2:11].reshape(3, 3), told[11:].reshape(4, 4)
        )
        first, last = (int(self.part("first_box", frame + after)) for after in (0, 1))
        values = self._file.get_slice("boxes")[first:last].tolist()
        numbers = self._file.get_slice("box_ids")[first:last].tolist()
        nothing = np.zeros((0, 0), dtype=np.uint8)
        return AnnotatedFrame(
            image=nothing[..., None],
            mask=nothing,
            camera=camera,
            objects=tuple(
                ObjectAnnotation(
                    id=number,
                    name=str(number),
                    category="",
                    box=Box(center=row[:3], size=row[3:6], rotation=row[6:]),
                    region=(0.0, 0.0, 0.0, 0.0),
                    visible_fraction=0.0,
                )
                for number, row in zip(numbers, values, strict=True)
            ),
            ground=(0.0, 0.0, 1.0, 0.0),
        )

    def _damaged(self, error: Exception) -> UserError:
        return UserError(
            f"{self.path} is missing or damaged: delete it and start again with --resume, it is "
            f"made anew. ({str(error)[:100]})"
        )


def clip_file(folder: Path, number: int) -> Path:
    """Where a clip's tensors are."""
    return folder / f"{number // 1000:04d}" / f"{number % 1000:03d}.safetensors"


def fill_cache(
    config: TrainingConfig,
    pipeline: NeuralAssetsPipeline,
    clips: Clips,
    shape: SampleShape,
    accelerator: Accelerator,
) -> FrameCache | None:
    """Compute what is missing in the cache; to be called by all processes, which share the work.

    Parameters
    ----------
    config : TrainingConfig
    pipeline : NeuralAssetsPipeline
        Its autoencoder and, if that is frozen, its visual encoder are used.
    clips : Clips
    shape : SampleShape
    accelerator : Accelerator

    Returns
    -------
    FrameCache or None
        None if the configuration asks for none.

    Raises
    ------
    UserError
        If the disk has no room for it, or it cannot be written.
    """
    data = config.data
    if data.cache_views == 0:
        return None
    frozen = config.decoder.frozen_encoder
    views = fixed_views(data.cache_views, data.smallest_window, data.seed)
    identity = _identity(config, pipeline, clips, shape, views)
    text = json.dumps(identity, indent=1, sort_keys=True)
    root = data.cache or data.path.with_name(data.path.name + "-cache")
    folder = root / hashlib.sha256(text.encode()).hexdigest()[:16]
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(
            f"{root} cannot be written ({error.strerror}): set `cache` to another folder."
        ) from None
    missing = [n for n in range(len(clips)) if not clip_file(folder, n).exists()]
    _check_room(folder, clips, len(missing), _frame_bytes(pipeline, shape, len(views), frozen))
    # Everyone has looked before anyone writes.
    accelerator.wait_for_everyone()
    if accelerator.is_main_process:
        write_atomically(folder / "cache.json", text.encode())
    mine = missing[accelerator.process_index :: accelerator.num_processes]
    if missing:
        log.info("caching %d of %d clips in %s", len(missing), len(clips), folder)
        _fill(folder, mine, config, pipeline, clips, shape, views, accelerator)
        accelerator.wait_for_everyone()
    return FrameCache(folder, views, frozen)


def _fill(
    folder: Path,
    numbers: list[int],
    config: TrainingConfig,
    pipeline: NeuralAssetsPipeline,
    clips: Clips,
    shape: SampleShape,
    views: tuple[FixedView, ...],
    accelerator: Accelerator,
) -> None:
    frozen = config.decoder.frozen_encoder
    if frozen:
        pipeline.visual_encoder.eval().to(accelerator.device)
    begun: dict[int, list[Sample]] = {}
    done, start, told = 0, time.monotonic(), time.monotonic()
    for chunk in chunk_loader(clips, numbers, config.data, shape, views, frozen):
        with torch.no_grad(), accelerator.autocast():
            encoded = _encoded(chunk, pipeline, accelerator.device, frozen)
        number = int(chunk["number"])
        parts = begun.setdefault(number, [])
        parts.append(encoded)
        if sum(len(part["latents"]) for part in parts) < int(chunk["frames"]):
            continue
        _write(clip_file(folder, number), begun.pop(number))
        done += 1
        now = time.monotonic()
        if now - told > _TOLD_EVERY:
            told = now
            left = (len(numbers) - done) * (now - start) / done / 60
            log.info("cached %d of %d clips, %.0f minutes left", done, len(numbers), left)


def _encoded(
    chunk: Sample, pipeline: NeuralAssetsPipeline, device: torch.device, frozen: bool
) -> Sample:
    """The chunk's pictures replaced by what the networks make of them."""
    frames, views = chunk["pictures"].shape[:2]
    latents = torch.cat(
        [
            encode_latents(pipeline.vae, _pixels(some, device)).float().cpu()
            for some in torch.split(chunk["pictures"].flatten(0, 1), _AT_ONCE)
        ]
    )
    kept = {name: chunk[name] for name in _KEPT}
    kept["latents"] = latents.reshape(frames, views, *latents.shape[1:])
    if not frozen:
        return kept
    encoder, tokenizer = pipeline.visual_encoder, pipeline.asset_tokenizer
    objects, backgrounds = [], []
    for part in torch.split(torch.arange(frames), _AT_ONCE // 2):
        seen, behind = (
            encoder(_pixels(chunk[name][part], device)) for name in ("foreground", "background")
        )
        found = tokenizer.object_features(seen, chunk["regions"][part].to(device))
        objects.append(found.float().cpu())
        windows = chunk["windows"][part].to(device)
        pooled = [tokenizer.background_features(behind, windows[:, k]) for k in range(views)]
        backgrounds.append(torch.stack(pooled, dim=1).float().cpu())
    kept["appearances"] = torch.cat(objects)
    kept["backgrounds"] = torch.cat(backgrounds)
    return kept


def _pixels(pictures: torch.Tensor, device: torch.device) -> torch.Tensor:
    return to_pixels(pictures.to(device)).to(memory_format=torch.channels_last)


def _write(path: Path, parts: list[Sample]) -> None:
    tensors = {name: torch.cat([part[name] for part in parts]) for name in parts[0]}
    for name in _HALVED & tensors.keys():
        tensors[name] = tensors[name].half()
    counts = tensors.pop("counts")
    tensors["first_box"] = torch.cat([counts.new_zeros(1), counts.cumsum(0)])
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(exist_ok=True)
        save_file({name: value.contiguous() for name, value in tensors.items()}, str(partial))
        partial.replace(path)
    except (OSError, SafetensorError) as error:
        partial.unlink(missing_ok=True)
        raise UserError(
            f"{path} cannot be written ({str(error)[:100]}): make room and start again with "
            "--resume, what is complete is kept."
        ) from None


def _check_room(folder: Path, clips: Clips, missing: int, frame_bytes: int) -> None:
    if missing == 0:
        return
    # Not all clips are opened: of some formats that takes as long as reading them.
    some = spread(range(len(clips)), 8)
    frames = sum(len(clips[number]) for number in some) / len(some)
    wanted = int(1.05 * missing * frames * frame_bytes)
    free = shutil.disk_usage(folder).free
    log.info("the cache takes about %.2f GB, %.1f GB are free", wanted / 1e9, free / 1e9)
    if wanted + _SPARE > free:
        raise UserError(
            f"The cache needs about {wanted / 1e9:.1f} GB in {folder.parent}, where "
            f"{free / 1e9:.1f} GB are free: make room, set `cache` to another disk, or have fewer "
            "`cache_views`."
        )


def _frame_bytes(
    pipeline: NeuralAssetsPipeline, shape: SampleShape, views: int, frozen: bool
) -> int:
    channels = pipeline.vae.config.latent_channels
    size = views * shape.latent**2 * (2 * channels + 1) + 2048
    if frozen:
        told = pipeline.asset_tokenizer.config
        tokens = shape.objects * told.object_bins**2 + views * told.background_bins**2
        size += 2 * tokens * pipeline.visual_encoder.feature_channels
    return int(size)


def _identity(
    config: TrainingConfig,
    pipeline: NeuralAssetsPipeline,
    clips: Clips,
    shape: SampleShape,
    views: tuple[FixedView, ...],
) -> dict[str, Any]:
    """All that a cache depends on."""
    identity: dict[str, Any] = {
        "version": VERSION,
        "data": _data_digest(clips),
        "autoencoder": _weights_digest(pipeline.vae),
        "views": [asdict(view) for view in views],
        "shape": asdict(shape) | {"proxy": None},
        "precision": config.precision,
    }
    if config.decoder.frozen_encoder:
        told = pipeline.asset_tokenizer.config
        identity |= {
            "encoder": _weights_digest(pipeline.visual_encoder),
            "bins": [told.object_bins, told.background_bins],
            "unmasked_share": config.data.unmasked_share,
            "seed": config.data.seed,
        }
    return identity


def _data_digest(clips: Clips) -> str:
    """Of the clips' names, and of the pixels at both ends: the data may lie elsewhere by now."""
    digest = hashlib.sha256()
    for number in range(len(clips)):
        digest.update(clips[number].name.encode() + b"\0")
    for number in (0, len(clips) - 1):
        digest.update(np.ascontiguousarray(clips[number][0].image).tobytes())
    return digest.hexdigest()


def _weights_digest(part: Any) -> str:
    digest = hashlib.sha256(json.dumps(dict(part.config), sort_keys=True, default=str).encode())
    for name, value in sorted(part.state_dict().items()):
        digest.update(name.encode())
        digest.update(value.detach().float().cpu().contiguous().numpy().data)
    return digest.hexdigest()
