"""Where the picture lies on the screen: two-dimensional zoom and pan, as a value.

Lengths on the screen are logical pixels (Qt's own), so that nothing depends on the display.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from neural_assets_core.geometry import Camera

Float = NDArray[np.float64]

SMALLEST, LARGEST = 1 / 64, 128.0
MARGIN = 24.0
"""Screen pixels left free around a picture that is fitted."""


@dataclass(frozen=True)
class Navigation:
    """The map from picture pixels to screen pixels: `screen = scale * picture + (x, y)`."""

    scale: float = 1.0
    x: float = 0.0
    y: float = 0.0

    @classmethod
    def fitted(cls, picture: tuple[int, int], screen: tuple[float, float]) -> Navigation:
        """All of a picture (width, height) as large as possible in the middle of the screen."""
        room = [max(side - 2 * MARGIN, 1.0) for side in screen]
        scale = min(room[0] / picture[0], room[1] / picture[1])
        return cls().zoomed(scale, (0.0, 0.0)).centered(picture, screen)

    def centered(self, picture: tuple[int, int], screen: tuple[float, float]) -> Navigation:
        """The same scale, the picture in the middle of the screen."""
        return Navigation(
            self.scale,
            0.5 * (screen[0] - self.scale * picture[0]),
            0.5 * (screen[1] - self.scale * picture[1]),
        )

    def zoomed(self, factor: float, about: tuple[float, float]) -> Navigation:
        """Scaled by `factor`; what is at the screen position `about` stays there."""
        scale = min(max(self.scale * factor, SMALLEST), LARGEST)
        ratio = scale / self.scale
        return Navigation(
            scale, about[0] + ratio * (self.x - about[0]), about[1] + ratio * (self.y - about[1])
        )

    def panned(self, dx: float, dy: float) -> Navigation:
        """Shifted by screen pixels."""
        return Navigation(self.scale, self.x + dx, self.y + dy)

    def to_screen(self, picture: Float) -> Float:
        """Picture positions (..., 2) to screen positions."""
        return np.asarray(self.scale * np.asarray(picture) + np.array([self.x, self.y]))

    def to_picture(self, screen: Float) -> Float:
        """Screen positions (..., 2) to picture positions."""
        return np.asarray((np.asarray(screen) - np.array([self.x, self.y])) / self.scale)

    def camera(self, camera: Camera) -> Camera:
        """The picture's camera as seen by the screen: its pixels are screen pixels.

        All projecting and picking in the viewport uses this one, so that a pixel means the same
        thing in the camera, the pointer and the drawing.
        """
        onto_screen = np.array([[self.scale, 0, self.x], [0, self.scale, self.y], [0, 0, 1.0]])
        return Camera.from_matrices(
            camera.width, camera.height, onto_screen @ camera.k, camera.extrinsics
        )
