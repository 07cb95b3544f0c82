"""The closed line around an object, found along rays that leave its middle.

Colours alone cannot tell a red cup from its red saucer. But an object has one outline, the
outline follows edges, and it reaches as far as what was drawn around it: along each ray it crosses
one place, neighbouring rays cross it close by, and the best such line is found by dynamic
programming. Where that leaves a gap to a side that the object is known to touch, the best line
that does touch it is taken (the tightness of Lempitsky et al. 2009, for lines instead of regions).
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from neural_assets_core.geometry.box import Float
from neural_assets_core.segmentation.belonging import middle
from neural_assets_core.segmentation.evidence import Evidence, likelihood

Mask = NDArray[np.bool_]
Ints = NDArray[np.intp]

RAYS, STEPS = 180, 96
BEND = 4
"""Steps by which the line may differ from ray to ray."""

STIFF = 0.05
"""Cost of a difference, times its square."""

PLAIN = 0.5
"""Edges of at least this strength are all the same: what lies inside may have stronger ones."""

CUT_OFF = 0.3
"""Cost of leaving the picture, where nothing is seen; of no edge at all it is 1."""

COLOUR = 0.5
"""Cost of a line around what all looks like the background, for each unit of log likelihood."""

BELONGS, SURE = 2.0, 2.0
"""The same for each unit of log odds, of which more than so many say no more."""

SMALL = 0.5
"""Cost of an empty line: of what all else is equal in, the largest is taken."""

ROUNDS = 3
"""Of finding the line, and learning from it what the object looks like."""

FAR = 1e6
"""Cost of what is forbidden."""

SIDES = ((1.0, 0.0), (0.0, 1.0), (-1.0, 0.0), (0.0, -1.0))


@dataclass(frozen=True)
class _Rays:
    """Places along rays from the middle of a region to its border.

    Attributes
    ----------
    x, y : arrays (RAYS, STEPS)
        Pixels.
    share : array (STEPS,)
        Of the way to the border.
    direction : array (RAYS, 2)
        Unit vectors.
    toward : array (4, RAYS, STEPS)
        How near each place is to the right, lower, left and upper side of the region: 1 there,
        0 in the middle.
    """

    x: Float
    y: Float
    share: Float
    direction: Float
    toward: Float

    @classmethod
    def of(cls, inside: Mask) -> _Rays:
        rows, columns = np.flatnonzero(inside.any(axis=1)), np.flatnonzero(inside.any(axis=0))
        low = np.array([columns[0], rows[0]], dtype=np.float64)
        high = np.array([columns[-1], rows[-1]]) + 1.0
        middle, half = 0.5 * (low + high), 0.5 * (high - low)
        angle = np.arange(RAYS) * (2.0 * np.pi / RAYS)
        way = np.stack([np.cos(angle), np.sin(angle)], axis=1)
        way = way / np.abs(way).max(axis=1, keepdims=True) * half
        # The last place on the way to the bounding rectangle that is still inside.
        fine = np.linspace(0.0, 1.0, 2 * STEPS + 1)
        places = middle + way[:, None] * fine[:, None]
        at = np.clip(places.astype(int), 0, [inside.shape[1] - 1, inside.shape[0] - 1])
        within = inside[at[..., 1], at[..., 0]]
        reach = fine[len(fine) - 1 - within[:, ::-1].argmax(axis=1)]
        share = (np.arange(STEPS) + 1.0) / STEPS * 1.02
        ends = way * np.maximum(reach, 0.05)[:, None]
        offset = ends[:, None] * share[:, None]
        return cls(
            x=middle[0] + offset[..., 0],
            y=middle[1] + offset[..., 1],
            share=share,
            direction=ends / np.linalg.norm(ends, axis=1, keepdims=True),
            toward=np.stack([(offset / half) @ np.array(side) for side in SIDES]),
        )

    def sampled(self, image: NDArray[np.float32]) -> NDArray[np.float32]:
        """(RAYS, STEPS) of an image whose pixel centres are at + 0.5."""
        x, y = (np.asarray(values - 0.5, dtype=np.float32) for values in (self.x, self.y))
        return np.asarray(cv2.remap(image, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE))

    def filled(self, line: Ints, shape: tuple[int, ...]) -> Mask:
        """The pixels that a line, one step per ray, goes around."""
        each = np.arange(RAYS)
        points = np.stack([self.x[each, line], self.y[each, line]], axis=-1)
        out = np.zeros(shape, dtype=np.uint8)
        cv2.fillPoly(out, [np.round((points - 0.5) * 16).astype(np.int32)], 1, cv2.LINE_8, 4)
        return out > 0


def outlined(evidence: Evidence, inside: Mask, slack: float) -> Mask:
    """What the best closed line inside a region goes around.

    Parameters
    ----------
    evidence : Evidence
    inside : bool array (h, w)
        The region; convex, and not empty.
    slack : float
        The line comes so near to each of the four sides of the region's bounding rectangle, as a
        share of its width or height.
    """
    rays = _Rays.of(inside)
    edges = _edge_costs(evidence, rays)
    found, background = middle(inside), (~inside).astype(np.float64)
    for _ in range(ROUNDS):
        likely = np.float32(COLOUR) * likelihood(evidence, found, background)
        mask = _tight(rays, edges, likely, slack, inside)
        found = np.where(mask, 0.9, 0.0) + 0.1 * inside
        background = np.where(mask, 0.0, np.where(inside, 0.5, 1.0))
    return mask


def outlined_by(
    evidence: Evidence, inside: Mask, slack: float, belongs: NDArray[np.float32]
) -> Mask:
    """The same for what is known to belong to the object: log odds (h, w), see `belonging`."""
    rays = _Rays.of(inside)
    likely = np.asarray(BELONGS * belongs.clip(-SURE, SURE), dtype=np.float32)
    return _tight(rays, _edge_costs(evidence, rays), likely, slack, inside)


def _tight(
    rays: _Rays, edges: Float, likely: NDArray[np.float32], slack: float, inside: Mask
) -> Mask:
    """What the best line that touches all sides goes around, `likely` (h, w) the object."""
    # What is said against all that lies between the middle and a place.
    against = np.cumsum(-rays.sampled(likely) * rays.share / rays.share.sum(), axis=1)
    costs = edges + against + SMALL * (1.0 - rays.share)
    line = _closed(costs)
    for near, side in zip(rays.toward, SIDES, strict=True):
        if near[np.arange(RAYS), line].max() < 1.0 - 2.0 * slack:
            opposite = int((rays.direction @ -np.array(side)).argmax())
            line = _touching(costs, line, near >= 1.0 - 2.0 * slack, opposite)
    return rays.filled(line, inside.shape) & inside


def _edge_costs(evidence: Evidence, rays: _Rays) -> Float:
    """(RAYS, STEPS) from 0 on a good edge across the ray to 1 where there is none."""
    right, down = rays.direction[:, :1], rays.direction[:, 1:]
    square = np.zeros(rays.x.shape)
    for along_x, along_y in zip(
        cv2.split(evidence.slope_x), cv2.split(evidence.slope_y), strict=True
    ):
        slope = rays.sampled(np.asarray(along_x)) * right + rays.sampled(np.asarray(along_y)) * down
        square += slope**2
    costs = 1.0 - np.minimum(1.0, np.sqrt(square) / (PLAIN * evidence.usual_slope))
    height, width = evidence.pixels.shape[:2]
    left, top, right_, bottom = evidence.cut_off
    out = (left & (rays.x < 1.5)) | (right_ & (rays.x > width - 1.5))
    out |= (top & (rays.y < 1.5)) | (bottom & (rays.y > height - 1.5))
    return np.asarray(np.where(out, np.minimum(costs, CUT_OFF), costs))


# -- lines, as one step for each ray -------------------------------------------------------------


def _closed(costs: Float) -> Ints:
    """The best line that ends where it begins, or as good as."""
    total, back = _chained(costs, costs[0])
    # Half way round, the best open line knows nothing of its ends: there the closed one begins.
    start = int(_traced(back, RAYS, int(total[-1].argmin()))[RAYS // 2])
    turned = np.roll(costs, -(RAYS // 2), axis=0)
    _, back = _chained(turned, _only(turned[0], start))
    return np.roll(_traced(back, RAYS, start)[:RAYS], RAYS // 2)


def _touching(costs: Float, line: Ints, allowed: Mask, opposite: int) -> Ints:
    """The best line that meets a place that is `allowed`, and the old line on the other side."""
    turned, there = np.roll(costs, -opposite, axis=0), np.roll(allowed, -opposite, axis=0)
    start = int(line[opposite])
    forth, forth_from = _chained(turned, _only(turned[0], start))
    round_, round_from = _chained(np.roll(turned[::-1], 1, axis=0), _only(turned[0], start))
    each = np.arange(RAYS)
    both = forth[:RAYS] + round_[RAYS - each] - turned
    both[0] = FAR
    ray, step = np.unravel_index(int(np.where(there, both, 2 * FAR).argmin()), both.shape)
    first = _traced(forth_from, int(ray), int(step))
    second = _traced(round_from, RAYS - int(ray), int(step))
    return np.roll(np.concatenate([first, second[-2:0:-1]]), opposite)


def _only(costs: Float, step: int) -> Float:
    begin = np.full(len(costs), FAR)
    begin[step] = costs[step]
    return begin


def _chained(costs: Float, begin: Float) -> tuple[Float, Ints]:
    """The cost of the best line from ray 0 to each place, (RAYS + 1, STEPS), and where it was.

    Ray `RAYS` is ray 0 again.
    """
    total = np.empty((RAYS + 1, STEPS))
    back = np.zeros((RAYS + 1, STEPS), dtype=np.intp)
    total[0] = begin
    bends = np.arange(-BEND, BEND + 1)
    padded = np.full(STEPS + 2 * BEND, 2 * FAR)
    windows = np.lib.stride_tricks.sliding_window_view(padded, len(bends))
    each = np.arange(STEPS)
    for ray in range(1, RAYS + 1):
        padded[BEND:-BEND] = total[ray - 1]
        reached = windows + STIFF * bends**2
        best = reached.argmin(axis=1)
        total[ray] = reached[each, best] + costs[ray % RAYS]
        back[ray] = each + best - BEND
    return total, np.clip(back, 0, STEPS - 1)


def _traced(back: Ints, ray: int, step: int) -> Ints:
    """(ray + 1,) the line from ray 0 to a place."""
    line = np.empty(ray + 1, dtype=np.intp)
    line[ray] = step
    for at in range(ray, 0, -1):
        line[at - 1] = back[at, line[at]]
    return line
