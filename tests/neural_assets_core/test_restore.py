"""Scenes back from exported pictures."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from neural_assets_core.decoders import Generation
from neural_assets_core.errors import UserError
from neural_assets_core.export import export_png
from neural_assets_core.export.image import SCENE_TEXT_KEY, encoded
from neural_assets_core.history import History
from neural_assets_core.restore import Request, request_of, restored
from neural_assets_core.scene import Picture, Scene, save_scene


@pytest.fixture
def edited(small_scene: Scene) -> Scene:
    box = small_scene.object("mug").box.translated((0.1, 0.0, 0.0))
    return small_scene.with_box("mug", box).with_settings(seed=7)


@pytest.fixture
def request_(edited: Scene, tmp_path: Path) -> Request:
    """The edited scene's picture, alone in its folder."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    export_png(edited.background.view.picture, edited, folder / "kitchen.png")
    found = request_of(folder / "kitchen.png")
    assert found is not None
    return found


@pytest.fixture
def history(tmp_path: Path) -> History:
    return History(tmp_path / "history")


class TestSources:
    def test_the_open_scene(
        self, request_: Request, edited: Scene, small_scene: Scene, history: History
    ) -> None:
        assert restored(request_, small_scene.without("book"), history, []) == edited

    def test_the_history(self, request_: Request, edited: Scene, history: History) -> None:
        history.add(Generation(edited, edited.background.view.picture, 0.1))
        assert restored(request_, None, history, []) == edited

    def test_a_scene_opened_lately(
        self, request_: Request, edited: Scene, scene_file: Path, history: History, tmp_path: Path
    ) -> None:
        damaged = tmp_path / "damaged.nascene"
        damaged.write_bytes(scene_file.read_bytes()[:999])
        files = [tmp_path / "gone.nascene", damaged, scene_file]
        assert restored(request_, None, history, files) == edited

    def test_a_scene_beside_the_picture(
        self, request_: Request, edited: Scene, small_scene: Scene, history: History
    ) -> None:
        save_scene(small_scene, request_.path.with_name("any.nascene"))
        assert restored(request_, None, history, []) == edited

    def test_nowhere(self, request_: Request, history: History) -> None:
        with pytest.raises(UserError, match=r"open the scene file .*kitchen\.nascene"):
            restored(request_, None, history, [])

    def test_of_several_places_a_part_each(
        self, request_: Request, edited: Scene, scene_file: Path, history: History
    ) -> None:
        # The mask is missing from the open scene.
        known = edited.without("mug")
        known = known.model_copy(
            update={"background": known.background.model_copy(update={"occluders": ()})}
        )
        assert restored(request_, known, history, [scene_file]) == edited


class TestPictures:
    @pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp", ".tiff"])
    def test_every_format_that_carries_a_scene(
        self, edited: Scene, history: History, tmp_path: Path, suffix: str
    ) -> None:
        path = tmp_path / f"picture{suffix}"
        image = Image.fromarray(edited.background.view.picture.pixels)
        path.write_bytes(encoded(image, suffix, edited.model_dump_json()))
        found = request_of(path)
        assert found is not None
        assert found.objects == 2
        assert restored(found, edited, history, []) == edited

    def test_none_is_carried(self, tmp_path: Path) -> None:
        plain = tmp_path / "plain.png"
        Image.new("RGB", (8, 8)).save(plain)
        (tmp_path / "text.png").write_text("no picture")
        for name in ("plain.png", "text.png", "missing.png", "."):
            assert request_of(tmp_path / name) is None

    @pytest.mark.parametrize(
        "text",
        ["", "[]", "{}", "null", '{"objects": 3}', '{"objects": [NaN]}', "[" * 90_000,
         '{"objects": []' + " " * 3_000_000 + "}"],
        ids=["empty", "list", "object", "null", "number", "nan", "deep", "long"],
    )  # fmt: skip
    def test_what_is_no_scene_is_an_ordinary_picture(self, tmp_path: Path, text: str) -> None:
        assert request_of(with_text(tmp_path / "odd.png", text)) is None

    @pytest.mark.parametrize(
        "change",
        [
            {"camera": None},
            {"objects": []},
            {"settings": {"steps": -1}},
            {"background": {"sha256": "../../etc/passwd"}},
            {"x": {"sha256": "*"}},
        ],
    )
    def test_an_impossible_scene(
        self, edited: Scene, history: History, tmp_path: Path, change: dict
    ) -> None:
        fields = {**json.loads(edited.model_dump_json()), **change}
        found = request_of(with_text(tmp_path / "odd.png", json.dumps(fields)))
        assert found is not None
        if "objects" in change or "x" in change:
            restored(found, edited, history, [])
        else:
            with pytest.raises(UserError, match=r"The scene in odd\.png cannot be used") as told:
                restored(found, edited, history, [])
            assert "\n" not in str(told.value)

    def test_a_picture_under_another_one_s_name(
        self, request_: Request, edited: Scene, history: History
    ) -> None:
        history.add(Generation(edited, edited.background.view.picture, 0.1))
        for path in history.root.glob("*/images/*.png"):
            Image.fromarray(np.zeros((48, 64, 3), np.uint8)).save(path)
        with pytest.raises(UserError, match="open the scene file"):
            restored(request_, None, history, [])


def with_text(path: Path, text: str) -> Path:
    """A small PNG that carries some text where the scene would be."""
    info = PngInfo()
    info.add_itxt(SCENE_TEXT_KEY, text)
    Image.fromarray(Picture(np.zeros((4, 4, 3), np.uint8)).pixels).save(path, pnginfo=info)
    return path
