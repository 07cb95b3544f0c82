"""Damaged and malicious scene files: one sentence, never anything else."""

from __future__ import annotations

import copy
import io
import json
import random
import stat
import struct
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from neural_assets_core.errors import UserError
from neural_assets_core.scene import Scene, load_scene, save_scene
from neural_assets_core.scene.archive import (
    MAXIMUM_ENTRIES,
    MAXIMUM_FILE_BYTES,
    MAXIMUM_JSON_BYTES,
    read_thumbnail,
)
from neural_assets_core.scene.container import MAXIMUM_DIRECTORY_BYTES
from tests.fuzz_scenes import Entries, bomb, damage, mutate


def unpack(path: Path) -> Entries:
    with zipfile.ZipFile(path) as archive:
        return [(entry, archive.read(entry)) for entry in archive.infolist()]


def pack(path: Path, entries: Entries) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for entry, data in entries:
            archive.writestr(entry, data)
    return path


def replaced(entries: Entries, prefix: str, change: Callable[[bytes], bytes]) -> Entries:
    """The entries, the content of those whose name starts with `prefix` changed."""
    return [
        (entry, change(data) if entry.filename.startswith(prefix) else data)
        for entry, data in entries
    ]


def sentence(path: Path) -> str:
    """What the user is told; fails unless the file is refused properly."""
    with pytest.raises(UserError) as caught:
        load_scene(path)
    text = str(caught.value)
    assert "\n" not in text
    assert len(text) < 500
    assert text.endswith(".")
    return text


# -- not a scene -------------------------------------------------------------------------------


def test_what_is_no_scene_file(tmp_path: Path) -> None:
    path = tmp_path / "a.nascene"
    assert "no file" in sentence(path)
    assert "not a file" in sentence(tmp_path)
    path.write_bytes(b"")
    assert "not a scene file or is damaged" in sentence(path)
    path.write_text("{}")
    assert "not a scene file or is damaged" in sentence(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("word/document.xml", "<w/>")
    assert "no scene.json" in sentence(path)
    assert "too long" in sentence(tmp_path / ("x" * 300))
    for content in ("[]", "nonsense", '{"format": "other"}', '{"format": "neural-assets-scene"}'):
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("scene.json", content)
        sentence(path)


def test_every_truncation_is_refused(scene_file: Path) -> None:
    data = scene_file.read_bytes()
    for length in range(0, len(data), 97):
        scene_file.write_bytes(data[:length])
        sentence(scene_file)


# -- the zip -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["../evil", "images/../../evil", "/etc/passwd", "a\\b", "C:/evil", "bell\x07"]
)
def test_forbidden_names(scene_file: Path, name: str) -> None:
    entries = [*unpack(scene_file), (zipfile.ZipInfo(name), b"x")]
    assert "forbidden name" in sentence(pack(scene_file, entries))


def test_links_are_refused(scene_file: Path) -> None:
    link = zipfile.ZipInfo("assets/link")
    link.create_system = 3
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    entries = [*unpack(scene_file), (link, b"/etc/passwd")]
    assert "link" in sentence(pack(scene_file, entries))


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_duplicate_names_are_refused(scene_file: Path) -> None:
    entries = [*unpack(scene_file), (zipfile.ZipInfo("scene.json"), b"{}")]
    assert "same name" in sentence(pack(scene_file, entries))


def test_too_many_entries_are_refused(scene_file: Path) -> None:
    extra = [(zipfile.ZipInfo(f"assets/{k}"), b"") for k in range(MAXIMUM_ENTRIES)]
    assert "more than" in sentence(pack(scene_file, [*unpack(scene_file), *extra]))


def test_a_directory_that_is_too_large_is_not_even_read(scene_file: Path) -> None:
    data = bytearray(scene_file.read_bytes())
    end = data.rfind(b"PK\5\6")
    struct.pack_into("<L", data, end + 12, MAXIMUM_DIRECTORY_BYTES + 1)
    scene_file.write_bytes(data)
    assert "more than" in sentence(scene_file)
    # The same told by a second record, as only larger archives have it.
    struct.pack_into("<L", data, end + 12, 0)
    scene_file.write_bytes(data[:end] + b"PK\6\7" + bytes(16) + data[end:])
    assert "more than" in sentence(scene_file)


def test_a_comment_behind_the_directory(scene_file: Path, small_scene: Scene) -> None:
    with zipfile.ZipFile(scene_file, "a") as archive:
        archive.comment = b"made by hand"
    assert load_scene(scene_file) == small_scene


