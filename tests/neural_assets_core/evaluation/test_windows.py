"""With and without the decode window: what is measured, and the table."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from typer import Typer
from typer.testing import CliRunner

from neural_assets_core.decoders.neural import NeuralDecoder
from neural_assets_core.evaluation import windows
from neural_assets_core.evaluation.windows import (
    DIGITS,
    DISTANCES,
    WHOLE,
    WINDOW,
    compare,
    sharpness,
    whole_picture,
)
from neural_assets_core.geometry import Box
from neural_assets_core.model.pipeline import NeuralAssetsPipeline
from neural_assets_core.scene import Scene


def test_blur_costs_sharpness() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (48, 48, 3), dtype=np.uint8)
    values = [sharpness(cv2.GaussianBlur(noise, (0, 0), s)) for s in (0.5, 1.0, 2.0)]
    assert sharpness(noise) > values[0] > values[1] > values[2] > 0


def test_the_whole_picture_is_drawn_where_asked(
    tiny_pipeline: NeuralAssetsPipeline, scene: Scene, boxes: list[Box]
) -> None:
    moved = scene.with_box("box 1", boxes[0].translated((0.0, 0.0, 0.0)).scaled(0.5))
    pictures = [
        decoder.generate(moved).picture.pixels.astype(int)
        for decoder in (
            NeuralDecoder(tiny_pipeline),
            NeuralDecoder(tiny_pipeline, whole_picture),
            NeuralDecoder(tiny_pipeline, whole_picture),
        )
    ]
    assert np.array_equal(pictures[1], pictures[2])
    # Another window, another picture: but never where nothing was touched.
    different = np.abs(pictures[0] - pictures[1]).max(axis=2) > 0
    assert different.any()
    assert not different[:10].any()


def test_the_gain_is_of_the_window_over_the_whole_picture() -> None:
    def row(value: float) -> dict[str, float]:
        return dict.fromkeys(DIGITS, value)

    means = compare({WINDOW: [row(3.0), row(5.0)], WHOLE: [row(2.0), row(4.0)]})
    assert {figure.mean for figure in means["window's gain"].values()} == {1.0}
    assert {figure.mean for figure in means[WINDOW].values()} == {4.0}


def test_the_command_writes_its_table(
    tiny_pipeline: NeuralAssetsPipeline, tmp_path: Path
) -> None:
    checkpoint, out = tmp_path / "checkpoint", tmp_path / "out"
    tiny_pipeline.save_pretrained(str(checkpoint))
    app = Typer()
    app.command()(windows.main)
    options = ["--checkpoint", checkpoint, "--pairs", 2, "--size", 64, "--out", out]
    result = CliRunner().invoke(app, [str(option) for option in options])
    assert result.exit_code == 0, result.output
    report = json.loads((out / "windows.json").read_text())
    assert report["pairs"] == 2
    assert list(report["distances"]) == [f"{distance:g}" for distance in DISTANCES]
    for found in report["distances"].values():
        means = {way: figures["PSNR, dB"]["mean"] for way, figures in found["figures"].items()}
        assert means["window's gain"] == pytest.approx(means[WINDOW] - means[WHOLE], abs=2e-4)
        assert all(0 < side <= 1 for side in found["sides"])
    assert "| whole picture |" in (out / "windows.md").read_text()
