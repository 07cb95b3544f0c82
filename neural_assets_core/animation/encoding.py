"""Frames to video files, through FFmpeg's libraries (PyAV)."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from av.filter import Graph
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, Colorspace

from neural_assets_core.animation.codecs import Codec, Frame, Quality

_BT709 = 1

_GIF_COLOURS = {"draft": 64, "good": 256, "best": 256}


def encode_video(
    frames: Callable[[], Iterable[Frame]],
    path: Path,
    codec: Codec,
    *,
    fps: float,
    quality: Quality,
    loop: int,
) -> None:
    """Write an MP4 or WebM file.

    Parameters
    ----------
    frames : callable
        Gives all frames anew at every call, of one size with even sides.
    path : Path
    codec : Codec
    fps : float
    quality : {"draft", "good", "best"}
    loop : int
        How often the frames are there, one after the other; 0 is once.
    """
    rate = Fraction(fps).limit_denominator(1001)
    options = {"movflags": "+faststart"} if codec.container == "mp4" else {}
    with av.open(str(path), "w", format=codec.container, options=options) as container:
        stream: Any = None
        for index, pixels in enumerate(_repeated(frames, max(loop, 1))):
            if stream is None:
                stream = container.add_stream(codec.name, rate, options=codec.options[quality])
                stream.height, stream.width = pixels.shape[:2]
                stream.pix_fmt = "yuv420p"
                # Said, not guessed by the player from the size.
                context = stream.codec_context
                context.color_primaries = context.color_trc = context.colorspace = _BT709
                context.color_range = ColorRange.MPEG
            frame = VideoFrame.from_ndarray(pixels, "rgb24").reformat(
                format="yuv420p",
                dst_colorspace=Colorspace.ITU709,
                dst_color_range=ColorRange.MPEG,
            )
            frame.pts = index
            frame.time_base = 1 / rate
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def encode_gif(
    frames: Callable[[], Iterable[Frame]],
    path: Path,
    *,
    fps: float,
    quality: Quality,
    loop: int,
) -> None:
    """Write a GIF with one palette for all frames and a pattern that does not crawl.

    Parameters
    ----------
    frames : callable
        Gives all frames anew at every call, of one size.
    path : Path
    fps : float
        GIF counts in hundredths of a second: 50 at most, and others are rounded.
    quality : {"draft", "good", "best"}
    loop : int
        How often it is played; 0 is for ever.
    """
    rate = Fraction(fps).limit_denominator(1001)
    palette = _palette(frames(), rate, _GIF_COLOURS[quality])
    options = {"loop": str(_gif_loops(loop))}
    with av.open(str(path), "w", format="gif", options=options) as container:
        stream: Any = None
        for index, frame in enumerate(_indexed(frames(), rate, palette)):
            if stream is None:
                stream = container.add_stream("gif", rate)
                stream.height, stream.width = frame.height, frame.width
                stream.pix_fmt = "pal8"
                stream.time_base = 1 / rate
            frame.pts = index
            frame.time_base = 1 / rate
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def _gif_loops(loop: int) -> int:
    """FFmpeg's number: of repetitions, 0 for ever, -1 for none."""
    return 0 if loop == 0 else -1 if loop == 1 else loop - 1


def _palette(frames: Iterable[Frame], rate: Fraction, colours: int) -> VideoFrame:
    graph: Graph | None = None
    source: Any = None
    for index, pixels in enumerate(frames):
        if graph is None:
            graph = Graph()
            source = _buffer(graph, pixels, rate)
            maker = graph.add("palettegen", f"max_colors={colours}:reserve_transparent=0")
            sink = graph.add("buffersink")
            source.link_to(maker)
            maker.link_to(sink)
            graph.configure()
        source.push(_frame(pixels, index, rate))
    assert graph is not None
    source.push(None)
    palette = graph.pull()
    assert isinstance(palette, VideoFrame)
    return palette


def _indexed(
    frames: Iterable[Frame], rate: Fraction, palette: VideoFrame
) -> Iterator[VideoFrame]:
    """The frames in the palette's colours."""
    graph: Graph | None = None
    source: Any = None
    for index, pixels in enumerate(frames):
        if graph is None:
            graph = Graph()
            source = _buffer(graph, pixels, rate)
            colours: Any = graph.add_buffer(
                width=palette.width, height=palette.height, format=palette.format,
                time_base=1 / rate,
            )
            # Ordered dither: a pixel that does not change keeps its pattern.
            user = graph.add("paletteuse", "dither=bayer:bayer_scale=3:diff_mode=rectangle")
            sink = graph.add("buffersink")
            source.link_to(user, 0, 0)
            colours.link_to(user, 0, 1)
            user.link_to(sink)
            graph.configure()
            palette.pts = 0
            palette.time_base = 1 / rate
            colours.push(palette)
            colours.push(None)
        source.push(_frame(pixels, index, rate))
        yield from _pulled(graph)
    assert graph is not None
    source.push(None)
    yield from _pulled(graph)


def _pulled(graph: Graph) -> Iterator[VideoFrame]:
    while True:
        try:
            frame = graph.pull()
        except av.EOFError:
            return
        except av.FFmpegError as error:
            if error.errno == errno.EAGAIN:
                return
            raise
        assert isinstance(frame, VideoFrame)
        yield frame


def _buffer(graph: Graph, pixels: Frame, rate: Fraction) -> Any:
    height, width = pixels.shape[:2]
    layout = av.VideoFormat("rgb24")
    return graph.add_buffer(width=width, height=height, format=layout, time_base=1 / rate)


def _frame(pixels: Frame, index: int, rate: Fraction) -> VideoFrame:
    frame = VideoFrame.from_ndarray(pixels, "rgb24")
    frame.pts = index
    frame.time_base = 1 / rate
    return frame


def _repeated(frames: Callable[[], Iterable[Frame]], times: int) -> Iterator[Frame]:
    for _ in range(times):
        yield from frames()
