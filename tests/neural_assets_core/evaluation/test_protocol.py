"""The paper's protocol on small data sets in the published formats, and what is written of it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from neural_assets_core.cli.main import app
from neural_assets_core.data.readers import open_clips
from neural_assets_core.errors import UserError
from neural_assets_core.evaluation.metrics import crop_bounds, psnr
from neural_assets_core.evaluation.networks import Networks
from neural_assets_core.evaluation.page import curve
from neural_assets_core.evaluation.pairs import Pair, area, paper_pairs, seen_to_move, squared
from neural_assets_core.evaluation.protocol import evaluate_paper, slug
from neural_assets_core.evaluation.results import CASES, read_results
from neural_assets_core.geometry import Box, Camera
from neural_assets_core.scene import GenerationSettings
from tests.neural_assets_core.conftest import SIZE
from tests.neural_assets_core.data.readers.drawn import (
    write_footage,
    write_movi,
    write_object,
    write_objectron,
    write_waymo,
)
from tests.neural_assets_core.evaluation import published
from tests.neural_assets_core.evaluation.test_run import checkpoint, frame

__all__ = ["checkpoint"]

SIDE = 64


def first_pair(path: Path, split: str = "train", seed: int = 0) -> Pair:
    found = next(paper_pairs(open_clips(path, split), SIDE, seed))
    assert found is not None
    return found


def test_pairs_of_every_format(tmp_path: Path) -> None:
    write_movi(tmp_path / "movi" / "movi_e" / "64x64" / "1.0.0")
    write_objectron(tmp_path / "objectron", held="portrait", stored="upright")
    write_waymo(tmp_path / "waymo")
    write_footage(tmp_path / "footage")
    for name in ("movi", "objectron", "waymo", "footage"):
        pair = first_pair(tmp_path / name)
        case = pair.case
        assert pair.frames[0] != pair.frames[1]
        assert case.task == "move"
        assert case.edited
        for shown in (case.source, case.target):
            assert shown.image.shape == (SIDE, SIDE, 3)
            assert (shown.camera.width, shown.camera.height) == (SIDE, SIDE)
            assert all(area(number, shown) >= 0.01 for number in case.edited)
            # The camera was cut and resized with its picture: boxes lie on what they hold.
            for item in shown.objects:
                seen = shown.camera.project(item.box.corners())[:, :2] / SIDE
                x0, y0, x1, y1 = item.region
                if item.id in case.edited and min(x0, y0) > 0.02 and max(x1, y1) < 0.98:
                    assert seen.min(axis=0) == pytest.approx([x0, y0], abs=0.04)
                    assert seen.max(axis=0) == pytest.approx([x1, y1], abs=0.04)
        # The request: looks of the source, poses and camera of the target.
        assert case.scene.camera == case.target.camera
        again = first_pair(tmp_path / name)
        assert again.frames == pair.frames
        assert np.array_equal(again.case.target.image, case.target.image)


def test_the_middle_square_is_what_is_kept(tmp_path: Path) -> None:
    write_footage(tmp_path)
    wide = open_clips(tmp_path)[0][0]
    height, width = wide.mask.shape
    middle = squared(wide, height)
    left = (width - height) // 2
    assert np.array_equal(middle.image, wide.image[:, left : left + height])
    for item, old in zip(middle.objects, wide.objects, strict=True):
        inside = (middle.mask == item.id).sum() / (wide.mask == item.id).sum()
        assert item.visible_fraction == pytest.approx(old.visible_fraction * inside)


def test_small_or_missing_objects_make_no_pair(tmp_path: Path) -> None:
    folder = write_object(tmp_path, "translate")
    clips = open_clips(tmp_path)
    # Of an edit the object counts however small; it is what the sample is about.
    assert next(paper_pairs(clips, SIDE)) is not None
    mask = Image.open(folder / "1_mask.png")
    Image.new("RGB", mask.size, (228, 26, 28)).save(folder / "1_mask.png")
    assert list(paper_pairs(clips, SIDE)) == [None]
    write_footage(tmp_path / "one", frames=1)
    assert list(paper_pairs(open_clips(tmp_path / "one"), SIDE)) == [None]


def test_what_stands_still_is_not_judged(camera: Camera, boxes: list[Box]) -> None:
    before = frame(camera, boxes)
    after = frame(camera, [boxes[0].translated((0.1, -0.2, 0)), boxes[1]])
    assert seen_to_move(before, after) == [1]
    assert seen_to_move(before, before) == []
    # Everything is seen to move with the camera.
    nearer = Camera.looking_at((0.6, -2.5, 1.6), (0.0, 0.0, 0.2), SIZE, SIZE, 0.8)
    assert seen_to_move(before, frame(nearer, boxes)) == [1, 2]


def test_edits_with_samples_networks_and_files(checkpoint: str, tmp_path: Path) -> None:
    data = tmp_path / "object"
    write_object(data, "translate", part="val/seen")
    write_object(data, "remove", part="val/unseen")
    networks = Networks.load(
        lpips=published.write_lpips(tmp_path / "lpips"),
        dino=str(published.write_dino(tmp_path / "dino")),
    )
    out = tmp_path / "out"
    settings = GenerationSettings(steps=1, seed=5)
    results = evaluate_paper(
        checkpoint, data=data, against=[f"{checkpoint}@2"], size=SIDE, out=out,
        settings=settings, networks=networks,
    )  # fmt: skip
    stored = read_results(out / CASES)
    assert (stored.columns, stored.methods) == (results.columns, results.methods)
    assert list(stored.rows) == list(results.rows)
    assert list(stored.groups()) == ["all", "seen", "unseen", "remove", "translate"]
    neural = [row for row in stored.rows if row["method"] == "neural"]
    # Two cases of four samples each, and one of each counts: the best inside the object.
    assert [row["seed"] for row in neural] == [5, 6, 7, 8] * 2
    assert sum(row["kept"] for row in neural) == 2
    for first in (0, 4):
        four = neural[first : first + 4]
        best = max(four, key=lambda row: row["masked_psnr"])
        assert best["kept"]
        assert len({row["psnr"] for row in four}) > 1
        assert [row["picture"] is not None for row in four] == [row["kept"] for row in four]
    other = [row for row in stored.rows if row["method"] == f"{checkpoint}@2"]
    assert {row["steps"] for row in other} == {2}
    copied = stored.of("copy")
    assert all(row["seed"] is None and row["sample"] == 0 for row in copied.values())
    # Figures can be had again from the files, by whoever doubts them.
    for case in copied.values():
        truth = np.asarray(Image.open(out / case["truth"]))
        for method in ("copy", "neural"):
            row = stored.of(method)[case["case"]]
            picture = np.asarray(Image.open(out / row["picture"]))
            assert row["psnr"] == pytest.approx(psnr(picture, truth), abs=1e-6)
            assert row["object_lpips"] > 0 or method == "copy"
            assert row["object_dino"] <= 1 + 1e-5
    removed = next(row for row in copied.values() if row["task"] == "remove")
    assert (removed["objects"], removed["edited"], removed["group"]) == (2, [1], "unseen")
    # Of a removed object its old place is judged.
    pair = next(
        found.case for found in paper_pairs(open_clips(data, "heldout"), SIDE, 5)
        if found is not None and found.case.task == "remove"
    )  # fmt: skip
    crop = crop_bounds(pair.regions[0], SIDE, SIDE)
    expected = psnr(pair.source.image[crop], pair.target.image[crop])
    assert removed["object_psnr"] == pytest.approx(expected)
    assert removed["masked_psnr"] == pytest.approx(expected)
    summary = json.loads((out / "summary.json").read_text())
    figure = summary["figures"]["all"]["neural"]["object_psnr"]
    assert figure["low"] <= figure["mean"] <= figure["high"]
    assert summary["gains"]["copy"].keys() >= {"psnr", "object_lpips"}
    assert summary["about"]["weights"]["lpips"].startswith("lpips ")
    text = (out / "summary.md").read_text()
    assert "FID is left out: --inception-weights" in text
    assert "LPIPS is left out" not in text
    assert "not the best one" in text
    page = (out / "report.html").read_text()
    assert page.count("<polyline") == len(stored.columns) * len(stored.methods)
    assert (out / "sheet.png").is_file()


def test_fid_is_of_all_pictures(tmp_path: Path) -> None:
    from neural_assets_core.evaluation.protocol import _Gathered

    rng = np.random.default_rng(0)
    found = _Gathered()
    truth = rng.normal(size=(6, 3, 4)).astype(np.float32)
    found.features = {"truth": list(truth), "neural": list(truth + 1)}
    # One picture and two crops each: all of them are moved by (1, 1, 1, 1).
    assert found.distances("neural") == pytest.approx({"fid": 4.0, "object_fid": 4.0}, rel=1e-4)
    assert found.distances("truth") == pytest.approx({"fid": 0, "object_fid": 0}, abs=1e-9)


def test_the_command(checkpoint: str, tmp_path: Path) -> None:
    write_waymo(tmp_path / "waymo")
    runner = CliRunner()
    run = ["evaluate", "--checkpoint", checkpoint, "--protocol", "paper"]
    more = ["--split", "train", "--size", str(SIDE), "--whole", "--out", str(tmp_path / "out")]
    done = runner.invoke(app, [*run, "--data", str(tmp_path / "waymo"), *more])
    assert done.exit_code == 0, done.output
    assert "LPIPS is left out: --lpips-weights" in done.output
    results = read_results(tmp_path / "out" / CASES)
    assert (results.about["format"], results.about["whole"]) == ("waymo", True)
    assert [c.name for c in results.columns][:2] == ["psnr", "ssim"]
    assert {row["sample"] for row in results.rows} == {0}
    assert "lpips" not in [c.name for c in results.columns]


def test_what_is_wrong_is_said(checkpoint: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"choose its cases\.parquet"):
        read_results(Path(__file__))
    with pytest.raises(UserError, match="check the path"):
        read_results(tmp_path / "nothing.parquet")
    write_footage(tmp_path / "data", frames=1)
    with pytest.raises(UserError, match="no pair of frames"):
        evaluate_paper(checkpoint, data=tmp_path / "data", split="train", out=tmp_path / "out")


def test_names_become_folders() -> None:
    assert slug("neural") == "neural"
    names = ["/a/b@2,1.5", "a/b@2,1.5", "../x", "x"]
    assert len({slug(name) for name in names}) == 4
    assert all("/" not in slug(name) and not slug(name).startswith(".") for name in names)


def test_curves_say_how_many_are_at_least_so_good() -> None:
    values = np.array([3.0, 1.0, np.nan, 2.0, 4.0])
    levels, shares = curve(values, higher=True)
    assert dict(zip(levels, shares, strict=True)) == {1: 100, 2: 75, 3: 50, 4: 25}
    levels, shares = curve(values, higher=False)
    assert dict(zip(levels, shares, strict=True)) == {1: 25, 2: 50, 3: 75, 4: 100}


