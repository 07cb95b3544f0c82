"""Tiny models of the real layout, from folders, from a Hub that is a folder too, and wrong ones."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from neural_assets_core.decoders import Cancelled
from neural_assets_core.errors import UserError
from neural_assets_core.estimators import open_estimator, registered
from neural_assets_core.estimators.sources import (
    UNKNOWN,
    download_model,
    find_model,
    licence_of,
    look_up,
)
from neural_assets_core.scene import Picture, Scene, load_scene
from tests.checkpoints import write_depth, write_masks
from tests.neural_assets_core.test_cli import done, refused


@pytest.fixture(scope="module")
def depth_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_depth(tmp_path_factory.mktemp("models") / "depth")


@pytest.fixture(scope="module")
def mask_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_masks(tmp_path_factory.mktemp("models") / "masks", licence="mit")


@pytest.fixture
def copied(depth_model: Path, tmp_path: Path) -> Path:
    """One that may be spoilt."""
    shutil.copytree(depth_model, tmp_path / "own")
    return tmp_path / "own"


class TestModels:
    def test_depth(self, depth_model: Path, small_scene: Scene) -> None:
        estimate = open_estimator("depth", str(depth_model))
        found = estimate(small_scene.background.view.picture)
        assert found.values.shape == (48, 64)
        assert np.isfinite(found.values).all()
        assert found.kind == "inverse"

    def test_a_metric_model_says_so(self, tmp_path: Path, small_scene: Scene) -> None:
        folder = write_depth(tmp_path / "metric", depth_estimation_type="metric")
        found = open_estimator("depth", str(folder))(small_scene.background.view.picture)
        assert found.kind == "depth"

    def test_masks(self, mask_model: Path) -> None:
        proposer = open_estimator("masks", str(mask_model))
        random = np.random.default_rng(0)
        picture = Picture(random.integers(0, 255, (900, 1700, 3), dtype=np.uint8))
        one = proposer.inside(picture, (100.0, 200.0, 900.0, 800.0))
        assert one.mask.shape == (900, 1700)
        small = Picture(picture.pixels[:50, :80].copy())
        # Random weights are sure of nothing: what matters is that each answer is a mask.
        for proposal in proposer.everything(small):
            assert proposal.mask.shape == (50, 80)
        cancel = threading.Event()
        cancel.set()
        with pytest.raises(Cancelled):
            proposer.everything(small, cancel)


class TestWrongModels:
    def test_a_model_of_another_kind(self, depth_model: Path, mask_model: Path) -> None:
        with pytest.raises(UserError, match="cannot be used as a mask generation model"):
            open_estimator("masks", str(depth_model))
        with pytest.raises(UserError, match="cannot be used as a depth estimation model"):
            open_estimator("depth", str(mask_model))

    def test_pickles_code_and_holes(self, copied: Path) -> None:
        config = copied / "config.json"
        before = config.read_text()
        config.write_text(json.dumps(json.loads(before) | {"auto_map": {"AutoModel": "mine.M"}}))
        with pytest.raises(UserError, match="code of its own"):
            open_estimator("depth", str(copied))
        config.write_text(before)
        weights = copied / "model.safetensors"
        weights.rename(copied / "pytorch_model.bin")
        with pytest.raises(UserError, match="pickled"):
            open_estimator("depth", str(copied))
        config.unlink()
        with pytest.raises(UserError, match=r"config\.json"):
            open_estimator("depth", str(copied))

    @pytest.mark.parametrize(
        ("kind", "name", "told"),
        [
            ("depth", "nowhere", "no model folder"),
            ("depth", "some-body/some-model", "not on this machine"),
            ("depth", "moge:weights.pt", "MoGe is not installed"),
            ("camera", "geocalib", "GeoCalib is not installed"),
            ("camera", "another", "geocalib or moge"),
        ],
    )
    def test_missing_ones(self, kind: str, name: str, told: str) -> None:
        with pytest.raises(UserError, match=told):
            open_estimator(kind, name)


def test_a_package_may_bring_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "own_estimator.py").write_text(
        "def open_flat(weights, device):\n    return weights, device\n"
    )
    entries = tmp_path / "own_estimator-1.0.dist-info"
    entries.mkdir()
    (entries / "METADATA").write_text("Metadata-Version: 2.1\nName: own-estimator\nVersion: 1.0\n")
    (entries / "entry_points.txt").write_text(
        "[neural_assets.estimators]\ndepth.flat = own_estimator:open_flat\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    assert sorted(registered("depth")) == ["flat", "moge"]
    assert open_estimator("depth", "flat:here") == ("here", "cpu")


class Hub(BaseHTTPRequestHandler):
    """Answers what the Hub's own client asks about one repository, from a folder."""

    folder: Path

    def do_GET(self) -> None:
        self._answer(body=True)

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def log_message(self, *_: object) -> None:
        pass

    def _answer(self, body: bool) -> None:
        path = self.path.partition("?")[0]
        file = self.folder / path.rpartition("/")[2]
        if path.startswith("/api/models/tiny/depth/tree/"):
            content = json.dumps([
                {"type": "file", "path": one.name, "size": one.stat().st_size, "oid": "0" * 40}
                for one in self.folder.iterdir()
            ]).encode()  # fmt: skip
        elif path.startswith("/api/models/tiny/depth"):
            siblings = [
                {"rfilename": one.name, "size": one.stat().st_size}
                for one in self.folder.iterdir()
            ]
            content = json.dumps({
                "id": "tiny/depth", "sha": "0" * 40, "siblings": siblings,
                "cardData": {"license": "apache-2.0"}, "private": False, "tags": [],
                "downloads": 0, "likes": 0,
            }).encode()  # fmt: skip
        elif path.startswith("/tiny/depth/resolve/") and file.is_file():
            content = file.read_bytes()
        else:
            self.send_response(404)
            self.send_header("X-Error-Code", "RepoNotFound")
            self.end_headers()
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("ETag", f'"{abs(hash(content)):040x}"')
        self.send_header("X-Repo-Commit", "0" * 40)
        self.end_headers()
        if body:
            self.wfile.write(content)


