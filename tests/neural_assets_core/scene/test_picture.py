"""Image files as sRGB pictures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from neural_assets_core.scene import Picture


def opened(image: Image.Image, path: Path, **options: object) -> np.ndarray:
    image.save(path, **options)
    return Picture.open(path).pixels


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_transparent_pixels_are_white(tmp_path: Path, mode: str) -> None:
    image = Image.new("RGBA", (2, 1), (0, 0, 0, 255))
    image.putpixel((1, 0), (0, 0, 0, 0))
    pixels = opened(image.convert(mode), tmp_path / "a.png")
    assert pixels.tolist() == [[[0, 0, 0], [255, 255, 255]]]


def test_half_transparent_pixels_are_mixed_with_white(tmp_path: Path) -> None:
    pixels = opened(Image.new("RGBA", (1, 1), (200, 0, 0, 128)), tmp_path / "a.png")
    assert np.abs(pixels[0, 0].astype(int) - [227, 127, 127]).max() <= 1


def test_an_embedded_profile_is_applied(tmp_path: Path) -> None:
    image = Image.new("RGB", (1, 1), (200, 100, 50))
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    pixels = opened(image, tmp_path / "a.png", icc_profile=srgb)
    assert np.abs(pixels[0, 0].astype(int) - [200, 100, 50]).max() <= 1
    # A profile of another kind of space: the numbers are then no sRGB.
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("XYZ")).tobytes()
    assert opened(image, tmp_path / "b.png", icc_profile=lab).shape == (1, 1, 3)


def test_a_damaged_profile_is_ignored(tmp_path: Path) -> None:
    image = Image.new("RGB", (1, 1), (200, 100, 50))
    pixels = opened(image, tmp_path / "a.png", icc_profile=b"nonsense")
    assert pixels.tolist() == [[[200, 100, 50]]]


def test_grey_and_cmyk(tmp_path: Path) -> None:
    assert opened(Image.new("L", (1, 1), 70), tmp_path / "a.png").tolist() == [[[70, 70, 70]]]
    assert opened(Image.new("CMYK", (1, 1)), tmp_path / "a.jpg").min() > 250
