"""The library: a plain folder of asset files in ordinary sub-folders.

There is no index. Several programs, and whatever synchronises folders, may work on the same one
at the same time: every file is written whole under a name that was free, and everything else is
one renaming. Changes of what is there already wait for one another, by a lock in the folder.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from pathlib import Path, PurePosixPath

from filelock import FileLock, Timeout
from platformdirs import user_data_path

from neural_assets_core.errors import UserError
from neural_assets_core.library.asset import Asset, Label, tagged
from neural_assets_core.library.files import ASSET_SUFFIX, load_asset, relabel, save_asset
from neural_assets_core.library.listing import MAXIMUM_DEPTH, Entry, list_entries, list_folders
from neural_assets_core.resources import ROOT

TRASH = ".trash"
"""Where deleted assets and folders wait, each deletion in a folder of its own; not listed."""

LOCK = ".lock"
PATIENCE_S = 10.0
"""How long to wait for another program that is changing something."""

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
class Trash:
    """What lies in a library's trash.

    Attributes
    ----------
    assets : int
    nbytes : int
        Of all files.
    """

    assets: int = 0
    nbytes: int = 0

    def __str__(self) -> str:
        """In words: "2 assets, 1.4 MB"."""
        return f"{self.assets} asset{'s' * (self.assets != 1)}, {self.nbytes / 1e6:.1f} MB"


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
    `UserError` if the file system refuses, or another program keeps the library locked.
    """

    root: Path

    # -- reading -------------------------------------------------------------------------------

    def entries(self, tell: Callable[[list[Entry]], None] | None = None) -> list[Entry]:
        """All assets, by folder and name; damaged ones with their fault.

        `tell` gets those found so far now and then: thousands that nobody has listed on this
        machine before take a second.
        """
        return list_entries(self.root, tell)

    def folders(self) -> list[str]:
        """All folders, also empty ones."""
        return list_folders(self.root)

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

    def load(self, path: Path) -> Asset:
        """Read one of the library's assets."""
        return load_asset(self._own(path))

    # -- assets --------------------------------------------------------------------------------

    def add(self, asset: Asset, folder: str = "") -> Path:
        """Write an asset under its name, numbered if that is taken; its file."""
        path = self._claimed(self._folder(folder), asset.name)
        try:
            save_asset(asset, path)
        except BaseException:
            _release(path)
            raise
        return path

    def relabel(self, path: Path, change: Callable[[Label], Label]) -> Label:
        """Give an asset another label (tags, category, licence ...); the one it had before."""
        path = self._own(path)
        with self._locked():
            return relabel(path, change)

    def tag(self, path: Path, add: Iterable[str] = (), remove: Iterable[str] = ()) -> Label:
        """Give an asset tags and take others from it; the label it had before.

        Raises
        ------
        UserError
            Also if there are too many tags, or one is too long.
        """
        added, removed = tuple(add), tuple(remove)
        return self.relabel(path, lambda label: tagged(label, added, removed))

    def keep_tokens(self, path: Path, encoded: Asset) -> bool:
        """Put the tokens of an asset into its file, whatever was done to its label meanwhile.

        Returns
        -------
        kept : bool
            False if the file is of another object now.
        """
        path = self._own(path)
        with self._locked():
            here = load_asset(path)
            if here.appearance != encoded.appearance:
                return False
            save_asset(here.with_label(tokens=encoded.tokens, encoder=encoded.encoder), path)
        return True

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
        folder = self._trash() / path.parent.relative_to(self.root)
        return self._moved(path, folder, path.stem)

    # -- folders -------------------------------------------------------------------------------

    def make_folder(self, folder: str) -> str:
        """Make a folder, numbered if that is taken; its path."""
        wanted = self._folder(folder)
        self._check_depth(wanted)
        if wanted == self.root:
            raise UserError("A folder needs a name: type one.")
        for made in _numbered(wanted):
            try:
                made.mkdir(parents=True)
                break
            except FileExistsError:
                continue
            except OSError as error:
                raise _refused(made, error) from None
        return made.relative_to(self.root).as_posix()

    def move_folder(self, folder: str, target: str) -> str:
        """Give a folder with all that is in it another path, numbered if that is taken; the path.

        Raises
        ------
        UserError
            Also if `target` lies within `folder`.
        """
        source = self._existing(folder)
        if self._folder(target) == source:
            return folder
        if self._folder(target).is_relative_to(source):
            raise UserError(f"{folder} cannot be put into itself: choose another folder.")
        for name in self.folders():
            place = self._folder(name)
            if place.is_relative_to(source):
                self._check_depth(self._folder(target) / place.relative_to(source))
        with self._locked():
            return _put(source, self._folder(target)).relative_to(self.root).as_posix()

    def delete_folder(self, folder: str) -> Path:
        """Put a folder with all that is in it into the trash; where it lies, for `restore`."""
        source = self._existing(folder)
        target = self._trash() / source.relative_to(self.root)
        with self._locked():
            return _put(source, target)

    def restore(self, trashed: Path) -> Path:
        """Take an asset or a folder out of the trash, to where it was; its path now."""
        trash = self.root / TRASH
        with suppress(ValueError):
            parent = Path(os.path.realpath(trashed.parent))
            inside = (parent / trashed.name).relative_to(os.path.realpath(trash)).parts[1:]
            if inside and trashed.name not in (".", ".."):
                if not trashed.exists():
                    raise UserError(
                        f"{trashed.stem} is no longer in the library's trash: it was brought back "
                        "already, or removed for good when the trash was emptied."
                    )
                return self._restored(trashed, self.root.joinpath(*inside))
        raise UserError(f"{trashed.stem} is not in the trash: there is nothing to restore.")

    def trash(self) -> Trash:
        """How much lies in the trash."""
        sizes = []
        for folder, _, files in os.walk(self.root / TRASH):
            for file in files:
                # Another program may be taking it out.
                with suppress(OSError):
                    sizes.append((file, os.lstat(os.path.join(folder, file)).st_size))
        # An empty file is a name that is being taken right now.
        assets = sum(file.endswith(ASSET_SUFFIX) and size > 0 for file, size in sizes)
        return Trash(assets, sum(size for _, size in sizes))

    def empty_trash(self) -> Trash:
        """Remove what lies in the trash for good; what that was."""
        trash = self.root / TRASH
        if not trash.is_dir():
            return Trash()
        with self._locked():
            there = self.trash()
            try:
                shutil.rmtree(trash)
            except OSError as error:
                raise _refused(trash, error) from None
        return there

    def _restored(self, trashed: Path, target: Path) -> Path:
        if trashed.is_dir():
            with self._locked():
                back = _put(trashed, target)
        else:
            back = self._moved(trashed, target.parent, trashed.stem)
        with suppress(OSError):
            # As far as they are empty now.
            os.removedirs(trashed.parent)
        return back

    # -- names and places ----------------------------------------------------------------------

    def _folder(self, folder: str) -> Path:
        """A sub-folder for assets; refuses everything that is not plainly inside the library."""
        parts = PurePosixPath(folder).parts
        bad = any(part.startswith(".") or FORBIDDEN.search(part) for part in parts)
        if bad or folder.startswith("/") or len(folder) > MAXIMUM_STEM_BYTES:
            raise UserError(f"{folder!r} cannot be a folder of the library: use a plain name.")
        return self.root.joinpath(*parts)

    def _existing(self, folder: str) -> Path:
        path = self._folder(folder)
        if path == self.root or not path.is_dir():
            raise UserError(f"The library has no folder {folder!r}: see its list of folders.")
        return path

    def _check_depth(self, folder: Path) -> None:
        if len(folder.relative_to(self.root).parts) > MAXIMUM_DEPTH:
            raise UserError(f"Folders go {MAXIMUM_DEPTH} deep at most: choose one further up.")

    def _own(self, path: Path) -> Path:
        """The path, once it is known to lie inside the library."""
        with suppress(ValueError):
            root, folder = (Path(os.path.realpath(place)) for place in (self.root, path.parent))
            inside = folder.relative_to(root)
            if path.suffix == ASSET_SUFFIX:
                return self.root / inside / path.name
        raise UserError(f"{path} is no asset of the library {self.root}: choose one of its own.")

    def _trash(self) -> Path:
        """A new folder for what is deleted now: what was deleted before keeps its name."""
        trash = self.root / TRASH
        try:
            trash.mkdir(exist_ok=True)
            return Path(tempfile.mkdtemp(prefix=f"{datetime.now():%Y%m%d-%H%M%S}-", dir=trash))
        except OSError as error:
            raise _refused(trash, error) from None

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
            with self._locked():
                os.replace(path, target)
        except (OSError, UserError) as error:
            _release(target)
            raise _refused(path, error) if isinstance(error, OSError) else error from None
        return target

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Keep other programs from changing what is there meanwhile."""
        lock = FileLock(self.root / LOCK, timeout=PATIENCE_S)
        try:
            lock.acquire()
        except Timeout:
            raise UserError(
                f"Another program keeps the library {self.root} locked: try again in a moment."
            ) from None
        except OSError as error:
            raise _refused(self.root, error) from None
        try:
            yield
        finally:
            lock.release()


def _put(folder: Path, target: Path) -> Path:
    """Move a folder to a free name; its path."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        free = next(place for place in _numbered(target) if not place.exists())
        os.rename(folder, free)
    except OSError as error:
        raise _refused(folder, error) from None
    return free


def _numbered(folder: Path) -> Iterator[Path]:
    """A folder's name, then the same with numbers."""
    yield folder
    for number in count(2):
        yield folder.with_name(f"{folder.name} {number}")


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
