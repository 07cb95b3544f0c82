"""Preferences on disk and on the command line; the choice of device and precision."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from neural_assets_core.cli import app
from neural_assets_core.device_choice import Machine, choose, find_machine
from neural_assets_core.errors import UserError
from neural_assets_core.preferences import (
    Preferences,
    load_preferences,
    preferences_path,
    store_preferences,
)


@pytest.fixture
def stored() -> Path:
    """The file of a user who has none yet."""
    return preferences_path()


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def test_they_are_kept_with_fields_of_others(stored: Path) -> None:
    assert load_preferences() == Preferences()
    store_preferences(Preferences.model_validate({"device": "cpu", "later": [1]}))
    again = load_preferences()
    assert (again.device, again.model_extra) == ("cpu", {"later": [1]})
    assert json.loads(stored.read_text())["schema"] == 1


@pytest.mark.parametrize(
    "text", ["{", "[]", "{}", '{"schema": 1, "device": "tpu"}', '{"schema": 1, "memory": -1}']
)
def test_a_damaged_file_is_kept_aside(
    stored: Path, text: str, caplog: pytest.LogCaptureFixture
) -> None:
    stored.parent.mkdir(parents=True)
    stored.write_text(text)
    assert load_preferences() == Preferences()
    assert load_preferences() == Preferences()
    assert stored.with_name("preferences.json.broken").read_text() == text
    assert len(caplog.records) == 1


def test_a_newer_file_is_left_alone(stored: Path) -> None:
    stored.parent.mkdir(parents=True)
    newer = '{"schema": 2, "device": "cpu"}'
    stored.write_text(newer)
    assert load_preferences() == Preferences()
    with pytest.raises(UserError, match="newer version"):
        store_preferences(Preferences())
    assert stored.read_text() == newer


@pytest.mark.parametrize(
    ("wanted", "machine", "device", "precision"),
    [
        ({}, Machine(), "cpu", "fp32"),
        ({}, Machine(gpus=("H200",)), "cuda", "fp16"),
        ({"device": "cpu"}, Machine(gpus=("H200",)), "cpu", "fp32"),
        ({"precision": "bf16"}, Machine(fast_bf16=True), "cpu", "bf16"),
        ({"device": "mps"}, Machine(mps=True), "mps", "fp32"),
    ],
)
def test_the_choice(wanted: dict[str, str], machine: Machine, device: str, precision: str) -> None:
    choice = choose(Preferences().changed(**wanted), machine)
    assert (choice.device, choice.precision) == (device, precision)
    assert choice.device_reason
    assert choice.precision_reason


@pytest.mark.parametrize(
    ("wanted", "machine", "runtime"),
    [
        ({}, Machine(), "torch"),
        ({"runtime": "openvino"}, Machine(), "torch"),
        ({}, Machine(openvino="2026.4"), "openvino"),
        ({"runtime": "torch"}, Machine(openvino="2026.4"), "torch"),
        ({"runtime": "openvino"}, Machine(gpus=("H200",), openvino="2026.4"), "torch"),
    ],
)
def test_the_runtime(wanted: dict[str, str], machine: Machine, runtime: str) -> None:
    choice = choose(Preferences().changed(**wanted), machine)
    assert choice.runtime == runtime
    assert choice.runtime_reason


@pytest.mark.parametrize("wanted", [{"device": "cuda"}, {"device": "mps"}, {"precision": "fp16"}])
def test_impossible_choices(wanted: dict[str, str]) -> None:
    with pytest.raises(UserError, match="choose"):
        choose(Preferences().changed(**wanted), Machine())


def test_settings_on_the_command_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert json.loads(run("settings", "--json").stdout) == Preferences().model_dump()
    changed = run("settings", "--device", "cpu", "--preview-steps", "2", "--runtime", "torch")
    assert changed.exit_code == 0
    assert load_preferences() == Preferences(device="cpu", preview_steps=2, runtime="torch")
    refused = run("settings", "--preview-steps", "0")
    assert refused.exit_code == 2
    assert "--preview-steps" in refused.output
    assert "no file" in run("settings", "--certificate", "missing.pem").stderr
    Path("own.pem").write_text("")
    run("settings", "--certificate", "own.pem")
    # Whatever folder the next command is started in.
    assert load_preferences().certificate == str(Path.cwd() / "own.pem")
    assert run("settings", "--restore-defaults").exit_code == 0
    assert load_preferences() == Preferences()


@pytest.mark.parametrize("text", ["{", '{"schema": 2}'])
def test_unusable_settings_are_told_on_the_command_line(stored: Path, text: str) -> None:
    stored.parent.mkdir(parents=True)
    stored.write_text(text)
    result = run("settings", "--json")
    assert result.exit_code == 0
    assert result.stderr.startswith("Warning: The settings in ")
    assert json.loads(result.stdout) == Preferences().model_dump()


def test_figures_do_not_depend_on_what_the_user_prefers(
    tiny_pipeline: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    from neural_assets_core.decoders.neural import NeuralDecoder
    from neural_assets_core.evaluation import methods
    from neural_assets_core.model.loading import DTYPES

    tiny_pipeline.save_pretrained(str(tmp_path / "tiny"))
    store_preferences(Preferences(device="cpu", precision="bf16"))
    assert NeuralDecoder.open(str(tmp_path / "tiny")).pipeline.unet.dtype == torch.bfloat16
    loaded = []

    def load(*arguments: Any) -> Any:
        loaded.append(load_pipeline(*arguments))
        return loaded[-1]

    load_pipeline = methods.load_pipeline
    monkeypatch.setattr(methods, "load_pipeline", load)
    methods.line_up([str(tmp_path / "tiny")])
    expected = choose(Preferences(), find_machine())
    assert [pipeline.unet.dtype for pipeline in loaded] == [DTYPES[expected.precision]]
    assert [pipeline.device.type for pipeline in loaded] == [expected.device]


@pytest.fixture
def sound(tiny_pipeline: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of checkpoints with a default one that loads."""
    folder = tmp_path / "checkpoints" / "default"
    tiny_pipeline.save_pretrained(str(folder))
    monkeypatch.setattr("neural_assets_core.resources.DEFAULT_CHECKPOINT", folder)
    monkeypatch.setenv("COLUMNS", "200")
    return folder


def test_the_doctor_finds_nothing_amiss(sound: Path) -> None:
    result = run("doctor")
    assert result.exit_code == 0, result.output
    assert "Checkpoint default" in result.output
    assert "Processor's instructions" in result.output
    choice = choose(Preferences(), find_machine())
    assert f"{choice.runtime}: {choice.runtime_reason}" in result.output


def test_the_doctor_finds_what_is_amiss(sound: Path, stored: Path) -> None:
    other = sound.with_name("other")
    other.mkdir()
    (other / "model_index.json").write_text("{")
    stored.parent.mkdir(parents=True)
    stored.write_text("{")
    result = run("doctor")
    assert result.exit_code == 1
    for told in ("Checkpoint other", "fetch the checkpoint again", "set them again"):
        assert told in result.output
