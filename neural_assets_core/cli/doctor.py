"""`neural-assets doctor`: what was found on this machine, what was chosen, and why."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import typer

from neural_assets_core.errors import UserError

PACKAGES = ("torch", "diffusers", "transformers", "numpy", "mujoco", "PySide6-Essentials", "vispy")
MIB = 2**20
LITTLE_DISK = 500 * MIB
"""Less free space than this does not hold a day's scenes and pictures."""


@dataclass(frozen=True)
class Finding:
    """A line of the report; `advice` is what to do if it would stop the program, else empty."""

    what: str
    found: str
    advice: str = ""


def doctor() -> None:
    """Explain what was found on this machine and chosen; exit with 1 if something is amiss."""
    from rich.table import Table
    from rich.text import Text

    from neural_assets_core.cli.tables import console

    findings = [*_system(), *_computing(), *_checkpoints(), *_storage()]
    table = Table("", "Found", "What to do")
    for finding in findings:
        style = "red" if finding.advice else ""
        table.add_row(Text(finding.what), Text(finding.found, style), Text(finding.advice))
    console().print(table)
    if any(finding.advice for finding in findings):
        raise typer.Exit(1)


def _system() -> Iterator[Finding]:
    import psutil

    yield Finding("System", f"{platform.system()} {platform.release()}, {platform.machine()}")
    yield Finding("Python", platform.python_version())
    memory = psutil.virtual_memory()
    yield Finding("Processor threads", str(os.cpu_count()))
    yield Finding(
        "Memory", f"{memory.available // MIB} MiB free of {memory.total // MIB} MiB"
    )
    for name in PACKAGES:
        try:
            yield Finding(name, importlib.metadata.version(name))
        except importlib.metadata.PackageNotFoundError:
            yield Finding(name, "missing", "Install the requirements again.")


def _computing() -> Iterator[Finding]:
    from neural_assets_core.device_choice import choose, find_machine
    from neural_assets_core.preferences import load_preferences

    warnings: list[str] = []
    preferences = load_preferences(warnings.append)
    for warning in warnings:
        yield Finding("Settings", "cannot be used", warning)
    try:
        machine = find_machine()
    except ImportError as error:
        yield Finding("Devices", str(error), "Install the requirements again.")
        return
    yield Finding("Graphics cards", ", ".join(machine.gpus) or "none")
    yield Finding("Processor's instructions", _instructions())
    yield Finding("Fast bf16 on the processor", "yes" if machine.fast_bf16 else "no")
    yield Finding("OpenVINO", machine.openvino or "not installed")
    try:
        choice = choose(preferences, machine)
    except UserError as error:
        yield Finding("Device and precision", "impossible", str(error))
        return
    yield Finding("Device", f"{choice.device}: {choice.device_reason}")
    yield Finding("Precision", f"{choice.precision}: {choice.precision_reason}")
    yield Finding("Runtime of the U-Net", f"{choice.runtime}: {choice.runtime_reason}")


def _instructions() -> str:
    """The widest vector instructions that torch uses here."""
    import torch

    return torch.backends.cpu.get_cpu_capability()


def _checkpoints() -> Iterator[Finding]:
    """The default checkpoint first, which must be there, then whatever lies beside it."""
    from neural_assets_core.resources import DEFAULT_CHECKPOINT

    beside = DEFAULT_CHECKPOINT.parent.glob("*/model_index.json")
    others = sorted({index.parent for index in beside} - {DEFAULT_CHECKPOINT})
    for folder in (DEFAULT_CHECKPOINT, *others):
        yield _checkpoint(folder)


def _checkpoint(folder: Path) -> Finding:
    what = f"Checkpoint {folder.name}"
    try:
        import torch

        from neural_assets_core.model.loading import load_pipeline

        load_pipeline(str(folder), "cpu", torch.float32)
    except (UserError, ImportError) as error:
        return Finding(what, "cannot be used", str(error))
    size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    return Finding(what, f"loads, {size / MIB:.0f} MiB")


def _storage() -> Iterator[Finding]:
    from neural_assets_core.preferences import preferences_path

    free = shutil.disk_usage(Path.home()).free
    advice = "Make room on the disk of your home folder." if free < LITTLE_DISK else ""
    yield Finding("Free disk space", f"{free // MIB} MiB", advice)
    path = preferences_path()
    yield Finding("Settings", str(path) if path.is_file() else "defaults, no file")
