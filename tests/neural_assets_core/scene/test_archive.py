"""Scene files: exact round trips, and what is kept safe while writing."""

from __future__ import annotations

import errno
import io
import json
import math
import os
import zipfile
from pathlib import Path
from unittest.mock import Mock

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from neural_assets_core.animation.video import frame_store
from neural_assets_core.decoders import Generation
from neural_assets_core.errors import UserError
from neural_assets_core.geometry import Box, Camera
from neural_assets_core.history import History
from neural_assets_core.scene import (
    Appearance,
    Picture,
    Scene,
    SceneObject,
    View,
    archive,
    load_scene,
    save_scene,
    scene_from_view,
)
from neural_assets_core.scene.archive import VERSION, read_thumbnail
from neural_assets_core.scene.container import check_packing
from neural_assets_core.scene.recovery import Sidecar

# -- any scene ---------------------------------------------------------------------------------

coordinates = st.floats(-1e6, 1e6)
extents = st.floats(1e-3, 1e4)
unit = st.floats(-1, 1)
names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner, max_size=3),
    max_leaves=6,
)
unknown_fields = st.dictionaries(st.from_regex(r"x_[a-z]{1,8}", fullmatch=True), json_values,
                                 max_size=2)


@st.composite
def boxes(draw: st.DrawFn) -> Box:
    rotation = draw(st.tuples(unit, unit, unit, unit).filter(lambda q: math.hypot(*q) > 1e-3))
    return Box(
        center=draw(st.tuples(coordinates, coordinates, coordinates)),
        size=draw(st.tuples(extents, extents, extents)),
        rotation=rotation,
        **draw(unknown_fields),
    )


@st.composite
def views(draw: st.DrawFn) -> View:
    width, height = draw(st.integers(1, 40)), draw(st.integers(1, 40))
    eye = draw(st.tuples(st.floats(1, 9), st.floats(1, 9), st.floats(0.1, 9)))
    camera = Camera.looking_at(eye, (0.0, 0.0, 0.0), width, height, draw(st.floats(0.1, 2)))
    pixels = np.random.default_rng(draw(st.integers(0, 99))).integers(
        0, 256, (height, width, 3), dtype=np.uint8
    )
    return View(picture=Picture(pixels), camera=camera)


@st.composite
def appearances(draw: st.DrawFn, view: View) -> Appearance:
    mask = None
    if draw(st.booleans()):
        value = draw(st.integers(0, 255))
        mask = Picture(np.full((view.camera.height, view.camera.width), value, dtype=np.uint8))
    return Appearance(view=view, box=draw(boxes()), mask=mask, **draw(unknown_fields))


@st.composite
def scenes(draw: st.DrawFn) -> Scene:
    view, other = draw(views()), draw(views())
    objects = tuple(
        SceneObject(
            name=name,
            category=draw(st.text(st.characters(exclude_categories=["Cs"]), max_size=10)),
            box=draw(boxes()),
            appearance=draw(appearances(draw(st.sampled_from([view, other])))),
        )
        for name in draw(st.lists(names, max_size=3, unique=True))
    )
    own = tuple(item for item in objects if item.appearance.view == view)
    scene = scene_from_view(view, own)
    for item in objects:
        if item not in own:
            scene = scene.with_object(item)
    scene = scene.with_settings(
        seed=draw(st.integers(0, 2**63 - 1)),
        steps=draw(st.integers(1, 1000)),
        guidance=draw(st.floats(0, 50)),
        decoder=draw(st.sampled_from(["neural", "proxy"])),
    )
    return scene.model_copy(update=draw(unknown_fields))


