"""Which part of a picture an edit can have touched, and putting a result back into it.

A small model sees a square window around the edit at its own resolution; everything that the
edit cannot have touched stays the source's own pixels.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import cv2
import numpy as np
from numpy.typing import NDArray

from neural_assets_core.geometry import Box, Camera
from neural_assets_core.geometry.raycast import silhouette
from neural_assets_core.proxy import ProxyLayers, appearance_mask, grown, untouched
from neural_assets_core.scene import Scene

MARGIN = 0.35
"""Added around the touched pixels, as a fraction of their larger side: room for context."""

SMALLEST = 0.5
"""Side of the smallest window, as a fraction of the picture's shorter side: as in training."""

COARSENESS = 2.0
"""Deviation of the blur that tells coarse from fine, in pixels of the model."""

NOISE = 6.0
"""Brightness levels of change, all channels together, of which half is taken for noise."""

LARGEST = 256
"""Pixels a side of the largest picture in which the touched ones are sought."""

SHADOW_REACH = 0.9
"""How far over the ground a shadow may fall, in heights of the box."""


@dataclass(frozen=True)
class Window:
    """A square part of the picture; may stick out over the picture's edges."""

    left: int
    top: int
    side: int

    def camera(self, camera: Camera) -> Camera:
        """The camera that sees just this window."""
        return camera.cropped(self.left, self.top, self.side, self.side)

    def cut_from(self, layers: ProxyLayers) -> ProxyLayers | None:
        """Its part of the whole picture's proxy, not copied; None if it sticks out over that."""
        height, width = layers.hole.shape
        right, bottom = self.left + self.side, self.top + self.side
        if min(self.left, self.top) < 0 or right > width or bottom > height:
            return None
        at = slice(self.top, bottom), slice(self.left, right)
        return ProxyLayers(*(getattr(layers, field.name)[at] for field in fields(layers)))


def touched_pixels(scene: Scene) -> NDArray[np.float32]:
    """(height, width) of the scene's picture: 1 where the edit may have changed it, soft edges.

    The silhouettes of every changed object, where it was and where it is, with a margin and
    the ground around them that their shadows may fall on. If the camera moved: everything.
    """
    camera, background = scene.camera, scene.background
    size = (camera.width, camera.height)
    if camera != background.view.camera:
        return np.ones(size[::-1], dtype=np.float32)
    # Its edge is soft: large pictures need no finer one, and a wide blur of them takes seconds.
    shrink = min(1.0, LARGEST / max(size))
    small = camera.resized(*(max(1, round(side * shrink)) for side in size))
    touched = np.zeros((small.height, small.width), dtype=np.uint8)
    stayed = untouched(scene, background.occluders)
    for occluder in background.occluders:
        if occluder not in stayed:
            mask = appearance_mask(occluder)
            touched |= cv2.resize(mask, touched.shape[::-1], interpolation=cv2.INTER_AREA)
            touched |= _reach(small, occluder.box)
    for item in scene.objects:
        if item.appearance not in stayed or item.box != item.appearance.box:
            touched |= _reach(small, item.box)
    if not touched.any():
        return np.zeros(size[::-1], dtype=np.float32)
    radius = max(1.0, 0.02 * max(touched.shape))
    soft = grown(touched > 0, radius).astype(np.float32)
    soft = np.asarray(cv2.GaussianBlur(soft, (0, 0), 0.5 * radius), dtype=np.float32)
    # No tail: what is not visibly changed is not changed at all.
    soft[soft < 1 / 255] = 0.0
    large = cv2.resize(soft, size, interpolation=cv2.INTER_LINEAR)
    return np.asarray(large, dtype=np.float32)


def edit_window(touched: NDArray[np.float32]) -> Window:
    """The square window around the touched pixels.

    Parameters
    ----------
    touched : array (height, width)
        As `touched_pixels` gives it; at least one pixel touched.
    """
    height, width = touched.shape
    rows, columns = np.flatnonzero(touched.any(axis=1)), np.flatnonzero(touched.any(axis=0))
    extent = max(rows[-1] - rows[0] + 1, columns[-1] - columns[0] + 1)
    side = max(round((1 + MARGIN) * extent), round(SMALLEST * min(width, height)))
    # Inside the picture if that holds all of the edit; the model knows no windows beyond it.
    side = max(int(extent), min(side, min(width, height)))
    middle = ((columns[0] + columns[-1] + 1) / 2, (rows[0] + rows[-1] + 1) / 2)
    return Window(_placed(middle[0], side, width), _placed(middle[1], side, height), side)


