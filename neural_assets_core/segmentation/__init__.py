"""Masks: which pixels of a photograph are the object in a box, or in a rectangle."""

from __future__ import annotations

from neural_assets_core.segmentation.brush import corrected
from neural_assets_core.segmentation.drawing import object_in_rectangle
from neural_assets_core.segmentation.edits import with_mask
from neural_assets_core.segmentation.grabcut import (
    GrabCut,
    Segmenter,
    Stroke,
    segment,
    segment_rectangle,
)
from neural_assets_core.segmentation.stacking import (
    carried_by,
    with_boxed_object,
    with_cut_out,
    with_found_object,
)

__all__ = [
    "GrabCut",
    "Segmenter",
    "Stroke",
    "carried_by",
    "corrected",
    "object_in_rectangle",
    "segment",
    "segment_rectangle",
    "with_boxed_object",
    "with_cut_out",
    "with_found_object",
    "with_mask",
]
