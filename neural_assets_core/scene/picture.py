"""Pictures as values: read-only pixels that are equal when their content is equal."""

from __future__ import annotations

import hashlib
import io
import struct
import warnings
import zlib
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError
from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler, ValidationInfo
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from neural_assets_core.errors import UserError

MAXIMUM_SIDE = 16_384
MAXIMUM_PIXELS = 120_000_000

# Pillow warns from 90 megapixels on; here sizes are checked, and larger ones are photographs too.
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)
warnings.filterwarnings("ignore", "Corrupt EXIF data")

XMP = 0x02BC
_EXIF = 0x8769
_DAMAGE = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    RuntimeError,
    ArithmeticError,
    LookupError,
    TypeError,
    AttributeError,
    struct.error,
    zlib.error,
)
"""What Pillow raises on damaged files."""


class Picture:
    """Immutable 8-bit pixels.

    Parameters
    ----------
    pixels : uint8 array, (height, width, 3) sRGB colour or (height, width) mask
        Copied unless already read-only.

    Notes
    -----
    Two pictures are equal when their pixels are; `sha256` names the content, and stands for the
    picture inside a scene's JSON (`{"sha256": ..., "width": ..., "height": ...}`). To read such
    JSON back, hand pydantic a `context` that maps the hashes to pictures.
    """

    def __init__(self, pixels: NDArray[np.uint8]) -> None:
        array = np.asarray(pixels)
        colour = array.ndim == 3 and array.shape[2] == 3
        if array.dtype != np.uint8 or not (colour or array.ndim == 2):
            raise ValueError(
                f"a picture is uint8 (height, width[, 3]), not {array.dtype} {array.shape}"
            )
        check_size(array.shape[1], array.shape[0])
        if array.flags.writeable or not array.flags.c_contiguous:
            array = array.copy(order="C")
            array.setflags(write=False)
        self.pixels: NDArray[np.uint8] = array

    @property
    def width(self) -> int:
        return int(self.pixels.shape[1])

    @property
    def height(self) -> int:
        return int(self.pixels.shape[0])

    @cached_property
    def sha256(self) -> str:
        """Hash of the shape and the pixels, the picture's name in files."""
        digest = hashlib.sha256(repr(self.pixels.shape).encode())
        digest.update(self.pixels.data)
        return digest.hexdigest()

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Picture):
            return NotImplemented
        return self.pixels is other.pixels or self.sha256 == other.sha256

    def __hash__(self) -> int:
        return hash(self.sha256)

    def __repr__(self) -> str:
        return f"Picture({self.width}x{self.height}, {self.sha256[:8]})"

    @classmethod
    def open(cls, path: str | Path) -> Picture:
        """Read an image file as sRGB, its EXIF orientation applied, on white where transparent.

        Raises
        ------
        UserError
            If the file is missing, is no image, is damaged, or is larger than
            `MAXIMUM_PIXELS` pixels or `MAXIMUM_SIDE` a side.
        """
        return read_image(path, str(path))[0]

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.with_info_plain_validator_function(
            _validate,
            serialization=core_schema.plain_serializer_function_ser_schema(_reference),
        )

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return {
            "type": "object",
            "description": "A picture, by the hash of its shape and pixels: images/<sha256>.png.",
            "properties": {
                "sha256": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
                "width": {"type": "integer", "minimum": 1, "maximum": MAXIMUM_SIDE},
                "height": {"type": "integer", "minimum": 1, "maximum": MAXIMUM_SIDE},
            },
            "required": ["sha256"],
        }


def read_image(source: str | Path | bytes, name: str) -> tuple[Picture, dict[int, Any]]:
    """An image file as a picture, and what its EXIF data tell; see `Picture.open`.

    Parameters
    ----------
    source : str, Path or bytes
        A file, or a file's content.
    name : str
        What errors call it.

    Returns
    -------
    picture : Picture
    tags : dict
        EXIF values by the numbers of their tags; empty if there are none or they are damaged.
        `XMP` is there too, bytes.

    Raises
    ------
    UserError
        As `Picture.open`.
    """
    try:
        _prepare(source)
        with Image.open(io.BytesIO(source) if isinstance(source, bytes) else source) as image:
            check_size(*image.size, name=name)
            tags = _set_upright(image)
            return Picture(np.asarray(_on_white(_eight_bits(image)))), tags
    except FileNotFoundError:
        raise UserError(f"There is no file {name}: check the name.") from None
    except PermissionError:
        raise UserError(f"{name} may not be read: change its permissions.") from None
    except Image.DecompressionBombError:
        raise UserError(
            f"{name} is too large (the limit is {MAXIMUM_PIXELS // 1_000_000} megapixels): scale "
            "it down first."
        ) from None
    except MemoryError:
        raise UserError(f"{name} does not fit into memory: scale it down first.") from None
    except UnidentifiedImageError:
        # Its words name the file once more.
        raise UserError(
            f"{name} is not a picture that can be read: save it as PNG or JPEG."
        ) from None
    except _DAMAGE as error:
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise UserError(
            f"{name} is not a picture that can be read ({reason}): if it is damaged, get it anew, "
            "else save it as PNG or JPEG."
        ) from None


