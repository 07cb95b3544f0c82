"""Real image files, good and bad, and fSpy projects."""

from __future__ import annotations

import io
import json
import math
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms, TiffImagePlugin

from neural_assets_core.calibration import load_photograph
from neural_assets_core.errors import UserError
from neural_assets_core.geometry import Camera

FOCAL_IN_35MM, FOCAL, PLANE, PLANE_UNIT, PIXELS = 0xA405, 0x920A, 0xA20E, 0xA210, 0xA002
GRADIENT = Image.fromarray(
    np.stack([np.tile(np.arange(60, dtype=np.uint8) * 4, (40, 1))] * 3, axis=-1)
)


def encoded(image: Image.Image, kind: str, tags: dict | None = None, **options: object) -> bytes:
    """An image file's content; `tags` go into the EXIF part, the orientation into the main one."""
    exif = Image.Exif()
    exif[0x0112] = 1
    for tag, value in (tags or {}).items():
        if tag == 0x0112:
            exif[tag] = value
        else:
            exif.get_ifd(0x8769)[tag] = value
    if tags and kind == "TIFF":
        # Pillow writes these only if they have been read.
        exif = Image.open(io.BytesIO(encoded(image, "JPEG", tags))).getexif()
    file = io.BytesIO()
    image.save(file, kind, **({"exif": exif} if tags else {}), **options)
    return file.getvalue()


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_every_kind_of_file_is_read_with_its_focal_length(kind: str, tmp_path: Path) -> None:
    content = encoded(GRADIENT, kind, {FOCAL_IN_35MM: 28})
    path = tmp_path / "holiday.picture"
    path.write_bytes(content)
    for source, name in ((path, "holiday"), (str(path), "holiday"), (content, "photograph")):
        photograph = load_photograph(source)
        assert photograph.size == (60, 40)
        assert photograph.name == name
        assert photograph.camera is None
        assert photograph.focal == pytest.approx(28 / 43.2666 * math.hypot(60, 40))


def test_a_turned_photograph_stands_upright() -> None:
    photograph = load_photograph(encoded(GRADIENT, "JPEG", {0x0112: 6, FOCAL_IN_35MM: 50}))
    assert photograph.size == (40, 60)
    # Turned clockwise: what was at the left, dark, is at the top.
    assert photograph.picture.pixels[2].mean() < 30 < 200 < photograph.picture.pixels[-3].mean()
    assert photograph.focal == pytest.approx(50 / 43.2666 * math.hypot(60, 40))


def rational(value: int) -> TiffImagePlugin.IFDRational:
    return TiffImagePlugin.IFDRational(value, 1)


@pytest.mark.parametrize(
    ("tags", "focal"),
    [
        # 20 mm, 100 pixels a centimetre; taken at twice this size.
        ({FOCAL: rational(20), PLANE: rational(100), PLANE_UNIT: 3, PIXELS: 120}, 100.0),
        ({FOCAL: rational(20), PLANE: rational(100), PLANE_UNIT: 3}, 200.0),
        ({FOCAL: rational(25), PLANE: rational(254)}, 250.0),
        ({FOCAL: rational(20)}, None),
        ({FOCAL_IN_35MM: 0}, None),
        ({FOCAL_IN_35MM: 60000}, None),
        ({FOCAL: rational(20), PLANE: rational(100), PLANE_UNIT: 99}, None),
    ],
)
def test_focal_lengths_by_the_sensor(tags: dict, focal: float | None) -> None:
    found = load_photograph(encoded(GRADIENT, "JPEG", tags)).focal
    assert found == (None if focal is None else pytest.approx(focal, rel=0.01))


def test_deep_pictures_keep_their_tones(tmp_path: Path) -> None:
    ramp = np.tile(np.linspace(0, 65535, 60).astype(np.uint16), (40, 1))
    expected = np.linspace(0, 255, 60)
    for kind in ("PNG", "TIFF"):
        pixels = load_photograph(encoded(Image.fromarray(ramp), kind)).picture.pixels
        assert np.abs(pixels[10, :, 0] - expected).max() <= 1
    light = Image.fromarray((ramp / 65535).astype(np.float32))
    pixels = load_photograph(encoded(light, "TIFF")).picture.pixels
    assert np.abs(pixels[3, :, 1] - expected).max() <= 1


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "PA", "RGBA", "CMYK", "YCbCr", "I", "F"])
def test_every_mode_is_colour(mode: str) -> None:
    kind = "TIFF" if mode in ("CMYK", "YCbCr", "I", "F", "PA") else "PNG"
    image = Image.new("RGB", (5, 4), (200, 200, 200)).convert(mode if mode != "PA" else "P")
    assert load_photograph(encoded(image, kind)).picture.pixels.shape == (4, 5, 3)


