"""The library's folder: names, places, the trash, damage, and several programs at once."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from filelock import FileLock
from safetensors.numpy import save

from neural_assets_core.errors import UserError
from neural_assets_core.library import (
    Asset,
    Library,
    Trash,
    background_asset,
    folder,
    listing,
    object_asset,
)
from neural_assets_core.library.asset import licensed
from neural_assets_core.scene import Scene


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The system's folder for caches is one of the test's own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def library(tmp_path: Path) -> Library:
    return Library(tmp_path / "library")


@pytest.fixture
def mug(small_scene: Scene) -> Asset:
    return object_asset(small_scene, "mug", source="small", tags=("cup",))


def names(library: Library) -> list[str]:
    return [f"{entry.folder}/{entry.name}" for entry in library.entries()]


def test_what_was_added_is_listed(library: Library, mug: Asset, small_scene: Scene) -> None:
    assert library.entries() == []
    path = library.add(mug, "kitchen/cups")
    library.add(background_asset(small_scene, "place"))
    place, cup = library.entries()
    assert (place.kind, place.folder, place.size) == ("background", "", None)
    assert (cup.path, cup.kind, cup.folder, cup.name) == (path, "object", "kitchen/cups", "mug")
    assert (cup.size, cup.tags, cup.scene) == (mug.appearance.box.size, ("cup",), "small")
    assert library.load(path) == mug
    assert cup.matches("CUP kitch")
    assert not cup.matches("cup boat")
    # Told from the cache in the same words.
    assert library.entries() == [place, cup]


def test_taken_names_get_numbers(library: Library, mug: Asset) -> None:
    paths = [library.add(mug) for _ in range(3)]
    assert [path.stem for path in paths] == ["mug", "mug 2", "mug 3"]
    assert library.rename(paths[2], "mug 2").stem == "mug 2 2"
    assert library.rename(paths[0], "mug") == paths[0]


@pytest.mark.parametrize(
    ("name", "stem"), [("a/b", "a-b"), ("../x", "-x"), (".", "asset"), ("ö" * 150, "ö" * 100)]
)
def test_names_that_files_cannot_have(library: Library, mug: Asset, name: str, stem: str) -> None:
    path = library.add(mug.with_label(name=name))
    assert (path.parent, path.stem) == (library.root, stem)


@pytest.mark.parametrize("folder", ["..", "a/../../b", "/etc", ".trash", "C:\\x", "a" * 500])
def test_folders_outside_are_refused(library: Library, mug: Asset, folder: str) -> None:
    for act in (lambda: library.add(mug, folder), lambda: library.make_folder(folder)):
        with pytest.raises(UserError, match="cannot be a folder"):
            act()


def test_files_outside_are_refused(library: Library, mug: Asset, tmp_path: Path) -> None:
    path = library.add(mug)
    outside = path.rename(tmp_path / "mug.naasset")
    for act in (library.load, library.delete, lambda p: library.rename(p, "x"), library.tag):
        with pytest.raises(UserError, match="no asset of the library"):
            act(outside)
    for trashed in (outside, library.root / ".trash" / "x" / ".." / ".." / "mug.naasset"):
        with pytest.raises(UserError, match="not in the trash"):
            library.restore(trashed)
    assert outside.is_file()


def test_rename_move_delete_restore(library: Library, mug: Asset) -> None:
    path = library.add(mug, "a")
    path = library.rename(path, "cup")
    path = library.move(path, "b/c")
    assert names(library) == ["b/c/cup"]
    trashed = library.delete(path)
    assert trashed.is_file()
    assert names(library) == []
    with pytest.raises(UserError, match="not in the trash"):
        library.restore(library.add(mug, "b/c"))
    assert library.restore(trashed) == path
    assert names(library) == ["b/c/cup", "b/c/mug"]
    with pytest.raises(UserError, match="cannot be changed"):
        library.delete(trashed)


def test_an_emptied_trash_is_gone_for_good(library: Library, mug: Asset) -> None:
    assert library.empty_trash() == library.trash() == Trash(0, 0)
    kept = library.add(mug, "kept")
    paths = [library.delete(library.add(mug, "a")), library.delete_folder("a")]
    library.add(mug, "b")
    paths.append(library.delete_folder("b"))
    size = kept.stat().st_size
    assert library.trash() == Trash(2, 2 * size)
    assert str(library.trash()) == f"2 assets, {2 * size / 1e6:.1f} MB"
    # A link is removed, never what it shows.
    (library.root / ".trash" / "link").symlink_to(kept.parent, target_is_directory=True)
    assert library.empty_trash().assets == 2
    assert names(library) == ["kept/mug"]
    assert not (library.root / ".trash").exists()
    for path in paths:
        with pytest.raises(UserError, match="removed for good when the trash was emptied"):
            library.restore(path)
    assert names(library) == ["kept/mug"]
    assert library.restore(library.delete(kept)) == kept


def test_the_trash_keeps_names_apart(library: Library, mug: Asset) -> None:
    first = library.delete(library.add(mug, "a"))
    second = library.delete(library.add(mug, "a"))
    assert library.restore(second).stem == "mug"
    assert library.restore(first).stem == "mug 2"
    assert not (library.root / ".trash").exists()


def test_labels_change_and_nothing_else_does(library: Library, mug: Asset) -> None:
    path = library.add(mug)
    before = library.tag(path, add=["blue", " tea "], remove=["cup"])
    assert before.tags == ("cup",)
    changed = library.load(path)
    assert changed == mug.with_label(tags=("blue", "tea"))
    library.relabel(path, lambda label: licensed(label, "CC0"))
    assert library.load(path).provenance.licence == "CC0"
    library.relabel(path, lambda _: before)
    assert library.load(path) == mug
    with pytest.raises(UserError, match="up to 64 tags"):
        library.tag(path, add=["x" * 61])
    with pytest.raises(UserError, match="up to 64 tags"):
        library.tag(path, add=[""])
    with pytest.raises(UserError, match="licence note"):
        library.relabel(path, lambda label: licensed(label, "x" * 3000))


def test_tokens_are_kept_whatever_the_label_became(
    library: Library, mug: Asset, small_scene: Scene
) -> None:
    tokens = save({"tokens": np.ones((2, 3), dtype=np.float32)})
    encoded = mug.with_label(tokens=tokens, encoder="an encoder")
    path = library.add(mug)
    library.tag(path, add=["later"])
    assert library.keep_tokens(path, encoded)
    assert library.load(path) == encoded.with_label(tags=("cup", "later"))
    # A label is changed beside tokens, too.
    library.tag(path, remove=["later"])
    assert library.load(path) == encoded
    other = library.add(object_asset(small_scene, "book"))
    assert not library.keep_tokens(other, encoded)


def test_folders(library: Library, mug: Asset) -> None:
    assert library.folders() == []
    assert library.make_folder("a/b") == "a/b"
    assert library.make_folder("a/b") == "a/b 2"
    path = library.add(mug, "a/b")
    assert library.move_folder("a/b", "c") == "c"
    assert names(library) == ["c/mug"]
    assert library.move_folder("a", "c") == "c 2"
    assert library.folders() == ["c", "c 2", "c 2/b 2"]
    with pytest.raises(UserError, match="into itself"):
        library.move_folder("c", "c/d")
    (library.root / "c" / "note.txt").write_text("mine")
    trashed = library.delete_folder("c")
    assert names(library) == []
    assert library.restore(trashed) == path.parent.parent.parent / "c"
    assert names(library) == ["c/mug"]
    assert (library.root / "c" / "note.txt").exists()
    for bad in ("", "nothing", "../c", ".trash"):
        with pytest.raises(UserError):
            library.delete_folder(bad)
    with pytest.raises(UserError, match="deep at most"):
        library.make_folder("/".join("x" * 17))
    with pytest.raises(UserError, match="deep at most"):
        library.move_folder("c 2", "/".join("x" * 16))
    assert library.folders() == ["c", "c 2", "c 2/b 2"]


def test_a_locked_library_says_so(
    library: Library, mug: Asset, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = library.add(mug)
    monkeypatch.setattr(folder, "PATIENCE_S", 0.05)
    with FileLock(library.root / folder.LOCK), pytest.raises(UserError, match="keeps the library"):
        library.rename(path, "cup")
    assert names(library) == ["/mug"]
    assert library.rename(path, "cup").stem == "cup"


def test_found_by_name(library: Library, mug: Asset) -> None:
    path = library.add(mug, "a")
    assert library.find("mug") == library.find("a/mug") == path
    assert library.find("cup") is None
    library.add(mug, "b")
    with pytest.raises(UserError, match=r"a/mug, b/mug"):
        library.find("mug")


def test_damaged_files_are_named_and_the_rest_is_listed(library: Library, mug: Asset) -> None:
    path = library.add(mug)
    (library.root / "bad.naasset").write_bytes(path.read_bytes()[:500])
    (library.root / "note.txt").write_text("no asset")
    (library.root / "link.naasset").symlink_to(path)
    (library.root / "loop").symlink_to(library.root)
    (library.root / "claimed.naasset").touch()
    bad, good = library.entries()
    assert (bad.name, bad.kind) == ("bad", "damaged")
    assert "damaged" in bad.fault
    assert (good.name, good.fault) == ("mug", "")


def test_changed_files_are_read_again(library: Library, mug: Asset) -> None:
    path = library.add(mug)
    library.entries()
    path.write_bytes(b"no zip")
    assert library.entries()[0].kind == "damaged"


@pytest.mark.parametrize(
    "content", [b"", b"nonsense", b"[]", b'{"version": 1, "files": {"mug.naasset": [1, 2]}}']
)
def test_the_cache_is_disposable(
    library: Library, mug: Asset, cache: Path, content: bytes
) -> None:
    library.add(mug)
    before = library.entries()
    (file,) = cache.rglob("*.json")
    file.write_bytes(content)
    assert library.entries() == before
    file.unlink()
    assert library.entries() == before


def test_a_foreign_cache_entry_is_not_believed(
    library: Library, mug: Asset, cache: Path
) -> None:
    library.add(mug)
    before = library.entries()
    (file,) = cache.rglob("*.json")
    file.write_text(file.read_text().replace('"kind"', '"path"'))
    assert library.entries() == before
    assert listing.CACHE_VERSION == 2


def test_several_programs_at_once(library: Library, mug: Asset, tmp_path: Path) -> None:
    source = library.add(mug).rename(tmp_path / "mug.naasset")
    shared = library.add(mug, "shared")
    code = (
        "import sys; from pathlib import Path; from neural_assets_core.library import *\n"
        "library, asset = Library(Path(sys.argv[1])), load_asset(sys.argv[2])\n"
        "for number in range(10):\n"
        "    path = library.add(asset); library.entries(); library.move(path, 'moved')\n"
        "    library.tag(Path(sys.argv[3]), add=[sys.argv[4] + str(number)])\n"
    )
    programs = [
        subprocess.Popen([sys.executable, "-c", code, library.root, source, shared, program])
        for program in "abc"
    ]
    assert [program.wait(120) for program in programs] == [0, 0, 0]
    entries = library.entries()
    assert len(entries) == 31
    assert not any(entry.fault for entry in entries)
    # Nobody's word was lost to another's.
    words = {f"{program}{number}" for program in "abc" for number in range(10)}
    assert set(library.load(shared).tags) == {"cup", *words}
    files = {path for path in library.root.rglob("*") if path.is_file()}
    assert {path.name for path in files if path.suffix != ".naasset"} <= {folder.LOCK}
