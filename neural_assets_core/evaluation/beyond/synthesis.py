"""Which of several true pictures a picture is most like, where an object is.

Analysis by synthesis: what a picture shows of an object's heading, handedness or place in front
of another one is told by drawing all answers with the generator and looking for the nearest one.
Nothing is trained.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from neural_assets_core.data.dataset import AnnotatedFrame
from neural_assets_core.evaluation.metrics import Image, Mask

Float = NDArray[np.float64]

BLUR = 1 / 256
"""Standard deviation of the blur before pictures are compared, in sides of the picture: half a
pixel's shift of fine texture must not decide."""
NEIGHBOURS = 1 / 64
"""Standard deviation of the window in which pixels decide together, in sides of the picture."""
CONTRAST = 24
"""Least difference of two answers in a pixel for it to tell one from the other, of 255."""


@dataclass(frozen=True)
class Place:
    """A part of a picture: rows, columns, and which pixels (height, width) of these."""

    rows: slice
    columns: slice
    inside: Mask

    def of(self, image: Image) -> NDArray[np.float32]:
        """(N, 3) the softened colours of an image of the same size there."""
        sigma = BLUR * max(image.shape[:2])
        soft = cv2.GaussianBlur(image.astype(np.float32), (0, 0), sigma)
        return np.asarray(soft[self.rows, self.columns][self.inside])


def place_of(views: Sequence[AnnotatedFrame], number: int) -> Place:
    """Wherever any of the views shows object `number`, and a pixel around."""
    shown = np.any([view.mask == number for view in views], axis=0).astype(np.uint8)
    shown = cv2.dilate(shown, np.ones((3, 3), np.uint8))
    x, y, width, height = cv2.boundingRect(shown)
    rows, columns = slice(y, y + height), slice(x, x + width)
    return Place(rows, columns, np.asarray(shown[rows, columns] > 0))


def distances(picture: Image, views: Sequence[AnnotatedFrame], place: Place) -> Float:
    """(A,) root mean square difference from each view in that place, levels of 255."""
    here = place.of(picture)
    squares = [np.mean((place.of(view.image) - here) ** 2) for view in views]
    return np.sqrt(np.array(squares, dtype=np.float64))


def turn_to(degrees: float) -> float:
    """The same angle in [-180, 180)."""
    return (degrees + 180.0) % 360.0 - 180.0


def heading_error(found: Float, angles: Sequence[float]) -> float:
    """By how much an object is turned wrongly, degrees from 0 to 180.

    Parameters
    ----------
    found : (A,)
        Distances from views of the object at `angles`.
    angles : sequence of A floats
        Degrees from the true heading, in order and evenly spaced round the circle. Between the
        nearest view and its neighbours, a parabola through the squared distances is followed.
    """
    nearest = int(found.argmin())
    before, here, after = np.square(found[np.arange(nearest - 1, nearest + 2) % len(found)])
    bend = before - 2 * here + after
    shift = 0.5 * (before - after) / bend if bend > 0 else 0.0
    return abs(turn_to(angles[nearest] + shift * 360.0 / len(found)))


def contested(
    truth: AnnotatedFrame, others: Sequence[AnnotatedFrame], edited: Sequence[int]
) -> Mask:
    """Pixels in which the truth shows one of two objects, and could as well show the other.

    `others[i]` is the truth without object `edited[i]`.
    """
    both = (others[1].mask == edited[0]) & (others[0].mask == edited[1])
    differs = _differs(truth.image, swapped(truth, others, edited))
    return np.asarray(both & np.isin(truth.mask, edited) & differs)


def swapped(
    truth: AnnotatedFrame, others: Sequence[AnnotatedFrame], edited: Sequence[int]
) -> NDArray[np.int16]:
    """The truth with the other one of two objects shown, wherever both are."""
    out = truth.image.astype(np.int16)
    for number, other in zip(edited, others, strict=True):
        here = truth.mask == number
        out[here] = other.image[here]
    return out


def both_shown(
    picture: Image,
    truth: AnnotatedFrame,
    others: Sequence[AnnotatedFrame],
    edited: Sequence[int],
) -> bool:
    """Whether either object is there: nearer to the truth than to the truth without it.

    Told from the pixels in which the truth shows it, and in which that makes a difference.
    """
    return all(
        share_nearer(
            picture,
            truth.image,
            other.image,
            (truth.mask == number) & _differs(truth.image, other.image),
        )
        > 0.5
        for number, other in zip(edited, others, strict=True)
    )


def share_nearer(picture: Image, right: NDArray[Any], wrong: NDArray[Any], at: Mask) -> float:
    """Share of some pixels that are nearer to one picture than to another; 1 if there are none.

    A pixel's neighbours among them have a say, so that what is merely soft is not wrong.
    """
    if not at.any():
        return 1.0
    sigma = NEIGHBOURS * max(at.shape)
    off = []
    for answer in (right, wrong):
        squares = np.square(picture.astype(np.float64) - answer.astype(np.float64)).sum(axis=2)
        off.append(cv2.GaussianBlur(np.where(at, squares, 0.0), (0, 0), sigma)[at])
    return float(np.mean(off[0] < off[1]))


def _differs(a: NDArray[Any], b: NDArray[Any]) -> Mask:
    difference = np.abs(a.astype(np.int16) - b.astype(np.int16)).max(axis=2)
    return np.asarray(difference >= CONTRAST)
