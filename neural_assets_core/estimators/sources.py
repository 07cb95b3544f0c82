"""Where a model lies: a folder, or a repository that is fetched only if the user says so."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from neural_assets_core.errors import UserError

log = logging.getLogger(__name__)

REPOSITORY = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")
FETCHED = ["*.json", "*.safetensors", "*.txt", "README.md", "LICENSE*"]
"""No pickled weights, no code."""

UNKNOWN = "not told"


@dataclass(frozen=True)
class ModelSource:
    """A model on this machine, or one that could be fetched.

    Attributes
    ----------
    name : str
        As the user named it.
    licence : str
        From its model card; `UNKNOWN` if there is none.
    folder : Path or None
        None: not on this machine yet.
    size : int
        Bytes to be fetched.
    """

    name: str
    licence: str
    folder: Path | None
    size: int = 0

    def told(self) -> str:
        """In one line, for the user."""
        size = f", {self.size / 1e6:.0f} MB to be downloaded" if self.folder is None else ""
        return f"{self.name}: licence {self.licence}{size}"


def find_model(name: str) -> ModelSource:
    """Look for a model on this machine; never uses the network.

    Parameters
    ----------
    name : str
        A folder in transformers' layout, or a repository (owner/name) that was fetched before.

    Raises
    ------
    UserError
        If it is not there, or holds pickled weights or code alone.
    """
    folder = Path(name).expanduser()
    if not folder.is_dir():
        if not REPOSITORY.fullmatch(name):
            raise UserError(
                f"There is no model folder {name}: give a folder that holds a config.json and "
                ".safetensors weights, or a repository as owner/name."
            )
        cached = _cached(name)
        if cached is None:
            raise UserError(
                f"{name} is not on this machine: say that it may be downloaded (--download), or "
                "give a folder."
            )
        folder = cached
    _check(folder)
    card = folder / "README.md"
    text = card.read_text(encoding="utf-8", errors="replace") if card.is_file() else ""
    return ModelSource(name, licence_of(text), folder)


def look_up(name: str, endpoint: str | None = None) -> ModelSource:
    """Ask the Hub about a repository: its licence, and how much would be downloaded.

    Parameters
    ----------
    name : str
        owner/name.
    endpoint : str, optional
        Another Hub.

    Raises
    ------
    UserError
        If there is no such repository, it has no safetensors weights, or the Hub does not answer.
    """
    from fnmatch import fnmatch

    from huggingface_hub import HfApi

    with _hub_faults(name):
        info = HfApi(endpoint=endpoint).model_info(name, files_metadata=True)
    wanted = [
        file for file in info.siblings or () if any(fnmatch(file.rfilename, p) for p in FETCHED)
    ]
    if not any(file.rfilename.endswith(".safetensors") for file in wanted):
        raise UserError(f"{name} has no .safetensors weights: choose another repository.")
    licence = _licence(dict(vars(info.card_data)) if info.card_data is not None else {})
    return ModelSource(name, licence, None, sum(file.size or 0 for file in wanted))


def download_model(name: str, endpoint: str | None = None) -> ModelSource:
    """Fetch a repository, for good; call it only after the user has said yes.

    Raises
    ------
    UserError
        If it cannot be fetched or holds no usable model.
    """
    from huggingface_hub import snapshot_download

    with _hub_faults(name):
        snapshot_download(name, allow_patterns=FETCHED, endpoint=endpoint)
    return find_model(name)


def licence_of(card: str) -> str:
    """The licence that a model card names.

    Parameters
    ----------
    card : str
        The content of a README.md with its fields between lines of ---.
    """
    from huggingface_hub import ModelCard

    try:
        data = dict(vars(ModelCard(card, ignore_metadata_errors=True).data))
    except Exception:
        # Whatever its YAML raises: the card is text from anywhere.
        data = {}
    return _licence(data)


def _licence(data: dict[str, Any]) -> str:
    names = [data.get("license_name"), data.get("license"), data.get("license_link")]
    told = [" ".join(str(name).split())[:100] for name in names if name and name != "other"]
    return told[0] if told else UNKNOWN


def _cached(name: str) -> Path | None:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    try:
        return Path(snapshot_download(name, allow_patterns=FETCHED, local_files_only=True))
    except (LocalEntryNotFoundError, FileNotFoundError, OSError, ValueError):
        return None


def _check(folder: Path) -> None:
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        known = isinstance(config, dict) and "model_type" in config
    except (OSError, ValueError):
        known = False
    if not known:
        raise UserError(
            f"There is no config.json of a model in {folder}: give a folder in transformers' "
            "layout."
        )
    if "auto_map" in config:
        raise UserError(f"{folder} wants to run code of its own, which is refused.")
    if not any(folder.glob("*.safetensors")):
        raise UserError(
            f"{folder} has no .safetensors weights: pickled ones (.bin, .pt) could run code when "
            "opened, and are refused."
        )


@contextmanager
def _hub_faults(name: str) -> Iterator[None]:
    """Turn what the Hub's client raises into one sentence."""
    from huggingface_hub.errors import RepositoryNotFoundError

    try:
        yield
    except RepositoryNotFoundError:
        raise UserError(
            f"There is no repository {name} that may be read: check its name."
        ) from None
    except UserError:
        raise
    except Exception as error:
        # Its client and the library below it each have errors of their own.
        log.warning("fetching %s failed: %s", name, error)
        raise UserError(
            f"{name} cannot be fetched ({type(error).__name__}): check the connection, or give a "
            "folder."
        ) from None
