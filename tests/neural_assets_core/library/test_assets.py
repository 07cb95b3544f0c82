"""Assets and their files: what is kept of a picture, round trips, and what is refused."""

from __future__ import annotations

import io
import json
import random
import zipfile
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from pydantic import ValidationError
from safetensors.numpy import save

from neural_assets_core.errors import UserError
from neural_assets_core.geometry import Camera
from neural_assets_core.library import (
    Asset,
    asset_picture,
    background_asset,
    load_asset,
    object_asset,
    save_asset,
)
from neural_assets_core.library.files import read_summary
from neural_assets_core.scene import Appearance, Picture, Scene, View
from neural_assets_core.scene.container import read_thumbnail
from tests.neural_assets_core.scene.test_archive_hostile import damage, mutate, pack, unpack


@pytest.fixture
def mug(small_scene: Scene) -> Asset:
    asset = object_asset(small_scene, "mug", source="small", licence="CC0", tags=("cup", "blue"))
    tokens = save({"tokens": np.arange(12, dtype=np.float32).reshape(4, 3)})
    return asset.with_label(tokens=tokens, encoder="an encoder")


@pytest.fixture
def mug_file(mug: Asset, tmp_path: Path) -> Path:
    path = tmp_path / "mug.naasset"
    save_asset(mug, path)
    return path


def refused(path: Path) -> str:
    with pytest.raises(UserError) as caught:
        load_asset(path)
    text = str(caught.value)
    assert "\n" not in text
    assert len(text) < 600
    assert text.endswith(".")
    return text


# -- what is kept ------------------------------------------------------------------------------


def test_a_crop_shows_the_object_where_the_picture_did(scene: Scene) -> None:
    source = scene.objects[0].appearance
    looks = object_asset(scene, "box 1").object_appearance()
    assert looks.box == source.box
    assert looks.view.camera.width < source.view.camera.width
    # The same point of the object has the same colour in both, and is in both masks.
    points = source.box.to_world(np.random.default_rng(0).uniform(-1, 1, (200, 3)))
    seen = 0
    for before, after in zip(
        source.view.camera.project(points), looks.view.camera.project(points), strict=True
    ):
        (u, v), (x, y) = before[:2].astype(int), after[:2].astype(int)
        assert tuple(source.view.picture.pixels[v, u]) == tuple(looks.view.picture.pixels[y, x])
        assert source.mask.pixels[v, u] == looks.mask.pixels[y, x]
        seen += bool(looks.mask.pixels[y, x])
    assert seen > 100


def test_nothing_of_the_picture_around_is_kept(small_scene: Scene) -> None:
    mask = np.zeros((48, 64), dtype=np.uint8)
    mask[20:24, 30:34] = 255
    item = small_scene.object("mug")
    tiny = item.box.scaled(0.05)
    looks = item.appearance.model_copy(update={"mask": Picture(mask), "box": tiny})
    kept = object_asset(small_scene.with_appearance("mug", looks), "mug").object_appearance()
    grey = (kept.view.picture.pixels == 128).all(axis=2)
    assert grey[[0, -1]].all()
    assert grey[:, [0, -1]].all()


def test_a_large_photograph_is_kept_small(small_scene: Scene) -> None:
    item = small_scene.object("book")
    camera = item.appearance.view.camera.resized(9600, 7200)
    pixels = np.full((7200, 9600, 3), 90, dtype=np.uint8)
    view = View(picture=Picture(pixels), camera=camera)
    scene = small_scene.with_appearance("book", Appearance(view=view, box=item.box))
    looks = object_asset(scene, "book").object_appearance()
    assert max(looks.view.camera.width, looks.view.camera.height) == 1024
    before = np.ptp(camera.project(item.box.corners())[:, :2], axis=0)
    after = np.ptp(looks.view.camera.project(item.box.corners())[:, :2], axis=0)
    assert after[0] / before[0] == pytest.approx(after[1] / before[1], rel=2e-3)


