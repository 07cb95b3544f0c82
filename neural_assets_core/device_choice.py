"""Where and how precisely to compute; importing this imports no torch."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from typing import Literal

from neural_assets_core.errors import UserError
from neural_assets_core.preferences import Preferences


@dataclass(frozen=True)
class Machine:
    """What there is to compute on.

    Attributes
    ----------
    gpus : tuple of str
        Names of the CUDA devices.
    mps : bool
        Whether there is an Apple GPU.
    fast_bf16 : bool
        Whether the processor multiplies bfloat16 in hardware.
    openvino : str
        The version of OpenVINO; empty if it is not installed.
    """

    gpus: tuple[str, ...] = ()
    mps: bool = False
    fast_bf16: bool = False
    openvino: str = ""


@dataclass(frozen=True)
class Choice:
    """A device, a precision, a runtime, and why; in the preferences' words."""

    device: Literal["cpu", "cuda", "mps"]
    precision: Literal["fp32", "bf16", "fp16"]
    runtime: Literal["torch", "openvino"]
    device_reason: str
    precision_reason: str
    runtime_reason: str


def find_machine() -> Machine:
    """Look what this machine has."""
    import torch

    return Machine(
        gpus=tuple(torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())),
        mps=torch.backends.mps.is_available(),
        fast_bf16=torch.cpu._is_amx_tile_supported() or torch.cpu._is_avx512_bf16_supported(),
        openvino=_openvino(),
    )


def _openvino() -> str:
    try:
        return version("openvino") if find_spec("openvino") else ""
    except PackageNotFoundError:
        return ""


def choose(preferences: Preferences, machine: Machine) -> Choice:
    """The device, the precision and the U-Net's runtime for these preferences on this machine.

    Raises
    ------
    UserError
        If the preferred device is not there, or cannot compute in the preferred precision.
    """
    device, device_reason = _device(preferences, machine)
    precision, precision_reason = _precision(preferences, machine, device)
    runtime, runtime_reason = _runtime(preferences, machine, device)
    return Choice(device, precision, runtime, device_reason, precision_reason, runtime_reason)


def _device(
    preferences: Preferences, machine: Machine
) -> tuple[Literal["cpu", "cuda", "mps"], str]:
    wanted = preferences.device
    if wanted == "auto":
        if machine.gpus:
            return "cuda", f"there is a graphics card, {machine.gpus[0]}"
        if machine.mps:
            return "cpu", "the Apple GPU is used only if the settings name it (mps)"
        return "cpu", "no graphics card was found"
    if (wanted == "cuda" and not machine.gpus) or (wanted == "mps" and not machine.mps):
        raise UserError(
            f"There is no {wanted} device here: choose another one with "
            "`neural-assets settings --device auto`, or in Edit > Settings."
        )
    return wanted, "so the settings say"


def _precision(
    preferences: Preferences, machine: Machine, device: str
) -> tuple[Literal["fp32", "bf16", "fp16"], str]:
    wanted = preferences.precision
    if wanted == "fp16" and device == "cpu":
        raise UserError(
            "Processors do not compute in fp16: choose fp32, bf16 or auto as the precision."
        )
    if wanted != "auto":
        return wanted, "so the settings say"
    if device == "cuda":
        return "fp16", "graphics cards are fastest in half precision"
    if machine.fast_bf16 and device == "cpu":
        return "fp32", "the most exact; this processor is fast in bf16, which may be chosen"
    return "fp32", "this device has no fast half precision that is known to be exact enough"


def _runtime(
    preferences: Preferences, machine: Machine, device: str
) -> tuple[Literal["torch", "openvino"], str]:
    # Whatever is wanted, there is a picture: torch can compute everywhere.
    wanted = preferences.runtime
    if wanted == "torch":
        return "torch", "so the settings say"
    if device != "cpu":
        return "torch", "OpenVINO is for processors"
    if not machine.openvino:
        return "torch", "OpenVINO, quicker on processors, is not installed (pip install openvino)"
    if wanted == "openvino":
        return "openvino", "so the settings say"
    return "openvino", "on processors about twice as quick as PyTorch"
