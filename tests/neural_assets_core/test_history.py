"""Results on disk: lossless, found again, never lost for room if starred, damage told."""

from __future__ import annotations

import os
import time
from pathlib import Path

import numpy as np
import pytest

from neural_assets_core.decoders import Generation
from neural_assets_core.errors import UserError
from neural_assets_core.history import REGRET, History, request_digest
from neural_assets_core.scene import Background, Picture, Scene, View


@pytest.fixture
def history(tmp_path: Path) -> History:
    return History(tmp_path / "history")


def result(scene: Scene, seed: int) -> Generation:
    """A picture of noise, which no PNG can make small."""
    camera = scene.camera
    noise = np.random.default_rng(seed).integers(0, 256, (camera.height, camera.width, 3))
    wanted = scene.with_settings(seed=seed, decoder="proxy")
    return Generation(wanted, Picture(noise.astype(np.uint8)), 1.0)


def source(scene: Scene) -> Picture:
    return scene.background.view.picture


def test_a_result_comes_back_with_its_whole_request(history: History, scene: Scene) -> None:
    made = result(scene, 7)
    added = history.add(made)
    assert added is not None
    (entry,) = History(history.root).entries(source(scene))
    assert entry == added
    assert entry.settings == made.scene.settings
    assert history.picture(entry.path) == made.picture
    assert history.scene(entry.path) == made.scene
    assert history.scene(entry.path, scene) == made.scene
    found = history.find(made.scene)
    assert found is not None
    assert found.picture == made.picture


def test_the_same_request_is_kept_once_whatever_its_objects_are_called(
    history: History, scene: Scene
) -> None:
    made = result(scene, 7)
    history.add(made)
    assert history.add(made) is None
    renamed = made.scene.renamed("box 1", "teapot")
    found = history.find(renamed)
    assert found is not None
    assert found.scene == renamed
    box = scene.object("box 1").box.translated((0.01, 0, 0))
    assert history.find(made.scene.with_box("box 1", box)) is None


def test_another_photograph_has_its_own_results(history: History, scene: Scene) -> None:
    history.add(result(scene, 1))
    view = scene.background.view
    other = View(picture=Picture(255 - view.picture.pixels), camera=view.camera)
    assert history.entries(other.picture) == []
    history.add(result(scene.with_background(Background(view=other)), 1))
    assert len(history.entries(other.picture)) == len(history.entries(source(scene))) == 1


def test_room_is_made_of_the_oldest_but_never_of_starred_ones(
    history: History, scene: Scene
) -> None:
    entries = [history.add(result(scene, seed)) for seed in range(4)]
    for age, entry in enumerate(entries):
        os.utime(entry.path, (1000 + age, 1000 + age))
    history.mark(entries[0].path, name="best", starred=True)
    used = sum(file.stat().st_size for file in history.root.rglob("*.*") if file.is_file())
    # Noise of other seeds is a few bytes longer or shorter.
    small = History(history.root, budget=used + 4096)
    newest = small.add(result(scene, 9))
    kept = {entry.path for entry in small.entries(source(scene))}
    assert kept == {entries[i].path for i in (0, 2, 3)} | {newest.path}
    # Starred ones and the newest stay whatever the budget.
    last = History(history.root, budget=0).add(result(scene, 10))
    kept = {entry.path for entry in small.entries(source(scene))}
    assert kept == {entries[0].path, last.path}
    assert history.scene(last.path) == result(scene, 10).scene


def test_names_stars_and_deletion(history: History, scene: Scene) -> None:
    path = history.add(result(scene, 1)).path
    history.mark(path, name="evening", starred=True)
    (entry,) = history.entries(source(scene))
    assert (entry.name, entry.starred) == ("evening", True)
    history.delete(path)
    assert history.entries(source(scene)) == []
    history.undelete(path)
    assert history.entries(source(scene)) == [entry]


def test_only_what_was_deleted_long_ago_is_forgotten(history: History, scene: Scene) -> None:
    old, new = (history.add(result(scene, seed)).path for seed in (1, 2))
    for path in (old, new):
        # Made long ago; that says nothing about when it was deleted.
        os.utime(path, (1000, 1000))
        history.mark(path, name="evening", starred=False)
        history.delete(path)
    long_ago = time.time() - REGRET - 10
    os.utime(old.with_suffix(".deleted"), (long_ago, 1000))
    # Another program that starts.
    History(history.root).purge()
    history.undelete(new)
    assert [entry.name for entry in history.entries(source(scene))] == ["evening"]
    with pytest.raises(UserError, match="Cannot change"):
        history.undelete(old)


def test_forgetting_a_deleted_result_spares_the_one_made_again(
    history: History, scene: Scene
) -> None:
    path = history.add(result(scene, 1)).path
    history.delete(path)
    os.utime(path.with_suffix(".deleted"), (1000, 1000))
    history.add(result(scene, 1))
    history.mark(path, name="again", starred=True)
    history.purge()
    (entry,) = history.entries(source(scene))
    assert (entry.name, entry.starred) == ("again", True)


@pytest.mark.parametrize("keep", [0, 20, 200])
def test_a_damaged_entry_is_listed_as_such_and_spoils_no_other(
    history: History, scene: Scene, keep: int
) -> None:
    whole, torn = (history.add(result(scene, seed)).path for seed in (1, 2))
    torn.write_bytes(torn.read_bytes()[:keep])
    listed = {entry.path: entry.fault for entry in history.entries(source(scene))}
    assert listed[whole] == ""
    assert "damaged" in listed[torn]
    assert history.find(result(scene, 2).scene) is None
    with pytest.raises(UserError, match="damaged"):
        history.picture(torn)
    with pytest.raises(UserError, match="damaged"):
        history.scene(torn)


def test_damaged_marks_count_as_a_star(history: History, scene: Scene) -> None:
    path = history.add(result(scene, 1)).path
    path.with_suffix(".json").write_bytes(b"{")
    (entry,) = history.entries(source(scene))
    assert entry.starred


def test_an_exchanged_picture_is_noticed(history: History, scene: Scene) -> None:
    path = history.add(result(scene, 1)).path
    image = path.parent / "images" / f"{source(scene).sha256}.png"
    image.write_bytes(path.read_bytes())
    with pytest.raises(UserError, match="not the one"):
        history.scene(path)


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path, scene: Scene) -> None:
    (tmp_path / "history").write_text("a file where the folder should be")
    with pytest.raises(UserError, match="could not be kept"):
        History(tmp_path / "history").add(result(scene, 1))


def test_a_new_checkpoint_of_the_same_name_is_another_request(
    scene: Scene, tmp_path: Path
) -> None:
    maps = ["neural_assets_core.model.encoder", "VisualEncoder"]
    (tmp_path / "model_index.json").write_text(
        f'{{"_class_name": "NeuralAssetsPipeline", "maps": ["{maps[0]}", "{maps[1]}"]}}'
    )
    (tmp_path / "unet").mkdir()
    weights = tmp_path / "unet" / "model.safetensors"
    weights.write_bytes(b"old")
    wanted = scene.with_settings(checkpoint=str(tmp_path))
    before = request_digest(wanted)
    assert request_digest(wanted) == before
    weights.write_bytes(b"newer")
    assert request_digest(wanted) != before
