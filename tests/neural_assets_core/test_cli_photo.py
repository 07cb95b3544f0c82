"""`neural-assets photo` on real files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from neural_assets_core.scene import load_scene
from tests.neural_assets_core.test_cli import done, refused, run

X_LINES = ["--line", "x", 100, 150, 700, 250, "--line", "x", 120, 550, 720, 450]
Y_LINES = ["--line", "y", 850, 120, 300, 260, "--line", "y", 800, 560, 250, 430]
BOX = ["--box", "a cup", 300, 480, 500, 500, 560, 440, 560, 300]


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0xA405] = 35
    pixels = np.random.default_rng(1).integers(0, 255, (600, 900, 3), np.uint8)
    Image.fromarray(pixels).save(tmp_path / "photo.jpg", exif=exif)
    return tmp_path / "photo.jpg"


def test_lines_boxes_and_rectangles_make_a_scene(picture: Path, tmp_path: Path) -> None:
    out = tmp_path / "made.nascene"
    rectangle = ["--rectangle", "plate", 600, 350, 800, 550]
    text = done("photo", picture, "--out", out, *X_LINES, *Y_LINES, *BOX, *rectangle)
    assert text.count("misses its vanishing point by 0.0") == 4
    assert "a cup" in text
    scene = load_scene(out)
    assert [item.name for item in scene.objects] == ["a cup", "plate"]
    assert scene.settings.decoder == "proxy"
    ends = scene.camera.project(scene.object("a cup").box.corners()[[0, 4]])[:, :2]
    assert ends == pytest.approx(np.array([[300, 480], [500, 500]]), abs=0.01)


def test_help_names_the_words_of_each_option() -> None:
    text = "".join(done("photo", "--help").split())
    assert "AXISX0Y0X1Y1" in text


def test_horizon_height_and_focal_length(picture: Path, tmp_path: Path) -> None:
    out = tmp_path / "made.nascene"
    text = done("photo", picture, "--out", out, "--horizon", -20, 10, "--height", 1.2)
    assert "35 mm on film" in text
    assert "horizon  -20 px at the left, 10 px at the right" in text
    assert load_scene(out).camera.position[2] == pytest.approx(1.2)
    done("photo", picture, "--out", out, "--focal-px", 777, "--length", 300, 500, 600, 500, 2.5)
    camera = load_scene(out).camera
    assert camera.k[0, 0] == pytest.approx(777)
    (origin, rays) = camera.rays(np.array([[300.0, 500.0], [600.0, 500.0]]))
    ends = origin - rays * (origin[2] / rays[:, 2:])
    assert np.linalg.norm(ends[0] - ends[1]) == pytest.approx(2.5)


def test_one_vanishing_point_takes_the_focal_length_of_the_file(
    picture: Path, tmp_path: Path
) -> None:
    assert "35 mm on film" in done("photo", picture, "--out", tmp_path / "a.nascene", *X_LINES)


def test_warnings_go_to_stderr(picture: Path, tmp_path: Path) -> None:
    lines = [*X_LINES, *Y_LINES, "--line", "x", 300, 300, 300, 300]
    result = run("photo", picture, "--out", tmp_path / "a.nascene", *lines)
    assert result.exit_code == 0
    assert "Warning: A line is too short" in result.stderr


def test_bad_requests_are_one_sentence(picture: Path, tmp_path: Path) -> None:
    out = ["--out", tmp_path / "a.nascene"]
    assert "AXIS" in refused("photo", picture, *out, "--line", "x", 1, 2)
    assert "finite" in refused("photo", picture, *out, "--line", "x", 1, 2, 3, "four")
    assert "focal length must be" in refused("photo", picture, *out, "--focal-px", 0)
    assert "x, y or z" in refused("photo", picture, *out, "--line", "up", 1, 2, 3, 4)
    assert "focal length once" in refused(
        "photo", picture, *out, "--focal-mm", 35, "--focal-px", 900
    )
    assert "--line or --horizon" in refused("photo", picture, *out, *X_LINES, "--horizon", 1, 2)
    assert "--height or --length" in refused(
        "photo", picture, *out, "--height", 1, "--length", 1, 2, 3, 4, 5
    )
    assert "bird: This point is above the horizon" in refused(
        "photo", picture, *out, "--rectangle", "bird", 100, 5, 200, 20
    )
    assert ".nascene" in refused("photo", picture, "--out", tmp_path / "a.png")
    assert "no file" in refused("photo", tmp_path / "none.jpg", *out)
    assert not (tmp_path / "a.nascene").exists()
