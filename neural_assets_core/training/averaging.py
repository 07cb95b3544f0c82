"""Weights averaged over the steps of a training, whole or sharded over the processes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from accelerate import Accelerator
from diffusers.training_utils import EMAModel
from torch import nn
from torch.distributed.tensor import DTensor, distribute_tensor


class Average:
    """The exponential moving average of a model's weights, kept as the weights are.

    Parameters
    ----------
    model : nn.Module
        Prepared by the accelerator. Of sharded weights every process averages its own part.
    accelerator : Accelerator
    decay : float
    copy : nn.Module or None
        Of a sharded model, the same one before it was sharded, on the main process: what the
        whole average is put into.
    """

    def __init__(
        self, model: nn.Module, accelerator: Accelerator, decay: float, copy: nn.Module | None
    ) -> None:
        self.model, self.accelerator, self.copy = model, accelerator, copy
        self._ema = EMAModel(model.parameters(), decay=decay)

    def step(self) -> None:
        """Take the model's present weights in."""
        self._ema.step(self.model.parameters())

    def apply(self) -> None:
        """Give the model the averaged weights for good."""
        self._ema.copy_to(self.model.parameters())

    @contextmanager
    def applied(self) -> Iterator[None]:
        """On the main process, the model (of a sharded one, its copy) has the averaged weights.

        To be entered by all processes.
        """
        if is_sharded(self.accelerator):
            self._fill_copy()
            yield
            if self.copy is not None:
                self.copy.to("cpu")
            return
        if self.accelerator.is_main_process:
            self._ema.store(self.model.parameters())
            self.apply()
            self.model.eval()
        try:
            yield
        finally:
            if self.accelerator.is_main_process:
                self._ema.restore(self.model.parameters())
                self.model.train()

    def _fill_copy(self) -> None:
        # One parameter at a time: the whole may be more than a device holds.
        there = [] if self.copy is None else list(self.copy.parameters())
        for index, shadow in enumerate(self._ema.shadow_params):
            whole = _whole(shadow)
            if there:
                there[index].data.copy_(whole)
        if self.copy is not None:
            self.copy.eval().to(self.accelerator.device)

    def save(self, path: Path) -> None:
        """Write the whole average; to be called by all processes."""
        main = self.accelerator.is_main_process
        state = self._ema.state_dict()
        whole = []
        for shadow in self._ema.shadow_params:
            value = _whole(shadow)
            if main:
                whole.append(value.cpu())
        if main:
            torch.save({**state, "shadow_params": whole}, path)

    def load(self, path: Path) -> None:
        """Go on from what `save` wrote, whatever the number of processes was.

        Raises
        ------
        RuntimeError, OSError, ValueError, KeyError
            If it is damaged or of another model.
        """
        # The decay is the configuration's, not the earlier run's.
        decay, present = self._ema.decay, self._ema.shadow_params
        self._ema.load_state_dict(torch.load(path, weights_only=True, map_location="cpu"))
        self._ema.decay = decay
        self._ema.shadow_params = [
            _as_before(value, shadow)
            for value, shadow in zip(self._ema.shadow_params, present, strict=True)
        ]


def is_sharded(accelerator: Accelerator) -> bool:
    """Whether the weights are spread over the processes (FSDP)."""
    return bool(accelerator.is_fsdp2)


def _whole(tensor: torch.Tensor) -> torch.Tensor:
    """Everyone's parts together."""
    return tensor.full_tensor() if isinstance(tensor, DTensor) else tensor


def _as_before(value: torch.Tensor, shadow: torch.Tensor) -> torch.Tensor:
    """`value` where, and spread as, `shadow` is."""
    value = value.to(shadow.device)
    if not isinstance(shadow, DTensor):
        return value
    # Everyone has read the same: nothing needs to be sent.
    return distribute_tensor(value, shadow.device_mesh, shadow.placements, src_data_rank=None)