def test_other_compressions_are_refused(scene_file: Path) -> None:
    odd = zipfile.ZipInfo("assets/odd")
    odd.compress_type = zipfile.ZIP_LZMA
    assert "compressed" in sentence(pack(scene_file, [*unpack(scene_file), (odd, b"x" * 99)]))


def test_a_bomb_in_the_description_is_refused(scene_file: Path) -> None:
    entries = replaced(unpack(scene_file), "scene.json", lambda data: b" " * 50_000_000 + data)
    assert pack(scene_file, entries).stat().st_size < 100_000
    assert f"larger than {MAXIMUM_JSON_BYTES} bytes" in sentence(scene_file)


def test_a_bomb_by_declared_size_is_refused(scene_file: Path) -> None:
    data = bytearray(scene_file.read_bytes())
    # The uncompressed size in each central directory record.
    at = data.find(b"PK\x01\x02")
    while at >= 0:
        struct.pack_into("<L", data, at + 24, MAXIMUM_FILE_BYTES)
        at = data.find(b"PK\x01\x02", at + 4)
    scene_file.write_bytes(data)
    assert "larger than" in sentence(scene_file)


def test_a_size_that_lies_is_refused(scene_file: Path) -> None:
    data = bytearray(scene_file.read_bytes())
    name = data.rfind(b"scene.json")
    struct.pack_into("<L", data, name - 46 + 24, 100)
    scene_file.write_bytes(data)
    sentence(scene_file)


# -- the pictures ------------------------------------------------------------------------------


