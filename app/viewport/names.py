"""Where the names of boxes stand: near their boxes, and never over what can be grabbed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.viewport.gizmo import Handle
from app.viewport.handle_strokes import covered
from app.viewport.labels import label_size
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

    A name stays where it is until something that can be grabbed comes there; while a gesture goes
    on it stays in any case.
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
        # Nothing is in the way of those that stay.
        lines, radii = covered(camera, () if steady else handles)
        found: dict[str, Plate] = {}
        for name, box in boxes.items():
            outline = _outline(camera, box, screen)
            if outline is None:
                continue
            width, height = label_size(name)
            half = 0.5 * np.array([width + SIGN_ROOM * (name in signs), height])
            middles = _spots(outline, lines, half, screen)
            spot = self._spots.get(name)
            if spot is None or not _free(middles[spot], half, lines, radii):
                frees = [_free(middle, half, lines, radii) for middle in middles]
                spot = frees.index(True) if any(frees) else len(frees) - 1
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


def _spots(outline: Float, lines: Float, half: Float, screen: tuple[float, float]) -> Float:
    """(N, 2) where the middle of a name may be, the best place first."""
    (left, top), (right, bottom) = outline
    x, y = 0.5 * (left + right), 0.5 * (top + bottom)
    above, below = top - HEIGHT, bottom + HEIGHT
    # Past an arrow that leaves the box in the middle, and past the box itself.
    step, beside = half[0] + 16.0, half[0] + 12.0
    highest = min(above, lines[..., 1].min(initial=np.inf) - HEIGHT)
    spots = [
        (x, above), (x + step, above), (x - step, above),
        (right + beside, y), (left - beside, y),
        (x, below), (x + step, below), (x - step, below),
        (right + beside, above), (left - beside, above), (x, highest),
    ]  # fmt: skip
    low, high = np.array([_EDGE, _TOP_EDGE]) + half, np.array(screen) - _EDGE - half
    return np.clip(spots, low, np.maximum(low, high))


def _free(middle: Float, half: Float, lines: Float, radii: Float) -> bool:
    room = half + _GAP + radii[:, None]
    return not meets_rectangle(lines, middle - room, middle + room).any()