def test_an_object_that_cannot_be_seen_is_refused(small_scene: Scene) -> None:
    item = small_scene.object("mug")
    unseen = Picture(np.zeros((48, 64), dtype=np.uint8))
    looks = item.appearance.model_copy(update={"mask": unseen})
    with pytest.raises(UserError, match="Nothing of mug can be seen"):
        object_asset(small_scene.with_appearance("mug", looks), "mug")


# -- the file ----------------------------------------------------------------------------------


def test_a_reopened_asset_is_the_saved_one(mug: Asset, mug_file: Path, small_scene: Scene) -> None:
    assert load_asset(mug_file) == mug
    assert mug.token_array().shape == (4, 3)
    assert mug.provenance.image == small_scene.background.view.picture.sha256
    save_asset(load_asset(mug_file), mug_file.with_name("b.naasset"))
    assert mug_file.with_name("b.naasset").read_bytes() == mug_file.read_bytes()
    place = background_asset(small_scene, "place")
    save_asset(place, mug_file.with_name("place.naasset"))
    assert load_asset(mug_file.with_name("place.naasset")) == place
    assert place.surroundings() == small_scene.background


def test_the_file_gives_the_name(mug: Asset, mug_file: Path) -> None:
    renamed = mug_file.rename(mug_file.with_name("Tasse für Tee.naasset"))
    assert load_asset(renamed) == mug.with_label(name="Tasse für Tee")


def test_unknown_fields_survive(mug_file: Path) -> None:
    fields = described(mug_file)
    fields["x_price"] = [1, None]
    fields["appearance"]["x_depth"] = "far"
    asset = load_asset(with_document(mug_file, fields))
    save_asset(asset, mug_file)
    assert described(mug_file) == fields


def test_summary_and_thumbnail(mug: Asset, mug_file: Path) -> None:
    summary = read_summary(mug_file)
    assert (summary.kind, summary.label.tags) == ("object", ("cup", "blue"))
    assert summary.size == mug.appearance.box.size
    image = Image.open(io.BytesIO(read_thumbnail(mug_file)))
    assert image.size == asset_picture(mug).pixels.shape[1::-1]


# -- bad assets --------------------------------------------------------------------------------


def described(path: Path) -> dict:
    with zipfile.ZipFile(path) as archive:
        return json.loads(archive.read("asset.json"))


def with_document(path: Path, fields: object) -> Path:
    return with_entry(path, "asset.json", json.dumps(fields).encode())


def with_entry(path: Path, name: str, data: bytes) -> Path:
    entries = [entry for entry in unpack(path) if entry[0].filename != name]
    return pack(path, [*entries, (zipfile.ZipInfo(name), data)])


@pytest.mark.parametrize(
    ("array", "reason"),
    [
        (np.zeros((2, 3, 4), np.float32), "instead of floats"),
        (np.zeros((2, 3), np.int32), "instead of floats"),
        (np.full((2, 3), np.nan, np.float32), "not finite"),
        (np.full((2, 3), np.inf, np.float16), "not finite"),
        (np.zeros((0, 3), np.float32), "impossible shape"),
        (np.zeros((5000, 3), np.float32), "impossible shape"),
        (np.zeros((3000, 1000), np.float32), "larger than"),
    ],
)
def test_bad_tokens_are_refused(mug_file: Path, array: np.ndarray, reason: str) -> None:
    assert reason in refused(with_entry(mug_file, "tokens.safetensors", save({"tokens": array})))


def test_tokens_under_another_name_are_refused(mug_file: Path) -> None:
    foreign = save({"unet.weight": np.zeros((2, 3), np.float32)})
    assert "one tensor called tokens" in refused(
        with_entry(mug_file, "tokens.safetensors", foreign)
    )