def png(width: int, height: int, mode: int = 2) -> bytes:
    """A PNG that claims a size, with next to no content."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        checked = kind + data
        return struct.pack(">L", len(data)) + checked + struct.pack(">L", zlib.crc32(checked))

    header = struct.pack(">LLBBBBB", width, height, 8, mode, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b"\0" * 64))
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(
    "content",
    [
        png(0, 0),
        png(0, 48),
        png(1_000_000, 1_000_000),
        png(2**31 - 1, 1),
        png(20_000, 1),
        png(16_000, 16_000),
        png(64, 48),
        png(64, 48, mode=6),
        b"",
        b"GIF89a",
        b"\x89PNG\r\n\x1a\n",
    ],
)
def test_bad_pictures_are_refused(scene_file: Path, content: bytes) -> None:
    sentence(pack(scene_file, replaced(unpack(scene_file), "images/", lambda _: content)))


def test_a_small_file_must_not_become_a_huge_picture(scene_file: Path) -> None:
    packed = bomb(unpack(scene_file), 11_000, 8_000)
    assert pack(scene_file, packed).stat().st_size < 500_000
    assert "almost empty" in sentence(scene_file)


def test_pictures_that_nobody_refers_to_are_not_decoded(
    scene_file: Path, small_scene: Scene
) -> None:
    extra = (zipfile.ZipInfo(f"images/{'0' * 64}.png"), b"no picture")
    assert load_scene(pack(scene_file, [*unpack(scene_file), extra])) == small_scene


@pytest.mark.parametrize("size", [(1_000_000, 1_000_000), (20_000, 1)])
def test_an_oversized_picture_is_called_too_large(scene_file: Path, size: tuple[int, int]) -> None:
    entries = replaced(unpack(scene_file), "images/", lambda _: png(*size))
    text = sentence(pack(scene_file, entries))
    assert "large" in text or "exceeds limit" in text


def test_exchanged_pictures_are_noticed(scene_file: Path) -> None:
    entries = unpack(scene_file)
    thumbnail = next(data for entry, data in entries if entry.filename == "thumbnail.png")
    entries = replaced(entries, "images/", lambda _: thumbnail)
    assert "not the one that was saved" in sentence(pack(scene_file, entries))


def test_a_missing_picture_is_named(scene_file: Path) -> None:
    entries = [e for e in unpack(scene_file) if not e[0].filename.startswith("images/")]
    assert "missing" in sentence(pack(scene_file, entries))


# -- the description ---------------------------------------------------------------------------


def pack_document(path: Path, entries: Entries, text: str) -> Path:
    return pack(path, replaced(entries, "scene.json", lambda _: text.encode()))


def described(path: Path) -> tuple[Entries, dict[str, Any]]:
    entries = unpack(path)
    return entries, json.loads({e.filename: data for e, data in entries}["scene.json"])


def test_a_grey_view_is_refused(scene_file: Path) -> None:
    entries, fields = described(scene_file)
    mask = fields["objects"][0]["appearance"]["mask"]
    fields["background"]["view"]["picture"] = mask
    assert "a view needs a colour picture" in sentence(
        pack_document(scene_file, entries, json.dumps(fields))
    )


def test_an_occluder_of_another_view_is_refused(scene_file: Path) -> None:
    entries, fields = described(scene_file)
    fields["background"]["occluders"][0]["view"]["camera"]["world_to_camera"][0][3] += 1
    assert "an occluder is from another view" in sentence(
        pack_document(scene_file, entries, json.dumps(fields))
    )


def test_a_camera_of_an_impossible_picture_is_refused(scene_file: Path) -> None:
    entries, fields = described(scene_file)
    fields["camera"]["width"] = fields["camera"]["height"] = 1_000_000
    text = sentence(pack_document(scene_file, entries, json.dumps(fields)))
    assert "the scene's picture is too large" in text
    assert not text.endswith("..")


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", "-1e999", "9" * 5000])
@pytest.mark.parametrize("field", ["center", "x_unknown"])
def test_numbers_that_are_none_are_refused(scene_file: Path, number: str, field: str) -> None:
    entries = unpack(scene_file)
    fields = json.loads(dict((e.filename, d) for e, d in entries)["scene.json"])
    fields["objects"][0]["box"][field] = ["@", 0, 0]
    text = json.dumps(fields).replace('"@"', number)
    sentence(pack_document(scene_file, entries, text))


def test_deep_nesting_is_refused(scene_file: Path) -> None:
    entries = unpack(scene_file)
    fields = json.loads(dict((e.filename, d) for e, d in entries)["scene.json"])
    fields["x_deep"] = "@"
    for depth in (300, 900, 100_000):
        text = json.dumps(fields).replace('"@"', "[" * depth + "]" * depth)
        sentence(pack_document(scene_file, entries, text))


def test_text_that_cannot_be_written_again_is_refused(scene_file: Path) -> None:
    entries = unpack(scene_file)
    fields = json.loads(dict((e.filename, d) for e, d in entries)["scene.json"])
    fields["x_text"] = "\ud800"
    sentence(pack_document(scene_file, entries, json.dumps(fields)))


def test_mutated_descriptions(scene_file: Path, tmp_path: Path) -> None:
    entries = unpack(scene_file)
    fields = json.loads(dict((e.filename, d) for e, d in entries)["scene.json"])
    refused = 0
    for seed in range(300):
        changed = copy.deepcopy(fields)
        mutate(changed, random.Random(seed))
        path = pack_document(scene_file, entries, json.dumps(changed))
        try:
            scene = load_scene(path)
        except UserError:
            sentence(path)
            refused += 1
        else:
            save_scene(scene, tmp_path / "again.nascene")
            assert load_scene(tmp_path / "again.nascene") == scene
    assert 100 < refused < 300


# -- any bytes ---------------------------------------------------------------------------------


def test_damaged_files_load_unchanged_or_not_at_all(scene_file: Path, small_scene: Scene) -> None:
    data = scene_file.read_bytes()
    refused = 0
    for seed in range(400):
        chance = random.Random(seed)
        # Half of them near the end, where the directory is.
        split = chance.choice([0, len(data) - 900])
        scene_file.write_bytes(data[:split] + damage(data[split:], chance))
        read_thumbnail(scene_file)
        try:
            assert load_scene(scene_file) == small_scene
        except UserError:
            sentence(scene_file)
            refused += 1
    assert refused > 100


def test_damaged_pictures_load_unchanged_or_not_at_all(
    scene_file: Path, small_scene: Scene
) -> None:
    entries = unpack(scene_file)
    for seed in range(200):
        chance = random.Random(seed)
        pack(scene_file, replaced(entries, "images/", lambda data, c=chance: damage(data, c)))
        try:
            assert load_scene(scene_file) == small_scene
        except UserError:
            sentence(scene_file)


def test_fuzzed(tmp_path: Path) -> None:
    """400 of each 20,000 that `python -m tests.fuzz_scenes` makes."""
    # In a process of its own: the hook that sees what is written cannot be removed.
    ended = subprocess.run(
        [sys.executable, "-m", "tests.fuzz_scenes", "--files", "400", "--seed", "100000"],
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr[-2000:]
    assert "nothing written" in ended.stdout


def test_nothing_is_unpickled(scene_file: Path) -> None:
    import pickle

    class Boom:
        def __reduce__(self) -> tuple[Any, ...]:
            return (pytest.fail, ("unpickled",))

    buffer = io.BytesIO()
    pickle.dump(Boom(), buffer)
    bomb = buffer.getvalue()
    extra = [(zipfile.ZipInfo(f"assets/tokens.{kind}"), bomb) for kind in ("pkl", "npy", "bin")]
    load_scene(pack(scene_file, [*unpack(scene_file), *extra]))
    sentence(pack(scene_file, replaced(unpack(scene_file), "images/", lambda _: bomb)))
