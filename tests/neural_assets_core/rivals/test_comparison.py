"""Comparisons: their files, the ablations' switches, and a small one from nothing to its page."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from PIL import Image
from typer.testing import CliRunner

from neural_assets_core.cli import app
from neural_assets_core.data.dataset import ClipDataset
from neural_assets_core.errors import UserError
from neural_assets_core.model.build import EncoderConfig, ModelConfig, build_pipeline
from neural_assets_core.model.pipeline import NeuralAssetsPipeline
from neural_assets_core.rivals import comparison as comparison_module
from neural_assets_core.rivals.compare import compare
from neural_assets_core.rivals.comparison import COMPARISONS, merged, read_comparison
from neural_assets_core.rivals.rows import row_config, train_row
from neural_assets_core.scene import Scene
from neural_assets_core.training.config import read_config
from neural_assets_core.training.samples import PairDataset, SampleShape
from tests.neural_assets_core.rivals.test_editors import data, tiny_config

__all__ = ["data"]


@pytest.mark.parametrize("name", ["rivals", "ablations"])
@pytest.mark.parametrize("size", ["small", "large"])
def test_the_rows_that_ship_fit_the_configurations(name: str, size: str, tmp_path: Path) -> None:
    comparison, base = read_comparison(name), read_config(COMPARISONS / f"{size}.toml")
    configs = [row_config(row, base, tmp_path) for row in comparison.rows]
    assert len({config.out for config in configs}) == len(configs)
    # Each row is another configuration, or another method.
    told = {
        row.method + config.model_copy(update={"out": base.out}).model_dump_json()
        for row, config in zip(comparison.rows, configs, strict=True)
    }
    assert len(told) == len(configs)


def tiny(tiny_model: ModelConfig, **changes: object) -> NeuralAssetsPipeline:
    torch.manual_seed(0)
    plain = {**tiny_model.model_dump(), "maps": (), "lifter": None}
    model = ModelConfig.model_validate(merged(plain, changes))
    pipeline = build_pipeline(model)
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def drawn(pipeline: NeuralAssetsPipeline, scene: Scene) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    return pipeline(
        scene, num_inference_steps=1, guidance_scale=2.0, generator=generator, output_type="latent"
    ).images


def test_without_a_background_or_its_pose(tiny_model: ModelConfig, scene: Scene) -> None:
    bare = tiny(tiny_model, tokenizer={"background_bins": 0})
    unposed = tiny(tiny_model, tokenizer={"background_posed": False})
    whole = tiny(tiny_model)
    camera = scene.camera
    pose = camera.extrinsics.copy()
    pose[0, 3] += 0.2
    moved = type(camera).from_matrices(camera.width, camera.height, camera.k, pose)
    empty = scene.without("box 1").without("box 2")
    # Without objects only the background's token tells that the camera has moved.
    for pipeline, alike in ((whole, False), (unposed, True), (bare, True)):
        first, second = (drawn(pipeline, s) for s in (empty, empty.with_camera(moved)))
        assert first.isfinite().all()
        assert torch.equal(first, second) == alike
    assert bare.asset_tokenizer.background_pose is None
    assert unposed.asset_tokenizer.background_pose is None


def test_an_encoder_and_an_autoencoder_that_were_trained_before(
    tiny_model: ModelConfig, tmp_path: Path
) -> None:
    first = tiny(tiny_model)
    first.save_pretrained(str(tmp_path))
    torch.manual_seed(1)
    started = tiny(
        tiny_model,
        encoder={"initial": str(tmp_path), "sample_size": 48},
        vae={"initial": str(tmp_path)},
    )
    for part in ("visual_encoder", "vae"):
        old, new = (getattr(p, part).state_dict() for p in (first, started))
        assert all(torch.equal(old[key], new[key]) for key in old)
    assert started.visual_encoder.config.sample_size == 48
    with pytest.raises(UserError, match="no checkpoint"):
        tiny(tiny_model, encoder={"initial": str(tmp_path / "nowhere")})


def test_single_frames_are_source_and_target_in_one(data: Path) -> None:
    config = tiny_config(data, data).data
    for paired in (True, False):
        own = config.model_copy(update={"paired": paired, "unmasked_share": 0.0})
        pairs = PairDataset(ClipDataset(data), own, SampleShape(32, 32, 8, 4, False), 10, seed=1)
        still = []
        for index in range(10):
            sample = pairs[index]
            pose = sample["background_pose"].reshape(4, 3)
            alike = torch.allclose(pose, torch.eye(4, 3), atol=1e-6)
            # The same picture: outside the objects' 2D boxes the source is the target.
            seen = (sample["background"] != 128).all(dim=2)
            apart = (sample["background"].int() - sample["target"].int()).abs()[seen]
            still.append(bool(alike and apart.max() <= 1))
        assert all(still) != paired


ROWS = """
title = "A few rows"
text = "Words."
reference = "paper"
tasks = ["translate"]
steps = 1

[[rows]]
name = "copy"
label = "unchanged"
method = "copy"

[[rows]]
name = "paper"
label = "the paper's, single frames"
[rows.changes.data]
paired = false

[[rows]]
name = "3dit"
label = "3DIT-like"
method = "3dit"
"""


def test_a_table_from_nothing_and_again(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "rivals.toml").write_text(ROWS)
    monkeypatch.setattr(comparison_module, "COMPARISONS", tmp_path)
    encoder = EncoderConfig(sample_size=32, block_out_channels=(8, 16), layers_per_block=1)
    config = tiny_config(data, tmp_path)
    model = config.model.model_copy(update={"encoder": encoder})
    config = config.model_copy(update={"model": model})
    out, told = tmp_path / "out", []
    for _ in range(2):
        told.clear()
        page = compare(
            "rivals", config, out, pairs=1, size=48,
            progress=lambda what, done, total: told.append(what),
        )
    # The second time nothing was left to be done.
    assert not any("asking" in what or "rendering" in what for what in told)
    text = page.read_text()
    assert text.count("| 3DIT-like |") == 2
    assert "not finished" not in text
    content = json.loads((out / "rivals.json").read_text())
    rows = {row["name"]: row for row in content["rows"]}
    assert rows["paper"]["trained"]["pairs"] == rows["3dit"]["trained"]["pairs"] == 4
    assert rows["copy"]["trained"] == {}
    assert rows["copy"]["figures"]["background_change"]["mean"] == 0
    with Image.open(out / "rivals.jpg") as sheet:
        assert sheet.width > 5 * 100
    longer = config.model_copy(
        update={"decoder": config.decoder.model_copy(update={"steps": 3})}
    )
    with pytest.raises(UserError, match="other settings"):
        train_row(read_comparison("rivals").rows[1], longer, out)


def test_the_command_says_what_is_wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = CliRunner().invoke(app, ["compare", "rivals", "--config", str(tmp_path / "no.toml")])
    assert told.exit_code == 2
    assert "There is no training configuration" in told.output
    monkeypatch.setenv("WORLD_SIZE", "2")
    told = CliRunner().invoke(app, ["compare", "ablations", "--out", str(tmp_path / "out")])
    assert told.exit_code == 2
    assert "one process" in told.output
    assert not (tmp_path / "out").exists()
