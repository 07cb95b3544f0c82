"""Objects, one by one: from the source view's pixels to the scene's camera."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from neural_assets_core.geometry import Box, Camera
from neural_assets_core.geometry.box import Float
from neural_assets_core.geometry.raycast import NEAR, BoxHits, cast_box
from neural_assets_core.proxy.sampling import possible_mask, sampled, shrinkage_of_box, shrunk
from neural_assets_core.scene import Appearance, Picture
from neural_assets_core.yielding import yield_point

MARCH_SAMPLES = 8
"""Points looked at along a ray inside a box; more only matters for very thin parts."""

MIRRORED_CONFIDENCE = 0.5
GUESSED_CONFIDENCE = 0.25
FAINTEST = 0.02
"""Least coverage that is drawn."""


@dataclass(frozen=True)
class Layer:
    """An object as a camera sees it, for the n pixels that it covers.

    Attributes
    ----------
    pixels : int array (n,)
        Which ones, counted row by row.
    depth : float array (n,)
        Metres along the viewing axis.
    colour : float32 (n, 3)
        In [0, 255], times `alpha`.
    alpha : float32 (n,)
        How much of the pixel the object covers, more than `FAINTEST`.
    trust : float32 (n,)
        1 where the source's own pixels were carried over, less where they were mirrored or
        guessed.
    """

    pixels: NDArray[np.intp]
    depth: Float
    colour: NDArray[np.float32]
    alpha: NDArray[np.float32]
    trust: NDArray[np.float32]

    @property
    def nbytes(self) -> int:
        """Memory taken."""
        return sum(getattr(self, field.name).nbytes for field in fields(self))

    def among(self, chosen: NDArray[np.bool_]) -> Layer:
        """Only the chosen (n,) of its pixels."""
        if chosen.all():
            return self
        return Layer(*(getattr(self, field.name)[chosen] for field in fields(self)))


class Lifter(Protocol):
    """Knows an object's shape behind what its source view shows."""

    def __hash__(self) -> int: ...

    def draw(
        self, appearance: Appearance, source: Picture, hits: BoxHits, outline: NDArray[np.uint8]
    ) -> Layer:
        """What rays meet between where they enter and leave the object's box.

        Parameters
        ----------
        appearance : Appearance
        source : Picture
            Its view's picture, maybe smaller: by how much the object shrinks.
        hits : BoxHits
            Of the box where it is now.
        outline : uint8 (height, width) of the source view
            255 where the object is, or is hidden by others: see `possible_mask`.

        Returns
        -------
        Layer
            Its pixels are those of `hits.rect`.
        """
        ...

    def coverage(self, appearance: Appearance, entry: Float, leave: Float) -> NDArray[np.float32]:
        """How much of n rays' light the object takes.

        Parameters
        ----------
        appearance : Appearance
        entry, leave : arrays (n, 3)
            Where the rays enter and leave the box in its own frame, in which it is [-1, 1]^3.

        Returns
        -------
        float32 (n,)
        """
        ...


@dataclass(frozen=True)
class Canvas:
    """What objects are drawn into; arrays (h, w), `picture` uint8 (h, w, 3), changed in place.

    All of them contiguous.
    """

    picture: NDArray[np.uint8]
    depth: Float
    coverage: NDArray[np.float32]
    confidence: NDArray[np.float32]


def object_layer(
    box: Box,
    appearance: Appearance,
    camera: Camera,
    lifter: Lifter,
    others: tuple[Appearance, ...] = (),
) -> Layer:
    """What `camera` sees of an object, whatever stands before and behind it.

    Parameters
    ----------
    box : Box
        Where it is now.
    appearance : Appearance
    camera : Camera
    lifter : Lifter
    others : tuple of Appearance
        Objects that may hide parts of it in its source view.
    """
    hits = cast_box(camera, box)
    source = shrunk(appearance.view, shrinkage_of_box(appearance, camera, box))
    yield_point()
    met = lifter.draw(appearance, source, hits, possible_mask(appearance, others))
    yield_point()
    rows, columns = np.divmod(met.pixels, max(1, hits.hit.shape[1]))
    pixels = (rows + hits.rect.top) * camera.width + columns + hits.rect.left
    return replace(met, pixels=pixels)


