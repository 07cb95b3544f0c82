"""The examples of the README and of the guide: every one of them is run."""

from __future__ import annotations

import re
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import trimesh
import typer
from PIL import Image
from typer.testing import CliRunner

from neural_assets_core.cli import app
from neural_assets_core.resources import ROOT as RESOURCES
from neural_assets_core.scene import Picture, Scene, View, load_scene, save_scene

README, GUIDE = RESOURCES.parent / "README.md", RESOURCES / "guide" / "README.md"
SIDE = 96
"""Pixels of the samples here; they ship with 512."""

NOT_RUN = {"studio", "estimate", "train", "evaluate", "compare", "dataset make", "init", "doctor"}
"""Windows, hours, models of one's own, what depends on the machine: only read, not done."""

OWN = {"DIR", "FRAMES", "movi_e"}
"""Words for what readers have and the tests do not: such a line is only read, too."""

SHORTER = {"turntable": ["--fps", "4", "--size", "48"], "animate": ["--fps", "4", "--size", "48"]}
"""Said after what the example says: a second or two of film are enough to see that it works."""


def blocks(page: Path) -> Iterator[tuple[str, str]]:
    """Language and text of the page's fenced blocks."""
    yield from re.findall(r"^```(\w*)\n(.*?)^```$", page.read_text(), re.DOTALL | re.MULTILINE)


def commands(text: str) -> list[str]:
    """The lines of a block that call the program, those that are continued put together."""
    lines = text.replace("\\\n", " ").splitlines()
    return [line for line in lines if line.startswith("neural-assets ")]


def smaller(scene: Scene) -> Scene:
    """The same scene in fewer pixels."""
    shown: dict[str, Picture] = {}

    def picture(whole: Picture) -> Picture:
        if whole.sha256 not in shown:
            image = Image.fromarray(whole.pixels)
            image.thumbnail((SIDE, SIDE))
            shown[whole.sha256] = Picture(np.asarray(image))
        return shown[whole.sha256]

    def view(whole: View) -> View:
        small = picture(whole.picture)
        return View(picture=small, camera=whole.camera.resized(small.width, small.height))

    def looks(whole):
        mask = None if whole.mask is None else picture(whole.mask)
        return whole.model_copy(update={"view": view(whole.view), "mask": mask})

    background = scene.background.model_copy(
        update={
            "view": view(scene.background.view),
            "occluders": tuple(looks(part) for part in scene.background.occluders),
        }
    )
    objects = tuple(
        item.model_copy(update={"appearance": looks(item.appearance)}) for item in scene.objects
    )
    camera = view(scene.background.view).camera
    return Scene(
        camera=camera, objects=objects, background=background, settings=scene.settings
    )


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as the pages have it: `resources`, and files of one's own."""
    folder = tmp_path_factory.mktemp("samples")
    for path in [*RESOURCES.glob("scenes/*.nascene"), *RESOURCES.glob("photographs/*.nascene")]:
        target = folder / "resources" / path.relative_to(RESOURCES)
        target.parent.mkdir(parents=True, exist_ok=True)
        # Drawn without weights, unless an example says otherwise.
        save_scene(smaller(load_scene(path)).with_settings(decoder="proxy"), target)
    for name in ("scene", "a"):
        shutil.copy(folder / "resources/scenes/garage.nascene", folder / f"{name}.nascene")
    Image.fromarray(
        load_scene(folder / "resources/photographs/coffee.nascene").background.view.picture.pixels
    ).resize((600, 400)).save(folder / "cup.jpg")
    trimesh.creation.box(extents=(0.1, 0.1, 0.1)).export(folder / "clay.obj")
    return folder


@pytest.fixture
def folder(samples: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it, gone to."""
    place = tmp_path / "place"
    shutil.copytree(samples, place)
    monkeypatch.chdir(place)
    return place


def write_jobs(page: Path, folder: Path) -> None:
    """The list of jobs that a page shows."""
    shown = re.search(r'`({"scene": .*?})`', page.read_text(), re.DOTALL)
    (folder / "jobs.jsonl").write_text(" ".join(shown[1].split()))


def perform(command: str) -> None:
    """Run a line in this process, or only read it."""
    words = shlex.split(command, comments=True)[1:]
    name = next((n for n in NOT_RUN if words[: len(n.split())] == n.split()), None)
    if name is not None or OWN.intersection(words):
        parsed(words)
        return
    result = CliRunner().invoke(app, [*words, *SHORTER.get(words[0], [])])
    assert result.exit_code == 0, (command, result.output, result.exception)


def parsed(words: list[str]) -> None:
    """As the program reads a command before it does anything."""
    group = typer.main.get_command(app)
    context = group.make_context("neural-assets", list(words))
    while context._protected_args or context.args:
        name, command, rest = context.command.resolve_command(
            context, [*context._protected_args, *context.args]
        )
        context = command.make_context(name, rest, parent=context)
        if not hasattr(command, "resolve_command"):
            return


@pytest.mark.parametrize("page", [README, GUIDE], ids=["readme", "guide"])
def test_every_example(page: Path, folder: Path) -> None:
    write_jobs(page, folder)
    run = 0
    for language, text in blocks(page):
        if language == "python":
            exec(compile(text, f"{page.parent.name}/{page.name}", "exec"), {})
            run += 1
        elif language == "":
            for command in commands(text):
                perform(command)
                run += 1
    assert run > 20
