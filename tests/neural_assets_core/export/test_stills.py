"""Stills in other programs' formats, read again by other means."""

from __future__ import annotations

import io
import re
import zipfile
from pathlib import Path

import numpy as np
import OpenEXR
import pytest
from PIL import Image

from neural_assets_core.errors import UserError
from neural_assets_core.export import KINDS, export_still, read_request, still_paths
from neural_assets_core.export.stills import still_preview
from neural_assets_core.proxy import draw_photograph, render_proxy
from neural_assets_core.scene import Picture, Scene
from tests.neural_assets_core.conftest import painted_scene


@pytest.fixture
def edited(camera, boxes) -> Scene:
    """The first box turned and moved in front of the second."""
    scene = painted_scene(camera, boxes)
    moved = boxes[0].translated((0.6, -0.3, 0.0)).rotated((0, 0, 1), 0.3)
    return scene.with_box("box 1", moved)


@pytest.fixture
def picture(edited: Scene) -> Picture:
    return Picture(carved(edited).picture)


def carved(scene: Scene):
    """As the proxy without any weights, on made pictures."""
    return render_proxy(scene, scene.camera)


def write(picture: Picture | None, scene: Scene, path: Path, what: str = "picture", **options):
    return export_still(picture, scene, path, what=what, draw=carved, **options)


def opened(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image)


def exr(path: Path) -> dict[str, np.ndarray]:
    with OpenEXR.File(str(path), separate_channels=True) as file:
        return {name: channel.pixels.copy() for name, channel in file.channels().items()}


class TestPictures:
    @pytest.mark.parametrize("suffix", [".png", ".tif", ".webp", ".jpg"])
    def test_pixels_and_request(self, picture, edited, tmp_path, suffix) -> None:
        path = tmp_path / f"a{suffix}"
        assert write(picture, edited, path, quality=100) == [path]
        apart = np.abs(opened(path).astype(int) - picture.pixels)
        assert apart.max() == 0 if suffix != ".jpg" else apart.mean() < 2
        assert read_request(path) == edited.model_dump_json()

    @pytest.mark.parametrize("suffix", [".png", ".tif", ".webp", ".jpg", ".exr", ".ora"])
    def test_metadata_can_be_left_out(self, picture, edited, tmp_path, suffix) -> None:
        path = tmp_path / f"a{suffix}"
        what = "layers" if suffix == ".ora" else "picture"
        write(picture, edited, path, what, metadata=False)
        content = path.read_bytes()
        assert b"neural-assets" not in content
        assert b"na:scene" not in content

    def test_many_objects_fit_into_a_jpeg_s_metadata(self, picture, edited, tmp_path) -> None:
        crowd = edited
        while len(crowd.objects) < 64:
            crowd = crowd.duplicated("box 1")
        write(picture, crowd, tmp_path / "a.jpg")
        assert read_request(tmp_path / "a.jpg") == crowd.model_dump_json()

    def test_exr_is_linear_with_the_edited_objects_beside(self, picture, edited, tmp_path) -> None:
        write(picture, edited, tmp_path / "a.exr")
        channels = exr(tmp_path / "a.exr")
        value = picture.pixels[..., 0] / 255
        expected = np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)
        np.testing.assert_allclose(channels["R"], expected, atol=1e-3)
        alpha = channels["edited.A"]
        assert alpha.max() == 1.0
        # Multiplied by alpha: where that is one it is the picture.
        solid = alpha == 1
        np.testing.assert_allclose(channels["edited.R"][solid], expected[solid], atol=0.01)
        assert not channels["edited.R"][alpha == 0].any()
        assert read_request(tmp_path / "a.exr") == edited.model_dump_json()

    def test_unedited_objects_are_cut_out_where_none_is_edited(
        self, picture, edited, camera, boxes, tmp_path
    ) -> None:
        untouched = painted_scene(camera, boxes)
        parts = {}
        for name, shown, scene in (
            ("some", picture, edited), ("all", untouched.background.view.picture, untouched)
        ):  # fmt: skip
            write(shown, scene, tmp_path / f"{name}.png", "objects")
            write(None, scene, tmp_path / f"{name}.png", "masks")
            seen = opened(tmp_path / f"{name}.png")[..., 3] > 250
            parts[name] = [
                seen[opened(tmp_path / f"{name}-box {number}.png") > 250].mean()
                for number in (1, 2)
            ]
        assert parts["some"][0] > 0.99 > 0.01 > parts["some"][1]
        assert min(parts["all"]) > 0.99