@pytest.fixture
def hub(
    depth_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[str]:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    shutil.copytree(depth_model, tmp_path / "hub")
    (tmp_path / "hub" / "pytorch_model.bin").write_bytes(b"a pickle")
    handler = type("OwnHub", (Hub,), {"folder": tmp_path / "hub"})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


class TestHub:
    def test_looked_up_then_fetched_without_pickles(self, hub: str) -> None:
        with pytest.raises(UserError, match="--download"):
            find_model("tiny/depth")
        source = look_up("tiny/depth", hub)
        assert source.folder is None
        assert "licence apache-2.0" in source.told()
        assert "to be downloaded" in source.told()
        fetched = download_model("tiny/depth", hub)
        assert fetched.licence == "apache-2.0"
        assert not list(fetched.folder.glob("*.bin"))
        assert find_model("tiny/depth") == fetched

    def test_what_is_not_there(self, hub: str) -> None:
        with pytest.raises(UserError, match="check its name"):
            look_up("tiny/other", hub)
        with pytest.raises(UserError, match="cannot be fetched"):
            look_up("tiny/depth", "http://127.0.0.1:9")


@pytest.mark.parametrize(
    ("card", "licence"),
    [
        ("---\nlicense: mit\n---\n", "mit"),
        ("---\nlicense: other\nlicense_name: own-words\n---\n", "own-words"),
        ("# No fields", UNKNOWN),
        ("---\n: [broken\n---\n", UNKNOWN),
        ("", UNKNOWN),
    ],
)
def test_licences_of_model_cards(card: str, licence: str) -> None:
    assert licence_of(card) == licence


def test_from_the_command_line(
    scene_file: Path, depth_model: Path, mask_model: Path, tmp_path: Path
) -> None:
    out = tmp_path / "new.nascene"
    models = ["--depth", depth_model, "--masks", mask_model, "--propose", 2]
    text = done("estimate", scene_file, "--out", out, *models)
    assert "licence apache-2.0" in text
    assert "licence mit" in text
    assert len(load_scene(out).objects) >= 2
    assert "--depth, --masks or --camera" in refused("estimate", scene_file, "--out", out)
    assert "--download" in refused("estimate", scene_file, "--out", out, "--depth", "tiny/other")
    assert "no object called" in refused(
        "estimate", scene_file, "--out", out, "--depth", depth_model, "--object", "ship"
    )