def _placed(middle: float, side: int, length: int) -> int:
    """Start of a window of `side` about `middle`, inside [0, length] if it fits there."""
    if side >= length:
        return -((side - length) // 2)
    return int(np.clip(round(middle - side / 2), 0, length - side))


def put_back(
    base: NDArray[np.uint8],
    decoded: NDArray[np.uint8],
    window: Window,
    weight: NDArray[np.float32],
    detail: NDArray[np.float32],
    reference: NDArray[np.uint8] | None = None,
) -> NDArray[np.uint8]:
    """Blend a decoded window into the full picture, at the full picture's resolution.

    Parameters
    ----------
    base : uint8 (height, width, 3)
        The full-resolution proxy: the source's own pixels wherever nothing was touched.
    decoded : uint8 (s, s, 3)
        The window as the model drew it.
    window : Window
    weight : float32 (height, width)
        1 where the decoded picture counts, 0 where `base` stays.
    detail : float32 (height, width)
        Confidence in the base, in [0, 1]: there only the coarse part of what the model changed
        (light, shadow, colour) is taken over, and the base keeps its fine texture.
    reference : uint8 (s, s, 3), optional
        The window as the model's autoencoder draws the base. What the model changed is measured
        from it and added to the base, so that what the autoencoder loses is not lost; of faint
        changes, which are the network's noise, little. Without it the decoded picture replaces
        the base wherever that is not to be trusted.
    """
    height, width = weight.shape
    rows = slice(max(window.top, 0), min(window.top + window.side, height))
    columns = slice(max(window.left, 0), min(window.left + window.side, width))
    inner = (
        slice(rows.start - window.top, rows.stop - window.top),
        slice(columns.start - window.left, columns.stop - window.left),
    )
    if reference is None:
        around = cv2.copyMakeBorder(
            base[rows, columns],
            inner[0].start, window.side - inner[0].stop,
            inner[1].start, window.side - inner[1].stop,
            cv2.BORDER_REPLICATE,
        ).astype(np.float32)
        drawn = np.empty(decoded.shape, dtype=np.float32)
        _resize_into(drawn, around)
    else:
        drawn = reference.astype(np.float32)
    # What changed, at the model's own resolution: there the wide blur costs little.
    small = decoded.astype(np.float32) - drawn
    if reference is not None:
        small *= _credible(small)[..., None]
    coarse = np.asarray(cv2.GaussianBlur(small, (0, 0), COARSENESS), dtype=np.float32)
    share, faith, result = weight[rows, columns], detail[rows, columns], base.copy()
    # Channel by channel and in place: numpy is slow at so short an axis, and fresh memory costs
    # more than the arithmetic.
    large = np.empty((2, window.side, window.side), dtype=np.float32)
    fine, change = (one[inner] for one in large)
    channels = []
    for channel, beneath in enumerate(cv2.split(base[rows, columns])):
        if reference is None:
            _resize_into(large[0], decoded[..., channel].astype(np.float32))
            fine -= beneath
        else:
            _resize_into(large[0], small[..., channel].copy())
        _resize_into(large[1], coarse[..., channel].copy())
        change -= fine
        change *= faith
        change += fine
        change *= share
        # Rounded, and kept within [0, 255].
        channels.append(cv2.add(change, beneath, dtype=cv2.CV_8U))
    result[rows, columns] = cv2.merge(channels)
    return result


def _credible(change: NDArray[np.float32]) -> NDArray[np.float32]:
    """(s, s) how much of a change (s, s, 3) is to be believed: little of a faint one.

    As Wiener's filter does it. Where nothing has to change, the network's own errors are all that
    there is of it.
    """
    smooth = cv2.split(cv2.GaussianBlur(change, (0, 0), 1.0))
    power = sum((one * one for one in smooth), np.zeros(change.shape[:2], dtype=np.float32))
    return power / (power + np.float32(NOISE**2))


def _resize_into(out: NDArray[np.float32], image: NDArray[np.float32]) -> None:
    """Bring a square picture to the size of another, in its memory."""
    side = len(out)
    method = cv2.INTER_AREA if side < len(image) else cv2.INTER_CUBIC
    cv2.resize(image, (side, side), dst=out, interpolation=method)


def _reach(camera: Camera, box: Box) -> NDArray[np.uint8]:
    """255 where the box, or its shadow on the ground z = 0, may be seen."""
    corners = box.corners()
    height = max(float(corners[:, 2].max()), 0.0)
    reach = SHADOW_REACH * height
    low, high = corners[:, :2].min(axis=0) - reach, corners[:, :2].max(axis=0) + reach
    ground = Box(
        center=(*((low + high) / 2).tolist(), 0.0),
        size=(*(high - low).tolist(), max(0.02 * height, 1e-3)),
    )
    seen = silhouette(camera, box) | silhouette(camera, ground)
    return seen.astype(np.uint8) * np.uint8(255)