def test_nothing_is_unpickled(mug_file: Path) -> None:
    import pickle

    class Boom:
        def __reduce__(self) -> tuple[object, ...]:
            return (pytest.fail, ("unpickled",))

    bomb = pickle.dumps(Boom())
    assert "safetensors" in refused(with_entry(mug_file, "tokens.safetensors", bomb))


@pytest.mark.parametrize("name", ["../evil", "/etc/passwd", "C:/evil", "a\\b"])
def test_forbidden_names_are_refused(mug_file: Path, name: str) -> None:
    assert "forbidden name" in refused(with_entry(mug_file, name, b"x"))


def test_what_is_no_asset_is_refused(mug_file: Path, scene_file: Path) -> None:
    assert "no asset.json" in refused(scene_file)
    assert "no file" in refused(mug_file.with_name("none.naasset"))
    fields = described(mug_file)
    both = {**fields, "background": {"view": fields["appearance"]["view"]}}
    assert "either an object or a background" in refused(with_document(mug_file, both))
    assert "tokens need an object" in refused(with_document(mug_file, {**fields, "encoder": ""}))
    assert "version 9.0, newer" in refused(with_document(mug_file, {**fields, "version": "9.0"}))
    fields["appearance"]["box"]["center"][0] = float("nan")
    assert "NaN" in refused(with_document(mug_file, fields))


def test_huge_pictures_are_refused(mug_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from neural_assets_core.library import files

    monkeypatch.setattr(files, "MAXIMUM_TOTAL_BYTES", 100)
    assert "too large together" in refused(mug_file)


def test_labels_are_limited(mug: Asset) -> None:
    bad = {"tags": ("x" * 100,)}, {"tags": ("a",) * 99}, {"name": ""}, {"category": "x" * 999}
    for label in bad:
        with pytest.raises(ValidationError):
            mug.with_label(**label)
    assert mug.with_label(tags=(" a ", "b", "a")).tags == ("a", "b")


@settings(max_examples=400)
@given(seed=st.integers(0, 2**32 - 1))
def test_damaged_files_load_unchanged_or_not_at_all(
    seed: int, small_scene: Scene, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = _sound(tmp_path_factory, small_scene)
    asset, data, chance = load_asset(path), path.read_bytes(), random.Random(seed)
    split = chance.choice([0, len(data) - 900])
    changed = path.with_name("changed") / path.name
    changed.parent.mkdir(exist_ok=True)
    changed.write_bytes(data[:split] + damage(data[split:], chance))
    try:
        assert load_asset(changed) == asset
    except UserError:
        refused(changed)
    with suppress(UserError):
        read_summary(changed)


@settings(max_examples=200)
@given(seed=st.integers(0, 2**32 - 1))
def test_mutated_descriptions_load_to_what_can_be_saved(
    seed: int, small_scene: Scene, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = _sound(tmp_path_factory, small_scene)
    fields = described(path)
    mutate(fields, random.Random(seed))
    changed = path.with_name("mutated.naasset")
    changed.write_bytes(path.read_bytes())
    with_document(changed, fields)
    try:
        asset = load_asset(changed)
    except UserError:
        refused(changed)
    else:
        save_asset(asset, changed)
        assert load_asset(changed) == asset
    with suppress(UserError):
        read_summary(changed)


def _sound(factory: pytest.TempPathFactory, scene: Scene) -> Path:
    path = factory.getbasetemp() / "sound" / "mug.naasset"
    if not path.exists():
        path.parent.mkdir(exist_ok=True)
        save_asset(object_asset(scene, "mug", source="small", tags=("cup",)), path)
    return path


def test_a_crop_of_a_crop_stays_the_same(scene: Scene) -> None:
    once = object_asset(scene, "box 2").object_appearance()
    again = object_asset(scene.with_appearance("box 2", once), "box 2").object_appearance()
    assert again.view.camera == once.view.camera
    assert isinstance(again.view.camera, Camera)
    assert (again.view.picture, again.mask) == (once.view.picture, once.mask)
