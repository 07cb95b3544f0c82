"""An animation's frames drawn by a decoder, and made into a film."""

from __future__ import annotations

import os
import secrets
import shutil
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import get_args

import numpy as np
from PIL import Image

from neural_assets_core.animation.codecs import CODECS, Frame, Quality, fitted
from neural_assets_core.animation.flicker import Flicker, measure_flicker
from neural_assets_core.decoders import Cancelled, Decoder, Progress
from neural_assets_core.decoders.base import ProgressCallback, check_cancelled
from neural_assets_core.errors import UserError
from neural_assets_core.export.credentials import check_credentials, sign
from neural_assets_core.export.image import encoded, export_png
from neural_assets_core.export.signing import Signature
from neural_assets_core.files import (
    cannot_write,
    check_writable,
    remove_leftovers,
    write_atomically,
)
from neural_assets_core.history import request_digest
from neural_assets_core.scene import Picture, Scene
from neural_assets_core.scene.container import DAMAGE

FORMATS = {
    ".mp4": "MP4 (H.264)",
    ".webm": "WebM (VP9)",
    ".gif": "GIF",
    "": "PNG sequence in a folder",
}
"""By suffix; a folder has none."""

MAXIMUM_SIZE = 4096
_DIGEST = 64
"""Letters of the name of a frame."""

_REMEMBERED = 5
"""Frames that the time left is reckoned from."""


@dataclass(frozen=True)
class Film:
    """A finished animation.

    Attributes
    ----------
    path : Path
        A file, or the folder of a sequence.
    frames : int
    width, height : int
        Of the film's frames, pixels.
    flicker : Flicker
        Of the frames before they were encoded.
    """

    path: Path
    frames: int
    width: int
    height: int
    flicker: Flicker


def check_film(path: Path, size: int | None = None, loop: int = 0) -> None:
    """Say before long work, not after it, that there can be no such film.

    Raises
    ------
    UserError
        If the name's suffix is unknown, the place cannot be written, or a number is impossible.
    """
    if path.suffix.lower() not in FORMATS:
        raise UserError(
            f"{path.name} has no known ending: choose .mp4, .webm or .gif, or none for a folder "
            "of PNG files."
        )
    if size is not None and not 16 <= size <= MAXIMUM_SIZE:
        raise UserError(f"The size must be 16 to {MAXIMUM_SIZE} pixels, not {size}.")
    if not 0 <= loop <= 1000:
        raise UserError(f"It can be played 0 to 1000 times, not {loop}.")
    if path.suffix:
        check_writable(path)
        return
    if path.exists() and not (path.is_dir() and not any(path.iterdir())):
        raise UserError(f"{path} is there already: choose another name, or an empty folder.")
    check_writable(path.with_name(path.name + ".png"))


