"""What both stages share: clock, learning rate, checkpoints that resume, logs."""

from __future__ import annotations

import json
import logging
import math
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

import torch
from accelerate import Accelerator
from accelerate.utils import broadcast
from diffusers.training_utils import EMAModel
from torch.utils.data import DataLoader, Dataset

from neural_assets_core.errors import UserError
from neural_assets_core.training.config import StageConfig

log = logging.getLogger(__name__)

KEPT_CHECKPOINTS = 2

Part = TypeVar("Part", bound=torch.nn.Module)


class Clock:
    """Training time used so far, over all the runs of a stage.

    On processors it is processor time, divided by the cores in use: a run that was stopped for a
    while has not learnt anything meanwhile. On a GPU it is time on the wall.

    Parameters
    ----------
    config : StageConfig
    accelerator : Accelerator
        All processes share the main one's time, so that they take every decision together.
    """

    def __init__(self, config: StageConfig, accelerator: Accelerator) -> None:
        self.config, self.accelerator = config, accelerator
        self.step = 0
        self.used_seconds = 0.0
        # Weights are trained for one scale: it is measured once and goes with them.
        self.residual_scale: float | None = None
        self._last = self._now()

    def start(self) -> None:
        """Count from here on: what was done before was loading."""
        self._last = self._now()

    def tick(self) -> None:
        """Count a step."""
        now = self._now()
        self.used_seconds += now - self._last
        self._last = now
        if self.accelerator.num_processes > 1:
            shared = torch.tensor(self.used_seconds, dtype=torch.float64)
            shared = broadcast(shared.to(self.accelerator.device))
            self.used_seconds = float(shared)
        self.step += 1

    def _now(self) -> float:
        if self.accelerator.device.type != "cpu":
            return time.monotonic()
        return time.process_time() / torch.get_num_threads()

    @property
    def fraction(self) -> float:
        """How much of the stage is done, by steps or time, whichever is further."""
        by_time = self.used_seconds / max(1e-9, 60 * self.config.minutes)
        return min(1.0, max(by_time, self.step / self.config.steps))

    def rate(self) -> float:
        """Learning rate relative to its peak: warm-up, plateau, a cosine down to a hundredth."""
        warmup = min(1.0, (self.step + 1) / max(1, self.config.warmup_steps))
        # A plateau first: the length of the run may still be changed while it lasts.
        decay = max(0.0, (self.fraction - 0.4) / 0.6)
        return warmup * max(0.01, 0.5 * (1 + math.cos(math.pi * decay)))

    def state_dict(self) -> dict[str, float | None]:
        """What a checkpoint must hold besides weights."""
        return {
            "step": self.step,
            "used_seconds": self.used_seconds,
            "processes": self.accelerator.num_processes,
            "residual_scale": self.residual_scale,
        }

    def load_state_dict(self, state: dict[str, float | None]) -> None:
        """Take over what `state_dict` gave."""
        self.step, self.used_seconds = int(state["step"] or 0), float(state["used_seconds"] or 0)
        self.residual_scale = state.get("residual_scale")


def channels_last(module: Part) -> Part:
    """The module with its weights in the memory order that processors convolve fastest."""
    # Torch's own annotation of `Module.to` leaves this argument out.
    changed: Part = module.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return changed


def sample_loader(
    samples: Dataset[Any],
    batch_size: int,
    workers: int,
    collate: Callable[[list[Any]], Any] | None = None,
    start: int = 0,
) -> DataLoader[Any]:
    """Batches of samples from number `start` on.

    They are made by `workers` processes of one thread each (0: by this one).
    """
    return DataLoader(
        samples,
        batch_size,
        sampler=range(start, 10**9),
        num_workers=workers,
        collate_fn=collate,
        # Its own: the loader must not draw from the random numbers that training draws from.
        generator=torch.Generator(),
        worker_init_fn=_start_worker,
        # Fresh processes: torch's threads do not survive a fork.
        multiprocessing_context="spawn" if workers else None,
    )


