"""Which of several boxes hides which, seen from a camera."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from neural_assets_core.geometry import CORNER_SIGNS, Box, Camera
from neural_assets_core.geometry.standing import stands_on

TOUCHING = 0.05
"""How deep boxes may reach into each other, in half-sides, and still count as apart."""


def back_to_front(camera: Camera, boxes: Sequence[Box]) -> list[int]:
    """Indices of boxes in the order in which they may be painted over each other.

    Two boxes with a plane between them that one of their faces lies in are in exact order. Of
    others, what stands in or on something is before it, seen from above; the rest go by the depth
    of their centres.
    """
    if len(boxes) < 2:
        return list(range(len(boxes)))
    depths = camera.to_camera(np.array([box.center for box in boxes]))[:, 2]
    centers = np.array([box.center for box in boxes])[:, None]
    halves = 0.5 * np.array([box.size for box in boxes])[:, None]
    turns = np.array([box.rotation_matrix() for box in boxes])
    corners = centers + (CORNER_SIGNS * halves) @ turns.transpose(0, 2, 1)
    count = len(boxes)
    # All corners of all boxes, and the eye, in each one's frame; numpy is slow at reducing a last
    # axis that is short.
    points = np.concatenate([corners.transpose(1, 0, 2).reshape(-1, 3), camera.position[None]])
    local = ((points - centers) @ turns / halves).transpose(2, 0, 1)
    eye, others = local[:, :, -1:], local[:, :, :-1].reshape(3, count, 8, count)
    above, below = others.min(axis=2) > 1 - TOUCHING, others.max(axis=2) < TOUCHING - 1
    # Whoever is on the camera's side of a plane between the two is never hidden by the other.
    ahead = np.where(above, eye > 1, eye < -1)
    apart = above | below
    cannot = (apart & ahead).any(axis=0) | (apart & ~ahead).any(axis=0).T
    np.fill_diagonal(cannot, True)
    before = depths[:, None] < depths[None]
    for one, other in zip(*np.nonzero(~cannot & ~cannot.T), strict=True):
        if stands_on(boxes[one], boxes[other]) and camera.position[2] > boxes[other].center[2]:
            before[one, other], before[other, one] = True, False
    hides = ~cannot & (cannot.T | before)
    farthest = np.argsort(-depths, kind="stable")
    hides = hides[np.ix_(farthest, farthest)]
    left, still, out = np.ones(count, dtype=bool), hides.sum(axis=1), []
    for _ in range(count):
        free = left & (still == 0)
        # Boxes may hide each other in a circle: then the farthest goes first.
        chosen = int((free if free.any() else left).argmax())
        out.append(int(farthest[chosen]))
        left[chosen] = False
        still -= hides[:, chosen]
    return out