def render_video(
    scenes: Sequence[Scene],
    decoder: Decoder,
    path: str | Path,
    *,
    fps: float = 25.0,
    size: int | None = None,
    quality: Quality = "good",
    loop: int = 0,
    signature: Signature | None = None,
    progress: ProgressCallback | None = None,
    cancel: threading.Event | None = None,
) -> Film:
    """Draw every scene and make a film of the pictures.

    Finished frames are kept in a folder beside `path`, called like it with `.frames` at the end,
    until the film is there: after a crash or an error, the same call goes on where it was. The
    film itself appears complete or not at all.

    Parameters
    ----------
    scenes : sequence of Scene
        One for each frame, with cameras of one size. Made from one scene they have one seed, so
        that every frame begins with the same noise.
    decoder : Decoder
    path : str or Path
        Ends in .mp4, .webm or .gif; without a suffix, a new folder gets PNG files.
    fps : float
        Frames a second; GIF cannot do more than 50.
    size : int, optional
        Pixels of the longer side, else that of the pictures. Sides of MP4 and WebM become even.
    quality : {"draft", "good", "best"}
    loop : int
        How often it is played: GIF says so to its player (0: for ever), MP4 and WebM hold it so
        often (0: once), a sequence does not know.
    signature : Signature, optional
        Put content credentials into the file, signed so; MP4 alone can carry them.
    progress : callable, optional
        Gets frames as steps, with the seconds left; called on the calling thread.
    cancel : threading.Event, optional
        Checked before every frame and every denoising step.

    Raises
    ------
    Cancelled
        If `cancel` was set; neither film nor frames are left.
    UserError
        If a frame cannot be drawn or the film not be written.
    """
    path = Path(path)
    check_film(path, size, loop)
    if signature is not None:
        check_credentials(path)
    if not scenes or len({(s.camera.width, s.camera.height) for s in scenes}) > 1:
        raise UserError("A film needs frames, all of one size.")
    if not 0 < fps <= 240 or quality not in get_args(Quality):
        raise UserError("A film needs 1 to 240 frames a second, and draft, good or best quality.")
    store = frame_store(path)
    try:
        _draw(store, scenes, decoder, progress or (lambda _: None), cancel)
        flicker = measure_flicker(scenes, store.pictures(scenes))
        check_cancelled(cancel)
        if path.suffix:
            width, height = _write_film(
                store, scenes, path, fps, size, quality, loop, signature, cancel
            )
        else:
            width, height = _write_sequence(store, scenes, path, size, cancel)
    except Cancelled:
        store.remove()
        raise
    except UserError as error:
        kept = sum(scene in store for scene in scenes)
        if not kept:
            raise
        raise UserError(
            f"{error} {kept} of {len(scenes)} frames are kept in {store.folder}: the same film at "
            "the same place goes on with them; delete the folder to give them up."
        ) from None
    store.remove()
    return Film(path, len(scenes), width, height, flicker)


# -- frames that were drawn ----------------------------------------------------------------------


@dataclass(frozen=True)
class FrameStore:
    """A folder of finished frames, each under its request's digest: what is there is right.

    Attributes
    ----------
    folder : Path
        Made with the first frame.
    """

    folder: Path

    def add(self, scene: Scene, picture: Picture) -> None:
        """Keep a frame.

        Raises
        ------
        UserError
            If it cannot be written.
        """
        try:
            self.folder.mkdir(exist_ok=True)
            export_png(picture, scene, self._path(scene))
        except (OSError, UserError) as error:
            with suppress(OSError):
                # Where nothing could be kept, nothing is left.
                self.folder.rmdir()
            # The folder: nobody knows the files in it.
            raise cannot_write(self.folder, error) from None

    def __len__(self) -> int:
        """How many frames are there, of whatever scenes."""
        return sum(len(path.stem) == _DIGEST for path in self.folder.glob("*.png"))

    def __contains__(self, scene: Scene) -> bool:
        return self._path(scene).is_file()

    def pictures(self, scenes: Sequence[Scene]) -> Iterator[Picture]:
        """The frames of these scenes, all of which are there.

        Raises
        ------
        UserError
            If one is damaged.
        """
        for scene in scenes:
            path = self._path(scene)
            try:
                with Image.open(path, formats=("PNG",)) as image:
                    yield Picture(np.asarray(image.convert("RGB")))
            except DAMAGE as error:
                raise UserError(f"{path} is damaged ({error}): delete it and go on.") from None

    def remove(self) -> None:
        """Delete the frames, and the folder unless it holds something else."""
        with suppress(OSError):
            for path in self.folder.glob("*.png"):
                if len(path.stem) == _DIGEST:
                    path.unlink()
            self.folder.rmdir()

    def _path(self, scene: Scene) -> Path:
        return self.folder / f"{request_digest(scene)}.png"


def frame_store(path: Path) -> FrameStore:
    """Where the finished frames of a film at `path` lie until it is there."""
    return FrameStore(path.with_name(path.name + ".frames"))


