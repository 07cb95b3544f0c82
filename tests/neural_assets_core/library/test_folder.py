"""The library's folder: names, places, the trash, damage, and several programs at once."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from neural_assets_core.errors import UserError
from neural_assets_core.library import Asset, Library, background_asset, listing, object_asset
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
    with pytest.raises(UserError, match="cannot be a folder"):
        library.add(mug, folder)


def test_files_outside_are_refused(library: Library, mug: Asset, tmp_path: Path) -> None:
    path = library.add(mug)
    outside = path.rename(tmp_path / "mug.naasset")
    for act in (library.load, library.delete, lambda p: library.rename(p, "x"), library.restore):
        with pytest.raises(UserError, match="no asset of the library"):
            act(outside)
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
    library.update(path, mug.with_label(tags=("new",)))
    assert library.entries()[0].tags == ("new",)


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
    assert listing.CACHE_VERSION == 1


def test_several_programs_add_at_once(library: Library, mug: Asset, tmp_path: Path) -> None:
    source = library.add(mug).rename(tmp_path / "mug.naasset")
    code = (
        "import sys; from pathlib import Path; from neural_assets_core.library import *\n"
        "library, asset = Library(Path(sys.argv[1])), load_asset(sys.argv[2])\n"
        "for _ in range(15):\n"
        "    path = library.add(asset); library.entries(); library.move(path, 'moved')\n"
    )
    programs = [
        subprocess.Popen([sys.executable, "-c", code, str(library.root), str(source)])
        for _ in range(3)
    ]
    assert [program.wait(120) for program in programs] == [0, 0, 0]
    entries = library.entries()
    assert len(entries) == 45
    assert not any(entry.fault for entry in entries)
    assert {path.suffix for path in library.root.rglob("*") if path.is_file()} == {".naasset"}
