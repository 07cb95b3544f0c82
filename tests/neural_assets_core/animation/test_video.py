"""Films, decoded again by another way than they were written where there is one."""

from __future__ import annotations

import errno
import threading
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest
from av.video.reformatter import Colorspace
from PIL import Image

from neural_assets_core.animation import (
    camera_orbit,
    check_film,
    measure_flicker,
    render_video,
    turntable,
)
from neural_assets_core.animation.codecs import fitted
from neural_assets_core.decoders import Cancelled, Generation, Progress, ProxyDecoder
from neural_assets_core.decoders.window import touched_pixels
from neural_assets_core.errors import UserError
from neural_assets_core.export import export_png, read_request
from neural_assets_core.scene import Picture, Scene

FPS = 6


@pytest.fixture
def frames(scene: Scene) -> list[Scene]:
    """One turn in a second."""
    return turntable(scene, "box 2", seconds=1, fps=FPS)


class Counting(ProxyDecoder):
    """The proxy, and how often it drew; fails from some frame on."""

    def __init__(self, fails_at: int | None = None) -> None:
        super().__init__()
        self.drawn = 0
        self.fails_at = fails_at

    def generate(self, scene: Scene, **options) -> Generation:
        if self.drawn == self.fails_at:
            raise UserError("The card fell out.")
        self.drawn += 1
        return super().generate(scene, **options)


def decoded(path: Path) -> list[np.ndarray]:
    with av.open(str(path)) as container:
        return [
            frame.reformat(format="rgb24", src_colorspace=Colorspace.ITU709).to_ndarray()
            for frame in container.decode(video=0)
        ]


class TestFiles:
    @pytest.mark.parametrize("suffix", [".mp4", ".webm"])
    def test_video_holds_every_frame_and_the_object_turns(
        self, scene: Scene, frames: list[Scene], tmp_path: Path, suffix: str
    ) -> None:
        path = tmp_path / f"turn{suffix}"
        film = render_video(frames, ProxyDecoder(), path, fps=FPS, quality="best")
        assert (film.frames, film.width, film.height) == (6, 96, 96)
        with av.open(str(path)) as container:
            stream = container.streams.video[0]
            assert stream.codec_context.name in ("h264", "vp9", "libvpx-vp9")
            assert stream.codec_context.pix_fmt == "yuv420p"
            assert stream.average_rate == FPS
            assert container.duration / av.time_base == pytest.approx(1.0, abs=0.05)
        shown = decoded(path)
        assert len(shown) == 6
        for pixels, frame in zip(shown, frames, strict=True):
            assert pixels.shape == (96, 96, 3)
            exact = ProxyDecoder().generate(frame).picture.pixels
            assert np.abs(pixels.astype(int) - exact).mean() < 6
        # It turns: every frame differs from the next inside the box, and nowhere else by much.
        touched = touched_pixels(frames[0]) > 0
        for one, next_ in pairwise(shown):
            apart = np.abs(one.astype(int) - next_)
            assert apart[touched].mean() > 4 * apart[~touched].mean()
            assert apart[touched].mean() > 1
        assert list(tmp_path.iterdir()) == [path]

    def test_gif(self, frames: list[Scene], tmp_path: Path) -> None:
        render_video(frames, ProxyDecoder(), tmp_path / "a.gif", fps=FPS, loop=3)
        with Image.open(tmp_path / "a.gif") as image:
            assert image.n_frames == 6
            assert image.size == (96, 96)
            assert image.info["loop"] == 2
            total = 0
            shown = []
            for index in range(6):
                image.seek(index)
                total += image.info["duration"]
                shown.append(np.asarray(image.convert("RGB")).astype(int))
        assert total == pytest.approx(1000, abs=60)
        resting = touched_pixels(frames[0]) == 0
        for frame in frames:
            resting &= touched_pixels(frame) == 0
        # One palette and a pattern that stays: what rests does not even change in a GIF.
        assert not np.abs(shown[3] - shown[2])[resting].any()
        render_video(frames, ProxyDecoder(), tmp_path / "b.gif", fps=FPS)
        with Image.open(tmp_path / "b.gif") as image:
            assert image.info["loop"] == 0

    def test_sequence_says_how_it_was_made(self, frames: list[Scene], tmp_path: Path) -> None:
        folder = tmp_path / "turn"
        render_video(frames, ProxyDecoder(), folder, fps=FPS)
        files = sorted(folder.iterdir())
        assert [file.name for file in files] == [f"0000{number}.png" for number in range(1, 7)]
        for file, frame in zip(files, frames, strict=True):
            exact = ProxyDecoder().generate(frame).picture.pixels
            np.testing.assert_array_equal(np.asarray(Image.open(file)), exact)
            assert read_request(file) == frame.model_dump_json()
        assert list(tmp_path.iterdir()) == [folder]
        with pytest.raises(UserError, match="is there already"):
            render_video(frames, ProxyDecoder(), folder, fps=FPS)

    def test_size_and_loop(self, frames: list[Scene], tmp_path: Path) -> None:
        film = render_video(
            frames, ProxyDecoder(), tmp_path / "a.mp4", fps=FPS, size=61, loop=2, quality="draft"
        )
        assert (film.width, film.height) == (60, 60)
        assert len(decoded(tmp_path / "a.mp4")) == 12
        film = render_video(frames, ProxyDecoder(), tmp_path / "a", fps=FPS, size=61)
        assert (film.width, film.height) == (61, 61)

    def test_the_old_film_is_replaced_at_once(self, frames: list[Scene], tmp_path: Path) -> None:
        (tmp_path / "a.mp4").write_bytes(b"old")
        with pytest.raises(UserError):
            render_video(frames, Counting(fails_at=2), tmp_path / "a.mp4", fps=FPS)
        assert (tmp_path / "a.mp4").read_bytes() == b"old"
        render_video(frames, ProxyDecoder(), tmp_path / "a.mp4", fps=FPS)
        assert len(decoded(tmp_path / "a.mp4")) == 6


