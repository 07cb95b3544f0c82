"""Photographs for the tests of the window, and a hand that works on them."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from app.main_window import MainWindow
from neural_assets_core.calibration import Photograph, scene_from_photograph
from neural_assets_core.geometry import Camera
from neural_assets_core.scene import Scene
from tests.app.viewport.conftest import NO_KEYS, Hand, pause
from tests.app.viewport.scenes import made_picture

WIDTH, HEIGHT = 640, 480
TRUE = Camera.looking_at((2.2, -3.1, 1.6), (0.1, 0.5, 0.2), WIDTH, HEIGHT, 0.8)
"""What has taken the photograph."""


def photo_scene(camera: Camera = TRUE) -> Scene:
    """A photograph in which nothing has been drawn yet."""
    return scene_from_photograph(Photograph(made_picture(camera.width, camera.height)), camera)


class PhotoHand(Hand):
    """Works in pixels of the photograph, and in the world of the camera that has taken it."""

    def __init__(self, window: MainWindow, camera: Camera = TRUE) -> None:
        super().__init__(window.viewport, window.document)
        self.window = window
        self.camera = camera

    def at(self, photo: np.ndarray) -> np.ndarray:
        """Where a position in the photograph is on the screen."""
        place = self.window.viewport.place()
        assert place is not None
        return place.to_screen(np.asarray(photo, dtype=float))

    def world(self, point) -> np.ndarray:
        """Where the photograph shows a world point, on the screen."""
        return self.at(self.camera.project(np.asarray(point, dtype=float))[:2])

    def pull(self, start: np.ndarray, end: np.ndarray, modifiers=NO_KEYS) -> None:
        """A whole drag between two screen positions."""
        self.move(start)
        self.drag(start, end, modifiers)
        self.release(end, modifiers=modifiers)

    def until(self, so: Callable[[], bool]) -> None:
        """Let the program go on until something is so."""
        deadline = time.monotonic() + 60
        while not so() and time.monotonic() < deadline:
            pause(10)
        assert so()

    def point(self, at: np.ndarray) -> None:
        """Go there and click."""
        self.move(at)
        self.click(at)