def _draw(
    store: FrameStore,
    scenes: Sequence[Scene],
    decoder: Decoder,
    report: ProgressCallback,
    cancel: threading.Event | None,
) -> None:
    """Draw the frames that are not there yet."""
    started = time.perf_counter()
    missing = [index for index, scene in enumerate(scenes) if scene not in store]
    took: list[float] = []
    for done, index in enumerate(missing):
        left = median(took[-_REMEMBERED:]) * (len(missing) - done) if took else None
        step = len(scenes) - len(missing) + done
        report(Progress("drawing frames", step, len(scenes), time.perf_counter() - started, left))
        check_cancelled(cancel)
        since = time.perf_counter()
        if scenes[index] not in store:
            store.add(scenes[index], decoder.generate(scenes[index], cancel=cancel).picture)
            took.append(time.perf_counter() - since)
    elapsed = time.perf_counter() - started
    report(Progress("writing the film", len(scenes), len(scenes), elapsed, None))


# -- writing -------------------------------------------------------------------------------------


def _write_film(
    store: FrameStore,
    scenes: Sequence[Scene],
    path: Path,
    fps: float,
    size: int | None,
    quality: Quality,
    loop: int,
    signature: Signature | None,
    cancel: threading.Event | None,
) -> tuple[int, int]:
    """Write the file under another name, then rename it; width and height."""
    # Late: few look at films, and FFmpeg takes its time to load.
    from neural_assets_core.animation.encoding import encode_gif, encode_video

    codec = CODECS.get(path.suffix.lower())
    shape = [0, 0]

    def frames() -> Iterator[Frame]:
        for picture in store.pictures(scenes):
            check_cancelled(cancel)
            frame = fitted(picture.pixels, size, even=codec is not None)
            shape[:] = frame.shape[:2]
            yield frame

    def write(temporary: Path) -> None:
        if codec is None:
            encode_gif(frames, temporary, fps=fps, quality=quality, loop=loop)
        else:
            encode_video(
                frames, temporary, codec, fps=fps, quality=quality, loop=loop
            )
        if signature is not None:
            _sign(temporary, path.suffix.lower(), scenes[0], signature)

    _replacing(Path(os.path.realpath(path)), write)
    return shape[1], shape[0]


def _sign(film: Path, suffix: str, scene: Scene, signature: Signature) -> None:
    """Put content credentials into a finished file."""
    signed = film.with_name(f"{film.name}.signed")
    try:
        with open(film, "rb") as file, open(signed, "w+b") as out:
            sign(file, out, suffix, scene, signature)
        os.replace(signed, film)
    finally:
        signed.unlink(missing_ok=True)


def _write_sequence(
    store: FrameStore,
    scenes: Sequence[Scene],
    path: Path,
    size: int | None,
    cancel: threading.Event | None,
) -> tuple[int, int]:
    """Write numbered files into a folder of another name, then rename it; width and height."""
    shape = [0, 0]

    def write(temporary: Path) -> None:
        temporary.mkdir()
        for number, (scene, picture) in enumerate(
            zip(scenes, store.pictures(scenes), strict=True), start=1
        ):
            check_cancelled(cancel)
            frame = fitted(picture.pixels, size, even=False)
            shape[:] = frame.shape[:2]
            data = encoded(Image.fromarray(frame), ".png", scene.model_dump_json())
            write_atomically(temporary / f"{number:05d}.png", data)

    _replacing(path, write)
    return shape[1], shape[0]


def _replacing(path: Path, write: Callable[[Path], None]) -> None:
    """Let `write` make a file or folder of another name beside `path`, then rename it."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    remove_leftovers(path)
    try:
        write(temporary)
        os.replace(temporary, path)
    except OSError as error:
        raise cannot_write(path, error) from None
    finally:
        with suppress(OSError):
            if temporary.is_dir():
                shutil.rmtree(temporary)
            else:
                temporary.unlink(missing_ok=True)
