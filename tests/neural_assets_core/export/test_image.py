"""The PNG that says how it was made."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from neural_assets_core.errors import UserError
from neural_assets_core.export import export_png
from neural_assets_core.scene import Scene


def test_pixels_and_request_survive(small_scene: Scene, tmp_path: Path) -> None:
    picture = small_scene.background.view.picture
    export_png(picture, small_scene, tmp_path / "a.png")
    with Image.open(tmp_path / "a.png") as image:
        np.testing.assert_array_equal(np.asarray(image), picture.pixels)
        request = json.loads(image.text["neural-assets-scene"])
    assert request == small_scene.model_dump(mode="json")


def test_missing_folder_is_told_and_nothing_is_left(small_scene: Scene, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="Cannot write"):
        export_png(
            small_scene.background.view.picture, small_scene, tmp_path / "nowhere" / "a.png"
        )
    assert list(tmp_path.iterdir()) == []
