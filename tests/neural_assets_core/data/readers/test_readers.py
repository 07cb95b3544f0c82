"""Published data sets: each convention is pinned by where known boxes are seen in the pictures."""

from __future__ import annotations

import json
import math
import struct
from pathlib import Path

import numpy as np
import pytest

from neural_assets_core.data.dataset import AnnotatedFrame
from neural_assets_core.data.readers import find_format, movi, open_clips
from neural_assets_core.data.readers.folder import _Clip, _numbers, _read
from neural_assets_core.data.readers.objectron import read_sequence
from neural_assets_core.errors import UserError
from neural_assets_core.geometry.raycast import silhouette
from neural_assets_core.resources import TRAINING_CONFIGS
from tests.neural_assets_core.data.readers.drawn import (
    SEGMENT,
    Truth,
    write_footage,
    write_movi,
    write_object,
    write_objectron,
    write_waymo,
)


def check(frames: list[AnnotatedFrame], truth: Truth, pixels: float = 0.05) -> None:
    """Corners where the format's own projection puts them, silhouettes on the drawn objects."""
    assert len(frames) == len(truth.corners)
    for number, frame in enumerate(frames):
        assert frame.image.shape == (frame.camera.height, frame.camera.width, 3)
        assert [item.id for item in frame.objects] == [1, 2]
        for item, expected in zip(frame.objects, truth.corners[number], strict=True):
            seen = frame.camera.project(item.box.corners())[:, :2]
            np.testing.assert_allclose(seen, expected, atol=pixels)
        for item in frame.objects:
            visible = truth.masks[number] == item.id
            covered = silhouette(frame.camera, item.box)
            # The picture shows this object nowhere but inside of its box.
            assert (visible & ~covered).sum() <= 1
            share = visible.sum() / covered.sum()
            assert item.visible_fraction == pytest.approx(share, abs=0.05)


def iou(first: np.ndarray, second: np.ndarray) -> float:
    return float((first & second).sum() / (first | second).sum())


def coloured(image: np.ndarray) -> np.ndarray:
    """Pixels that are not of the grey background."""
    return np.ptp(image.astype(int), axis=2) > 40


def test_movi(tmp_path: Path) -> None:
    truth = write_movi(tmp_path / "movi_e" / "64x64" / "1.0.0")
    assert find_format(tmp_path) == "movi"
    clips = open_clips(tmp_path)
    assert len(clips) == 2
    assert len(open_clips(tmp_path, "heldout")) == 1
    frames = [clips[1][number] for number in range(len(clips[1]))]
    check(frames, truth)
    np.testing.assert_array_equal(frames[1].image, truth.images[1])
    np.testing.assert_array_equal(frames[2].mask, truth.masks[2])
    assert frames[0].measured
    assert [item.name for item in frames[0].objects] == ["Shoe 1", "Toys 1"]
    assert clips[0][-1].camera == clips[0][2].camera
    with pytest.raises(IndexError):
        clips[0][3]


@pytest.mark.parametrize(
    ("held", "stored"), [("portrait", "sensor"), ("portrait", "upright"), ("landscape", "sensor")]
)
def test_objectron(held: str, stored: str, tmp_path: Path) -> None:
    truth = write_objectron(tmp_path, held=held, stored=stored)
    assert find_format(tmp_path) == "objectron"
    clip = open_clips(tmp_path)[0]
    assert clip.name == "cup/batch-0/3"
    frames = [clip[number] for number in range(len(clip))]
    check(frames, truth)
    assert not frames[0].measured
    for frame, image, mask in zip(frames, truth.images, truth.masks, strict=True):
        assert iou(coloured(frame.image), coloured(image)) > 0.97
        assert iou(frame.mask == 1, mask == 1) > 0.95
    # The world stands upright on the table, 0.5 m up in the file's own world.
    cup = frames[0].objects[0].box
    assert cup.base_center()[2] == pytest.approx(0.0, abs=1e-5)
    np.testing.assert_allclose(cup.rotation_matrix()[:, 2], [0, 0, 1], atol=1e-6)
    assert cup.size == pytest.approx((0.12, 0.1, 0.2), abs=1e-6)


@pytest.mark.parametrize("synced", [True, False])
def test_waymo(synced: bool, tmp_path: Path) -> None:
    truth = write_waymo(tmp_path, synced=synced)
    assert find_format(tmp_path) == "waymo"
    clip = open_clips(tmp_path)[0]
    assert clip.name == SEGMENT
    frames = [clip[number] for number in range(len(clip))]
    check(frames, truth)
    assert {item.category for item in frames[0].objects} == {"vehicle", "sign"}
    for frame, mask in zip(frames, truth.masks, strict=True):
        # The lens bent the picture; the reader straightens it.
        assert iou(coloured(frame.image), mask > 0) > 0.96
    # One world for all frames, near its origin: what stands still does so.
    assert np.abs(frames[2].camera.position).max() < 10
    assert frames[0].camera.position == pytest.approx((1.5, 0.1, 2.1))
    assert frames[1].camera.position[2] == pytest.approx(2.1)
    with pytest.raises(UserError, match="camera_image"):
        open_clips(tmp_path / "training" / "camera_image")


