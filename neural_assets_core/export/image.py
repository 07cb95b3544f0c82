"""Finished pictures as files that say how they were made."""

from __future__ import annotations

import base64
import io
import re
import zlib
from pathlib import Path
from typing import Any

from PIL import Image
from PIL.PngImagePlugin import PngInfo
from PIL.TiffImagePlugin import ImageFileDirectory_v2

from neural_assets_core.errors import UserError
from neural_assets_core.files import write_atomically
from neural_assets_core.scene import Picture, Scene
from neural_assets_core.scene.container import DAMAGE, MAXIMUM_JSON_BYTES, open_archive

SCENE_TEXT_KEY = "neural-assets-scene"
"""Keyword of the PNG text chunk, and name of the EXR attribute, that hold the scene's JSON."""

QUALITY = 95
"""Of lossy formats, unless something else is asked for; 100 is without loss in WebP."""

LARGE = 16_000_000
"""Pixels from which on a PNG is packed quickly."""

MERGED = "mergedimage.png"
"""Entry of an OpenRaster file: the picture, with the metadata of a PNG."""

_LARGEST_ARCHIVE = 2**32
"""Bytes of an OpenRaster file that is looked into."""

_XMP_TAG = 700
_XMP = (
    '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF '
    'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" '
    'xmlns:na="https://neural-assets.example/ns/1.0/" na:scene="{}"/></rdf:RDF></x:xmpmeta>'
    '<?xpacket end="r"?>'
)
"""JPEG, WebP and TIFF: JSON, zlib, base64. Plain, many objects would not fit into a JPEG."""


def export_png(picture: Picture, scene: Scene, path: str | Path) -> None:
    """Write a picture with the scene it was made from in a text chunk.

    The chunk holds every box, the camera, seed, steps, guidance, decoder and checkpoint;
    pictures appear in it by their hash. The file appears complete or not at all.

    Parameters
    ----------
    picture : Picture
    scene : Scene
        What `picture` shows.
    path : str or Path

    Raises
    ------
    UserError
        If the file cannot be written.
    """
    data = encoded(Image.fromarray(picture.pixels), ".png", scene.model_dump_json())
    write_atomically(Path(path), data)


def encoded(
    image: Image.Image, suffix: str, request: str | None = None, quality: int = QUALITY
) -> bytes:
    """An image in the format that a suffix stands for.

    Parameters
    ----------
    image : PIL.Image.Image
    suffix : {".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff"}
    request : str, optional
        JSON of the scene that it shows, kept in the file's metadata.
    quality : int
        1 to 100, of JPEG and WebP.
    """
    buffer = io.BytesIO()
    save: dict[str, Any]
    if suffix == ".png":
        text = PngInfo()
        if request is not None:
            text.add_itxt(SCENE_TEXT_KEY, request, zip=True)
        save = {"format": "PNG", "pnginfo": text}
        if image.width * image.height > LARGE:
            # A photograph's grain does not get much smaller by more work.
            save["compress_level"] = 2
    elif suffix in (".tif", ".tiff"):
        tags = ImageFileDirectory_v2()
        if request is not None:
            tags[_XMP_TAG] = _xmp(request)
        save = {"format": "TIFF", "tiffinfo": tags, "compression": "tiff_adobe_deflate"}
    elif suffix == ".webp":
        save = {"format": "WEBP", "quality": quality, "lossless": quality == 100}
    else:
        save = {"format": "JPEG", "quality": quality, "subsampling": 0}
    if request is not None and save["format"] in ("WEBP", "JPEG"):
        save["xmp"] = _xmp(request)
    image.save(buffer, **save)
    return buffer.getvalue()


def read_request(path: str | Path) -> str | None:
    """The scene's JSON in a picture's metadata, unchecked; None if it says nothing.

    Raises
    ------
    UserError
        If the file is no picture or is damaged.
    """
    try:
        match Path(path).suffix.lower():
            case ".exr":
                return _request_in_exr(Path(path))
            case ".ora":
                with (
                    open_archive(Path(path), _LARGEST_ARCHIVE) as archive,
                    archive.open(MERGED) as merged,
                    Image.open(merged, formats=("PNG",)) as image,
                ):
                    return image.info.get(SCENE_TEXT_KEY)
        with Image.open(path, formats=("PNG", "JPEG", "WEBP", "TIFF")) as image:
            if image.format == "PNG":
                text = image.info.get(SCENE_TEXT_KEY)
                return None if text is None else str(text)
            packet = image.info.get("xmp")
        found = re.search(rb'na:scene="([A-Za-z0-9+/=]*)"', packet or b"")
        if found is None:
            return None
        # No more than a scene can be: the file may come from anybody.
        data = zlib.decompressobj().decompress(base64.b64decode(found[1]), MAXIMUM_JSON_BYTES)
        return data.decode()
    except DAMAGE as error:
        raise UserError(f"{path} is not a picture that can be read: {error}.") from None


def _request_in_exr(path: Path) -> str | None:
    import OpenEXR  # Late: it is rarely needed.

    if not path.is_file():
        # The library would say that on the terminal.
        raise FileNotFoundError(f"there is no file {path.name}")
    with OpenEXR.File(str(path), header_only=True) as file:
        text = file.header().get(SCENE_TEXT_KEY)
    return None if text is None else str(text)


def _xmp(request: str) -> bytes:
    packed = base64.b64encode(zlib.compress(request.encode(), 9)).decode()
    return _XMP.format(packed).encode()
