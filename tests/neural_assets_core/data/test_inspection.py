"""`dataset show` and `dataset check`, on data in several formats, whole and broken."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from neural_assets_core.cli import app
from neural_assets_core.data.dataset import (
    AnnotatedFrame,
    DatasetInfo,
    ObjectAnnotation,
    begin_dataset,
    visible_region,
    write_clip,
)
from neural_assets_core.geometry import Box, Camera
from tests.neural_assets_core.conftest import paint
from tests.neural_assets_core.data.readers.drawn import write_footage, write_movi


def write_made(folder: Path, camera: Camera, boxes: list[Box], told: list[Box]) -> Path:
    """Two clips of made data's format whose annotations are `told`, whatever is drawn."""
    image, ids = paint(camera, boxes)
    objects = tuple(
        ObjectAnnotation(k, f"box {k}", "box", box, visible_region(ids, k), 1.0)
        for k, box in enumerate(told, start=1)
    )
    frame = AnnotatedFrame(image, ids, camera, objects, (0, 0, 1, 0))
    begin_dataset(folder, DatasetInfo(camera.width, 2, 2, 0, "train", ("box",)))
    for name in ("000000", "000001"):
        write_clip(folder, name, [frame, frame])
    return folder


def check(folder: Path) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["dataset", "check", str(folder)])
    return result.exit_code, result.output


def test_a_sheet_shows_frames_and_boxes(tmp_path: Path) -> None:
    truth = write_movi(tmp_path / "movi", frames=3)
    out = tmp_path / "sheet.png"
    result = CliRunner().invoke(app, ["dataset", "show", str(tmp_path / "movi"), "--out", str(out)])
    assert result.exit_code == 0, result.output
    assert "MOVi" in result.stdout
    sheet = np.asarray(Image.open(out))
    # Two clips below each other, three frames of each beside each other, four times as large.
    assert sheet.shape[1] == 3 * (256 + 6) + 6
    tile = sheet[34 : 34 + 256, 6 : 6 + 256]
    x, y = (truth.corners[0][0][3] * 4).round().astype(int)
    near = tile[y - 2 : y + 3, x - 2 : x + 3].astype(int)
    assert np.abs(near - (230, 159, 0)).sum(axis=2).min() < 60


def test_whole_data_pass(tmp_path: Path, camera: Camera, boxes: list[Box]) -> None:
    write_footage(tmp_path / "mine")
    assert check(tmp_path / "mine")[0] == 0
    code, told = check(write_made(tmp_path / "made", camera, boxes, boxes))
    assert code == 0, told
    assert "nothing is wrong" in told
    assert "2 clips, 4 frames, 8 boxes" in told


def test_what_is_wrong_is_told(tmp_path: Path, camera: Camera, boxes: list[Box]) -> None:
    beside = [boxes[0].translated((0.6, 0, 0.5)), boxes[1]]
    code, told = check(write_made(tmp_path / "beside", camera, boxes, beside))
    assert code == 1
    assert "shows outside of its box" in told
    assert "4 times, first in clip 000000, frame 0" in told

    behind = [boxes[0], Box(center=(0.2, -3.2, 1.6), size=(0.5, 0.5, 0.5))]
    assert "behind the camera" in check(write_made(tmp_path / "b", camera, boxes, behind))[1]
    thin = [boxes[0].with_size((0.5, 0.4, 0.001)), boxes[1]]
    assert "thinner than 2 mm" in check(write_made(tmp_path / "t", camera, boxes, thin))[1]
    small = write_made(tmp_path / "h", camera, [boxes[0].scaled(0.28)], boxes[:1])
    assert "larger than the object" in check(small)[1]
    missing = check(write_made(tmp_path / "m", camera, boxes, boxes[:1]))[1]
    assert "not annotated" in missing
    hidden = check(write_made(tmp_path / "n", camera, boxes[:1], boxes))[1]
    assert "hidden or outside in all frames (2 times, first in 000000, box 2)" in hidden


def test_missing_and_unreadable_frames_are_told(
    tmp_path: Path, camera: Camera, boxes: list[Box]
) -> None:
    made = write_made(tmp_path / "made", camera, boxes, boxes)
    (made / "clips" / "000000" / "001.png").unlink()
    info = made / "dataset.json"
    info.write_text(json.dumps({**json.loads(info.read_text()), "scenes": 5}))
    code, told = check(made)
    assert code == 1
    assert "3 clips are not rendered yet" in told
    assert "001.png is missing or damaged" in told
    movi = tmp_path / "movi"
    write_movi(movi)
    shard = movi / "movi_e-train.tfrecord-00000-of-00001"
    shard.write_bytes(shard.read_bytes()[:-9])
    assert "cut off" in check(movi)[1]


@pytest.mark.parametrize("command", ["show", "check"])
def test_what_is_no_data_set_is_refused(command: str, tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["dataset", command, str(tmp_path)])
    assert result.exit_code == 2
    assert "no data set that is known" in result.stderr