def test_cmyk_with_a_profile_of_another_kind() -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    content = encoded(Image.new("CMYK", (3, 2), (0, 0, 0, 0)), "JPEG", icc_profile=profile)
    assert load_photograph(content).picture.pixels.min() > 250


def test_one_pixel() -> None:
    photograph = load_photograph(encoded(Image.new("RGB", (1, 1), "red"), "PNG"))
    assert photograph.picture.pixels.tolist() == [[[255, 0, 0]]]


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")
def test_damaged_exif_is_none() -> None:
    good = encoded(GRADIENT, "JPEG", {FOCAL_IN_35MM: 28})
    at = good.index(b"Exif\0\0") + 6
    for change in (b"\xff" * 8, b"II*\0\xff\xff\xff\x7f", good[at : at + 8] + b"\xff" * 40):
        photograph = load_photograph(good[:at] + change + good[at + len(change) :])
        assert photograph.focal is None
        assert photograph.size == (60, 40)


def refused(source: str | Path | bytes) -> str:
    with pytest.raises(UserError) as caught:
        load_photograph(source)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_bad_files_are_one_sentence(tmp_path: Path) -> None:
    assert "no file" in refused(tmp_path / "missing.jpg")
    assert "not a picture" in refused(tmp_path)
    assert "not a picture" in refused("a\0b.jpg")
    assert "not a picture" in refused(b"")
    assert "not a picture" in refused(b"GIF87a nonsense")
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 255, (80, 80, 3), np.uint8))
    for kind in ("JPEG", "PNG", "WEBP", "TIFF"):
        content = encoded(noise, kind)
        told = refused(content[: len(content) // 2])
        assert "The picture is not a picture that can be read" in told


def test_too_large_pictures_are_refused_before_they_are_decoded() -> None:
    content = bytearray(encoded(GRADIENT, "PNG"))
    # The size in the header says 20000 x 20000; its checksum is made to fit.
    import zlib

    content[16:24] = struct.pack(">II", 20_000, 20_000)
    content[29:33] = struct.pack(">I", zlib.crc32(bytes(content[12:29])))
    assert "too large" in refused(bytes(content))


# -- fSpy ----------------------------------------------------------------------------------------

OPENGL = np.diag([1.0, -1.0, -1.0])
"""fSpy's camera axes in ours."""


def project(
    camera: Camera, up_is_y: bool = False, unit: str = "No unit", **changes: object
) -> bytes:
    """An fSpy project with a known camera."""
    k, scale = camera.k, 0.5 * max(camera.width, camera.height)
    pose = camera.camera_to_world
    pose[:3, :3] = pose[:3, :3] @ OPENGL
    if up_is_y:
        pose = np.array([[1, 0, 0, 0], [0, 0, 1, 0], [0, -1, 0, 0], [0, 0, 0, 1.0]]) @ pose
    parameters = {
        "principalPoint": {
            "x": (k[0, 2] - 0.5 * camera.width) / scale,
            "y": -(k[1, 2] - 0.5 * camera.height) / scale,
        },
        "cameraTransform": {"rows": pose.tolist()},
        "horizontalFieldOfView": 2 * math.atan(0.5 * camera.width / k[0, 0]),
        "imageWidth": camera.width,
        "imageHeight": camera.height,
        **changes,
    }
    state = {
        "cameraParameters": parameters,
        "calibrationSettingsBase": {"referenceDistanceUnit": unit},
    }
    return packed(state, encoded(GRADIENT.resize((camera.width, camera.height)), "PNG"))


def packed(state: object, picture: bytes, version: int = 1) -> bytes:
    text = json.dumps(state).encode()
    return b"fspy" + struct.pack("<III", version, len(text), len(picture)) + text + picture


@pytest.fixture(params=[(90, 60), (60, 90)])
def camera(request: pytest.FixtureRequest) -> Camera:
    width, height = request.param
    camera = Camera.looking_at((2.0, -3.0, 1.7), (0.0, 0.0, 0.3), width, height, 0.8)
    k = camera.k
    k[:2, 2] += [4.0, -7.0]
    return Camera.from_matrices(width, height, k, camera.extrinsics)


@pytest.mark.parametrize("up_is_y", [False, True])
def test_an_fspy_project_is_a_calibrated_photograph(
    camera: Camera, up_is_y: bool, tmp_path: Path
) -> None:
    path = tmp_path / "street.fspy"
    path.write_bytes(project(camera, up_is_y))
    photograph = load_photograph(path)
    assert photograph.name == "street"
    assert photograph.size == (camera.width, camera.height)
    assert photograph.camera is not None
    assert photograph.camera.k == pytest.approx(camera.k)
    assert photograph.camera.extrinsics == pytest.approx(camera.extrinsics, abs=1e-9)
    assert photograph.focal == pytest.approx(camera.k[0, 0])


def test_the_units_of_fspy_are_metres_here(camera: Camera) -> None:
    found = load_photograph(project(camera, unit="Centimeters")).camera
    assert found is not None
    assert found.position == pytest.approx(0.01 * camera.position)


def test_an_fspy_project_without_a_camera_is_a_photograph() -> None:
    picture = encoded(GRADIENT, "PNG")
    photograph = load_photograph(packed({"cameraParameters": None}, picture))
    assert photograph.camera is None
    assert photograph.size == (60, 40)


def test_broken_fspy_projects_are_one_sentence(camera: Camera) -> None:
    good = project(camera)
    assert "version 7" in refused(packed({}, b"", version=7))
    assert "holds no picture" in refused(packed({"cameraParameters": None}, b""))
    for length in (4, 12, 40, len(good) - 5):
        assert "cut off" in (told := refused(good[:length])) or "fSpy" in told
    for state in ([], {}, {"cameraParameters": 3}, {"cameraParameters": {}}, None, "x"):
        assert "fSpy" in refused(packed(state, encoded(GRADIENT, "PNG")))
    for change in (
        {"imageWidth": 7},
        {"horizontalFieldOfView": "wide"},
        {"horizontalFieldOfView": 0.0},
        {"horizontalFieldOfView": math.nan},
        {"cameraTransform": {"rows": [[1, 2], [3]]}},
        {"cameraTransform": {"rows": np.ones((4, 4)).tolist()}},
        {"principalPoint": {"x": math.inf, "y": 0}},
    ):
        assert "fSpy" in refused(project(camera, **change))
    assert "not a picture" in refused(packed({"cameraParameters": None}, b"no picture"))


@pytest.mark.parametrize("turned", [False, True])
def test_heic(turned: bool, tmp_path: Path) -> None:
    from pillow_heif import from_pillow

    exif = Image.Exif()
    exif[0x0112] = 6 if turned else 1
    exif.get_ifd(0x8769)[FOCAL_IN_35MM] = 28
    path = tmp_path / "holiday.HEIC"
    from_pillow(GRADIENT).save(path, exif=exif.tobytes(), quality=90)
    photograph = load_photograph(path)
    assert photograph.size == ((40, 60) if turned else (60, 40))
    assert photograph.focal == pytest.approx(28 / 43.2666 * math.hypot(60, 40))
    dark, light = photograph.picture.pixels[2], photograph.picture.pixels[-3]
    assert turned == bool(dark.mean() < 40 and light.mean() > 190)
    content = path.read_bytes()
    with pytest.raises(UserError, match="not a picture"):
        load_photograph(content[: len(content) // 2])
    assert load_photograph(content).size == photograph.size


def test_the_decoder_of_heic_is_loaded_for_heic_alone(tmp_path: Path) -> None:
    code = (
        "import sys; from neural_assets_core.calibration import load_photograph as load;"
        "load(sys.argv[1]); print('pillow_heif' in sys.modules)"
    )
    GRADIENT.save(tmp_path / "a.png")
    ended = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "a.png")],
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    assert ended.stdout.strip() == "False"
