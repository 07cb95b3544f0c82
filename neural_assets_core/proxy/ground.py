"""Shadows of a photograph's objects: found where they stand, and taken along when they move.

A shadow is the ratio of the photograph to what would be there without it, painted on the plane
that the object stands on. It keeps the light's softness, whatever the light is. Of its colour it
keeps little: that is known less well than its depth, and other ground would look stained.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from neural_assets_core.geometry import Box, Camera
from neural_assets_core.geometry.box import Float
from neural_assets_core.geometry.raycast import NEAR, PixelRect
from neural_assets_core.proxy.filling import spread
from neural_assets_core.proxy.sampling import around, grown
from neural_assets_core.scene import Appearance

F32 = NDArray[np.float32]
U8 = NDArray[np.uint8]
Mask = NDArray[np.bool_]

REACH = 0.5
"""How far from an object its shadow is sought, in square roots of the object's area."""

DARKER = 0.8
"""Brightness, relative to the surroundings, under which the ground counts as shaded."""

DARKEST = 0.15
STAIN = 0.1
"""Natural logarithm of how much more of one channel than of all a shadow takes along, at most."""

TINT = 0.4
"""By how much more or less than all light a shadow on an object takes of one channel, at most."""

SOFT = 0.1
"""How soft a shadow is that was found on an object, in square roots of its own object's area."""

FAINT = 0.1
"""Natural logarithm of the light that a shadow takes at least where it is darkest."""

FAINTEST = 252
"""Ratio, of 255, from which on nobody sees a shadow."""

TEXTURE = 160
"""Pixels a side of a shadow on the ground."""

SPAN = 2.4
"""Half-side of that, in half-sides of the box."""

CONTACT = 0.45
"""How much light the ground under an object misses if its source shows no more of it."""

COLOURED = 0.7
"""Natural logarithm of how much more one channel may lose than another: skies are blue."""

UNLIKE = 0.9
"""The same relative to all channels' logarithm, of what may be in a shadow but is another thing."""

BESIDE, STRANGE = 8.0, 0.15
"""Pixels around a shadow of a working picture, and the share of these that other things may have
if the shadow lies on the ground."""

LIFTED = 0.6
"""Height of a lift that takes most of a shadow away, in heights of the box."""


def find_shadow(pixels: U8, mask: Mask, support: Mask, *, ground: bool = True) -> Mask:
    """Where the ground around an object is darker than farther away, from the object on.

    Darker in about the same colour: what is of another colour is another thing, a saucer say.

    Parameters
    ----------
    pixels : uint8 (h, w, 3)
    mask : bool (h, w)
        The object.
    support : bool (h, w)
        What it stands on, as far as it is seen.
    ground : bool
        Whether that is the ground, with all that nobody has marked. If the shadow lies beside
        something of another colour there, the object stands on that, and nothing is found: its
        darkness is not told from a shadow's.
    """
    out = np.zeros(mask.shape, dtype=bool)
    if not mask.any():
        return out
    # Nothing farther away has a part in it.
    at = around(mask, 2.0 * _reach(mask))
    out[at] = _found_near(pixels[at], mask[at], support[at], ground)
    return out


def _reach(mask: Mask) -> float:
    return max(3.0, REACH * float(np.sqrt(mask.sum())))


def _found_near(pixels: U8, mask: Mask, support: Mask, ground: bool) -> Mask:
    away = np.asarray(cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, 5))
    reach = _reach(mask)
    lit = support & (away > 0.5 * reach) & (away < 2.0 * reach)
    if lit.sum() < 20:
        return np.zeros(mask.shape, dtype=bool)
    logs = np.log(pixels.astype(np.float32).mean(axis=-1) + 4.0)
    # Without the shadow itself, as far as it reaches into what should be lit.
    lit &= logs >= np.percentile(logs[lit], 30)
    usual = spread(logs[..., None], lit)[..., 0]
    usual = cv2.GaussianBlur(usual, (0, 0), 0.15 * reach)
    smooth = spread(np.where(support, logs, 0)[..., None].astype(np.float32), support)[..., 0]
    smooth = cv2.GaussianBlur(smooth, (0, 0), 1.0)
    dark = support & (away > 0) & (away < reach) & (smooth - usual < np.log(DARKER))
    spreads = _differing(pixels, lit, support, 0.15 * reach)
    dark &= spreads[0] <= COLOURED
    opened = cv2.morphologyEx(dark.astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3)))
    _, parts = cv2.connectedComponents(opened)
    touching = np.unique(np.asarray(parts)[away <= 4.0])
    found = np.isin(parts, touching[touching > 0])
    if ground and found.any():
        ring = support & ~mask & grown(found, BESIDE) & ~grown(found, 0.25 * BESIDE)
        other = (spreads[0] > COLOURED) | ((spreads[0] > 0.5 * COLOURED) & (spreads[1] > UNLIKE))
        if other[ring].sum() > STRANGE * ring.sum():
            return np.zeros(mask.shape, dtype=bool)
    wide = cv2.dilate(found.astype(np.uint8), np.ones((7, 7)))
    return np.asarray((wide > 0) & support & ~mask)


