"""MoGe and GeoCalib, where their packages are installed; never downloads their weights."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from neural_assets_core.errors import UserError
from neural_assets_core.estimators.base import CameraEstimate, DepthMap
from neural_assets_core.scene import Picture

LARGEST = 1536
"""Pixels a side that these models are shown, at most."""


def open_moge_depth(weights: str, device: str) -> Callable[[Picture], DepthMap]:
    """MoGe's depth.

    Raises
    ------
    UserError
        If the package or the weights are missing.
    """
    infer = _moge(weights, device)
    return lambda picture: DepthMap(infer(picture)["depth"].float().cpu().numpy())


def open_moge_camera(weights: str, device: str) -> Callable[[Picture], CameraEstimate]:
    """MoGe's focal length; it does not know the vertical.

    Raises
    ------
    UserError
        If the package or the weights are missing.
    """
    infer = _moge(weights, device)

    def estimate(picture: Picture) -> CameraEstimate:
        # Relative to the width.
        return CameraEstimate(focal=float(infer(picture)["intrinsics"][0, 0]) * picture.width)

    return estimate


def open_geocalib(weights: str, device: str) -> Callable[[Picture], CameraEstimate]:
    """GeoCalib's focal length and vertical.

    Parameters
    ----------
    weights : str
        "pinhole" or "distorted", fetched before; empty: "pinhole".
    device : str

    Raises
    ------
    UserError
        If the package or the weights are missing.
    """
    package = _package("geocalib", "GeoCalib")
    import torch

    name = weights or "pinhole"
    if name in ("pinhole", "distorted"):
        kept = Path(torch.hub.get_dir()) / "geocalib" / f"{name}.tar"
    else:
        kept = Path(name)
    if not kept.is_file():
        raise UserError(
            f"GeoCalib's weights are not on this machine: fetch its {kept.name} and put it at "
            f"{kept}."
        )
    model = package.GeoCalib(weights=name).to(device)

    def estimate(picture: Picture) -> CameraEstimate:
        found = model.calibrate(_tensor(picture).to(device))
        shrink = _shrinkage(picture)
        x, y, z = (float(value) for value in found["gravity"].vec3d.reshape(-1)[:3])
        return CameraEstimate(float(found["camera"].f.reshape(-1)[-1]) / shrink, (x, y, z))

    return estimate


def _moge(weights: str, device: str) -> Callable[[Picture], Any]:
    package = _package("moge.model.v2", "MoGe")
    if not Path(weights).is_file():
        raise UserError(
            "MoGe needs its weights: fetch its model.pt and name it behind a colon, as in "
            "moge:weights/model.pt."
        )
    model = package.MoGeModel.from_pretrained(weights).to(device).eval()
    return lambda picture: model.infer(
        _tensor(picture).to(device), use_fp16=device.startswith("cuda")
    )


def _package(module: str, name: str) -> Any:
    try:
        return import_module(module)
    except ImportError:
        raise UserError(
            f"{name} is not installed: install its package beside this program, or use a folder "
            "of a transformers model."
        ) from None


def _shrinkage(picture: Picture) -> float:
    return min(1.0, LARGEST / max(picture.width, picture.height))


def _tensor(picture: Picture) -> Any:
    """(3, h, w) in [0, 1]."""
    import cv2
    import torch

    shrink = _shrinkage(picture)
    size = max(1, round(picture.width * shrink)), max(1, round(picture.height * shrink))
    small = np.asarray(cv2.resize(picture.pixels, size, interpolation=cv2.INTER_AREA))
    return torch.from_numpy(small).permute(2, 0, 1).float() / 255.0
