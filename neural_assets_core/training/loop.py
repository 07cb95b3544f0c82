"""What both stages share: clock, learning rate, checkpoints that resume, logs."""

from __future__ import annotations

import json
import logging
import math
import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from errno import EIO
from pathlib import Path
from typing import Any, TypeVar

import torch
from accelerate import Accelerator
from accelerate.utils import broadcast
from safetensors import SafetensorError
from torch.utils.data import DataLoader, Dataset

from neural_assets_core.errors import UserError
from neural_assets_core.files import cannot_write
from neural_assets_core.training.averaging import Average
from neural_assets_core.training.config import StageConfig

log = logging.getLogger(__name__)

KEPT_CHECKPOINTS = 2

LOOKED_AT = 50
"""Steps from one look at the loss to the next."""

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


class _Loader(DataLoader[Any]):
    def __iter__(self) -> Any:
        try:
            yield from super().__iter__()
        except UserError as error:
            # From a loader's process it comes with that one's traceback before it.
            raise UserError(str(error).strip().rpartition(f"{UserError.__name__}: ")[2]) from None


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
    return _Loader(
        samples,
        batch_size,
        sampler=range(start, 10**9),
        num_workers=workers,
        collate_fn=collate,
        # Its own: the loader must not draw from the random numbers that training draws from.
        generator=torch.Generator(),
        worker_init_fn=start_worker,
        # A GPU fetches from pinned memory by itself.
        pin_memory=torch.cuda.is_available(),
        prefetch_factor=4 if workers else None,
        # Fresh processes: torch's threads do not survive a fork.
        multiprocessing_context="spawn" if workers else None,
    )


def to_device(batch: dict[str, torch.Tensor], device: torch.device) -> dict[str, torch.Tensor]:
    """The batch where it is needed; the copy is not waited for."""
    return {key: value.to(device, non_blocking=True) for key, value in batch.items()}


class WatchedLoader:
    """Batches of a loader, and which share of the time the accelerator had something to do.

    Parameters
    ----------
    loader : DataLoader
    device : torch.device
        A GPU is idle from the end of its work on one batch to the start of the next one, which it
        measures itself: this process runs ahead of it. A processor is while it waits.
    """

    def __init__(self, loader: DataLoader[Any], device: torch.device) -> None:
        self.loader, self.device = loader, device
        self._idle, self._since = 0.0, time.perf_counter()
        self._all_idle, self._began = 0.0, self._since
        self._marks: list[tuple[Any, Any]] = []

    def __iter__(self) -> Iterator[Any]:
        batches = iter(self.loader)
        self._since = self._began = time.perf_counter()
        while True:
            done, asked = self._mark(), time.perf_counter()
            batch = next(batches, None)
            begun = self._mark()
            if done is not None and begun is not None:
                self._marks.append((done, begun))
            else:
                self._idle += time.perf_counter() - asked
            if batch is None:
                return
            yield batch

    def _mark(self) -> Any:
        """A moment in the GPU's own work; None on processors."""
        if self.device.type != "cuda":
            return None
        # Torch's own annotations are missing here.
        event: Any = torch.cuda.Event
        mark = event(enable_timing=True)
        mark.record(torch.cuda.current_stream(self.device))
        return mark

    def busy(self) -> float:
        """The share, 0 to 1, since it was last asked for."""
        if self._marks:
            torch.cuda.synchronize(self.device)
            self._idle += sum(done.elapsed_time(begun) for done, begun in self._marks) / 1000
            self._marks.clear()
        now = time.perf_counter()
        share = 1.0 - self._idle / max(now - self._since, 1e-9)
        self._all_idle += self._idle
        self._idle, self._since = 0.0, now
        return share

    def summary(self) -> str:
        """In words, over the whole run."""
        self.busy()
        share = 1.0 - self._all_idle / max(self._since - self._began, 1e-9)
        text = f"busy {100 * share:.0f} % of the time, else waiting for data"
        if share < 0.9:
            text += "; raise `workers`, or have latents kept by `cache_views`"
        return text


def own_clips(count: int, accelerator: Accelerator) -> range:
    """The clips that this process draws from: its share, so that what it has read stays at hand."""
    processes = int(accelerator.num_processes)
    if count < processes:
        return range(count)
    return range(int(accelerator.process_index), count, processes)


def start_worker(_: int) -> None:
    torch.set_num_threads(1)


def set_rate(optimizer: torch.optim.Optimizer, peaks: Sequence[float], rate: float) -> None:
    """Set every group's learning rate to its peak times `rate`."""
    for group, peak in zip(optimizer.param_groups, peaks, strict=True):
        group["lr"] = rate * peak


def sample_seed(seed: int, accelerator: Accelerator) -> int:
    """Seed of a process's samples; every process sees others."""
    return seed + int(accelerator.process_index)


