"""The library: a plain folder of asset files in ordinary sub-folders.

There is no index. Several programs, and whatever synchronises folders, may work on the same one
at the same time: every file is written whole under a name that was free, and everything else is
one renaming.
"""

from __future__ import annotations

import os
import re
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path, PurePosixPath

from platformdirs import user_data_path

from neural_assets_core.errors import UserError
from neural_assets_core.library.asset import Asset
from neural_assets_core.library.files import ASSET_SUFFIX, load_asset, save_asset
from neural_assets_core.library.listing import Entry, list_entries
from neural_assets_core.resources import ROOT

TRASH = ".trash"
"""Where deleted assets wait, in their folders; not listed."""

FORBIDDEN = re.compile(r'[\x00-\x1f/\\:*?"<>|]')
"""What no file's name holds on one system or another."""

MAXIMUM_STEM_BYTES = 200
"""Of a file's name, leaving room for a number and endings."""

STARTER = ROOT / "library"
"""The library that ships with the program; read only by convention."""


def user_library() -> Library:
    """The user's own library, in the system's folder for programs' data."""
    return Library(user_data_path("Neural Assets Studio", appauthor=False) / "library")


@dataclass(frozen=True)
class Library:
    """A library's folder; nothing of it is held in memory.

    Attributes
    ----------
    root : Path
        Made when the first asset is added.

    Notes
    -----
    Folders are given as relative paths with "/", "" for the root. Every method raises a
    `UserError` if the file system refuses.
    """

    root: Path

    def entries(self) -> list[Entry]:
        """All assets, by folder and name; damaged ones with their fault."""
        return list_entries(self.root)

    def find(self, name: str) -> Path | None:
        """The file of the asset "name" or "folder/name"; None if there is none.

        Raises
        ------
        UserError
            If several folders have an asset of that name.
        """
        stem = name.removesuffix(ASSET_SUFFIX)
        if "/" in stem:
            folder, _, stem = stem.rpartition("/")
            path = self._folder(folder) / (stem + ASSET_SUFFIX)
            return path if path.is_file() else None
        found = [entry for entry in self.entries() if entry.name == stem]
        if len(found) > 1:
            places = ", ".join(f"{entry.folder or '.'}/{stem}" for entry in found)
            raise UserError(f"Several assets are called {stem}: say which one ({places}).")
        return found[0].path if found else None

    def add(self, asset: Asset, folder: str = "") -> Path:
        """Write an asset under its name, numbered if that is taken; its file."""
        path = self._claimed(self._folder(folder), asset.name)
        try:
            save_asset(asset, path)
        except BaseException:
            _release(path)
            raise
        return path

    def load(self, path: Path) -> Asset:
        """Read one of the library's assets."""
        return load_asset(self._own(path))

    def update(self, path: Path, asset: Asset) -> None:
        """Write other content (tags, tokens ...) into a file that is there; it keeps its name."""
        save_asset(asset, self._own(path))

    def rename(self, path: Path, name: str) -> Path:
        """Give an asset another name, numbered if that is taken; its file."""
        path = self._own(path)
        if _file_stem(name) == path.stem:
            return path
        return self._moved(path, path.parent, name)

    def move(self, path: Path, folder: str) -> Path:
        """Put an asset into another folder, made if it is missing; its file."""
        path, target = self._own(path), self._folder(folder)
        return path if target == path.parent else self._moved(path, target, path.stem)

    def delete(self, path: Path) -> Path:
        """Put an asset into the trash; where it lies there, for `restore`."""
        path = self._own(path)
        folder = path.parent.relative_to(self.root)
        return self._moved(path, self.root / TRASH / folder, path.stem)

    def restore(self, trashed: Path) -> Path:
        """Take an asset out of the trash, into the folder that it was in; its file."""
        trashed = self._own(trashed)
        folder = trashed.parent.relative_to(self.root)
        if folder.parts[:1] != (TRASH,):
            raise UserError(f"{trashed.stem} is not in the trash: there is nothing to restore.")
        return self._moved(trashed, self.root.joinpath(*folder.parts[1:]), trashed.stem)

    # -- names and places --------------------------------------------------------------------

    def _folder(self, folder: str) -> Path:
        """A sub-folder for assets; refuses everything that is not plainly inside the library."""
        parts = PurePosixPath(folder).parts
        bad = any(part.startswith(".") or FORBIDDEN.search(part) for part in parts)
        if bad or folder.startswith("/") or len(folder) > MAXIMUM_STEM_BYTES:
            raise UserError(f"{folder!r} cannot be a folder of the library: use a plain name.")
        return self.root.joinpath(*parts)

    def _own(self, path: Path) -> Path:
        """The path, once it is known to lie inside the library."""
        with suppress(ValueError):
            root, folder = (Path(os.path.realpath(place)) for place in (self.root, path.parent))
            inside = folder.relative_to(root)
            if path.suffix == ASSET_SUFFIX:
                return self.root / inside / path.name
        raise UserError(f"{path} is no asset of the library {self.root}: choose one of its own.")

    def _claimed(self, folder: Path, name: str) -> Path:
        """A free name in the folder, taken by an empty file so that nobody else takes it."""
        stem = _file_stem(name)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            for number in count(1):
                path = folder / f"{stem if number == 1 else f'{stem} {number}'}{ASSET_SUFFIX}"
                with suppress(FileExistsError), open(path, "xb"):
                    break
        except OSError as error:
            raise _refused(folder, error) from None
        return path

    def _moved(self, path: Path, folder: Path, name: str) -> Path:
        target = self._claimed(folder, name)
        try:
            os.replace(path, target)
        except OSError as error:
            _release(target)
            raise _refused(path, error) from None
        return target


def _file_stem(name: str) -> str:
    """The name as a file's, on every system."""
    stem = FORBIDDEN.sub("-", name).strip().lstrip(".").rstrip(". ")
    short = stem.encode("utf-8", "replace")[:MAXIMUM_STEM_BYTES].decode("utf-8", "ignore").rstrip()
    return short or "asset"


def _release(path: Path) -> None:
    """Give up a claimed name."""
    with suppress(OSError):
        if path.stat().st_size == 0:
            path.unlink()


def _refused(path: Path, error: OSError) -> UserError:
    reason = error.strerror or str(error)
    return UserError(f"{path} cannot be changed ({reason}): look at the library's folder.")
