"""Bent lines made straight, and the terms that files tell."""

from __future__ import annotations

import io
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from neural_assets_core.calibration import Photograph, load_photograph, undistorted
from neural_assets_core.calibration.xmp import told_distortion
from neural_assets_core.errors import UserError
from neural_assets_core.scene import Picture, load_scene
from tests.neural_assets_core.test_cli import done, refused

WIDTH, HEIGHT, FOCAL = 300, 200, 260.0
DJI = b'<x drone-dji:DewarpData="2021-01-02;3600.1,3600.2,-3.0,5.5,-0.27,0.11,0.0,0.0,-0.03"/>'
PIX4D = (
    b"<Camera:PerspectiveDistortion><rdf:Seq><rdf:li>-0.12, 0.05, 0, 0, 0</rdf:li></rdf:Seq>"
)


def bent(k1: float, k2: float) -> Photograph:
    """A photograph of the line x = 0.3, in focal lengths, and of a dark ground."""
    u, v = np.meshgrid(np.arange(WIDTH) + 0.5, np.arange(HEIGHT) + 0.5)
    seen = np.stack([u - 0.5 * WIDTH, v - 0.5 * HEIGHT], axis=-1) / FOCAL
    # Where these pixels were before the lens, by a fixed point.
    true = seen.copy()
    for _ in range(60):
        r2 = (true**2).sum(axis=-1, keepdims=True)
        true = seen / (1 + k1 * r2 + k2 * r2**2)
    light = 255 * np.exp(-(((true[..., 0] - 0.3) * FOCAL) ** 2) / 8)
    pixels = np.repeat(light[..., None], 3, axis=-1).astype(np.uint8)
    return Photograph(Picture(pixels), focal=FOCAL)


@pytest.mark.parametrize("terms", [(-0.25, 0.1), (0.2, 0.0), (-0.1, 0.0)])
def test_a_bent_line_becomes_straight(terms: tuple[float, float]) -> None:
    before = bent(*terms)
    after = undistorted(before, terms)
    assert after.size == before.size

    def wiggle(photograph: Photograph) -> float:
        light = photograph.picture.pixels[..., 0].astype(float)
        at = (light * np.arange(WIDTH)).sum(axis=1) / light.sum(axis=1)
        return float(np.ptp(at))

    assert wiggle(after) < 0.3 < 1.0 < wiggle(before)
    # And it is where its focal length says.
    column = after.picture.pixels[HEIGHT // 2, :, 0].astype(float)
    middle = (column * (np.arange(WIDTH) + 0.5)).sum() / column.sum()
    assert middle - 0.5 * WIDTH == pytest.approx(0.3 * after.focal, abs=0.3)
    assert (after.focal < FOCAL) == (terms[0] < 0)


@settings(max_examples=30)
@given(st.floats(-0.6, 0.6), st.floats(-0.3, 0.3))
def test_nothing_beyond_the_edge_is_shown(k1: float, k2: float) -> None:
    photograph = Photograph(Picture(np.zeros((20, 30, 3), np.uint8)), focal=36.0)
    try:
        after = undistorted(photograph, (k1, k2)).focal
    except UserError:
        return
    corner = np.array([15.0, 10.0]) / after
    r2 = float(corner @ corner)
    assert (np.abs(corner * (1 + k1 * r2 + k2 * r2**2) * 36.0) <= [15.0001, 10.0001]).all()


def test_without_terms_it_stays() -> None:
    photograph = bent(0.0, 0.0)
    assert undistorted(photograph).picture is photograph.picture
    assert undistorted(photograph, (0.0, 0.0)).picture is photograph.picture
    for terms in ((9.0, 0.0), (math.nan, 0.0)):
        with pytest.raises(UserError, match="No lens"):
            undistorted(photograph, terms)


@pytest.mark.parametrize(
    ("xmp", "terms"),
    [
        (DJI, (-0.27, 0.11)),
        (PIX4D, (-0.12, 0.05)),
        (DJI + b'<x drone-dji:DewarpFlag="1"/>', None),
        (DJI.replace(b"-0.27", b"nothing"), None),
        (DJI.replace(b"-0.27", b"1e300"), None),
        (b"", None),
        (b"DewarpData=" * 50, None),
    ],
)
def test_terms_in_files(xmp: bytes, terms: tuple[float, float] | None) -> None:
    assert told_distortion(xmp) == terms


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WEBP"])
def test_files_with_terms(kind: str) -> None:
    content = io.BytesIO()
    image = Image.new("RGB", (64, 48), (10, 120, 200))
    if kind == "PNG":
        from PIL.PngImagePlugin import PngInfo

        info = PngInfo()
        info.add_itxt("XML:com.adobe.xmp", DJI.decode())
        image.save(content, kind, pnginfo=info)
    else:
        options = {"tiffinfo": {700: DJI}} if kind == "TIFF" else {"xmp": DJI}
        image.save(content, kind, **options)
    assert load_photograph(content.getvalue()).distortion == (-0.27, 0.11)


def test_from_the_command_line(tmp_path: Path) -> None:
    picture, out = tmp_path / "bent.png", tmp_path / "a.nascene"
    Image.fromarray(bent(-0.2, 0.0).picture.pixels).save(picture)
    done("photo", picture, "--focal-px", FOCAL, "--distortion", -0.2, 0, "--out", out)
    camera = load_scene(out).camera
    assert camera.k[0, 0] == pytest.approx(undistorted(bent(-0.2, 0.0), (-0.2, 0.0)).focal)
    text = refused("photo", picture, "--distortion", 5, 0, "--out", out)
    assert "No lens has the distortion" in text
