"""Photographs as they come from cameras: pixels, and what the file says about the lens."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from neural_assets_core.calibration.fspy import MAGIC, read_project
from neural_assets_core.calibration.xmp import told_distortion
from neural_assets_core.errors import UserError
from neural_assets_core.geometry import Camera
from neural_assets_core.scene import Picture
from neural_assets_core.scene.picture import XMP, read_image

FILM_DIAGONAL = 43.2666
"""Millimetres of a 36 x 24 mm frame, by which focal lengths "in 35 mm film" are reckoned."""

FOCAL_IN_35MM, FOCAL, RESOLUTION, RESOLUTION_UNIT = 0xA405, 0x920A, 0xA20E, 0xA210
PIXELS_X, PIXELS_Y = 0xA002, 0xA003
"""EXIF tags."""

UNITS = {2: 25.4, 3: 10.0, 4: 1.0, 5: 0.001}
"""Millimetres of the units that resolutions come in."""

SHORTEST, LONGEST = 0.2, 50.0
"""Focal lengths in diagonals of the picture; what is beyond is a fault in the file."""


@dataclass(frozen=True)
class Photograph:
    """A picture to be calibrated.

    Attributes
    ----------
    picture : Picture
        sRGB, upright.
    focal : float or None
        Focal length in pixels, as far as the file tells it.
    name : str
        What to call it: the file's name without its ending.
    camera : Camera or None
        Known already, for fSpy projects.
    distortion : (float, float) or None
        The lens's terms k1 and k2, as far as the file tells them: see `distortion`.
    """

    picture: Picture
    focal: float | None = None
    name: str = "photograph"
    camera: Camera | None = None
    distortion: tuple[float, float] | None = None

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self.picture.width, self.picture.height


def load_photograph(source: str | Path | bytes) -> Photograph:
    """Read a photograph or an fSpy project (`.fspy`).

    Parameters
    ----------
    source : str, Path or bytes
        A file, or a file's content. What it is is told by its content, not by its name.

    Raises
    ------
    UserError
        If the file is missing, damaged, too large or no picture.
    """
    content = source if isinstance(source, bytes) else _project(Path(source))
    called = "The picture" if isinstance(source, bytes) else str(source)
    name = "photograph" if isinstance(source, bytes) else Path(source).stem
    if content is not None and content.startswith(MAGIC):
        picture, camera = read_project(content, called)
        focal = None if camera is None else float(camera.k[0, 0])
        return Photograph(picture, focal, name, camera)
    picture, tags = read_image(source, called)
    focal = focal_in_pixels(tags, picture.width, picture.height)
    return Photograph(picture, focal, name, distortion=told_distortion(tags.get(XMP, b"")))


def _project(path: Path) -> bytes | None:
    """The content of a file that begins like an fSpy project; of pictures nothing."""
    try:
        with open(path, "rb") as file:
            return MAGIC + file.read() if file.read(len(MAGIC)) == MAGIC else None
    except (OSError, ValueError):
        # Reading it as a picture tells what is wrong.
        return None
    except MemoryError:
        raise UserError(f"{path} does not fit into memory: use a smaller picture in it.") from None


def focal_in_pixels(tags: Mapping[int, Any], width: int, height: int) -> float | None:
    """The focal length that EXIF values tell, pixels of the picture as it is now.

    Parameters
    ----------
    tags : mapping
        EXIF values by the numbers of their tags.
    width, height : int
        Of the picture; smaller or turned, compared with what the camera took, does no harm.

    Returns
    -------
    float or None
        None if it is not told, or is impossible.
    """
    diagonal = math.hypot(width, height)
    equivalent = _number(tags, FOCAL_IN_35MM)
    if equivalent is not None:
        focal = equivalent / FILM_DIAGONAL * diagonal
    else:
        length, resolution = _number(tags, FOCAL), _number(tags, RESOLUTION)
        unit = UNITS.get(tags.get(RESOLUTION_UNIT, 2))
        if length is None or resolution is None or unit is None:
            return None
        taken = max(_number(tags, PIXELS_X) or 0.0, _number(tags, PIXELS_Y) or 0.0)
        focal = length / unit * resolution * (max(width, height) / taken if taken else 1.0)
    return focal if SHORTEST * diagonal <= focal <= LONGEST * diagonal else None


def _number(tags: Mapping[int, Any], tag: int) -> float | None:
    try:
        value = float(tags[tag])
    except (KeyError, TypeError, ValueError, ArithmeticError):
        return None
    return value if math.isfinite(value) and value > 0 else None
