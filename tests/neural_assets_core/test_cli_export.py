"""Pictures and films from the command line."""

from __future__ import annotations

from pathlib import Path

import av
import pytest
from PIL import Image

from neural_assets_core.export import read_credentials, read_request
from neural_assets_core.scene import Scene, load_scene, save_scene
from tests.neural_assets_core.test_cli import done, refused

FAST = ("--decoder", "proxy", "--checkpoint", "nowhere")
"""Without weights."""


@pytest.fixture
def file(scene: Scene, tmp_path: Path) -> Path:
    path = tmp_path / "small.nascene"
    save_scene(scene, path)
    return path


class TestExport:
    def test_kind_follows_the_suffix(self, file: Path, tmp_path: Path) -> None:
        assert done("export", file, "--out", tmp_path / "a.jpg", *FAST) == f"{tmp_path / 'a.jpg'}\n"
        assert '"seed":0' in read_request(tmp_path / "a.jpg")
        done("export", file, "--out", tmp_path / "a.ora", *FAST)
        assert (tmp_path / "a.ora").read_bytes()[38:54] == b"image/openraster"

    def test_without_metadata(self, file: Path, tmp_path: Path) -> None:
        done("export", file, "--out", tmp_path / "a.webp", "--no-metadata", *FAST)
        assert read_request(tmp_path / "a.webp") is None

    def test_masks_are_one_file_an_object(self, file: Path, tmp_path: Path) -> None:
        told = done("export", file, "--out", tmp_path / "m.png", "--what", "masks", *FAST)
        assert told.splitlines() == [str(tmp_path / f"m-box {n}.png") for n in (1, 2)]

    def test_many_scenes(self, file: Path, scene: Scene, tmp_path: Path) -> None:
        save_scene(scene.without("box 1"), tmp_path / "other.nascene")
        scenes = (file, tmp_path / "other.nascene")
        done("export", *scenes, "--out", tmp_path / "{}-depth.exr", "--what", "depth", *FAST)
        assert (tmp_path / "small-depth.exr").stat().st_size > 0
        assert (tmp_path / "other-depth.exr").stat().st_size > 0
        assert "'out/{}.png'" in refused("export", *scenes, "--out", tmp_path / "a.png")
        assert "same name" in refused("export", file, file, "--out", tmp_path / "{}.png")

    def test_impossible_formats_are_told_before_the_work(self, file: Path, tmp_path: Path) -> None:
        told = refused("export", file, "--out", tmp_path / "a.jpg", "--what", "depth")
        assert "ends in .exr or .tif or .tiff or .png" in told
        assert "--seed" in refused("export", file, "--out", tmp_path / "a.png", "--seed", "-1")


class TestFilms:
    def test_turntable(self, file: Path, tmp_path: Path) -> None:
        out = tmp_path / "a.mp4"
        told = done(
            "turntable", file, "--object", "box 1", "--seconds", "1", "--fps", "5", "--size", "64",
            "--out", out, "--quality", "draft", *FAST,
        )  # fmt: skip
        assert f"{out}: 5 frames of 64 x 64 pixels" in told
        assert "background 0.00" in told
        with av.open(str(out)) as container:
            assert sum(1 for _ in container.decode(video=0)) == 5

    def test_content_credentials(self, file: Path, tmp_path: Path) -> None:
        arguments = ("turntable", file, "--object", "box 1", "--seconds", "1", "--fps", "3", *FAST)
        done(*arguments, "--credentials", "--out", tmp_path / "a.mp4")
        found = read_credentials(tmp_path / "a.mp4")
        assert (found.state, found.generation["decoder"]) == ("Valid", "proxy")
        with av.open(str(tmp_path / "a.mp4")) as container:
            assert sum(1 for _ in container.decode(video=0)) == 3
        assert not list(tmp_path.glob(".*"))
        told = refused(*arguments, "--credentials", "--out", tmp_path / "a.gif")
        assert "cannot carry content credentials" in told

    def test_camera(self, file: Path, tmp_path: Path) -> None:
        arguments = ("turntable", file, "--seconds", "1", "--fps", "3", *FAST)
        done(*arguments, "--camera", "--degrees", "5", "--out", tmp_path / "a.gif")
        with Image.open(tmp_path / "a.gif") as image:
            assert image.n_frames == 3
        assert "either --object" in refused(*arguments, "--out", tmp_path / "b.gif")

    def test_animation_from_scene_files(self, file: Path, tmp_path: Path) -> None:
        moved = tmp_path / "moved.nascene"
        done("edit", file, "--object", "box 2", "--rotate-z", "40", "--out", moved)
        animated = tmp_path / "animated.nascene"
        keys = ("--key", f"0={file}", "--key", f"1={moved}")
        done("animate", file, *keys, "--save", animated, "--fps", "4", *FAST)
        assert load_scene(animated).animation.seconds == 1
        told = done("animate", animated, "--out", tmp_path / "a", "--fps", "4", *FAST)
        assert "5 frames" in told
        assert len(list((tmp_path / "a").iterdir())) == 5

    def test_bad_input_is_told(self, file: Path, tmp_path: Path) -> None:
        out = ("--out", tmp_path / "a.mp4", *FAST)
        assert "no keyframes" in refused("animate", file, *out)
        assert "--key needs" in refused("animate", file, "--key", "x=a.nascene", *out)
        assert "Nothing to do" in refused("animate", file)
        assert "no known ending" in refused("animate", file, "--out", tmp_path / "a.avi")
        assert "no object" in refused("turntable", file, "--object", "mug", *out)
