"""The U-Net computed by OpenVINO, on processors about twice as quick as by torch.

OpenVINO has to translate and compile a network before it can run it. That takes seconds in which
it stops every other thread of Python for a while, so another process does it, once for a
checkpoint; the result is kept in the user's cache folder. Until it is there, torch computes.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import subprocess
import sys
import tempfile
import warnings
import weakref
from collections.abc import Hashable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import diffusers
import numpy as np
import torch
from diffusers import UNet2DConditionModel
from diffusers.models.unets.unet_2d_condition import UNet2DConditionOutput
from filelock import FileLock, Timeout
from numpy.typing import NDArray
from platformdirs import user_cache_path
from torch import nn

from neural_assets_core.files import remove_leftovers, write_atomically

log = logging.getLogger(__name__)

LARGEST = 2**29
"""Bytes of weights; a larger U-Net is left to torch, for it would be in memory twice."""

KEPT_BYTES = 2**30
"""On disk, of all compiled networks; those that were used least recently go first."""

ERROR = {"f32": 1e-3, "bf16": 0.1}
"""How far from torch's result OpenVINO's may be, over the deviation of that."""

TOKENS = 20
"""Of the example that a network is translated with; any other number does afterwards."""

_CHECKSUM = 64
"""Bytes before a kept network: reading a damaged one might end the program."""


class OpenVINORuntime:
    """Has a U-Net computed by OpenVINO, from when that is prepared for it.

    Only its `forward` is replaced: weights, configuration, hooks and what is saved stay. Another
    device, other weights or a fault of OpenVINO's, and torch computes again.

    Parameters
    ----------
    unet : UNet2DConditionModel
        On the processor.
    folder : Path
        Where its weights lie.
    """

    def __init__(self, unet: UNet2DConditionModel, folder: Path) -> None:
        self._unet, self._folder = unet, folder
        self._compilation: _Compilation | None = None
        self._settled = sum(p.nbytes for p in unet.parameters()) > LARGEST
        if self._settled:
            log.info("the U-Net is too large to be in memory twice: torch computes it")
            return
        try:
            self._path = kept_path(unet)
            self._settled = self._take_over()
        except (ImportError, OSError, RuntimeError) as error:
            self._give_up(error)

    def prepare(self) -> None:
        """Between two pictures: compile in the background, and use what came of it."""
        if self._settled:
            return
        try:
            if self._compilation is None:
                # Another process may have done it meanwhile, or be about to.
                self._settled = self._take_over()
                if not self._settled:
                    with suppress(Timeout):
                        self._compilation = _Compilation(self._folder, self._unet.dtype)
            elif self._compilation.ended():
                reason, self._compilation = self._compilation.reason, None
                self._settled = self._take_over()
                if not self._settled:
                    self._give_up(reason)
        except (OSError, RuntimeError) as error:
            self._give_up(error)

    def _take_over(self) -> bool:
        """Let OpenVINO compute, if what it needs is there."""
        kept = _read(self._path, self._unet.dtype)
        if kept is not None:
            self._unet.forward = _Forward(self._unet, *kept)
            log.info("OpenVINO computes the U-Net")
        return kept is not None

    def _give_up(self, reason: object) -> None:
        self._settled = True
        log.warning("OpenVINO cannot be used, torch computes the U-Net: %s", reason)


class _Forward:
    """Stands in the place of a U-Net's own `forward`; `content` is what `compiled` lies in."""

    def __init__(
        self, unet: UNet2DConditionModel, compiled: Any, content: NDArray[np.uint8]
    ) -> None:
        # Not the other way round too: what goes in circles is not freed when it is let go.
        self._unet = weakref.ref(unet)
        # Found once: looking through all modules for them takes as long as many a layer.
        self._weights = tuple(unet.parameters())
        self._of = _state(self._weights)
        side = unet.config.sample_size
        self._shape = (unet.config.in_channels, side, side)
        self._request = compiled.create_infer_request()
        # OpenVINO reads its weights there, and does not hold on to it.
        self._content = content

    def __call__(
        self,
        sample: torch.Tensor,
        timestep: torch.Tensor | float,
        encoder_hidden_states: torch.Tensor,
        *more: Any,
        encoder_attention_mask: torch.Tensor | None = None,
        return_dict: bool = True,
        **others: Any,
    ) -> Any:
        unet = self._unet()
        assert unet is not None
        known = not more and all(value is None for value in others.values())
        if known and sample.shape[1:] == self._shape and not torch.is_grad_enabled():
            try:
                if _state(self._weights) != self._of:
                    raise RuntimeError("its weights are others now")
                # In torch's own precision: in bfloat16 a thousand moments are but a few.
                moments = unet.get_time_embed(sample, timestep)
                tokens, mask = encoder_hidden_states, encoder_attention_mask
                if mask is None:
                    mask = torch.ones(tokens.shape[:2])
                found = self._computed(sample, moments, tokens, mask)
                return UNet2DConditionOutput(sample=found) if return_dict else (found,)
            except RuntimeError as error:
                log.warning("OpenVINO is used no longer, torch computes the U-Net: %s", error)
                del unet.forward
        return type(unet).forward(
            unet, sample, timestep, encoder_hidden_states, *more,
            encoder_attention_mask=encoder_attention_mask, return_dict=return_dict, **others,
        )

    def _computed(self, *inputs: torch.Tensor) -> torch.Tensor:
        arrays = [tensor.to(torch.float32).contiguous().numpy() for tensor in inputs]
        # One row after the other: it takes no longer, and a network for one row is quicker.
        rows = [
            self._request.infer([array[i : i + 1] for array in arrays])[0].copy()
            for i in range(len(arrays[0]))
        ]
        return torch.from_numpy(np.concatenate(rows)).to(inputs[0].dtype)


