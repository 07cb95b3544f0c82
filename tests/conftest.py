"""What several tests share: small real scenes, in memory and on disk."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings

# Before anything imports MuJoCo: off-screen rendering without a display.
os.environ.setdefault("MUJOCO_GL", "egl")
# As the command line sets it; read when the libraries are imported.
os.environ.setdefault("DIFFUSERS_VERBOSITY", "error")
os.environ.setdefault("TQDM_DISABLE", "1")
# Threads that wait leave the processor to other programs: a busy machine is no slower than it is.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
# Tiny networks are computed sooner by one thread: two wait for each other at every operation.
os.environ.setdefault("OMP_NUM_THREADS", "1")

from neural_assets_core.geometry import Box, Camera
from neural_assets_core.scene import (
    Appearance,
    Picture,
    Scene,
    SceneObject,
    View,
    save_scene,
    scene_from_view,
)

# The same examples on every run, however slow the machine.
settings.register_profile("tests", derandomize=True, deadline=None)
settings.load_profile("tests")


@pytest.fixture(scope="session", autouse=True)
def kept_shaders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Mesa compiles each shader once, as for a user, not once more for every window."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MESA_SHADER_CACHE_DIR", str(tmp_path_factory.mktemp("shaders")))
        yield


@pytest.fixture(autouse=True)
def user_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A user who has neither settings nor data yet, whoever runs the tests."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "user" / "config"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "user" / "data"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "user" / "cache"))


@pytest.fixture(autouse=True)
def no_log_stays() -> Iterator[None]:
    """Commands that log write to the stderr of their test, which is closed after it."""
    yield
    for handler in logging.root.handlers[:]:
        if type(handler) is logging.StreamHandler:
            logging.root.removeHandler(handler)


@pytest.fixture(scope="session")
def small_scene() -> Scene:
    """A mug and a turned book on the ground; 64 x 48 pixels of noise, masks for one of them."""
    random = np.random.default_rng(0)
    camera = Camera.looking_at((2.0, -3.0, 1.5), (0.0, 0.0, 0.3), 64, 48, 0.9)
    view = View(
        picture=Picture(random.integers(0, 256, (48, 64, 3), dtype=np.uint8)), camera=camera
    )
    mug = Box(center=(0.1, 0.2, 0.3), size=(0.3, 0.2, 0.6))
    book = Box(center=(-0.5, 0.1, 0.05), size=(0.4, 0.3, 0.1)).rotated((0, 0, 1), 0.7)
    mask = Picture(np.where(random.random((48, 64)) > 0.5, 255, 0).astype(np.uint8))
    return scene_from_view(
        view,
        (
            SceneObject(
                name="mug",
                category="mug",
                box=mug,
                appearance=Appearance(view=view, box=mug, mask=mask),
            ),
            SceneObject(
                name="book", category="book", box=book, appearance=Appearance(view=view, box=book)
            ),
        ),
    )


@pytest.fixture
def scene_file(small_scene: Scene, tmp_path: Path) -> Path:
    """The small scene in a file."""
    path = tmp_path / "small.nascene"
    save_scene(small_scene, path)
    return path


@pytest.fixture(scope="session")
def tiny_model():
    """A configuration of the real model small enough for a test."""
    from neural_assets_core.model.build import (
        EncoderConfig,
        LifterConfig,
        ModelConfig,
        TokenizerConfig,
        UNetConfig,
        VAEConfig,
    )

    return ModelConfig(
        sample_size=32,
        vae=VAEConfig(encoder_channels=8, decoder_channels=8, latent_channels=4),
        encoder=EncoderConfig(sample_size=32, block_out_channels=(8, 16), layers_per_block=1),
        tokenizer=TokenizerConfig(
            appearance_dim=16, pose_dim=16, pose_hidden_dim=16, object_bins=2, background_bins=2,
            pose_frequencies=2, splat_channels=4,
        ),
        lifter=LifterConfig(
            sample_size=8, depth=6, block_out_channels=(8, 16), norm_num_groups=4
        ),
        unet=UNetConfig(
            block_out_channels=(8, 16), attention=(False, True), heads=(1, 2),
            cross_attention_dim=16, norm_num_groups=4,
        ),
    )
