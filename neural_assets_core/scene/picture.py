"""Pictures as values: read-only pixels that are equal when their content is equal."""

from __future__ import annotations

import hashlib
import io
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError
from pydantic import GetCoreSchemaHandler, ValidationInfo
from pydantic_core import CoreSchema, core_schema

from neural_assets_core.errors import UserError

MAXIMUM_SIDE = 16_384
MAXIMUM_PIXELS = 120_000_000


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
        try:
            with Image.open(path) as image:
                check_size(*image.size, name=str(path))
                return cls(np.asarray(_on_white(ImageOps.exif_transpose(image))))
        except FileNotFoundError:
            raise UserError(f"There is no file {path}: check the name.") from None
        except (Image.DecompressionBombError, ValueError) as error:
            raise UserError(f"{path} cannot be used: {error}") from None
        except (UnidentifiedImageError, OSError, SyntaxError) as error:
            raise UserError(
                f"{path} is not a picture that can be read ({error}): save it as PNG or JPEG."
            ) from None

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.with_info_plain_validator_function(
            _validate,
            serialization=core_schema.plain_serializer_function_ser_schema(_reference),
        )


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


def _on_white(image: Image.Image) -> Image.Image:
    if not image.has_transparency_data:
        return _as_srgb(image)
    layer = image.convert("RGBA")
    white = Image.new("RGB", image.size, "white")
    return Image.composite(_as_srgb(layer), white, layer.getchannel("A"))


def _as_srgb(image: Image.Image) -> Image.Image:
    profile = image.info.get("icc_profile")
    plain = image if image.mode in ("L", "CMYK") else image.convert("RGB")
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
    return plain.convert("RGB")


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
