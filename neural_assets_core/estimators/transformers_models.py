"""Depth estimation and mask generation by any such model of transformers, from a folder."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from transformers import (
    AutoImageProcessor,
    AutoModelForDepthEstimation,
    AutoModelForMaskGeneration,
    AutoProcessor,
)

from neural_assets_core.decoders.base import check_cancelled
from neural_assets_core.errors import UserError
from neural_assets_core.estimators.base import Bounds, DepthMap, MaskProposal
from neural_assets_core.estimators.sources import ModelSource
from neural_assets_core.scene import Picture

log = logging.getLogger(__name__)

LARGEST = 1536
"""Pixels a side of the picture that a model is shown, at most."""

SURVEYED = 768
"""The same, where many masks are held at once."""

METRIC = frozenset({"zoedepth", "glpn", "depth_pro"})
"""Kinds of models that tell depth; the others tell its inverse, unless they say so."""

PROMPTED = frozenset({"sam", "sam_hq"})
"""Kinds of mask generators whose pictures can be prepared without torchvision."""

GRID = 12
"""Points a side at which a model is asked what is there."""

AT_ONCE = 32
SURE, SAME = 0.7, 0.7
"""Score of a proposal that is kept; overlap (IoU) from which on two are one."""

FAULTS = (OSError, ValueError, RuntimeError, KeyError, TypeError, AttributeError, ImportError)
"""What transformers raises for folders that do not hold what they should."""


def open_depth(source: ModelSource, device: str) -> TransformersDepth:
    """Load a depth estimation model.

    Raises
    ------
    UserError
        If the folder holds another kind of model, or its picture preparation needs torchvision.
    """
    folder = str(source.folder)
    try:
        processor = AutoImageProcessor.from_pretrained(folder, local_files_only=True, backend="pil")
        model = _loaded(AutoModelForDepthEstimation, folder)
    except FAULTS as error:
        raise _unusable(source, "a depth estimation model", error) from None
    return TransformersDepth(model.to(device), processor)


def open_masks(source: ModelSource, device: str) -> TransformersMasks:
    """Load a mask generation model (SAM or SAM-HQ).

    Raises
    ------
    UserError
        If the folder holds another kind of model.
    """
    folder = str(source.folder)
    try:
        model = _loaded(AutoModelForMaskGeneration, folder)
        kind = model.config.model_type
        if kind not in PROMPTED:
            raise ValueError(f"{kind} is none of {', '.join(sorted(PROMPTED))}")
        processor = AutoProcessor.from_pretrained(folder, local_files_only=True, backend="pil")
    except FAULTS as error:
        raise _unusable(source, "a mask generation model (SAM or SAM-HQ)", error) from None
    return TransformersMasks(model.to(device), processor)


class TransformersDepth:
    """A `DepthEstimator`.

    Parameters
    ----------
    model, processor
        Of transformers.
    """

    def __init__(self, model: Any, processor: Any) -> None:
        self._model, self._processor = model, processor
        kind = getattr(model.config, "depth_estimation_type", None)
        metric = kind == "metric" if kind else model.config.model_type in METRIC
        self._kind: Any = "depth" if metric else "inverse"

    @torch.inference_mode()
    def __call__(self, picture: Picture) -> DepthMap:
        """See `DepthEstimator`."""
        pixels = _shrunk(picture)
        inputs = self._processor(images=pixels, return_tensors="pt").to(self._model.device)
        outputs = self._model(pixel_values=inputs["pixel_values"])
        found = self._processor.post_process_depth_estimation(outputs, [pixels.shape[:2]])
        values = found[0]["predicted_depth"].float().cpu().numpy()
        return DepthMap(np.asarray(values, dtype=np.float32).reshape(pixels.shape[:2]), self._kind)


class TransformersMasks:
    """A `MaskProposer`.

    Parameters
    ----------
    model, processor
        Of transformers.
    """

    def __init__(self, model: Any, processor: Any) -> None:
        self._model, self._processor = model, processor

    @torch.inference_mode()
    def inside(self, picture: Picture, bounds: Bounds) -> MaskProposal:
        """See `MaskProposer`."""
        pixels = _shrunk(picture)
        scale = pixels.shape[1] / picture.width, pixels.shape[0] / picture.height
        box = [value * scale[index % 2] for index, value in enumerate(bounds)]
        masks, scores = self._answers(self._seen(pixels), pixels, input_boxes=[[box]])
        best = int(scores[0].argmax())
        return MaskProposal(_enlarged(masks[0, best], picture), float(scores[0, best]))

    @torch.inference_mode()
    def everything(
        self, picture: Picture, cancel: threading.Event | None = None
    ) -> Sequence[MaskProposal]:
        """See `MaskProposer`."""
        pixels = _shrunk(picture, SURVEYED)
        height, width = pixels.shape[:2]
        steps = (np.arange(GRID) + 0.5) / GRID
        points = [[[float(x * width), float(y * height)]] for y in steps for x in steps]
        seen = self._seen(pixels)
        kept: list[tuple[float, NDArray[np.float32]]] = []
        for start in range(0, len(points), AT_ONCE):
            check_cancelled(cancel)
            part = points[start : start + AT_ONCE]
            masks, scores = self._answers(seen, pixels, input_points=[part])
            sure = np.argwhere(scores >= SURE)
            kept = _distinct([*kept, *((float(scores[i, j]), masks[i, j]) for i, j in sure)])
        return [MaskProposal(_enlarged(mask, picture), score) for score, mask in kept]

    def _seen(self, pixels: NDArray[np.uint8]) -> Any:
        """The picture as the model's encoder sees it, once for all questions."""
        inputs = self._processor(images=pixels, return_tensors="pt")
        return self._model.get_image_embeddings(inputs["pixel_values"].to(self._model.device))

    def _answers(
        self, seen: Any, pixels: NDArray[np.uint8], **prompt: Any
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """For each of n questions three masks (n, 3, h, w), above 0 inside, and scores (n, 3)."""
        inputs = self._processor(images=pixels, return_tensors="pt", **prompt)
        asked = {name: inputs[name].to(self._model.device) for name in prompt}
        # SAM-HQ wants what its encoder thought on the way, too.
        pair = (
            {"image_embeddings": seen}
            if torch.is_tensor(seen)
            else {"image_embeddings": seen[0], "intermediate_embeddings": seen[1]}
        )
        outputs = self._model(**pair, **asked, multimask_output=True)
        masks = self._processor.post_process_masks(
            outputs.pred_masks.float().cpu(),
            inputs["original_sizes"],
            inputs["reshaped_input_sizes"],
            binarize=False,
        )
        shape = (-1, outputs.iou_scores.shape[-1])
        values = masks[0].numpy().reshape(*shape, *pixels.shape[:2])
        return values.astype(np.float32), outputs.iou_scores.float().cpu().numpy().reshape(shape)


def _loaded(kind: Any, folder: str) -> Any:
    # Weights that the file lacks would stay random numbers.
    model, told = kind.from_pretrained(
        folder, local_files_only=True, use_safetensors=True, output_loading_info=True
    )
    if told["missing_keys"]:
        raise ValueError(f"its weights lack {min(told['missing_keys'])}")
    return model.eval()


def _shrunk(picture: Picture, side: int = LARGEST) -> NDArray[np.uint8]:
    scale = min(1.0, side / max(picture.width, picture.height))
    size = max(1, round(picture.width * scale)), max(1, round(picture.height * scale))
    return np.asarray(cv2.resize(picture.pixels, size, interpolation=cv2.INTER_AREA), np.uint8)


def _enlarged(mask: NDArray[np.float32], picture: Picture) -> NDArray[np.uint8]:
    """255 inside, with an edge as soft as the model's was coarse."""
    soft = np.clip(0.5 + 0.5 * mask, 0.0, 1.0)
    large = cv2.resize(soft, (picture.width, picture.height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(np.round(255 * np.asarray(large)), dtype=np.uint8)


def _distinct(
    found: list[tuple[float, NDArray[np.float32]]],
) -> list[tuple[float, NDArray[np.float32]]]:
    """Scores and masks, the surest first, of which no two are the same thing."""
    kept: list[tuple[float, NDArray[np.float32]]] = []
    for score, mask in sorted(found, key=lambda one: -one[0]):
        if (mask > 0).any() and not any(_overlap(mask, other) > SAME for _, other in kept):
            # A copy: a view would keep all the answers of its batch.
            kept.append((score, mask.copy()))
    return kept


def _overlap(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    step = max(1, max(one.shape) // 256)
    a, b = one[::step, ::step] > 0, other[::step, ::step] > 0
    return float((a & b).sum()) / max(float((a | b).sum()), 1.0)


def _unusable(source: ModelSource, what: str, error: Exception) -> UserError:
    first_line = (str(error).strip().splitlines() or [type(error).__name__])[0]
    log.warning("loading %s failed: %s", source.folder, error)
    return UserError(
        f"{source.name} cannot be used as {what} ({first_line[:200]}): choose another one."
    )
