"""Where the names of boxes stand: near their boxes, and never over what can be grabbed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.viewport.gizmo import Handle
from app.viewport.handle_strokes import covered
from app.viewport.labels import label_size
from app.viewport.style import HANDLE_LENGTH
from neural_assets_core.geometry import Box, Camera
from neural_assets_core.geometry.picking import meets_rectangle
from neural_assets_core.geometry.rays import NEAR

Float = NDArray[np.float64]

HEIGHT = 18.0
"""From the top of a box to the middle of its name, pixels."""

SIGN_ROOM = 26.0
"""Width of a warning sign beside a name."""

_GAP = 2.0
"""At least between a name and what can be grabbed."""

_EASE = 4.0
"""So much more room, on all sides, a better place has to have for a name to go there."""

_OVER_ALL = 1.4 * HANDLE_LENGTH
"""So much higher there is nothing of the handles of a small box."""

_EDGE, _TOP_EDGE = 4.0, 34.0
"""Between names and the borders of the screen; at the upper one there may be a banner."""


@dataclass(frozen=True)
class Plate:
    """What a name covers: its middle (2,) and half its width and height, pixels."""

    middle: Float
    half: Float

    @property
    def line(self) -> tuple[Float, float]:
        """It as a line (2, 2) with a radius: for those that come after it."""
        reach = np.array([max(self.half[0] - self.half[1], 0.0), 0.0])
        return np.stack([self.middle - reach, self.middle + reach]), float(self.half[1])


class Names:
    """Knows on which side of its box each name stands, so that none jumps about.

    A name stays where it is until something that can be grabbed comes there, or a better place is
    free with room to spare; while a gesture goes on it stays in any case.
    """

    def __init__(self) -> None:
        self._spots: dict[str, int] = {}

    def place(
        self,
        camera: Camera,
        boxes: Mapping[str, Box],
        handles: Sequence[Handle],
        *,
        screen: tuple[float, float],
        signs: frozenset[str] = frozenset(),
        steady: bool = False,
    ) -> dict[str, Plate]:
        """Where the names of boxes are now.

        Parameters
        ----------
        camera : Camera
            The screen's.
        boxes : mapping of name to Box
            Those whose names are shown, the most important first.
        handles : sequence of Handle
            What must not be covered.
        screen : tuple of 2 floats
            Its width and height.
        signs : frozenset of str
            Names that have a warning sign beside them, at the left.
        steady : bool
            All stay on the sides where they are.

        Returns
        -------
        dict of name to Plate
            Boxes out of sight left out.
        """
        lines, radii = covered(camera, () if steady else handles)
        found: dict[str, Plate] = {}
        for name, box in boxes.items():
            outline = _outline(camera, box, screen)
            if outline is None:
                continue
            width, height = label_size(name)
            half = 0.5 * np.array([width + SIGN_ROOM * (name in signs), height])
            middles = _spots(outline, half, screen)
            spot = self._spots.get(name)
            if spot is None or not steady:
                spot = _best(middles, half, lines, radii, spot)
            self._spots[name] = spot
            found[name] = plate = Plate(middles[spot], half)
            line, radius = plate.line
            lines, radii = np.concatenate([lines, line[None]]), np.append(radii, radius)
        self._spots = {name: spot for name, spot in self._spots.items() if name in boxes}
        return found


def _outline(camera: Camera, box: Box, screen: tuple[float, float]) -> Float | None:
    """(2, 2) left and top, right and bottom of what is seen of a box; None out of sight."""
    pixels = camera.project(box.corners())
    pixels = pixels[pixels[:, 2] > NEAR, :2]
    if not len(pixels):
        return None
    low, high = pixels.min(axis=0), pixels.max(axis=0)
    in_sight = (high > 0).all() and (low < screen).all()
    return np.clip([low, high], 0.0, screen) if in_sight else None


def _spots(outline: Float, half: Float, screen: tuple[float, float]) -> Float:
    """(N, 2) where the middle of a name may be, the best place first."""
    (left, top), (right, bottom) = outline
    x, y = 0.5 * (left + right), 0.5 * (top + bottom)
    above, below = top - HEIGHT, bottom + HEIGHT
    # Past an arrow that leaves the box in the middle, and past the box itself.
    step, beside = half[0] + 16.0, half[0] + 12.0
    spots = [
        (x, above), (x + step, above), (x - step, above),
        (right + beside, y), (left - beside, y),
        (x, below), (x + step, below), (x - step, below),
        (right + beside, above), (left - beside, above), (x, above - _OVER_ALL),
    ]  # fmt: skip
    low, high = np.array([_EDGE, _TOP_EDGE]) + half, np.array(screen) - _EDGE - half
    return np.clip(spots, low, np.maximum(low, high))


def _best(middles: Float, half: Float, lines: Float, radii: Float, kept: int | None) -> int:
    """Number of the best place that is free; of the last one if none is."""
    for index, middle in enumerate(middles):
        # For a little more room alone none leaves its place.
        ease = _EASE if kept is not None and index < kept else 0.0
        if _free(middle, half + ease, lines, radii):
            return index
    return len(middles) - 1


def _free(middle: Float, half: Float, lines: Float, radii: Float) -> bool:
    room = half + _GAP + radii[:, None]
    return not meets_rectangle(lines, middle - room, middle + room).any()