def _check_loss(loss: torch.Tensor, step: int) -> None:
    """Stop a training that has diverged: weights that are no numbers any more stay so."""
    if not math.isfinite(loss.item()):
        raise UserError(
            f"The loss is not a number any more at step {step}: lower the stage's learning_rate "
            "and go on from the last checkpoint with --resume, or begin again in another --out."
        )


def descend(
    batches: Iterable[Any],
    loss_of: Callable[[Any], torch.Tensor],
    model: torch.nn.Module,
    optimizer: torch.optim.Optimizer,
    peaks: Sequence[float],
    checkpoints: Checkpoints,
    minutes: float,
) -> Iterator[torch.Tensor]:
    """Train until the checkpoints' clock says that it is enough.

    Parameters
    ----------
    batches : iterable
    loss_of : callable
        The loss on a batch.
    model, optimizer
        Prepared by the checkpoints' accelerator.
    peaks : sequence of float
        Learning rates of the optimizer's groups.
    checkpoints : Checkpoints
        One is written every `minutes` of the clock; the last one is left to the caller.

    Yields
    ------
    tensor ()
        The loss, whenever weights were changed; the clock has counted that step.

    Raises
    ------
    UserError
        If training diverges; what was saved before stays.
    """
    accelerator, clock = checkpoints.accelerator, checkpoints.clock
    next_save = clock.used_seconds + 60 * minutes
    clock.start()
    for batch in batches:
        if clock.fraction >= 1.0:
            return
        set_rate(optimizer, peaks, clock.rate())
        with accelerator.accumulate(model):
            loss = loss_of(batch)
            accelerator.backward(loss)
            if accelerator.sync_gradients:
                accelerator.clip_grad_norm_(model.parameters(), 1.0)
            # Between two steps these do nothing.
            optimizer.step()
            optimizer.zero_grad()
        if not accelerator.sync_gradients:
            continue
        clock.tick()
        if checkpoints.average is not None:
            checkpoints.average.step()
        save = clock.used_seconds >= next_save
        # Whoever asks waits for the accelerator: not at every step.
        if save or clock.step % LOOKED_AT == 0 or clock.fraction >= 1.0:
            _check_loss(loss, clock.step)
        if save:
            checkpoints.save()
            next_save = clock.used_seconds + 60 * minutes
        yield loss


class Checkpoints:
    """Complete training states in `folder`/checkpoint-N, the newest few kept.

    Parameters
    ----------
    accelerator : Accelerator
        Everything that was prepared with it or registered for checkpointing is saved.
    folder : Path
    clock : Clock
    average : Average or None
    """

    def __init__(
        self, accelerator: Accelerator, folder: Path, clock: Clock, average: Average | None
    ) -> None:
        self.accelerator, self.folder = accelerator, folder
        self.clock, self.average = clock, average
        self._saved: int | None = None

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
        """Write a new checkpoint, whole or not at all; to be called by all processes.

        Raises
        ------
        UserError
            If it cannot be written; the earlier ones are still there.
        """
        if self._saved == self.clock.step:
            return
        with _writing(self.folder):
            self._write()

    def _write(self) -> None:
        final = self.folder / f"checkpoint-{self.clock.step}"
        partial = self.folder / "checkpoint-partial"
        if self.accelerator.is_main_process:
            shutil.rmtree(partial, ignore_errors=True)
        self.accelerator.wait_for_everyone()
        self.accelerator.save_state(str(partial))
        if self.average is not None:
            # Of shards everyone has a part.
            self.average.save(partial / "ema.pt")
        self.accelerator.wait_for_everyone()
        if self.accelerator.is_main_process:
            self._complete(partial, final)
        self.accelerator.wait_for_everyone()
        self._saved = self.clock.step

    def _complete(self, partial: Path, final: Path) -> None:
        (partial / "clock.json").write_text(json.dumps(self.clock.state_dict()))
        shutil.rmtree(final, ignore_errors=True)
        partial.rename(final)
        for old in self._all()[:-KEPT_CHECKPOINTS]:
            shutil.rmtree(old, ignore_errors=True)

    def _load(self, newest: Path) -> None:
        try:
            self.accelerator.load_state(str(newest))
            self.clock.load_state_dict(json.loads((newest / "clock.json").read_text()))
            if self.average is not None:
                self.average.load(newest / "ema.pt")
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
    """Call `save` on a temporary name and put the result in `folder`'s place when it is whole.

    Raises
    ------
    UserError
        If it cannot be written; what was there before still is.
    """
    partial = folder.with_name(folder.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    with _writing(folder):
        save(str(partial))
        shutil.rmtree(folder, ignore_errors=True)
        partial.rename(folder)


@contextmanager
def _writing(folder: Path) -> Iterator[None]:
    """A full disk, say, is no fault of the program; every library has its own error for it."""
    try:
        yield
    except (OSError, SafetensorError) as error:
        raise cannot_write(folder, error) from None
    except RuntimeError as error:
        # Torch does not hand on what the system said.
        if "inline_container" not in str(error):
            raise
        raise cannot_write(folder, OSError(EIO, "a file is not whole, as on a full disk")) from None
