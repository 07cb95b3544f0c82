"""Single frames out of a video file, without decoding all of it."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from neural_assets_core.data.readers.annotating import damaged


def video_frame(path: Path, number: int) -> tuple[NDArray[np.uint8], int]:
    """A frame as it is stored, and how players would turn it.

    Parameters
    ----------
    path : Path
    number : int
        In the order of presentation, from 0.

    Returns
    -------
    pixels : uint8 array (height, width, 3)
    quarters : int
        Clockwise quarter turns, 0 to 3, that the file asks for.

    Raises
    ------
    UserError
        If the file cannot be decoded or has fewer frames.
    """
    times = presentation_times(path)
    if not 0 <= number < len(times):
        raise damaged(path, f"it has {len(times)} frames, frame {number} is wanted")
    try:
        with av.open(str(path)) as container:
            stream = container.streams.video[0]
            container.seek(times[number], stream=stream, backward=True)
            for frame in container.decode(stream):
                if frame.pts is not None and frame.pts >= times[number]:
                    pixels = np.asarray(frame.to_ndarray(format="rgb24"), dtype=np.uint8)
                    return pixels, round(-frame.rotation / 90) % 4
    except (av.FFmpegError, IndexError, OSError) as error:
        raise damaged(path, error) from None
    raise damaged(path, f"frame {number} cannot be decoded")


@lru_cache(maxsize=256)
def presentation_times(path: Path) -> tuple[int, ...]:
    """When each frame is shown, in the stream's own units; decodes nothing.

    Raises
    ------
    UserError
        If the file is no video.
    """
    try:
        with av.open(str(path)) as container:
            packets = container.demux(container.streams.video[0])
            return tuple(sorted(packet.pts for packet in packets if packet.pts is not None))
    except (av.FFmpegError, IndexError, OSError) as error:
        raise damaged(path, error) from None
