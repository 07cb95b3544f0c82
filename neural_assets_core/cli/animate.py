"""`neural-assets turntable` and `neural-assets animate`: scenes that move, as films."""

from __future__ import annotations

import math
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from neural_assets_core.cli.progress import following, progress_bar
from neural_assets_core.cli.request import DecoderName, decoder_of, requested, signature_for
from neural_assets_core.cli.scene import ScenePath
from neural_assets_core.errors import UserError

if TYPE_CHECKING:
    from neural_assets_core.animation import Film
    from neural_assets_core.scene import Scene


class QualityName(StrEnum):
    """How much a film's compression may cost."""

    draft = "draft"
    good = "good"
    best = "best"


Out = Annotated[
    Path,
    typer.Option(
        "--out", metavar="FILE", help="Ends in .mp4, .webm or .gif; else a folder of PNG files."
    ),
]
Fps = Annotated[float, typer.Option(metavar="N", help="Frames a second.")]
Size = Annotated[
    int | None, typer.Option(metavar="PIXELS", help="Of the longer side; else as the picture.")
]
QualityOption = Annotated[QualityName, typer.Option("--quality", help="Of the film's compression.")]
Loop = Annotated[
    int,
    typer.Option(
        metavar="N", help="How often it is played; 0: a GIF for ever, others once."
    ),
]
Seed = Annotated[int | None, typer.Option(metavar="N", help="One for all frames.")]
DecoderOption = Annotated[
    DecoderName | None, typer.Option("--decoder", help="Instead of the scene's.")
]
Checkpoint = Annotated[str | None, typer.Option(metavar="PATH", help="Instead of the scene's.")]
Credentials = Annotated[
    bool,
    typer.Option("--credentials", help="Sign into an MP4 how it was made (C2PA)."),
]
Poses = Annotated[
    bool,
    typer.Option("--poses", help="Beside PNG files: the cameras for nerfstudio and COLMAP."),
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing.")]


def turntable(
    scene: ScenePath,
    out: Out,
    name: Annotated[
        str | None, typer.Option("--object", metavar="NAME", help="The object that turns.")
    ] = None,
    camera: Annotated[
        bool, typer.Option("--camera", help="The camera swings around the objects instead.")
    ] = False,
    seconds: Annotated[float, typer.Option(metavar="S", help="Length of one round.")] = 4.0,
    degrees: Annotated[
        float | None,
        typer.Option(metavar="DEG", help="How far: 360 for an object, 10 for the camera."),
    ] = None,
    fps: Fps = 25.0,
    size: Size = None,
    quality: QualityOption = QualityName.good,
    loop: Loop = 0,
    seed: Seed = None,
    decoder: DecoderOption = None,
    checkpoint: Checkpoint = None,
    credentials: Credentials = False,
    poses: Poses = False,
    quiet: Quiet = False,
) -> None:
    """Turn an object in place, or swing the camera, and make a film of it.

    Finished frames are kept beside the film until it is there: if it was interrupted, the same
    command goes on.
    """
    if (name is None) == (not camera):
        raise UserError("Give either --object NAME or --camera.")
    from neural_assets_core.animation import camera_orbit, check_film
    from neural_assets_core.animation import turntable as turntable_frames

    check_film(out, size, loop)
    if poses and out.suffix:
        raise UserError("--poses needs --out to be a folder: give it no ending.")
    start = requested(scene, seed=seed, decoder=decoder and decoder.value, checkpoint=checkpoint)
    if name is not None:
        turn = 360.0 if degrees is None else degrees
        frames = turntable_frames(start, name, seconds=seconds, fps=fps, degrees=turn)
    else:
        swing = 10.0 if degrees is None else degrees
        frames = camera_orbit(start, seconds=seconds, fps=fps, degrees=swing)
    film = _film(frames, out, fps, size, quality, loop, credentials, quiet)
    if poses:
        from neural_assets_core.export.poses import frame_cameras, write_poses

        cameras = [
            seen.resized(film.width, film.height) for seen in frame_cameras(frames, name)
        ]
        write_poses(cameras, sorted(path.name for path in out.glob("*.png")), out)


def animate(
    scene: ScenePath,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", metavar="FILE", help="Ends in .mp4, .webm or .gif; else a folder of PNG files."
        ),
    ] = None,
    key: Annotated[
        list[str] | None,
        typer.Option(
            metavar="S=SCENE",
            help="At S seconds everything stands as in this scene file; may be repeated.",
        ),
    ] = None,
    save: Annotated[
        Path | None,
        typer.Option(metavar="NEW.nascene", help="Write the scene with these keyframes."),
    ] = None,
    seconds: Annotated[
        float | None,
        typer.Option(metavar="S", help="Length, else the scene's: until the last keyframe."),
    ] = None,
    fps: Annotated[
        float | None, typer.Option(metavar="N", help="Frames a second, else the scene's.")
    ] = None,
    size: Size = None,
    quality: QualityOption = QualityName.good,
    loop: Annotated[
        int | None,
        typer.Option(
            metavar="N", help="How often it is played; else as the scene says, video files once."
        ),
    ] = None,
    seed: Seed = None,
    decoder: DecoderOption = None,
    checkpoint: Checkpoint = None,
    credentials: Credentials = False,
    quiet: Quiet = False,
) -> None:
    """Make a film of a scene's keyframes: those in its file, and those given here."""
    if out is None and save is None:
        raise UserError("Nothing to do: give --out, --save or both.")
    from neural_assets_core.animation import (
        animation_frames,
        check_film,
        played,
        with_key_scene,
        with_playback,
    )
    from neural_assets_core.scene import SCENE_SUFFIX, load_scene, save_scene

    if save is not None and save.suffix != SCENE_SUFFIX:
        raise UserError(f"--save must end in {SCENE_SUFFIX}, unlike {save.name}.")
    if out is not None:
        check_film(out, size, loop or 0)
    start = requested(scene, seed=seed, decoder=decoder and decoder.value, checkpoint=checkpoint)
    for text in key or ():
        time, path = _key(text)
        start = with_key_scene(start, time, load_scene(path))
    start = with_playback(start, duration=seconds, fps=fps)
    frames = animation_frames(start)
    if save is not None:
        save_scene(start, save)
    if out is not None:
        loops = played(start.animation, out) if loop is None else loop
        _film(frames, out, start.animation.fps, size, quality, loops, credentials, quiet)


def _key(text: str) -> tuple[float, Path]:
    number, _, path = text.partition("=")
    try:
        time = float(number)
    except ValueError:
        time = math.nan
    if not (path and 0 <= time < math.inf):
        raise UserError(f"--key needs seconds, = and a scene file, unlike {text!r}.")
    return time, Path(path)


def _film(
    frames: list[Scene],
    out: Path,
    fps: float,
    size: int | None,
    quality: QualityName,
    loop: int,
    credentials: bool,
    quiet: bool,
) -> Film:
    from neural_assets_core.animation import render_video

    signature = signature_for(credentials)
    with progress_bar(quiet) as bar:
        film = render_video(
            frames,
            decoder_of(frames[0]),
            out,
            fps=fps,
            size=size,
            quality=quality.value,
            loop=loop,
            signature=signature,
            progress=following(bar),
        )
    if not quiet:
        typer.echo(f"{film.path}: {film.frames} frames of {film.width} x {film.height} pixels")
        typer.echo(f"flicker, levels of 255: {film.flicker.told()}")
    return film