def _differing(pixels: U8, lit: Mask, support: Mask, blur: float) -> tuple[F32, F32]:
    """(h, w) how much the ratio to what is lit around differs from channel to channel.

    As a natural logarithm, and relative to that of the brightness: all of a shadow's channels are
    about as much darker, however dark it is.
    """
    # Not from nothing: noise has a large part in dark channels.
    logs = np.log(pixels.astype(np.float32) + 12.0)
    usual = cv2.GaussianBlur(spread(logs, lit), (0, 0), blur)
    seen = np.where(support[..., None], logs, 0).astype(np.float32)
    darker = usual - cv2.GaussianBlur(spread(seen, support), (0, 0), 1.0)
    apart = np.ptp(darker, axis=-1)
    return apart, np.asarray(apart / np.maximum(darker.mean(axis=-1), 0.05), dtype=np.float32)


@dataclass(frozen=True, eq=False)
class Shade:
    """A shadow on the plane that an object stands on.

    Attributes
    ----------
    ratio : uint8 (`TEXTURE`, `TEXTURE`, 3)
        Brightness relative to the light, 255 outside.
    turns : bool
        Whether it turns with the object. What is round keeps its shadow where the light casts it.
    tint : tuple of 3 float
        How much more of the logarithm of each channel it takes on the object where it was found.
    """

    ratio: U8
    turns: bool
    tint: tuple[float, float, float] = (0.0, 0.0, 0.0)


def contact_shade() -> Shade:
    """A soft shadow under an object of which no shadow is known."""
    steps = (np.arange(TEXTURE) + 0.5) / TEXTURE * 2 * SPAN - SPAN
    x, y = np.meshgrid(steps, steps)
    away = np.maximum((x**4 + y**4) ** 0.25 - 0.75, 0.0)
    ratio = 1.0 - CONTACT * np.exp(-((away / 0.35) ** 2))
    return Shade(_bytes(np.repeat(ratio[..., None], 3, axis=2).astype(np.float32)), True)


def lift_shade(
    appearance: Appearance,
    lift: F32,
    mask: Mask,
    support: Mask,
    turns: bool,
    *,
    ground: bool = True,
) -> Shade | None:
    """An object's shadow as its photograph shows it; None if there is none to be seen.

    Parameters
    ----------
    appearance : Appearance
    lift : float32 (h, w, 3)
        Natural logarithm of the light that the shadow takes, of the view at some size.
    mask, support : bool (h, w)
        The object, and where that on which it stands is seen, at that size.
    turns : bool
    ground : bool
        Whether it stands on the ground. An object under it has edges and gloss of its own: of a
        shadow there only what is soft is taken along.
    """
    height, width = mask.shape
    camera = appearance.view.camera.resized(width, height)
    corners = _corners(appearance.box, appearance.box, turns)
    seen = camera.project(corners)
    if not (lift[support] > FAINT).any() or (seen[:, 2] <= NEAR).any():
        return None
    softness = 0.004 * max(height, width) if ground else SOFT * float(np.sqrt(mask.sum()))
    deviation, stain = max(1.0, softness), STAIN if ground else 0.0
    mean = lift.mean(axis=-1, keepdims=True)
    tint = (0.0, 0.0, 0.0) if ground else _tint(lift[support & ~mask])
    ratio = np.exp(-mean - (lift - mean).clip(-stain, stain)).clip(DARKEST, 1.0)
    # Under the object, and beyond the picture's edges, it goes on as at theirs.
    border = round(0.5 * max(height, width))
    known = support & ~mask
    known = cv2.copyMakeBorder(
        known.astype(np.uint8), *(border,) * 4, cv2.BORDER_CONSTANT, value=0
    ) > 0
    wide = cv2.copyMakeBorder(ratio.astype(np.float32), *(border,) * 4, cv2.BORDER_CONSTANT)
    ratio = spread(np.asarray(wide), known)
    object_ = cv2.copyMakeBorder(mask.astype(np.uint8), *(border,) * 4, cv2.BORDER_REPLICATE)
    away = np.asarray(cv2.distanceTransform(1 - object_, cv2.DIST_L2, 5))
    reach = REACH * float(np.sqrt(mask.sum()))
    fading = np.clip(1.5 - 1.5 * away / reach, 0.0, 1.0)[..., None]
    ratio = cv2.GaussianBlur(1 - fading * (1 - ratio), (0, 0), deviation)
    seen = seen[:, :2] + border
    texture = cv2.warpPerspective(
        ratio, _homography(seen, _square()), (TEXTURE, TEXTURE),
        flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE,
    )
    steps = np.abs((np.arange(TEXTURE) + 0.5) / TEXTURE * 2 - 1)
    fade = np.clip((1 - np.maximum(steps[:, None], steps[None])) / 0.15, 0, 1)
    faded = 1 - fade[..., None] * (1 - np.asarray(texture))
    return Shade(_bytes(faded.astype(np.float32)), turns, tint)