def draw_layer(canvas: Canvas, layer: Layer) -> None:
    """Draw one object; the farthest come first, what is nearer stays in front."""
    depth = canvas.depth.reshape(-1)
    layer = layer.among(layer.depth < depth[layer.pixels])
    picture, pixels, alpha = canvas.picture.reshape(-1, 3), layer.pixels, layer.alpha
    coverage, confidence = canvas.coverage.reshape(-1), canvas.confidence.reshape(-1)
    clear = 1 - alpha
    mixed = picture.take(pixels, axis=0) * clear[:, None]
    mixed += layer.colour
    np.rint(mixed, out=mixed)
    picture[pixels] = np.clip(mixed, 0, 255, out=mixed)
    coverage[pixels] = np.maximum(coverage[pixels], alpha)
    confidence[pixels] = confidence[pixels] * clear + alpha * layer.trust
    solid = alpha > 0.5
    depth[pixels[solid]] = layer.depth[solid]


class Carver:
    """A lifter without weights: shapes are extruded masks, hidden sides are mirror images.

    Each ray shows the first point in the box that the source view's mask covers. If the face
    through which it enters cannot be seen from the source camera, the ray is mirrored through
    the box along that face's axis, so that the opposite, visible side completes the object.
    """

    def draw(
        self, appearance: Appearance, source: Picture, hits: BoxHits, outline: NDArray[np.uint8]
    ) -> Layer:
        """See `Lifter.draw`; draws only what is seen in the source."""
        rays = np.flatnonzero(hits.hit)
        near, far = hits.entry_depth.reshape(-1)[rays], hits.exit_depth.reshape(-1)[rays]
        entry, leave = hits.entry[hits.hit], hits.exit[hits.hit]
        signs, trust = _mirror_signs(entry, appearance)
        fraction, found, pixels = _first_seen(entry * signs, leave * signs, appearance)
        camera = appearance.view.camera
        scale = [source.width / camera.width, source.height / camera.height]
        return Layer(
            pixels=rays,
            depth=near + fraction * (far - near),
            colour=sampled(source.pixels, pixels * scale).astype(np.float32),
            alpha=np.ones(len(rays), dtype=np.float32),
            trust=(trust * (1.0 - 0.5 * fraction)).astype(np.float32),
        ).among(found)

    def coverage(self, appearance: Appearance, entry: Float, leave: Float) -> NDArray[np.float32]:
        """See `Lifter.coverage`."""
        return _first_seen(entry, leave, appearance)[1].astype(np.float32)


CARVER = Carver()


def _mirror_signs(entry: Float, appearance: Appearance) -> tuple[Float, Float]:
    """How to mirror each ray, and how far to trust what it then finds.

    Parameters
    ----------
    entry : array (n, 3)
        Entry points in the box's frame.

    Returns
    -------
    signs : array (n, 3)
        -1 along the axis of an entry face that the source camera cannot see, else 1.
    trust : array (n,)
    """
    eye = appearance.box.to_local(appearance.view.camera.position)
    axis = np.abs(entry).argmax(axis=1)
    side = np.sign(np.take_along_axis(entry, axis[:, None], axis=1)[:, 0])
    facing = eye[axis] * side
    mirrored = facing < -1.0
    signs = np.ones_like(entry)
    signs[mirrored, axis[mirrored]] = -1.0
    trust = np.where(facing > 1.0, 1.0, np.where(mirrored, MIRRORED_CONFIDENCE, GUESSED_CONFIDENCE))
    return signs, trust


def _first_seen(
    entry: Float, leave: Float, appearance: Appearance
) -> tuple[Float, NDArray[np.bool_], Float]:
    """Walk from entry to exit until the source view shows the object.

    Returns
    -------
    fraction : array (n,)
        How far through the box, in [0, 1].
    found : bool array (n,)
    pixels : array (n, 2)
        Source position in pixels.
    """
    camera = appearance.view.camera
    count = len(entry)
    fraction = np.zeros(count)
    pixels = np.zeros((count, 2))
    open_rays = np.arange(count)
    mask = None if appearance.mask is None else appearance.mask.pixels
    for step in np.linspace(0.0, 1.0, MARCH_SAMPLES):
        points = entry[open_rays] + step * (leave[open_rays] - entry[open_rays])
        projected = camera.project(appearance.box.to_world(points))
        seen = _inside(projected, camera.width, camera.height)
        if mask is not None:
            at = projected[seen, :2].astype(np.intp)
            seen[seen] = mask[at[:, 1], at[:, 0]] > 127
        fraction[open_rays[seen]] = step
        pixels[open_rays[seen]] = projected[seen, :2]
        open_rays = open_rays[~seen]
        if open_rays.size == 0:
            break
    found = np.ones(count, dtype=bool)
    found[open_rays] = False
    return fraction, found, pixels


def _inside(projected: Float, width: int, height: int) -> NDArray[np.bool_]:
    u, v, depth = projected.T
    with np.errstate(invalid="ignore"):
        inside = (depth > NEAR) & (u >= 0) & (u < width) & (v >= 0) & (v < height)
    return np.asarray(inside)