class WatchedLoader:
    """Batches of a loader, and which share of the time was not spent waiting for them."""

    def __init__(self, loader: DataLoader[Any]) -> None:
        self.loader = loader
        self._waited, self._since = 0.0, time.perf_counter()

    def __iter__(self) -> Iterator[Any]:
        batches = iter(self.loader)
        self._waited, self._since = 0.0, time.perf_counter()
        while True:
            asked = time.perf_counter()
            batch = next(batches, None)
            self._waited += time.perf_counter() - asked
            if batch is None:
                return
            yield batch

    def busy(self) -> float:
        """The share, 0 to 1, since it was last asked for."""
        now = time.perf_counter()
        share = 1.0 - self._waited / max(now - self._since, 1e-9)
        self._waited, self._since = 0.0, now
        return share


def _start_worker(_: int) -> None:
    torch.set_num_threads(1)


def set_rate(optimizer: torch.optim.Optimizer, peaks: Sequence[float], rate: float) -> None:
    """Set every group's learning rate to its peak times `rate`."""
    for group, peak in zip(optimizer.param_groups, peaks, strict=True):
        group["lr"] = rate * peak


def sample_seed(seed: int, accelerator: Accelerator) -> int:
    """Seed of a process's samples; every process sees others."""
    return seed + int(accelerator.process_index)


class Checkpoints:
    """Complete training states in `folder`/checkpoint-N, the newest few kept.

    Parameters
    ----------
    accelerator : Accelerator
        Everything that was prepared with it or registered for checkpointing is saved.
    folder : Path
    clock : Clock
    ema : EMAModel or None
    """

    def __init__(
        self, accelerator: Accelerator, folder: Path, clock: Clock, ema: EMAModel | None
    ) -> None:
        self.accelerator, self.folder, self.clock, self.ema = accelerator, folder, clock, ema

    def begin(self, *, resume: bool) -> None:
        """Go on from the newest checkpoint, or make sure that there is none.

        Raises
        ------
        UserError
            If the folder holds an earlier run that is not to be resumed, or one of another model.
        """
        found = self._all()
        if found and not resume:
            raise UserError(
                f"{self.folder} holds an earlier run: give --resume to go on with it, or another "
                "--out."
            )
        if found:
            self._load(found[-1])

    def save(self) -> None:
        """Write a new checkpoint, whole or not at all; to be called by all processes."""
        final = self.folder / f"checkpoint-{self.clock.step}"
        partial = self.folder / "checkpoint-partial"
        if self.accelerator.is_main_process:
            shutil.rmtree(partial, ignore_errors=True)
        self.accelerator.wait_for_everyone()
        self.accelerator.save_state(str(partial))
        self.accelerator.wait_for_everyone()
        if self.accelerator.is_main_process:
            self._complete(partial, final)
        self.accelerator.wait_for_everyone()

    def _complete(self, partial: Path, final: Path) -> None:
        (partial / "clock.json").write_text(json.dumps(self.clock.state_dict()))
        if self.ema is not None:
            torch.save(self.ema.state_dict(), partial / "ema.pt")
        shutil.rmtree(final, ignore_errors=True)
        partial.rename(final)
        for old in self._all()[:-KEPT_CHECKPOINTS]:
            shutil.rmtree(old, ignore_errors=True)

    def _load(self, newest: Path) -> None:
        try:
            self.accelerator.load_state(str(newest))
            self.clock.load_state_dict(json.loads((newest / "clock.json").read_text()))
            if self.ema is not None:
                # The decay is the configuration's, not the earlier run's.
                decay = self.ema.decay
                self.ema.load_state_dict(
                    torch.load(newest / "ema.pt", weights_only=True, map_location="cpu")
                )
                self.ema.decay = decay
                self.ema.to(self.accelerator.device)
        except (RuntimeError, OSError, ValueError, KeyError) as error:
            raise UserError(
                f"{newest} cannot be resumed, it is damaged or of another configuration: give "
                f"another --out. ({str(error).splitlines()[0][:200]})"
            ) from None
        log.info("resumed from %s", newest)

    def _all(self) -> list[Path]:
        numbered = [p for p in self.folder.glob("checkpoint-*") if p.name[11:].isdigit()]
        return sorted(numbered, key=lambda path: int(path.name[11:]))


def save_whole(save: Callable[[str], object], folder: Path) -> None:
    """Call `save` on a temporary name and put the result in `folder`'s place when it is whole."""
    partial = folder.with_name(folder.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    save(str(partial))
    shutil.rmtree(folder, ignore_errors=True)
    partial.rename(folder)