def _state(weights: tuple[nn.Parameter, ...]) -> Hashable:
    """Differs once the weights are others, or elsewhere; every change in place counts up."""
    first, written = weights[0], sum(weight._version for weight in weights)
    return (first.device, first.dtype, written)


# -- compiled networks on disk -----------------------------------------------------------------


def kept_path(unet: UNet2DConditionModel) -> Path:
    """Where the compiled network for these weights, this machine and these versions is kept.

    Raises
    ------
    ImportError
        Without OpenVINO.
    """
    openvino, core = _openvino()
    facts = [
        openvino.__version__,
        torch.__version__,
        diffusers.__version__,
        core.get_property("CPU", "FULL_DEVICE_NAME"),
        _precision(unet.dtype),
        # Not where it lies.
        {key: value for key, value in unet.config.items() if not key.startswith("_")},
    ]
    digest = hashlib.sha256(json.dumps(facts, default=str).encode())
    for name, weight in sorted(unet.state_dict().items()):
        digest.update(f"{name} {tuple(weight.shape)}".encode())
        digest.update(weight.detach().contiguous().flatten().view(torch.uint8).numpy().tobytes())
    return _folder() / f"{digest.hexdigest()}.blob"


def _read(path: Path, dtype: torch.dtype) -> tuple[Any, NDArray[np.uint8]] | None:
    """The network kept at `path`, ready to run as long as the second value lives.

    None if there is none, or a damaged one, which is removed.
    """
    openvino, core = _openvino()
    try:
        with path.open("rb") as file:
            checksum = file.read(_CHECKSUM)
        # Copied when written to, which nobody does; OpenVINO refuses what cannot be written to.
        content: NDArray[np.uint8] = np.memmap(path, np.uint8, "c", offset=_CHECKSUM)
        if hashlib.sha256(content.data).hexdigest().encode() != checksum:
            raise ValueError("damaged")
        with suppress(OSError):
            os.utime(path)
        tensor = openvino.Tensor(content, shared_memory=True)
        return core.import_model(tensor, "CPU", _properties(dtype)), content
    except FileNotFoundError:
        return None
    except (OSError, ValueError, RuntimeError) as error:
        log.info("the network in %s cannot be used: %s", path, error)
        with suppress(OSError):
            path.unlink()
        return None


def _write(path: Path, compiled: Any) -> None:
    stream = compiled.export_model()
    content = stream if isinstance(stream, bytes) else stream.getvalue()
    path.parent.mkdir(parents=True, exist_ok=True)
    remove_leftovers(path)
    write_atomically(path, hashlib.sha256(content).hexdigest().encode() + content)
    # Read or written last, first; what is there already is not worth more than room on the disk.
    kept = sorted(path.parent.glob("*.blob"), key=lambda p: p.stat().st_mtime, reverse=True)
    sizes = np.cumsum([file.stat().st_size for file in kept])
    for file in [file for file, size in zip(kept, sizes, strict=True) if size > KEPT_BYTES]:
        file.unlink(missing_ok=True)


def _folder() -> Path:
    return user_cache_path("Neural Assets Studio", appauthor=False) / "openvino"


# -- compiling ---------------------------------------------------------------------------------


