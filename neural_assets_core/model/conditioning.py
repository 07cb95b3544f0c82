"""From a scene to the arrays that the network is told: tokens' inputs and maps.

Everything here is numpy and depends on boxes, cameras and pictures alone, so training samples
and edits in the studio go through the very same functions. Only holes are filled more quickly for
the many samples of a training.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from neural_assets_core.geometry import Box, Camera
from neural_assets_core.geometry.raycast import cast_box
from neural_assets_core.proxy import (
    CARVER,
    Fill,
    Lifter,
    ProxyLayers,
    appearance_mask,
    check_boxes,
    fill_texture,
    render_proxy,
)
from neural_assets_core.scene import Appearance, Background, Scene, View

F32 = NDArray[np.float32]

GREY = 128
LAYOUT_CHANNELS = 8
"""Entry point (3), exit point (3), log depth, hit."""
PROXY_MASK_CHANNELS = 5
"""Hole, coverage, confidence, shadows that went and that came."""


@dataclass(frozen=True)
class SourceInputs:
    """What the visual encoder sees of one view.

    Attributes
    ----------
    foreground, background : uint8 (size, size, 3)
        The view resized, mid-grey outside respectively inside the objects' 2D boxes.
    """

    foreground: NDArray[np.uint8]
    background: NDArray[np.uint8]


@dataclass(frozen=True)
class TargetInputs:
    """What the decoder is told about the picture to be made; n objects.

    Attributes
    ----------
    corners : float32 (n, 4, 3)
        Corners p0, p1, p2, p4 of each target box as (u, v, depth): fractions of the picture
        and metres.
    background_pose : float32 (12,)
        Relative camera pose inv(target camera-to-world) @ source camera-to-world: the rotation
        row by row, then the translation in metres.
    background_region : float32 (4,)
        The part (x0, y0, x1, y1) of the background view that the picture shows, as fractions.
    layout : float32 (8, h, w)
        At latent resolution, for the nearest box: see `LAYOUT_CHANNELS`.
    nearest : int64 (h, w)
        Index of the nearest box of each latent cell, -1 where there is none.
    proxy : uint8 (height, width, 3)
        The geometric proxy, holes filled.
    proxy_masks : float32 (5, h, w)
        See `PROXY_MASK_CHANNELS`; means over each latent cell.
    """

    corners: F32
    background_pose: F32
    background_region: F32
    layout: F32
    nearest: NDArray[np.int64]
    proxy: NDArray[np.uint8]
    proxy_masks: F32


def source_inputs(view: View, appearances: tuple[Appearance, ...], size: int) -> SourceInputs:
    """The two pictures of a view that are encoded: objects only, and background only.

    Parameters
    ----------
    view : View
    appearances : tuple of Appearance
        All objects known in the view.
    size : int
        Side of the encoder's square input in pixels.
    """
    picture = np.asarray(
        cv2.resize(view.picture.pixels, (size, size), interpolation=cv2.INTER_AREA)
    )
    inside = np.zeros((size, size), dtype=bool)
    for appearance in appearances:
        x0, y0, x1, y1 = np.asarray(region(appearance)) * size
        inside[int(np.floor(y0)) : int(np.ceil(y1)), int(np.floor(x0)) : int(np.ceil(x1))] = True
    grey = np.uint8(GREY)
    return SourceInputs(
        foreground=np.where(inside[..., None], picture, grey),
        background=np.where(inside[..., None], grey, picture),
    )


def region(appearance: Appearance) -> tuple[float, float, float, float]:
    """The object's 2D box (x0, y0, x1, y1) in its view, as fractions in [0, 1].

    Tight around the mask; without a mask, around the projected box. All zero if unseen.
    """
    mask = appearance_mask(appearance)
    columns, rows = np.flatnonzero(mask.any(axis=0)), np.flatnonzero(mask.any(axis=1))
    if columns.size == 0:
        return (0.0, 0.0, 0.0, 0.0)
    height, width = mask.shape
    return (
        float(columns[0]) / width,
        float(rows[0]) / height,
        float(columns[-1] + 1) / width,
        float(rows[-1] + 1) / height,
    )


def target_inputs(
    scene: Scene,
    camera: Camera,
    latent_size: int,
    lifter: Lifter | None = CARVER,
    fill: Fill = fill_texture,
    drawn: ProxyLayers | None = None,
) -> TargetInputs:
    """Conditions for the picture that `camera` takes of the scene.

    Parameters
    ----------
    scene : Scene
    camera : Camera
        `scene.camera` or a window of it, at the decoder's resolution (square).
    latent_size : int
        Side of the latents.
    lifter : Lifter or None
        Gives the proxy's objects their shapes; None draws no proxy, its arrays are zero.
    fill : callable
        Fills what its objects leave behind.
    drawn : ProxyLayers, optional
        The proxy, if it is there already, as finely as `camera` sees it or finer.

    Raises
    ------
    UserError
        If a box reaches behind the camera.
    """
    check_boxes(scene)
    if drawn is None and lifter is not None:
        drawn = render_proxy(scene, camera, lifter, fill)
    proxy, masks = _proxy_inputs(drawn, camera, latent_size)
    layout, nearest = layout_map(
        [item.box for item in scene.objects], camera.resized(latent_size, latent_size)
    )
    return TargetInputs(
        corners=np.stack(
            [pose_corners(item.box, camera) for item in scene.objects]
            or [np.zeros((4, 3), dtype=np.float32)]
        )[: len(scene.objects)],
        background_pose=relative_camera_pose(scene.background.view.camera, camera),
        background_region=_seen_region(scene.background, camera),
        layout=layout,
        nearest=nearest,
        proxy=proxy,
        proxy_masks=masks,
    )


def _proxy_inputs(
    layers: ProxyLayers | None, camera: Camera, latent_size: int
) -> tuple[NDArray[np.uint8], F32]:
    """`TargetInputs.proxy` and `proxy_masks`."""
    size, cells = (camera.width, camera.height), (latent_size, latent_size)
    if layers is None:
        picture = np.zeros((*size[::-1], 3), dtype=np.uint8)
        return picture, np.zeros((PROXY_MASK_CHANNELS, *cells), dtype=np.float32)
    masks = [
        layers.hole.astype(np.float32), layers.coverage, layers.confidence, layers.gone, layers.came
    ]
    small = [cv2.resize(mask, cells, interpolation=cv2.INTER_AREA) for mask in masks]
    # As it is, if that is its size.
    picture = np.asarray(cv2.resize(layers.picture, size, interpolation=cv2.INTER_AREA))
    return picture, np.stack(small)


def pose_corners(box: Box, camera: Camera) -> F32:
    """(4, 3) corners p0, p1, p2, p4 as (u, v, depth): fractions of the picture and metres."""
    points = camera.project(box.frame_points())
    points[:, 0] /= camera.width
    points[:, 1] /= camera.height
    return points.astype(np.float32)


def relative_camera_pose(source: Camera, target: Camera) -> F32:
    """(12,) inv(target camera-to-world) @ source camera-to-world: rotation (9), shift (3)."""
    relative = target.extrinsics @ source.camera_to_world
    return np.concatenate([relative[:3, :3].ravel(), relative[:3, 3]]).astype(np.float32)


def layout_map(boxes: list[Box], camera: Camera) -> tuple[F32, NDArray[np.int64]]:
    """Rasterise boxes at the camera's resolution.

    Returns
    -------
    layout : float32 (8, height, width)
        Entry and exit point of the viewing ray in the nearest box's own frame (in [-1, 1]), the
        logarithm of its depth in metres, and 1 where there is a box; 0 elsewhere.
    nearest : int64 (height, width)
        Index of that box, or -1.
    """
    shape = (camera.height, camera.width)
    layout = np.zeros((*shape, LAYOUT_CHANNELS), dtype=np.float32)
    nearest = np.full(shape, -1, dtype=np.int64)
    depth = np.full(shape, np.inf)
    for index, box in enumerate(boxes):
        hits = cast_box(camera, box)
        at = hits.rect.slices
        nearer = hits.hit & (hits.entry_depth < depth[at])
        depth[at][nearer] = hits.entry_depth[nearer]
        nearest[at][nearer] = index
        values = np.concatenate(
            [
                hits.entry,
                hits.exit,
                np.log(hits.entry_depth)[..., None],
                np.ones((*hits.hit.shape, 1)),
            ],
            axis=-1,
        )
        layout[at][nearer] = values[nearer]
    return np.ascontiguousarray(layout.transpose(2, 0, 1)), nearest


def _seen_region(background: Background, camera: Camera) -> F32:
    """The part of the background view that a window of the same camera shows, as fractions."""
    view = background.view.camera
    corners = np.array([[0.0, 0.0], [camera.width, camera.height]])
    rays = (corners - camera.k[:2, 2]) / camera.k[[0, 1], [0, 1]]
    pixels = rays * view.k[[0, 1], [0, 1]] + view.k[:2, 2]
    fractions = pixels / [view.width, view.height]
    return np.clip(fractions, 0.0, 1.0).ravel().astype(np.float32)
