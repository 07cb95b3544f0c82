"""A text about program, machine and log, to be sent to whoever looks for a fault.

Nothing in it says who the user is or what the pictures show: paths, file names, and the names of
user and computer are left out.
"""

from __future__ import annotations

import getpass
import logging
import os
import platform
import re
import sys
import sysconfig
from collections.abc import Iterable
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from logging.handlers import RotatingFileHandler
from pathlib import Path

from PySide6.QtCore import qVersion
from PySide6.QtGui import QGuiApplication

from neural_assets_core import __version__
from neural_assets_core.scene import SCENE_SUFFIX, Scene

LIBRARIES = (
    "PySide6-Essentials", "vispy", "numpy", "opencv-python-headless", "pydantic", "torch",
    "diffusers", "transformers", "openvino",
)
LOG_LINES = 80
LOG_BYTES = 64 * 1024
"""Looked at from the end of the log."""

_PROGRAM = Path(__file__).resolve().parent.parent
_SOURCES = (
    (sysconfig.get_path("purelib"), "site-packages"),
    (sysconfig.get_path("stdlib"), "python"),
    (str(_PROGRAM), "."),
)
"""Where code lies, and what a traceback may call it."""

_PATH = re.compile(
    r"""(?:file:|\b[A-Za-z]:[\\/]|\\\\|(?<![\w.~])~?/+(?=[^\s/]))[^'"\n:;,()<>|*?]*"""
)
_FILE = re.compile(
    r"""[^\s'"<>]+\.(?:png|jpe?g|webp|tiff?|bmp|gif|hei[cf]|safetensors|json|zip"""
    rf"""|{re.escape(SCENE_SUFFIX[1:])})\b""",
    re.IGNORECASE,
)


def report(scene: Scene | None, device: str, private: Iterable[str] = ()) -> str:
    """The whole text.

    Parameters
    ----------
    scene : Scene or None
        The open scene: its settings and sizes are told.
    device : str
        Where the decoder computes; empty if it has not been loaded.
    private : iterable of str
        Words to be left out besides those that are always left out, names of files say.
    """
    parts = [
        f"Neural Assets Studio {__version__}",
        "",
        *_machine(device),
        "",
        *_settings(scene),
        "",
        *(f"{name} {_version(name)}" for name in LIBRARIES),
        "",
        f"Log, the last {LOG_LINES} lines:",
        scrubbed(_log_tail(), private),
    ]
    return "\n".join(parts).rstrip() + "\n"


def scrubbed(text: str, private: Iterable[str] = ()) -> str:
    """A text without paths, names of files, user and computer; code keeps its place in packages.

    When in doubt, more is left out.
    """
    for folder, name in _SOURCES:
        text = re.sub(re.escape(folder) + r"[\\/]([\w\\/.+-]+\.py)\b", rf"{name}/\1", text)
    # Whole paths first, whatever signs they are made of.
    words = sorted({*private, *_own_names()}, key=len, reverse=True)
    for word in words:
        if len(word) > 1:
            text = re.sub(rf"(?<!\w){re.escape(word)}(?!\w)", "<private>", text)
    return _FILE.sub("<file>", _PATH.sub("<path>", text))


def log_file() -> Path | None:
    """The file that the program logs to, if it does."""
    for handler in logging.getLogger().handlers:
        if isinstance(handler, RotatingFileHandler):
            return Path(handler.baseFilename)
    return None


def _machine(device: str) -> list[str]:
    lines = [
        f"System: {platform.system()} {platform.release()}, {platform.machine()}, "
        f"{os.cpu_count()} processors",
        f"Memory: {_memory()}",
        f"Python {platform.python_version()}, Qt {qVersion()} ({QGuiApplication.platformName()})",
    ]
    for screen in QGuiApplication.screens():
        size = screen.size()
        lines.append(f"Screen: {size.width()} x {size.height()}, scale {screen.devicePixelRatio()}")
    return [*lines, f"Decoder on: {device or 'not loaded yet'}{_gpu(device)}"]


def _settings(scene: Scene | None) -> list[str]:
    if scene is None:
        return ["No scene is open."]
    settings = scene.settings
    own = "default" if settings.checkpoint == "default" else "a folder of the user's"
    return [
        f"Scene: {len(scene.objects)} objects, picture {scene.camera.width} x "
        f"{scene.camera.height}",
        f"Settings: decoder {settings.decoder}, checkpoint {own}, steps {settings.steps}, "
        f"guidance {settings.guidance}, seed {settings.seed}",
    ]


def _memory() -> str:
    told = []
    with suppress(ValueError, OSError, AttributeError):
        total = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        told.append(f"{total / 2**30:.1f} GiB in all")
    with suppress(ImportError):
        import resource

        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        # macOS counts in bytes, the others in kibibytes.
        unit = 1 if sys.platform == "darwin" else 1024
        told.append(f"the program's peak {peak * unit / 2**30:.2f} GiB")
    return ", ".join(told) or "unknown"


def _gpu(device: str) -> str:
    # Only if a decoder has brought it: a report is no reason to wait for torch.
    torch = sys.modules.get("torch")
    if torch is None or not device.startswith("cuda"):
        return ""
    try:
        free, total = torch.cuda.mem_get_info(device)
        name = torch.cuda.get_device_name(device)
    except RuntimeError as error:
        return f" (does not answer: {type(error).__name__})"
    return f" ({name}, {free / 2**30:.1f} of {total / 2**30:.1f} GiB free)"


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "missing"


def _log_tail() -> str:
    path = log_file()
    if path is None:
        return "There is no log file."
    try:
        with open(path, "rb") as file:
            file.seek(0, os.SEEK_END)
            file.seek(max(0, file.tell() - LOG_BYTES))
            text = file.read().decode("utf-8", errors="replace")
    except OSError as error:
        return f"The log file cannot be read ({type(error).__name__})."
    return "\n".join(text.splitlines()[-LOG_LINES:]) or "The log is empty."


def _own_names() -> list[str]:
    names = [platform.node()]
    # Without a user database and without variables there is no name to give away.
    with suppress(OSError, KeyError, ImportError):
        names.append(getpass.getuser())
    return names