@pytest.mark.parametrize(
    ("shape", "size", "even", "expected"),
    [
        ((97, 65), None, True, (96, 64)),
        ((97, 65), None, False, (97, 65)),
        ((1, 65), None, True, (2, 64)),
        ((300, 200), 150, True, (150, 100)),
        ((300, 201), 150, True, (150, 100)),
        ((20, 4000), 64, True, (2, 64)),
    ],
)
def test_sizes(shape, size, even, expected) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (*shape, 3), dtype=np.uint8)
    frame = fitted(pixels, size, even=even)
    assert frame.shape[:2] == expected
    if size is None and shape[0] > 1:
        np.testing.assert_array_equal(frame, pixels[: expected[0], : expected[1]])


class TestInterruptions:
    def test_goes_on_where_it_failed(self, frames: list[Scene], tmp_path: Path) -> None:
        path = tmp_path / "a.mp4"
        with pytest.raises(UserError, match="fell out"):
            render_video(frames, Counting(fails_at=4), path, fps=FPS)
        assert not path.exists()
        assert [entry.name for entry in tmp_path.iterdir()] == ["a.mp4.frames"]
        second = Counting()
        told: list[Progress] = []
        render_video(frames, second, path, fps=FPS, progress=told.append)
        assert second.drawn == 2
        assert [progress.step for progress in told] == [4, 5, 6]
        assert told[1].left > 0
        assert list(tmp_path.iterdir()) == [path]

    def test_frames_of_another_scene_are_not_taken(
        self, scene: Scene, frames: list[Scene], tmp_path: Path
    ) -> None:
        path = tmp_path / "a.mp4"
        with pytest.raises(UserError):
            render_video(frames, Counting(fails_at=4), path, fps=FPS)
        other = turntable(scene.with_settings(seed=1), "box 2", seconds=1, fps=FPS)
        decoder = Counting()
        render_video(other, decoder, path, fps=FPS)
        assert decoder.drawn == 6
        assert list(tmp_path.iterdir()) == [path]

    @pytest.mark.parametrize("moment", [0, 3, 6])
    def test_cancelled_leaves_nothing(
        self, frames: list[Scene], tmp_path: Path, moment: int
    ) -> None:
        cancel = threading.Event()

        def watch(progress: Progress) -> None:
            if progress.step == moment:
                cancel.set()

        with pytest.raises(Cancelled):
            render_video(
                frames, ProxyDecoder(), tmp_path / "a.mp4", fps=FPS, progress=watch, cancel=cancel
            )
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.parametrize("room", [0, 2])
    def test_a_full_disk(
        self, frames: list[Scene], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, room: int
    ) -> None:
        written: list[Path] = []

        def filled(picture: Picture, scene: Scene, path: Path) -> None:
            if len(written) == room:
                raise OSError(errno.ENOSPC, "No space left on device")
            export_png(picture, scene, path)
            written.append(path)

        monkeypatch.setattr("neural_assets_core.animation.video.export_png", filled)
        with pytest.raises(UserError, match="free some space") as caught:
            render_video(frames, ProxyDecoder(), tmp_path / "a.mp4", fps=FPS)
        # What was drawn stays, and the user is told so.
        left = [tmp_path / "a.mp4.frames"] if room else []
        assert list(tmp_path.iterdir()) == left
        assert all(path.is_file() for path in written)
        assert (f"2 of 6 frames are kept in {tmp_path}" in str(caught.value)) == bool(room)

    def test_what_is_not_ours_in_the_folder_of_frames_stays(
        self, frames: list[Scene], tmp_path: Path
    ) -> None:
        folder = tmp_path / "a.mp4.frames"
        folder.mkdir()
        (folder / "mine.png").write_bytes(b"mine")
        render_video(frames, ProxyDecoder(), tmp_path / "a.mp4", fps=FPS)
        assert [file.name for file in folder.iterdir()] == ["mine.png"]


