"""Masks: which pixels of a photograph are the object in a box."""

from __future__ import annotations

from neural_assets_core.segmentation.brush import corrected
from neural_assets_core.segmentation.edits import with_mask
from neural_assets_core.segmentation.grabcut import GrabCut, Segmenter, Stroke, segment

__all__ = ["GrabCut", "Segmenter", "Stroke", "corrected", "segment", "with_mask"]
