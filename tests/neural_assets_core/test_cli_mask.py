"""`neural-assets mask` on a real file."""

from __future__ import annotations

from pathlib import Path

import pytest

from neural_assets_core.resources import SAMPLE_SCENES
from neural_assets_core.scene import load_scene
from tests.neural_assets_core.test_cli import done, refused

COFFEE = SAMPLE_SCENES.parent / "photographs" / "coffee.nascene"


def test_strokes_change_the_mask_where_they_are(tmp_path: Path) -> None:
    out = tmp_path / "new.nascene"
    # The rim of the cup, and the wood beside the saucer.
    strokes = ["--add", "50,350,60,352", "--remove", "190,100", "--radius", 5]
    text = done("mask", COFFEE, "--object", "cup", "--out", out, *strokes)
    before = load_scene(COFFEE).object("cup").appearance.mask
    scene = load_scene(out)
    after = scene.object("cup").appearance.mask
    assert before is not None
    assert after is not None
    assert (before.pixels[350, 50], after.pixels[350, 50]) == (0, 255)
    assert (before.pixels[100, 190], after.pixels[100, 190]) == (255, 0)
    assert scene.object("cup").appearance in scene.background.occluders
    assert f"covers {100 * (after.pixels > 127).mean():.1f} %" in text


def test_the_whole_box(tmp_path: Path) -> None:
    out = tmp_path / "new.nascene"
    assert "all that its box" in done("mask", COFFEE, "--object", "spoon", "--out", out, "--box")
    assert load_scene(out).object("spoon").appearance.mask is None


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ((), "Nothing to do"),
        (("--auto", "--box"), "--auto or --box"),
        (("--add", "1,2,3"), "pairs of numbers"),
        (("--add", "1,nan"), "pairs of numbers"),
        (("--object", "fork", "--box"), "fork"),
    ],
)
def test_bad_requests_are_one_sentence(
    arguments: tuple[str, ...], why: str, tmp_path: Path
) -> None:
    out = tmp_path / "new.nascene"
    assert why in refused("mask", COFFEE, "--object", "cup", "--out", out, *arguments)
    assert not out.exists()