class TestParts:
    def test_masks_are_what_is_seen_of_each_object(self, edited, tmp_path) -> None:
        written = write(None, edited, tmp_path / "a.png", "masks")
        assert written == still_paths(edited, tmp_path / "a.png", "masks")
        assert [path.name for path in written] == ["a-box 1.png", "a-box 2.png"]
        front, behind = (opened(path) for path in written)
        assert front.max() == behind.max() == 255
        # The first stands before the second now.
        assert not ((front > 0) & (behind > 0)).any()
        write(None, edited, tmp_path / "a.exr", "masks")
        np.testing.assert_allclose(exr(tmp_path / "a.exr")["box 1"], front / 255, atol=2e-3)

    def test_names_of_masks_are_legal_and_differ(self, edited, tmp_path) -> None:
        scene = edited.renamed("box 1", "../a/b").renamed("box 2", ".._A_b")
        names = [path.name for path in still_paths(scene, tmp_path / "m.png", "masks")]
        assert names == ["m-___a_b.png", "m-___A_b 2.png"]
        written = write(None, scene, tmp_path / "m.png", "masks")
        assert sorted(written) == sorted(tmp_path.iterdir())

    def test_depth_of_the_nearest_box(self, edited, tmp_path) -> None:
        write(None, edited, tmp_path / "a.exr", "depth")
        depth = exr(tmp_path / "a.exr")["Z"]
        box = edited.object("box 1").box
        u, v, middle = edited.camera.project(np.asarray(box.center))
        at = depth[int(v), int(u)]
        assert middle - 0.5 < at < middle
        assert np.isinf(depth[0, 0])
        write(None, edited, tmp_path / "a.png", "depth")
        millimetres = opened(tmp_path / "a.png")
        assert abs(millimetres[int(v), int(u)] - 1000 * at) <= 0.5
        assert millimetres[0, 0] == 0
        write(None, edited, tmp_path / "a.tif", "depth")
        np.testing.assert_array_equal(opened(tmp_path / "a.tif"), depth)

    def test_boxes_are_drawn_at_their_corners(self, edited, tmp_path) -> None:
        write(None, edited, tmp_path / "a.png", "boxes")
        overlay = opened(tmp_path / "a.png")
        for u, v, _ in edited.camera.project(edited.object("box 2").box.corners()):
            around = overlay[int(v) - 1 : int(v) + 2, int(u) - 1 : int(u) + 2, 3]
            assert around.max() > 128
        assert (overlay[..., 3] == 0).mean() > 0.8

    def test_sheet_holds_both_pictures(self, picture, edited, tmp_path) -> None:
        write(picture, edited, tmp_path / "a.png", "sheet")
        sheet = opened(tmp_path / "a.png")
        height, width = picture.height, picture.width
        np.testing.assert_array_equal(sheet[-height:, -width:], picture.pixels)
        source = edited.background.view.picture.pixels
        np.testing.assert_array_equal(sheet[-height:, :width], source)


@pytest.mark.parametrize("wrong", [{"what": "pictures"}, {"quality": 0}, {"quality": 101}])
def test_no_such_kind_or_quality(picture, edited, tmp_path, wrong) -> None:
    with pytest.raises(ValueError, match="has to be"):
        write(picture, edited, tmp_path / "a.png", **wrong)
    assert not any(tmp_path.iterdir())


