"""Evaluating a tiny checkpoint on painted clips."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from PIL import Image

from neural_assets_core.data.dataset import (
    GROUND,
    AnnotatedFrame,
    DatasetInfo,
    ObjectAnnotation,
    begin_dataset,
    visible_region,
    write_clip,
)
from neural_assets_core.errors import UserError
from neural_assets_core.evaluation.candidates import parse_candidate
from neural_assets_core.evaluation.results import CASES, read_results
from neural_assets_core.evaluation.run import evaluate
from neural_assets_core.evaluation.sheet import HEAD, MARGIN, SIDE
from neural_assets_core.geometry import Box, Camera
from neural_assets_core.model.pipeline import NeuralAssetsPipeline
from neural_assets_core.scene import GenerationSettings
from tests.neural_assets_core.conftest import SIZE as PAINTED
from tests.neural_assets_core.conftest import paint


def frame(camera: Camera, boxes: list[Box]) -> AnnotatedFrame:
    image, mask = paint(camera, boxes)
    objects = tuple(
        ObjectAnnotation(k, f"box {k}", "box", box, visible_region(mask, k), 1.0)
        for k, box in enumerate(boxes, start=1)
    )
    return AnnotatedFrame(image, mask, camera, objects, GROUND)


@pytest.fixture
def checkpoint(tiny_pipeline: NeuralAssetsPipeline, tmp_path: Path) -> str:
    folder = tmp_path / "checkpoint"
    tiny_pipeline.save_pretrained(str(folder))
    return str(folder)


def dataset(path: Path, clips: list[list[AnnotatedFrame]]) -> Path:
    begin_dataset(path, DatasetInfo(PAINTED, len(clips), len(clips[0]), 0, "heldout", ("box",)))
    for index, frames in enumerate(clips):
        write_clip(path, f"{index:06d}", frames)
    return path


def test_report_and_sheet(
    checkpoint: str, camera: Camera, boxes: list[Box], tmp_path: Path
) -> None:
    before = frame(camera, boxes)
    after = frame(camera, [boxes[0].translated((0.1, -0.2, 0)), boxes[1]])
    data = dataset(tmp_path / "data", [[before, after], [before, before], [after, before]])
    second = shutil.copytree(checkpoint, tmp_path / "second")
    seen = []
    report = evaluate(
        checkpoint,
        pairs=5,
        data=data,
        out=tmp_path / "out",
        settings=GenerationSettings(steps=1),
        against=[str(second), f"{second}@2,1.5"],
        progress=lambda *numbers: seen.append(numbers),
    )
    # In the second clip nothing moves.
    assert seen == [("evaluating", 1, 2), ("evaluating", 2, 2)]
    assert (report.pairs, report.steps, report.benchmark) == (2, 1, None)
    assert list(report.labels) == [
        "neural", str(second), f"{second}@2,1.5", "lifted", "proxy", "copy", "ceiling", "truth"
    ]
    figures = report.figures
    assert figures["neural"]["pairs"]["object_psnr"] == figures[str(second)]["move"]["object_psnr"]
    # The same weights: no gain, and none is claimed.
    assert report.gains[str(second)].mean == 0
    # The same weights, otherwise run.
    assert report.gains[f"{second}@2,1.5"].mean != 0
    assert figures["copy"]["pairs"]["background_change"].mean == 0
    assert figures["truth"]["pairs"].keys() == {
        "silhouette_iou", "centroid_error", "size_error", "identity"
    }
    flat = report.to_json()
    assert flat["object_psnr"] == pytest.approx(
        figures["neural"]["pairs"]["object_psnr"].mean, abs=1e-4
    )
    assert {"copy_source_object_psnr", "proxy_object_psnr", "ceiling_object_psnr"} < flat.keys()
    assert json.loads((tmp_path / "out" / "report.json").read_text()) == report.to_json()
    assert "not reached" in (tmp_path / "out" / "report.md").read_text()
    stored = read_results(tmp_path / "out" / CASES)
    assert stored.methods == report.labels
    assert stored.figures()["all"]["neural"]["object_psnr"] == figures["neural"]["pairs"][
        "object_psnr"
    ]
    row = stored.of(f"{second}@2,1.5")["000002"]
    assert (row["steps"], row["guidance"], row["seed"]) == (2, 1.5, 0)
    with Image.open(stored.folder / row["truth"]) as truth:
        assert truth.size == (PAINTED, PAINTED)
    with Image.open(tmp_path / "out" / "sheet.png") as sheet:
        # Source, truth, two checkpoints, two proxies and the ceiling.
        assert sheet.size == (MARGIN + 8 * SIDE, HEAD + 2 * SIDE)


def test_single_frames_are_no_pairs(
    checkpoint: str, camera: Camera, boxes: list[Box], tmp_path: Path
) -> None:
    data = dataset(tmp_path / "data", [[frame(camera, boxes)]])
    with pytest.raises(UserError, match="fewer than two frames"):
        evaluate(checkpoint, pairs=1, data=data, out=tmp_path / "out")


def test_a_place_that_cannot_be_written_is_said_first(checkpoint: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="Cannot make the folder"):
        evaluate(checkpoint, pairs=1, out=tmp_path / "file" / "out")


def test_how_a_candidate_is_run_is_checked(checkpoint: str, tmp_path: Path) -> None:
    settings = GenerationSettings(steps=3, guidance=2.0)
    assert parse_candidate(checkpoint, settings).settings.steps == 3
    assert parse_candidate(f"{checkpoint}@7", settings).settings.guidance == 2.0
    for text in (f"{checkpoint}@0", f"{checkpoint}@2,99", f"{checkpoint}@2,x", f"{tmp_path}@2"):
        with pytest.raises(UserError):
            parse_candidate(text, settings)