@settings(max_examples=60)
@given(scene=scenes())
def test_a_reopened_scene_is_the_saved_one(
    scene: Scene, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("scene")
    save_scene(scene, folder / "a.nascene")
    reopened = load_scene(folder / "a.nascene")
    assert reopened == scene
    save_scene(reopened, folder / "b.nascene")
    assert (folder / "a.nascene").read_bytes() == (folder / "b.nascene").read_bytes()


# -- the file ----------------------------------------------------------------------------------


def document(path: Path) -> dict:
    with zipfile.ZipFile(path) as opened:
        return json.loads(opened.read("scene.json"))


def with_document(path: Path, fields: dict) -> Path:
    """A copy of the file with other fields in its scene.json."""
    changed = path.with_name("changed.nascene")
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(changed, "w") as target:
        for entry in source.infolist():
            data = source.read(entry)
            target.writestr(
                entry, json.dumps(fields) if entry.filename == "scene.json" else data
            )
    return changed


def test_layout(scene_file: Path, small_scene: Scene) -> None:
    with zipfile.ZipFile(scene_file) as opened:
        entries = opened.infolist()
    assert entries[0].filename == "mimetype"
    assert entries[0].compress_type == zipfile.ZIP_STORED
    # One picture and one mask, each of them once although several parts refer to them.
    images = [entry.filename for entry in entries if entry.filename.startswith("images/")]
    assert f"images/{small_scene.background.view.picture.sha256}.png" in images
    assert len(images) == 2
    fields = document(scene_file)
    assert fields["format"] == "neural-assets-scene"
    assert fields["version"] == "{}.{}".format(*VERSION)
    assert fields["conventions"].keys() == {"units", "world", "camera", "pixels"}


def test_an_edited_scene_survives(scene_file: Path, small_scene: Scene) -> None:
    turned = small_scene.object("mug").box.rotated((0, 0, 1), 1 / 3).translated((0.1, 1e-17, 0))
    edited = small_scene.with_box("mug", turned).without("book").with_settings(seed=7)
    save_scene(edited, scene_file)
    assert load_scene(scene_file) == edited


def test_unknown_fields_survive_at_every_level(scene_file: Path) -> None:
    fields = document(scene_file)
    fields["x_top"] = {"deep": [1, 2.5, None]}
    fields["camera"]["x_lens"] = "wide"
    fields["objects"][0]["x_note"] = "hello"
    fields["objects"][0]["box"]["x_locked"] = True
    fields["objects"][0]["appearance"]["x_tokens"] = 4
    fields["settings"]["x_sampler"] = "new"
    scene = load_scene(with_document(scene_file, fields))
    save_scene(scene, scene_file)
    assert document(scene_file) == fields


def test_a_newer_minor_version_opens_and_a_newer_major_one_does_not(scene_file: Path) -> None:
    fields = document(scene_file)
    fields["version"] = "1.9"
    load_scene(with_document(scene_file, fields))
    fields["version"] = "3.1"
    with pytest.raises(UserError, match=r"version 3\.1, newer than .* update"):
        load_scene(with_document(scene_file, fields))


def test_thumbnail(scene_file: Path, small_scene: Scene) -> None:
    data = read_thumbnail(scene_file)
    assert data is not None
    assert Image.open(io.BytesIO(data)).size == (64, 48)
    save_scene(small_scene, scene_file, Picture(np.zeros((300, 900, 3), dtype=np.uint8)))
    data = read_thumbnail(scene_file)
    assert data is not None
    assert Image.open(io.BytesIO(data)).size == (256, 85)
    scene_file.write_bytes(b"no zip")
    assert read_thumbnail(scene_file) is None
    assert read_thumbnail(scene_file.with_name("missing")) is None


# -- limits, the same for saving and loading ---------------------------------------------------


def test_pictures_too_large_together(
    scene_file: Path, small_scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The photo and one mask: 64 x 48 pixels of three channels and of one.
    monkeypatch.setattr(archive, "MAXIMUM_TOTAL_PIXELS", math.ceil(64 * 48 * 4 / 3))
    save_scene(small_scene, scene_file)
    assert load_scene(scene_file) == small_scene
    monkeypatch.setattr(archive, "MAXIMUM_TOTAL_PIXELS", 64 * 48 * 4 // 3 - 1)
    with pytest.raises(UserError, match="too large together"):
        save_scene(small_scene, scene_file)
    with pytest.raises(UserError, match="too large together"):
        load_scene(scene_file)


def test_photographs_pack_well_enough() -> None:
    # Twelve megapixels of a flat drawing with twenty masks.
    check_packing(12_000_000 * (3 + 20), 4 << 20)
    with pytest.raises(UserError, match="almost empty"):
        check_packing(16_384 * 7_300 * 3, 445 << 10)


def test_a_file_that_could_not_be_opened_is_not_written(
    small_scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive, "MAXIMUM_FILE_BYTES", 10_000)
    with pytest.raises(UserError, match="too large to be saved"):
        save_scene(small_scene, tmp_path / "a.nascene")
    assert not list(tmp_path.iterdir())


# -- writing safely ----------------------------------------------------------------------------


def test_the_previous_file_is_kept_as_backup(scene_file: Path, small_scene: Scene) -> None:
    before = scene_file.read_bytes()
    save_scene(small_scene.without("mug"), scene_file)
    backup = scene_file.with_name("small.nascene~")
    assert backup.read_bytes() == before
    assert load_scene(backup) == small_scene
    assert sorted(path.name for path in scene_file.parent.iterdir()) == [
        "small.nascene",
        "small.nascene~",
    ]


def test_a_failed_save_leaves_nothing_behind(small_scene: Scene, tmp_path: Path) -> None:
    folder = tmp_path / "taken.nascene"
    folder.mkdir()
    with pytest.raises(UserError, match="Cannot write"):
        save_scene(small_scene, folder)
    (tmp_path / "file").write_text("not a folder")
    for target in ("file/scene.nascene", "missing/scene.nascene", "x" * 300):
        with pytest.raises(UserError, match="Cannot write"):
            save_scene(small_scene, tmp_path / target)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "taken.nascene"]


def test_a_full_disk_is_called_so_and_costs_nothing(
    small_scene: Scene, scene_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = scene_file.read_bytes()
    full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    monkeypatch.setattr(os, "fsync", Mock(side_effect=full))
    # The file that was asked for is named, not the copy of it that comes first.
    with pytest.raises(UserError, match=r"small\.nascene \(the disk is full\): free some space"):
        save_scene(small_scene.without("mug"), scene_file)
    assert [path.read_bytes() for path in scene_file.parent.iterdir()] == [before]
    with pytest.raises(UserError, match=r"crash \(the disk is full\): save"):
        Sidecar(tmp_path / "kept").write(small_scene, scene_file)
    picture = small_scene.background.view.picture
    with pytest.raises(UserError, match=r"history \(the disk is full\): free"):
        History(tmp_path / "history").add(Generation(small_scene, picture, 1.0))
    with pytest.raises(UserError, match=r"turn\.mp4\.frames \(the disk is full\): free"):
        frame_store(tmp_path / "turn.mp4").add(small_scene, picture)


def test_who_may_read_it_stays_so(small_scene: Scene, scene_file: Path) -> None:
    scene_file.chmod(0o640)
    save_scene(small_scene.without("mug"), scene_file)
    assert scene_file.stat().st_mode & 0o777 == 0o640


def test_what_a_killed_process_left_is_removed(small_scene: Scene, scene_file: Path) -> None:
    old, recent, other = (
        scene_file.with_name(name)
        for name in (
            f".{scene_file.name}.0123abcd.tmp", f".{scene_file.name}.0123abce.tmp", ".x.tmp",
        )
    )  # fmt: skip
    for left in (old, recent, other):
        left.write_bytes(b"half")
    for left in (old, other):
        os.utime(left, (0, 0))
    save_scene(small_scene, scene_file)
    assert [path.exists() for path in (old, recent, other)] == [False, True, True]


def test_a_symbolic_link_is_followed(small_scene: Scene, scene_file: Path, tmp_path: Path) -> None:
    link = tmp_path / "link.nascene"
    link.symlink_to(scene_file)
    save_scene(small_scene.without("mug"), link)
    assert link.is_symlink()
    assert load_scene(scene_file) == small_scene.without("mug")
