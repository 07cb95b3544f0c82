"""What the user prefers on this machine, whatever the scene; importing this imports no torch.

A scene's own seed, steps and guidance are in `Scene.settings`, and nothing here overrides them.
Here is what belongs to the machine: where and how precisely to compute, how much memory to use.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Literal

from platformdirs import user_config_path
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from neural_assets_core.errors import UserError
from neural_assets_core.files import write_atomically

log = logging.getLogger(__name__)

SCHEMA = 1

Device = Literal["auto", "cpu", "cuda", "mps"]
Precision = Literal["auto", "fp32", "bf16", "fp16"]
Runtime = Literal["auto", "torch", "openvino"]


class Preferences(BaseModel):
    """Choices for this machine.

    Attributes
    ----------
    device, precision, runtime : str
        "auto" leaves it to `neural_assets_core.device_choice.choose`.
    preview_steps : int
        Denoising steps, at most, of a picture made while a gesture is not yet finished. The
        finished picture has the steps of its scene.
    memory : int
        MiB kept, at most, of finished pictures, and as many of what the encoder made of
        pictures; the latter from the next time that a decoder is opened.
    threads : int
        Processor threads of the decoder; 0 leaves it to the libraries.
    certificate, signing_key : str
        PEM files that content credentials are signed with: a chain of certificates, and its key
        unless that is in the same file. Empty: a certificate that is made on this machine.
    inpainting : str
        Folder of the inpainting checkpoint that was chosen last; empty if none ever was.
    """

    # Unknown fields survive: a newer version may have written them.
    model_config = ConfigDict(frozen=True, extra="allow")

    device: Device = "auto"
    precision: Precision = "auto"
    runtime: Runtime = "auto"
    preview_steps: int = Field(default=4, ge=1, le=1000)
    memory: int = Field(default=128, ge=0, le=1024 * 1024)
    threads: int = Field(default=0, ge=0, le=1024)
    certificate: str = ""
    signing_key: str = ""
    inpainting: str = ""

    @property
    def computing(self) -> tuple[Device, Precision, Runtime, int]:
        """Device, precision, runtime and threads: with others, a decoder must be opened anew."""
        return self.device, self.precision, self.runtime, self.threads

    def changed(self, **changes: object) -> Preferences:
        """Some of them changed, by name.

        Raises
        ------
        UserError
            If a value is impossible.
        """
        try:
            return Preferences.model_validate({**self.model_dump(), **changes})
        except ValidationError as error:
            first = error.errors()[0]
            name = ".".join(map(str, first["loc"]))
            raise UserError(f"{name} cannot be so: {first['msg']}.") from None


def preferences_path() -> Path:
    """The file that they are kept in."""
    return user_config_path("neural-assets-studio", appauthor=False) / "preferences.json"


def load_preferences(warn: Callable[[str], None] = log.warning) -> Preferences:
    """The stored preferences; the defaults, and a warning, if they are unusable.

    A damaged file is moved aside to `preferences.json.broken`; one that a newer version wrote
    stays where it is.

    Parameters
    ----------
    warn : callable
        Gets a sentence for the user; by default it goes into the log.
    """
    path = preferences_path()
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
        schema = stored.pop("schema")
        if isinstance(schema, int) and schema > SCHEMA:
            warn(
                f"The settings in {path} are from a newer version, the defaults are used: use "
                "that version, or move the file away."
            )
            return Preferences()
        return Preferences.model_validate(stored)
    except FileNotFoundError:
        return Preferences()
    except OSError as error:
        warn(
            f"The settings in {path} cannot be read ({error.strerror}), the defaults are used: "
            "check the file's rights."
        )
        return Preferences()
    except (ValueError, AttributeError, LookupError, TypeError):
        aside = path.with_name(f"{path.name}.broken")
        with suppress(OSError):
            os.replace(path, aside)
        warn(
            f"The settings in {path} are damaged, the defaults are used: set them again. "
            f"The damaged file is kept as {aside.name}."
        )
        return Preferences()


def store_preferences(preferences: Preferences) -> None:
    """Keep them for the next time, atomically.

    Raises
    ------
    UserError
        If a newer version's file is in the way, or the folder cannot be written.
    """
    path = preferences_path()
    if _schema(path) > SCHEMA:
        raise UserError(
            f"{path} was written by a newer version: use that version, or move the file away."
        )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = error.strerror or str(error)
        raise UserError(f"Cannot make {path.parent} ({reason}): check its rights.") from None
    text = json.dumps({"schema": SCHEMA, **preferences.model_dump()}, indent=2) + "\n"
    write_atomically(path, text.encode())


def _schema(path: Path) -> int:
    try:
        schema = json.loads(path.read_text(encoding="utf-8"))["schema"]
    except (OSError, ValueError, LookupError, TypeError):
        return 0
    return schema if isinstance(schema, int) else 0
