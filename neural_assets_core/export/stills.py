"""One picture, or what is known of it, in other programs' formats."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from neural_assets_core.decoders import ProxyDecoder, open_decoder
from neural_assets_core.errors import UserError
from neural_assets_core.export.credentials import check_credentials, with_credentials
from neural_assets_core.export.drawings import (
    PALETTE,
    before_after,
    boxes_overlay,
    difference,
)
from neural_assets_core.export.gltf import glb
from neural_assets_core.export.image import QUALITY, encoded
from neural_assets_core.export.layers import (
    Drawer,
    box_depth,
    edited_objects,
    object_layers,
    take_apart,
)
from neural_assets_core.export.openexr import openexr, picture_channels
from neural_assets_core.export.openraster import RasterLayer, openraster
from neural_assets_core.export.signing import Signature
from neural_assets_core.files import check_writable, write_atomically
from neural_assets_core.proxy import CARVER, draw_photograph, render_proxy
from neural_assets_core.scene import Picture, Scene
from neural_assets_core.scene.working import at_working_size, is_large

PREVIEW_SIDE = 1024
"""Pixels of the longer side of what is only to be looked at."""

_LOSSLESS = (".png", ".tif", ".tiff", ".webp")


@dataclass(frozen=True)
class Kind:
    """Something that can be exported of a scene.

    Attributes
    ----------
    label : str
        For people.
    suffixes : tuple of str
        Of the formats that can hold it, the usual one first.
    tip : str
    drawn : bool
        Whether the finished picture is needed.
    """

    label: str
    suffixes: tuple[str, ...]
    tip: str
    drawn: bool = True


KINDS: Mapping[str, Kind] = {
    "picture": Kind(
        "Picture",
        (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".exr"),
        "The finished picture. EXR is linear, with the edited objects as a layer of their own.",
    ),
    "objects": Kind(
        "Edited objects",
        _LOSSLESS,
        "Only the objects that were changed, or all if none was, on nothing, with soft edges.",
    ),
    "masks": Kind(
        "Masks",
        (".png", ".tif", ".tiff", ".exr"),
        "What is seen of each object, white on black: a file an object, or one EXR.",
        drawn=False,
    ),
    "depth": Kind(
        "Depth of the boxes",
        (".exr", ".tif", ".tiff", ".png"),
        "Metres along the viewing axis; infinite where there is no box. As PNG: millimetres in "
        "16 bits, 0 where there is no box.",
        drawn=False,
    ),
    "boxes": Kind(
        "Boxes",
        _LOSSLESS,
        "The edges of the boxes on nothing, to be laid over the picture.",
        drawn=False,
    ),
    "sheet": Kind(
        "Before and after",
        (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff"),
        "The photograph and the finished picture side by side.",
    ),
    "difference": Kind(
        "Difference",
        (".png", ".tif", ".tiff"),
        "Where the picture differs from the photograph, black where it does not; as it is, and "
        "not stretched to be seen.",
    ),
    "layers": Kind(
        "Layers",
        (".ora",),
        "OpenRaster for Krita and GIMP: the background, every object, and the picture on top; "
        "hidden at the bottom, the photograph.",
    ),
    "glb": Kind(
        "3D scene",
        (".glb",),
        "glTF for Blender and others: the boxes, the camera, and the picture behind them. "
        "`neural-assets import` takes the boxes back.",
    ),
}
"""By the name on the command line."""


def default_kind(path: str | Path) -> str:
    """What a file of this name most likely holds."""
    suffix = Path(path).suffix.lower()
    return next((name for name, kind in KINDS.items() if suffix in kind.suffixes), "picture")


def check_still(path: Path, what: str, credentials: bool = False) -> None:
    """Say before long work, not after it, that a file of this name cannot be written.

    Raises
    ------
    UserError
        If its format cannot hold `what`, or content credentials that are wanted; if its folder is
        missing or write-protected.
    """
    suffixes = KINDS[what].suffixes
    if path.suffix.lower() not in suffixes:
        raise UserError(
            f"{path.name} cannot hold this ({KINDS[what].label.lower()}): choose a name that "
            f"ends in {' or '.join(suffixes)}."
        )
    if credentials:
        check_credentials(path)
        if not KINDS[what].drawn:
            raise UserError(
                "Content credentials say how a picture was made: there are none for "
                f"{KINDS[what].label.lower()}."
            )
    check_writable(path)


def still_paths(scene: Scene, path: str | Path, what: str = "picture") -> list[Path]:
    """The files that `export_still` writes; masks are one for each object, except as EXR."""
    path = Path(path)
    if what != "masks" or path.suffix.lower() == ".exr":
        return [path]
    return [path.with_name(f"{path.stem}-{name}{path.suffix}") for name in _file_names(scene)]


def export_still(
    picture: Picture | None,
    scene: Scene,
    path: str | Path,
    *,
    what: str = "picture",
    metadata: bool = True,
    quality: int = QUALITY,
    draw: Drawer | None = None,
    signature: Signature | None = None,
) -> list[Path]:
    """Write a finished picture, or what is known of it, in the format of the file's suffix.

    Parameters
    ----------
    picture : Picture or None
        Not needed for the kinds that are not `Kind.drawn`.
    scene : Scene
        What `picture` shows.
    path : str or Path
    what : str
        One of `KINDS`.
    metadata : bool
        Put the whole request into the file; as `export_png` does, but into an XMP packet in
        JPEG, WebP and TIFF, and an attribute in EXR. Masks, depth and boxes have none.
    quality : int
        1 to 100, of JPEG and WebP.
    draw : callable, optional
        Draws a scene as the proxy, to know its objects' shapes; by default `scene_drawer`.
    signature : Signature, optional
        Put content credentials into the file, signed so; see `find_signature`.

    Returns
    -------
    list of Path
        The files that were written, each complete or not at all.

    Raises
    ------
    UserError
        If the format cannot hold this, the objects cannot be drawn or a file not be written.
    ValueError
        If a picture is needed and there is none, or there is no such kind or quality.
    """
    if what not in KINDS:
        raise ValueError(f"what is {what!r}, and has to be one of {', '.join(KINDS)}")
    if not 1 <= quality <= 100:
        raise ValueError(f"quality is {quality}, and has to be 1 to 100")
    path = Path(path)
    check_still(path, what, credentials=signature is not None)
    still = draw_still(
        picture, scene, path.suffix, what=what, metadata=metadata, quality=quality, draw=draw
    )
    return write_still(still, scene, path, what=what, signature=signature)


@dataclass(frozen=True)
class Still:
    """What is to be written: the files' contents, in the order of `still_paths`.

    Attributes
    ----------
    contents : list of bytes
    edited : bool
        Whether the picture is another one than the photograph.
    """

    contents: list[bytes]
    edited: bool


def draw_still(
    picture: Picture | None,
    scene: Scene,
    suffix: str,
    *,
    what: str = "picture",
    metadata: bool = True,
    quality: int = QUALITY,
    draw: Drawer | None = None,
) -> Still:
    """What `export_still` writes, without content credentials.

    Raises
    ------
    UserError
        If the objects cannot be drawn.
    ValueError
        If a picture is needed and there is none.
    """
    if picture is None and KINDS[what].drawn:
        raise ValueError(f"{what} need the finished picture")
    request = scene.model_dump_json() if metadata and KINDS[what].drawn else None
    contents = _contents(picture, scene, suffix.lower(), what, request, quality, draw)
    return Still(contents, picture != scene.background.view.picture)


def write_still(
    still: Still,
    scene: Scene,
    path: Path,
    *,
    what: str = "picture",
    signature: Signature | None = None,
) -> list[Path]:
    """Write what `draw_still` has drawn; see `export_still`."""
    contents = still.contents
    if signature is not None:
        suffix = path.suffix.lower()
        contents = [
            with_credentials(content, suffix, scene, signature, edited=still.edited)
            for content in contents
        ]
    paths = still_paths(scene, path, what)
    for target, content in zip(paths, contents, strict=True):
        write_atomically(target, content)
    return paths


def still_preview(
    picture: Picture, scene: Scene, what: str, draw: Drawer | None = None
) -> NDArray[np.uint8]:
    """What `export_still` writes, as people see it: (h, w, 3), or (h, w, 4) if it is transparent.

    Large photographs are shown with `PREVIEW_SIDE` pixels: their parts take half a minute. Masks
    are shown in one picture, each in a colour of its own; depth is light where it is near.
    """
    if is_large(scene, PREVIEW_SIDE):
        scene = at_working_size(scene, PREVIEW_SIDE)
        size = scene.camera.width, scene.camera.height
        shrunk = cv2.resize(picture.pixels, size, interpolation=cv2.INTER_AREA)
        picture = Picture(np.asarray(shrunk, dtype=np.uint8))
    if what == "masks":
        shown = np.zeros_like(picture.pixels)
        for index, layer in enumerate(object_layers(scene, draw or scene_drawer(scene))):
            for channel, level in enumerate(PALETTE[index % len(PALETTE)]):
                shown[layer.place][..., channel] += (layer.visible * level).astype(np.uint8)
        return shown
    if what == "depth":
        depth = box_depth(scene)
        seen = np.isfinite(depth)
        near, far = (depth[seen].min(), depth[seen].max()) if seen.any() else (0.0, 1.0)
        light = 255 - 200 * (np.where(seen, depth, far) - near) / max(far - near, 1e-6)
        return np.repeat(np.where(seen, light, 0).astype(np.uint8)[..., None], 3, axis=2)
    if what == "boxes":
        return boxes_overlay(scene)
    if what == "sheet":
        return before_after(scene.background.view.picture, picture)
    if what == "difference":
        return np.repeat(
            difference(picture, scene.background.view.picture)[..., None], 3, axis=2
        )
    if what == "objects":
        return edited_objects(picture, scene, draw or scene_drawer(scene))
    return picture.pixels


def scene_drawer(scene: Scene) -> Drawer:
    """How the scene's decoder knows its objects' shapes; loads a small network for the neural."""
    if scene.settings.decoder in ("proxy", "inpainting"):
        return lambda drawn: draw_photograph(drawn, drawn.camera)
    decoder = open_decoder(scene.settings.model_copy(update={"decoder": "preview"}))
    lifter = decoder.lifter if isinstance(decoder, ProxyDecoder) else None
    return lambda drawn: render_proxy(drawn, drawn.camera, lifter or CARVER)


def _contents(
    picture: Picture | None,
    scene: Scene,
    suffix: str,
    what: str,
    request: str | None,
    quality: int,
    draw: Drawer | None,
) -> list[bytes]:
    if what == "masks":
        return _masks(scene, suffix, draw or scene_drawer(scene))
    if what == "depth":
        return [_depth(scene, suffix)]
    if what == "boxes":
        return [encoded(Image.fromarray(boxes_overlay(scene)), suffix, None, 100)]
    assert picture is not None
    if what == "layers":
        return [_layers(picture, scene, request, draw or scene_drawer(scene))]
    if what == "glb":
        return [glb(picture, scene, request)]
    pixels = picture.pixels
    if what == "sheet":
        pixels = before_after(scene.background.view.picture, picture)
    elif what == "difference":
        pixels = difference(picture, scene.background.view.picture)
    elif what == "objects":
        pixels = edited_objects(picture, scene, draw or scene_drawer(scene))
    elif suffix == ".exr":
        edited = edited_objects(picture, scene, draw or scene_drawer(scene))
        return [openexr(picture_channels(pixels, edited), request)]
    return [encoded(Image.fromarray(pixels), suffix, request, quality)]


def _masks(scene: Scene, suffix: str, draw: Drawer) -> list[bytes]:
    """In the order of the scene's objects."""
    found = {layer.name: layer for layer in object_layers(scene, draw)}
    layers = [found[item.name] for item in scene.objects]
    if suffix == ".exr":
        names = _file_names(scene)
        channels = {
            name: layer.spread(layer.visible.astype(np.float16), scene.camera)
            for name, layer in zip(names, layers, strict=True)
        }
        if not channels:
            raise UserError("There are no objects in this scene: nothing has a mask.")
        return [openexr(channels)]
    masks = (layer.spread(_bytes(layer.visible), scene.camera) for layer in layers)
    return [encoded(Image.fromarray(mask), suffix) for mask in masks]