def draw_shade(
    picture: U8,
    camera: Camera,
    box: Box,
    shade: Shade,
    appearance: Appearance,
    *,
    tinted: bool = False,
) -> tuple[PixelRect, U8] | None:
    """Darken a picture (h, w, 3) by an object's shadow, in place; where, and how much (h, w).

    It is `tinted` on the object that it fell on in its photograph.
    """
    corners = camera.project(_corners(box, appearance.box, shade.turns))
    if (corners[:, 2] <= NEAR).any():
        return None
    onto_picture = _homography(_square(), corners[:, :2])
    seen = shade.ratio.min(axis=-1) < FAINTEST
    left, top, width, height = cv2.boundingRect(seen.astype(np.uint8))
    if not width:
        return None
    part = _square() / TEXTURE * [width, height] + [left, top]
    around = cv2.perspectiveTransform((part - 0.5)[None].astype(np.float32), onto_picture)[0] + 0.5
    limits = [camera.width, camera.height]
    low = np.floor(around.min(axis=0) - 1).clip(0, limits).astype(int)
    high = np.ceil(around.max(axis=0) + 1).clip(0, limits).astype(int)
    rect = PixelRect(int(low[0]), int(low[1]), int(high[0]), int(high[1]))
    if rect.empty:
        return None
    # The higher it floats, the less of its shadow is left.
    lift = (_base(box) - _base(appearance.box)) / (LIFTED * box.size[2])
    strength = float(np.exp(-max(lift, 0.0) ** 2))
    power = strength * (1.0 + np.asarray(shade.tint if tinted else (0.0, 0.0, 0.0)))
    table = np.round(255 * (np.arange(256)[:, None] / 255) ** power).astype(np.uint8)[None]
    shift = np.array([[1, 0, -low[0]], [0, 1, -low[1]], [0, 0, 1]], dtype=np.float64)
    ratio = cv2.warpPerspective(
        cv2.LUT(shade.ratio, table),
        shift @ onto_picture,
        (rect.right - rect.left, rect.bottom - rect.top),
        flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=(255,) * 3,
    )
    at = rect.slices
    picture[at] = cv2.multiply(picture[at], ratio, scale=1 / 255)
    return rect, np.asarray(cv2.cvtColor(np.asarray(ratio), cv2.COLOR_RGB2GRAY), dtype=np.uint8)


def _tint(lift: F32) -> tuple[float, float, float]:
    """See `Shade.tint`; of pixels (n, 3)."""
    mean = lift.mean(axis=-1)
    more = mean @ (lift - mean[:, None]) / max(float(mean @ mean), 1e-6)
    r, g, b = (float(one) for one in more.clip(-TINT, TINT))
    return r, g, b


def _base(box: Box) -> float:
    return float(box.corners()[:, 2].min())


def _corners(box: Box, source: Box, turns: bool) -> Float:
    """(4, 3) world corners of the square that a shadow is painted on."""
    half = 0.5 * SPAN * np.asarray(box.size)[:2]
    if turns:
        yaw = box.yaw()
    else:
        half, yaw = np.full(2, half.max()), source.yaw()
    x = np.array([np.cos(yaw), np.sin(yaw), 0.0]) * half[0]
    y = np.array([-np.sin(yaw), np.cos(yaw), 0.0]) * half[1]
    # A lifted object's shadow stays below.
    middle = np.array([box.center[0], box.center[1], min(_base(box), _base(source))])
    return np.array([middle + i * x + j * y for i, j in ((-1, -1), (1, -1), (1, 1), (-1, 1))])


def _square() -> Float:
    return np.array([[0, 0], [1, 0], [1, 1], [0, 1]], dtype=np.float64) * TEXTURE


def _homography(before: Float, after: Float) -> Float:
    # OpenCV counts from pixel centres, we from pixel corners.
    found = cv2.getPerspectiveTransform(
        (before - 0.5).astype(np.float32), (after - 0.5).astype(np.float32)
    )
    return np.asarray(found)


def _bytes(ratio: F32) -> U8:
    return np.asarray(np.round(255 * ratio.clip(0, 1)), dtype=np.uint8)
