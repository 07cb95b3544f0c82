"""What estimators are: a picture in, depth, masks or a camera out."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from neural_assets_core.errors import UserError
from neural_assets_core.geometry import Box
from neural_assets_core.geometry.raycast import silhouette
from neural_assets_core.scene import Picture, View
from neural_assets_core.segmentation import Stroke
from neural_assets_core.segmentation.grabcut import painted

Bounds = tuple[float, float, float, float]
"""Left, top, right and bottom, pixels of the picture."""

ROOM = 0.06
"""How far an object may stick out of its box's silhouette, as a fraction of its larger side."""


@dataclass(frozen=True, eq=False)
class DepthMap:
    """How far away everything is, up to a scale and a shift.

    Attributes
    ----------
    values : float32 (h, w)
        Of the whole picture, at any size; not finite where nothing is known.
    kind : {"depth", "inverse"}
        Whether the values or their inverses are proportional to the depth along the optical axis.
    """

    values: NDArray[np.float32]
    kind: Literal["depth", "inverse"] = "depth"

    def at(self, size: tuple[int, int]) -> NDArray[np.float32]:
        """(height, width) the values at another size (width, height)."""
        large = cv2.resize(self.values, size, interpolation=cv2.INTER_LINEAR)
        return np.asarray(large, dtype=np.float32)


@dataclass(frozen=True, eq=False)
class MaskProposal:
    """Something that may be an object.

    Attributes
    ----------
    mask : uint8 (height, width)
        Of the picture, 255 inside, soft at its edge.
    score : float
        How sure the model is, about 0 to 1.
    """

    mask: NDArray[np.uint8]
    score: float


@dataclass(frozen=True)
class CameraEstimate:
    """What a model says about the camera.

    Attributes
    ----------
    focal : float or None
        Pixels.
    up : (float, float, float) or None
        The vertical in the camera's frame (x right, y down, z forward), pointing up.
    """

    focal: float | None = None
    up: tuple[float, float, float] | None = None


class DepthEstimator(Protocol):
    """Tells depth."""

    def __call__(self, picture: Picture) -> DepthMap: ...


class MaskProposer(Protocol):
    """Tells masks."""

    def inside(self, picture: Picture, bounds: Bounds) -> MaskProposal:
        """The one object that fills a rectangle best."""
        ...

    def everything(
        self, picture: Picture, cancel: threading.Event | None = None
    ) -> Sequence[MaskProposal]:
        """All that stands out, the surest first; may overlap.

        Raises
        ------
        Cancelled
            If `cancel` was set.
        """
        ...


class CameraEstimator(Protocol):
    """Tells a camera."""

    def __call__(self, picture: Picture) -> CameraEstimate: ...


class ModelSegmenter:
    """A `segmentation.Segmenter` that asks a model.

    Parameters
    ----------
    proposer : MaskProposer
    """

    def __init__(self, proposer: MaskProposer) -> None:
        self._proposer = proposer

    def __call__(self, view: View, box: Box, strokes: Sequence[Stroke] = ()) -> Picture:
        """See `segmentation.segment`.

        Raises
        ------
        UserError
            If the box is not in the picture.
        """
        outline = silhouette(view.camera, box)
        x, y, width, height = cv2.boundingRect(outline.astype(np.uint8))
        if width == 0:
            raise UserError("The box is outside the picture: move it over the object first.")
        room = ROOM * max(width, height)
        bounds = (
            max(0.0, x - room),
            max(0.0, y - room),
            min(float(view.picture.width), x + width + room),
            min(float(view.picture.height), y + height + room),
        )
        mask = self._proposer.inside(view.picture, bounds).mask.copy()
        told = painted(strokes, mask.shape)
        mask[told == cv2.GC_FGD] = 255
        mask[told == cv2.GC_BGD] = 0
        return Picture(mask)
