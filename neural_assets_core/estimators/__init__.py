"""Depth, masks and cameras told by learned models that the user brings.

Nothing of it is needed, and nothing ships: a model is a local folder in transformers' layout, a
repository on the Hugging Face Hub that the user names (fetched only if told so), or an installed
package. Further ones register themselves, see `registry`. Importing this imports no torch.
"""

from __future__ import annotations

from neural_assets_core.estimators.apply import (
    with_estimated_camera,
    with_model_masks,
    with_proposals,
    with_relief,
)
from neural_assets_core.estimators.base import (
    CameraEstimate,
    CameraEstimator,
    DepthEstimator,
    DepthMap,
    MaskProposal,
    MaskProposer,
    ModelSegmenter,
)
from neural_assets_core.estimators.registry import open_estimator, registered
from neural_assets_core.estimators.sources import ModelSource, download_model, find_model

__all__ = [
    "CameraEstimate",
    "CameraEstimator",
    "DepthEstimator",
    "DepthMap",
    "MaskProposal",
    "MaskProposer",
    "ModelSegmenter",
    "ModelSource",
    "download_model",
    "find_model",
    "open_estimator",
    "registered",
    "with_estimated_camera",
    "with_model_masks",
    "with_proposals",
    "with_relief",
]