def test_openraster_layers_give_the_picture(picture, edited, tmp_path, monkeypatch) -> None:
    # As in a photograph, where an object begins and ends within a strip of rows.
    monkeypatch.setattr("neural_assets_core.export.layers.BAND", 7)
    path = tmp_path / "a.ora"
    write(picture, edited.renamed("box 2", '<&"> \x01'), path, "layers")
    assert path.read_bytes()[30:54] == b"mimetypeimage/openraster"
    with zipfile.ZipFile(path) as archive:
        assert archive.infolist()[0].compress_type == zipfile.ZIP_STORED
        stack = archive.read("stack.xml").decode()
        files = {name: archive.read(name) for name in archive.namelist()}
    pattern = r'<layer name=.(.*?). src="(.*?)" x="(\d+)" y="(\d+)"'
    hidden, *layers = re.findall(pattern, stack)[::-1]
    assert [name for name, *_ in layers] == ["Background", '&lt;&amp;"&gt; ', "box 1", "Result"]
    assert re.findall('name="(.*?)"[^>]*visibility="hidden"', stack) == ["Photograph"]
    assert hidden[0] == "Photograph"
    photograph = np.asarray(Image.open(io.BytesIO(files[hidden[1]])))[..., :3]
    np.testing.assert_array_equal(photograph, edited.background.view.picture.pixels)
    pile = Image.new("RGBA", (picture.width, picture.height))
    for _, source, x, y in layers[:-1]:
        image = Image.open(io.BytesIO(files[source])).convert("RGBA")
        pile.alpha_composite(image, (int(x), int(y)))
    apart = np.abs(np.asarray(pile)[..., :3].astype(int) - picture.pixels)
    assert apart.max() <= 2
    merged = np.asarray(Image.open(io.BytesIO(files["mergedimage.png"])))
    np.testing.assert_array_equal(merged, picture.pixels)
    assert max(Image.open(io.BytesIO(files["Thumbnails/thumbnail.png"])).size) <= 256
    assert '"name":"box 1"' in read_request(path)


def test_large_pictures_are_looked_at_small(picture, edited, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("neural_assets_core.export.stills.PREVIEW_SIDE", picture.width // 2)
    for what in KINDS:
        small = still_preview(picture, edited, what, carved)
        most = 1.1 if what == "sheet" else 0.5
        assert max(small.shape[:2]) <= most * picture.width, what
    write(picture, edited, tmp_path / "a.png", "objects")
    whole = opened(tmp_path / "a.png")[..., 3] > 128
    seen = still_preview(picture, edited, "objects", carved)[..., 3] > 128
    assert seen.mean() == pytest.approx(whole.mean(), rel=0.1)


class TestRefusals:
    @pytest.mark.parametrize(
        ("name", "what"),
        [("a.jpg", "objects"), ("a.png", "layers"), ("a.bmp", "picture"), ("a", "depth")],
    )
    def test_formats_that_cannot_hold_it(self, picture, edited, tmp_path, name, what) -> None:
        with pytest.raises(UserError, match="choose a name that ends in"):
            write(picture, edited, tmp_path / name, what)
        assert list(tmp_path.glob("a*")) == []

    def test_every_kind_in_every_of_its_formats(self, picture, edited, tmp_path) -> None:
        for what, kind in KINDS.items():
            for suffix in kind.suffixes:
                for path in write(picture, edited, tmp_path / f"{what}{suffix}", what):
                    assert path.stat().st_size > 100

    def test_a_damaged_picture_has_no_request(self, picture, edited, tmp_path) -> None:
        write(picture, edited, tmp_path / "a.jpg")
        content = bytearray((tmp_path / "a.jpg").read_bytes())
        at = content.index(b'na:scene="') + 40
        content[at : at + 8] = b"AAAAAAAA"
        (tmp_path / "a.jpg").write_bytes(content)
        with pytest.raises(UserError, match="not a picture that can be read"):
            read_request(tmp_path / "a.jpg")


def test_photographs_are_taken_apart_too(edited, tmp_path) -> None:
    scene = edited.with_settings(decoder="proxy")
    picture = Picture(draw_photograph(scene, scene.camera).picture)
    export_still(picture, scene, tmp_path / "a.png", what="masks")
    front, behind = (opened(tmp_path / f"a-box {number}.png") for number in (1, 2))
    assert (front > 0).sum() > 100
    assert (behind > 0).sum() > 100
    assert not ((front > 250) & (behind > 10)).any()