class _Compilation:
    """Another process that compiles the U-Net in a folder; only one at a time on this machine.

    Raises
    ------
    Timeout
        If there is one already.
    OSError
        If it cannot be started.
    """

    def __init__(self, folder: Path, dtype: torch.dtype) -> None:
        _folder().mkdir(parents=True, exist_ok=True)
        # Let go when this process ends, however it ends.
        self._lock = FileLock(_folder() / "compiling.lock", thread_local=False)
        self._lock.acquire(timeout=0)
        self._told = tempfile.TemporaryFile()  # noqa: SIM115 - as long as the process runs
        module, name = "neural_assets_core.model.openvino_unet", str(dtype).removeprefix("torch.")
        self._process = subprocess.Popen(
            [sys.executable, "-m", module, str(folder), name],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=self._told,
            # The other cores are for the hand and for the next picture.
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )
        self._stop = weakref.finalize(self, self._process.kill)

    def ended(self) -> bool:
        """Whether there is nothing more to wait for."""
        if self._process.poll() is None:
            return False
        self._stop.detach()
        self._lock.release()
        return True

    @property
    def reason(self) -> str:
        """The last thing that it told."""
        self._told.seek(0)
        lines = self._told.read().decode(errors="replace").split("\n")
        return next((line for line in reversed(lines) if line.strip()), "nothing was told")


@torch.no_grad()
def compile_unet(folder: Path, dtype: torch.dtype) -> Path:
    """Compile the U-Net in a folder, and keep the result where `kept_path` has it.

    Parameters
    ----------
    folder : Path
    dtype : torch.dtype
        In which its weights will be loaded.

    Raises
    ------
    ImportError
        Without OpenVINO.
    RuntimeError
        If OpenVINO cannot do it, or computes something else than torch.
    UserError
        If it cannot be kept.
    """
    openvino, core = _openvino()
    unet = UNet2DConditionModel.from_pretrained(
        str(folder), torch_dtype=dtype, use_safetensors=True, local_files_only=True,
        low_cpu_mem_usage=False,
    ).eval()
    path, config = kept_path(unet), unet.config
    side, width = config.sample_size, config.cross_attention_dim
    noise = torch.Generator().manual_seed(0)
    example = (
        torch.randn(1, config.in_channels, side, side, generator=noise),
        torch.randn(1, unet.time_proj.num_channels, generator=noise),
        torch.randn(1, TOKENS, width, generator=noise),
        torch.ones(1, TOKENS),
    )
    plain = _Positional(unet.float())
    with warnings.catch_warnings():
        # Of what diffusers asks about shapes, which are always the same here, and of tracing.
        warnings.simplefilter("ignore")
        trace: Any = torch.jit.trace
        model = openvino.convert_model(trace(plain, example, check_trace=False))
    shapes = [list(tensor.shape) for tensor in example]
    # Everything else fixed: networks with more freedom are slower.
    shapes[2][1] = shapes[3][1] = -1
    model.reshape({i: openvino.PartialShape(shape) for i, shape in enumerate(shapes)})
    compiled = core.compile_model(model, "CPU", _properties(dtype))
    true = plain(*example).numpy()
    found = compiled([tensor.numpy() for tensor in example])[0]
    error = float(np.abs(found - true).mean() / true.std())
    if not error < ERROR[_precision(dtype)]:
        raise RuntimeError(f"what OpenVINO computes is {error:.2g} off")
    _write(path, compiled)
    return path


class _Positional(nn.Module):
    """A U-Net as a function of four real tensors, the moment one of them as it is embedded."""

    def __init__(self, unet: UNet2DConditionModel) -> None:
        super().__init__()
        self.unet = unet
        unet.get_time_embed = lambda sample, timestep: timestep

    def forward(
        self,
        sample: torch.Tensor,
        moment: torch.Tensor,
        tokens: torch.Tensor,
        mask: torch.Tensor,
    ) -> torch.Tensor:
        result: torch.Tensor = self.unet(
            sample,
            moment,
            encoder_hidden_states=tokens,
            encoder_attention_mask=mask,
            return_dict=False,
        )[0]
        return result


# -- OpenVINO itself ---------------------------------------------------------------------------


@cache
def _openvino() -> tuple[Any, Any]:
    """The library and its core."""
    # Its import would tell Intel, through Google, that it was used here: nobody agreed to that.
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    import openvino

    return openvino, openvino.Core()


def _precision(dtype: torch.dtype) -> str:
    """OpenVINO's word for how precisely to compute, as far as this processor can."""
    able = _openvino()[1].get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    return "bf16" if dtype == torch.bfloat16 and "BF16" in able else "f32"


def _properties(dtype: torch.dtype) -> dict[str, Any]:
    return {
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_PRECISION_HINT": _precision(dtype),
        "INFERENCE_NUM_THREADS": torch.get_num_threads(),
        # The system knows better on which cores the hand and other programs are not at work.
        "ENABLE_CPU_PINNING": False,
    }


def main(folder: str, dtype: str) -> None:
    """What the other process does."""
    with suppress(AttributeError):
        # After the hand and the next picture (not on Windows).
        os.nice(5)
    compile_unet(Path(folder), getattr(torch, dtype))


if __name__ == "__main__":
    main(*sys.argv[1:])