def _depth(scene: Scene, suffix: str) -> bytes:
    depth = box_depth(scene)
    if suffix == ".exr":
        return openexr({"Z": depth})
    if suffix == ".png":
        millimetres = np.where(np.isfinite(depth), np.round(1000 * depth), 0).clip(0, 65535)
        return encoded(Image.fromarray(millimetres.astype(np.uint16)), suffix)
    return encoded(Image.fromarray(depth), suffix)


def _layers(picture: Picture, scene: Scene, request: str | None, draw: Drawer) -> bytes:
    taken = take_apart(picture, scene, draw)
    photograph = scene.background.view.picture
    layers = [RasterLayer("Background", taken.background)]
    if (photograph.width, photograph.height) == (picture.width, picture.height):
        # To paint back what an edit should not have touched.
        layers.insert(0, RasterLayer("Photograph", photograph.pixels, visible=False))
    for layer in taken.objects:
        pixels = np.dstack([layer.colour, _bytes(layer.alpha)])
        layers.append(RasterLayer(layer.name, pixels, layer.left, layer.top))
    layers.append(RasterLayer("Result", picture.pixels))
    return openraster(layers, picture.pixels, request)


def _bytes(share: NDArray[np.float32]) -> NDArray[np.uint8]:
    return np.round(255 * share).astype(np.uint8)


def _file_names(scene: Scene) -> list[str]:
    """The objects' names as parts of file names: legal on every system, and no two the same."""
    names: list[str] = []
    for item in scene.objects:
        legal = re.sub(r"[^\w -]", "_", item.name).strip()[:80] or "_"
        name, number = legal, 2
        # Case does not tell files apart everywhere.
        while name.lower() in (other.lower() for other in names):
            name, number = f"{legal} {number}", number + 1
        names.append(name)
    return names