class TestFlicker:
    def test_untouched_background_is_still(self, frames: list[Scene], tmp_path: Path) -> None:
        film = render_video(frames, ProxyDecoder(), tmp_path / "a.mp4", fps=FPS)
        assert film.flicker.background == 0.0
        assert film.flicker.objects > 0
        assert "background 0.00" in film.flicker.told()

    def test_noise_is_found_where_it_is(self, frames: list[Scene]) -> None:
        pictures = [ProxyDecoder().generate(frame).picture for frame in frames]
        steady = measure_flicker(frames, pictures)
        restless = []
        for index, picture in enumerate(pictures):
            pixels = picture.pixels.copy()
            pixels[:20] = np.clip(pixels[:20].astype(int) + 10 * (index % 2), 0, 255)
            restless.append(Picture(pixels))
        assert measure_flicker(frames, restless).background > 1
        assert measure_flicker(frames, restless).objects == pytest.approx(steady.objects, abs=0.5)

    def test_one_picture_has_nothing_to_compare(self, frames: list[Scene]) -> None:
        picture = ProxyDecoder().generate(frames[0]).picture
        alone = measure_flicker(frames[:1], [picture])
        assert alone.told() == "not measured"

    def test_when_the_camera_moves_nothing_rests(self, scene: Scene) -> None:
        frames = camera_orbit(scene, seconds=1, fps=4)
        pictures = [ProxyDecoder().generate(frame).picture for frame in frames]
        assert measure_flicker(frames, pictures).background is None


class TestRefusals:
    @pytest.mark.parametrize(
        ("name", "options", "reason"),
        [
            ("a.avi", {}, "no known ending"),
            ("no/a.mp4", {}, "no folder"),
            ("a.mp4", {"size": 2}, "16 to 4096"),
            ("a.mp4", {"loop": -1}, "0 to 1000"),
        ],
    )
    def test_before_anything_is_drawn(
        self, tmp_path: Path, name: str, options: dict[str, int], reason: str
    ) -> None:
        with pytest.raises(UserError, match=reason):
            check_film(tmp_path / name, **options)

    def test_frames_of_different_sizes(self, scene: Scene, tmp_path: Path) -> None:
        other = scene.with_camera(scene.camera.resized(64, 64))
        with pytest.raises(UserError, match="one size"):
            render_video([scene, other], ProxyDecoder(), tmp_path / "a.mp4")