def _prepare(source: str | Path | bytes) -> None:
    """Have the decoder of a HEIC file at hand; other files need nothing."""
    if isinstance(source, bytes):
        start = source[:12]
    else:
        with open(source, "rb") as file:
            start = file.read(12)
    # AVIF begins in the same way, and Pillow reads it itself.
    if start[4:8] == b"ftyp" and not start[8:].startswith(b"avi"):
        from pillow_heif import register_heif_opener

        register_heif_opener()


def check_size(width: int, height: int, name: str = "the picture") -> None:
    """Refuse sizes that would exhaust memory, and empty pictures.

    Raises
    ------
    UserError
    """
    if width < 1 or height < 1:
        raise UserError(f"{name} is empty ({width} x {height} pixels): choose another picture.")
    if max(width, height) > MAXIMUM_SIDE or width * height > MAXIMUM_PIXELS:
        raise UserError(
            f"{name} is too large ({width} x {height} pixels; the limit is {MAXIMUM_SIDE} a side "
            f"and {MAXIMUM_PIXELS // 1_000_000} megapixels): scale it down first."
        )


def _set_upright(image: Image.Image) -> dict[int, Any]:
    """Turn the image as its EXIF data say, and tell them; damaged ones count as none."""
    tags: dict[int, Any] = {}
    try:
        tags = dict(image.getexif().get_ifd(_EXIF))
        ImageOps.exif_transpose(image, in_place=True)
    except _DAMAGE:
        # If it was the pixels that are damaged, reading them tells so.
        pass
    xmp = image.info.get("xmp")
    return {**tags, XMP: xmp} if isinstance(xmp, bytes) else tags


def _eight_bits(image: Image.Image) -> Image.Image:
    """The image with its own channels, each of eight bits."""
    if image.mode.startswith("I"):
        deep = np.asarray(image, dtype=np.float64)
        # A file of 8 bits is never read as integers: whatever is so has 16.
        shallow = deep / 257.0
    elif image.mode == "F":
        deep = np.nan_to_num(np.asarray(image, dtype=np.float64), posinf=1.0, neginf=0.0)
        shallow = 255.0 * deep / max(1.0, float(deep.max()))
    else:
        return image
    return Image.fromarray(np.clip(np.round(shallow), 0, 255).astype(np.uint8))


def _on_white(image: Image.Image) -> Image.Image:
    if not image.has_transparency_data:
        return _as_srgb(image)
    layer = image.convert("RGBA")
    white = Image.new("RGB", image.size, "white")
    return Image.composite(_as_srgb(layer), white, layer.getchannel("A"))


def _as_srgb(image: Image.Image) -> Image.Image:
    profile = image.info.get("icc_profile")
    plain = image if image.mode in ("RGB", "L", "CMYK") else image.convert("RGB")
    if profile:
        try:
            own = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            srgb = ImageCms.createProfile("sRGB")
            converted = ImageCms.profileToProfile(plain, own, srgb, outputMode="RGB")
        except (ImageCms.PyCMSError, OSError, TypeError, ValueError):
            # A damaged profile, or one of another kind of picture: as if there were none.
            converted = None
        if converted is not None:
            return converted
    # Converting would copy, and photographs are large.
    return plain if plain.mode == "RGB" else plain.convert("RGB")


def _reference(picture: Picture) -> dict[str, Any]:
    return {"sha256": picture.sha256, "width": picture.width, "height": picture.height}


def _validate(value: Any, info: ValidationInfo) -> Picture:
    if isinstance(value, Picture):
        return value
    pictures = (info.context or {}).get("pictures", {})
    name = value.get("sha256") if isinstance(value, dict) else None
    if not isinstance(name, str) or name not in pictures:
        raise ValueError(f"the picture {str(name)[:12]} is missing")
    picture = pictures[name]
    assert isinstance(picture, Picture)
    return picture