def test_object(tmp_path: Path) -> None:
    for task in ("translate", "rotate", "remove"):
        write_object(tmp_path, task, angle=40.0)
    write_object(tmp_path, "rotate", part="val/unseen")
    assert find_format(tmp_path) == "object"
    clips = open_clips(tmp_path)
    assert [clip.name for clip in clips] == [
        "translate/0a1b2c", "rotate/0a1b2c", "remove/0a1b2c"
    ]  # fmt: skip
    assert len(open_clips(tmp_path, "heldout")) == 1
    before, after = (clips[0][index] for index in range(2))
    assert [(item.name, item.id) for item in before.objects] == [("mug 1", 1), ("book 1", 2)]
    # What is true of the drawn cuboids, as far as a rectangle can tell.
    mug = before.objects[0].box
    assert mug.center == pytest.approx((-0.5, 0.2, 0.3), abs=0.08)
    assert mug.size == pytest.approx((0.5, 0.5, 0.6), abs=0.12)
    moved = after.objects[0].box
    assert moved.size == mug.size
    shift = np.subtract(moved.center, mug.center)
    assert shift == pytest.approx((0.2, -0.3, 0), abs=0.08)
    for item in before.objects:
        assert iou(silhouette(before.camera, item.box), before.mask == item.id) > 0.8
    turned = clips[1][1].objects[0].box
    assert math.degrees(turned.yaw() - clips[1][0].objects[0].box.yaw()) == pytest.approx(40)
    assert [item.name for item in clips[2][1].objects] == ["book 1"]


def test_footage(tmp_path: Path) -> None:
    truth = write_footage(tmp_path / "mine")
    write_footage(tmp_path / "mine-heldout")
    assert find_format(tmp_path / "mine") == "folder"
    clip = open_clips(tmp_path / "mine")[0]
    frames = [clip[number] for number in range(len(clip))]
    check(frames, truth)
    assert [item.name for item in frames[0].objects] == ["cup", "tin"]
    for frame, image, mask in zip(frames, truth.images, truth.masks, strict=True):
        np.testing.assert_array_equal(frame.image, image)
        np.testing.assert_array_equal(frame.mask, mask)
    assert len(open_clips(tmp_path / "mine", "heldout")) == 1


# -- what is wrong with files ----------------------------------------------------------------------


def refused(path: Path, words: str) -> None:
    with pytest.raises(UserError, match=words):
        open_clips(path)[0][0]


def test_damaged_shards(tmp_path: Path) -> None:
    write_movi(tmp_path / "movi")
    shard = tmp_path / "movi" / "movi_e-train.tfrecord-00000-of-00001"
    whole = shard.read_bytes()
    # One bit of the data.
    shard.write_bytes(whole[:500] + bytes([whole[500] ^ 1]) + whole[501:])
    with pytest.raises(UserError, match="checksum of the record"):
        open_clips(tmp_path / "movi")[0].verify()
    shard.write_bytes(whole[:-9])
    for cached in (movi._offsets, movi._read):
        cached.cache_clear()
    refused(tmp_path / "movi", "cut off")
    shard.rename(shard.with_name("movi_e-train.tfrecord-00000-of-00004"))
    refused(tmp_path / "movi", "1 of 4 shards")


def test_boxes_that_do_not_fit_their_keypoints(tmp_path: Path) -> None:
    write_objectron(tmp_path)
    file = tmp_path / "annotations" / "cup" / "batch-0" / "3.pbdata"
    whole = file.read_bytes()
    # The first object's place, three floats under field 5, half a metre to the side.
    at = whole.index(b"\x2a\x0c" + struct.pack("<f", 0.05))
    changed = whole[: at + 2] + struct.pack("<f", 0.55) + whole[at + 6 :]
    file.write_bytes(changed)
    refused(tmp_path, "do not fit its keypoints")
    file.write_bytes(whole[:-7])
    read_sequence.cache_clear()
    refused(tmp_path, "damaged")


def test_the_documented_example_is_valid() -> None:
    page = (TRAINING_CONFIGS / "DATA.md").read_text()
    example = page.split("```json")[1].split("```")[0]
    assert len(_Clip.model_validate_json(example).frames) == 2


def test_footage_is_checked(tmp_path: Path) -> None:
    refused(tmp_path, "no data set that is known")
    refused(tmp_path / "nowhere", "no data set folder")
    write_footage(tmp_path)
    file = tmp_path / "desk" / "clip.json"
    content = json.loads(file.read_text())

    def changed(words: str, **changes: object) -> None:
        _read.cache_clear()
        _numbers.cache_clear()
        file.write_text(json.dumps({**content, **changes}))
        refused(tmp_path, words)

    frame = content["frames"][0]
    changed("frame 0 has no camera", frames=[{"picture": "0.png"}])
    changed("outside of the clip", frames=[{**frame, "picture": "../../x.png"}])
    changed("which .* names", frames=[{**frame, "picture": "x.png"}])
    changed("size", objects=[{**content["objects"][0], "size": [1, 1, -1]}])
    changed("frames", frames=[])
    (tmp_path / "desk" / "0.png").write_bytes(b"no picture")
    changed("damaged")
