"""Content credentials: read back from the files, by the same package's own reader."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from PIL import Image

from neural_assets_core import __version__
from neural_assets_core.errors import UserError
from neural_assets_core.export import (
    export_still,
    find_signature,
    read_credentials,
    read_request,
)
from neural_assets_core.export.credentials import checkpoint_identity
from neural_assets_core.export.signing import _certificate, _named, local_signature
from neural_assets_core.history import History
from neural_assets_core.preferences import Preferences
from neural_assets_core.restore import request_of, restored
from neural_assets_core.scene import Picture, Scene
from tests.neural_assets_core.conftest import painted_scene
from tests.neural_assets_core.test_cli import done, refused

SOURCE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/"


@pytest.fixture
def edited(camera, boxes) -> Scene:
    scene = painted_scene(camera, boxes).with_settings(decoder="proxy", seed=7)
    return scene.with_box("box 1", boxes[0].translated((0.2, 0.0, 0.0)))


@pytest.fixture
def picture(edited: Scene) -> Picture:
    """Anything that is not the photograph."""
    return Picture(255 - edited.background.view.picture.pixels)


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    """As far as its identity goes."""
    folder = tmp_path / "trained"
    (folder / "unet").mkdir(parents=True)
    (folder / "model_index.json").write_text(
        '{"_class_name": "NeuralAssetsPipeline", "maps": [], "unet": ["diffusers", "UNet"]}'
    )
    (folder / "unet" / "config.json").write_text("{}")
    (folder / "unet" / "a.safetensors").write_bytes(b"weights")
    (folder / "report.json").write_text("not part of it")
    return folder


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp", ".tif"])
def test_every_format_carries_them_beside_the_request(picture, edited, tmp_path, suffix) -> None:
    path = tmp_path / f"a{suffix}"
    export_still(picture, edited, path, quality=100, signature=find_signature())
    found = read_credentials(path)
    assert found.state == "Valid"
    assert found.generator == f"Neural Assets Studio {__version__}"
    assert "vouched for by nobody" in found.signer
    opened, edit = found.actions
    assert opened["action"] == "c2pa.opened"
    assert len(opened["parameters"]["ingredients"]) == 1
    assert edit["action"] == "c2pa.edited"
    assert edit["digitalSourceType"] == SOURCE_TYPE + "humanEdits"
    source = edited.background.view.picture
    assert found.generation == {
        "decoder": "proxy", "source": {"sha256": source.sha256}, "keep_source": True,
    }  # fmt: skip
    # Dropped on the window, it still gives the scene back.
    assert restored(request_of(path), edited, History(tmp_path / "history"), ()) == edited
    with Image.open(path) as image:
        apart = np.abs(np.asarray(image).astype(int) - picture.pixels)
    assert apart.max() == 0 if suffix != ".jpg" else apart.mean() < 2
    assert [entry.name for entry in tmp_path.glob("*.tmp")] == []
    # One pixel changed, and they say so.
    content = bytearray(path.read_bytes())
    content[-40] ^= 1
    path.write_bytes(content)
    assert read_credentials(path).state == "Invalid"


def test_the_neural_decoder_is_named_with_its_checkpoint(
    picture, edited, checkpoint, tmp_path
) -> None:
    scene = edited.with_settings(decoder="neural", checkpoint=str(checkpoint), steps=3)
    path = tmp_path / "a.png"
    export_still(picture, scene, path, metadata=False, signature=find_signature())
    found = read_credentials(path)
    assert found.actions[-1]["digitalSourceType"] == (
        SOURCE_TYPE + "compositeWithTrainedAlgorithmicMedia"
    )
    told = found.generation
    assert (told["seed"], told["steps"], told["guidance"]) == (7, 3, 1.0)
    # The command that the documentation gives.
    line = "sha256sum model_index.json */*.json */*.safetensors | sort -k 2 | sha256sum"
    printed = subprocess.run(
        ["sh", "-c", line], cwd=checkpoint, env={"LC_ALL": "C", "PATH": "/usr/bin:/bin"},
        capture_output=True, check=True, text=True,
    ).stdout  # fmt: skip
    assert told["checkpoint"] == {"name": "trained", "sha256": printed.split()[0]}
    assert str(tmp_path).encode() not in path.read_bytes()
    assert read_request(path) is None
    (checkpoint / "unet" / "a.safetensors").write_bytes(b"trained on")
    assert checkpoint_identity(str(checkpoint))["sha256"] != told["checkpoint"]["sha256"]


def test_what_was_placed_and_what_was_left_alone(
    edited, picture, camera, boxes, tmp_path
) -> None:
    other = painted_scene(camera, [boxes[1].translated((0.0, 0.3, 0.0))]).object("box 1")
    joined = edited.with_appearance("box 1", other.appearance)

    def actions(picture: Picture) -> list[str]:
        export_still(picture, joined, tmp_path / "a.png", signature=find_signature())
        return [action["action"] for action in read_credentials(tmp_path / "a.png").actions]

    assert actions(picture) == ["c2pa.opened", "c2pa.placed", "c2pa.edited"]
    # The photograph as it was, whatever was asked for.
    assert actions(edited.background.view.picture) == ["c2pa.opened"]


def test_the_local_certificate_is_kept_to_its_owner(tmp_path: Path) -> None:
    first = local_signature(tmp_path / "a" / "own.pem")
    assert local_signature(tmp_path / "a" / "own.pem") == first
    assert not first.own
    assert (tmp_path / "a" / "own.pem").stat().st_mode & 0o777 == 0o600
    (tmp_path / "a" / "own.pem").write_bytes(b"damaged")
    assert local_signature(tmp_path / "a" / "own.pem") != first
    assert "PRIVATE" not in repr(first)


@pytest.fixture
def chain(tmp_path: Path):
    """A user's certificate, its issuer's, and their keys; the former two as PEM."""
    issuer, key = ec.generate_private_key(ec.SECP384R1()), ec.generate_private_key(ec.SECP384R1())
    root = _certificate(_named("Guild of painters"), None, issuer, issuer)
    leaf = _certificate(_named("A painter"), root, key, issuer)
    pem = "".join(part.public_bytes(Encoding.PEM).decode() for part in (leaf, root))
    (tmp_path / "chain.pem").write_text(pem)
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    (tmp_path / "key.pem").write_bytes(secret)
    return tmp_path / "chain.pem", tmp_path / "key.pem"


def test_the_user_s_own_certificate(chain, picture, edited, tmp_path) -> None:
    certificate, key = chain
    signature = find_signature(Preferences(certificate=str(certificate), signing_key=str(key)))
    assert (signature.own, signature.algorithm) == (True, "es384")
    export_still(picture, edited, tmp_path / "a.jpg", signature=signature)
    assert read_credentials(tmp_path / "a.jpg").state == "Valid"
    both = tmp_path / "both.pem"
    both.write_bytes(certificate.read_bytes() + key.read_bytes())
    assert find_signature(Preferences(certificate=str(both))) == signature


def test_certificates_that_cannot_sign_are_told(chain, tmp_path, monkeypatch) -> None:
    certificate, key = chain

    def told(certificate: Path, key: Path) -> str:
        with pytest.raises(UserError) as error:
            find_signature(Preferences(certificate=str(certificate), signing_key=str(key)))
        return str(error.value)

    assert "cannot be read" in told(tmp_path / "none.pem", key)
    assert "cannot sign" in told(key, key)
    other = rsa.generate_private_key(65537, 2048)
    (tmp_path / "other.pem").write_bytes(
        other.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )
    assert "of another certificate" in told(certificate, tmp_path / "other.pem")
    locked = tmp_path / "locked.pem"
    locked.write_bytes(
        other.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"x"))
    )
    assert "password" in told(certificate, locked)
    alone = ec.generate_private_key(ec.SECP256R1())
    lonely = _certificate(_named("I"), None, alone, alone).public_bytes(Encoding.PEM)
    secret = alone.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (tmp_path / "lonely.pem").write_bytes(lonely + secret)
    assert "not accepted" in told(tmp_path / "lonely.pem", Path())
    monkeypatch.setattr(
        "neural_assets_core.export.signing.datetime",
        type("Later", (), {"now": lambda zone: datetime.now(UTC) + timedelta(days=4000)}),
    )
    assert "not valid today" in told(certificate, key)


def test_commands(edited, tmp_path: Path, chain) -> None:
    from neural_assets_core.scene import save_scene

    save_scene(edited, tmp_path / "s.nascene")
    out = tmp_path / "a.jpg"
    done("export", tmp_path / "s.nascene", "--out", out, "--credentials", "--quiet")
    assert read_credentials(out).generation["decoder"] == "proxy"
    done("export", tmp_path / "s.nascene", "--out", out, "--quiet")
    assert read_credentials(out) is None
    certificate, key = chain
    own = ("--credentials", "--certificate", certificate, "--signing-key", key)
    done("export", tmp_path / "s.nascene", "--out", out, *own, "--quiet")
    assert read_credentials(out).state == "Valid"
    scene = ("export", tmp_path / "s.nascene")
    assert "cannot carry" in refused(*scene, "--out", tmp_path / "a.exr", "--credentials")
    told = refused(*scene, "--out", tmp_path / "a.png", "--what", "masks", "--credentials")
    assert "there are none for masks" in told
    assert "need --credentials" in refused(*scene, "--out", out, "--certificate", certificate)
    done("settings", "--certificate", certificate, "--signing-key", key)
    assert find_signature().own


def test_without_the_package_one_is_told(edited, picture, tmp_path, monkeypatch) -> None:
    signature = find_signature()
    # As if it was not installed: `None` makes an import fail.
    monkeypatch.setitem(sys.modules, "c2pa", None)
    with pytest.raises(UserError, match="install it with `pip install c2pa-python`"):
        export_still(picture, edited, tmp_path / "a.png", signature=signature)
    assert not list(tmp_path.glob("a*"))
    export_still(picture, edited, tmp_path / "a.png")
