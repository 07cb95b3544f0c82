"""What an update of the proxy costs on a photograph, and what it costs to begin."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import cv2
import numpy as np

from neural_assets_core.decoders import ProxyDecoder
from neural_assets_core.proxy import prepare_photograph
from neural_assets_core.proxy.photograph import photograph_of
from neural_assets_core.scene import Appearance, Picture, Scene, SceneObject, View, load_scene
from neural_assets_core.scene import scene_from_view as unedited
from tests.benchmarks.timing import Row

SAMPLE = Path("resources/photographs/coffee.nascene")
SIZE = (1280, 800)


def enlarged(scene: Scene, width: int, height: int) -> Scene:
    """The same photograph, unedited, at another size."""

    def resized(picture: Picture) -> Picture:
        pixels = cv2.resize(picture.pixels, (width, height), interpolation=cv2.INTER_CUBIC)
        return Picture(np.asarray(pixels, dtype=np.uint8))

    source = scene.background.view
    view = View(picture=resized(source.picture), camera=source.camera.resized(width, height))
    objects = []
    for item in scene.objects:
        mask = item.appearance.mask
        look = Appearance(
            view=view, box=item.appearance.box, mask=None if mask is None else resized(mask)
        )
        objects.append(SceneObject(name=item.name, box=look.box, appearance=look))
    return unedited(view, tuple(objects))


def edit_photograph(repetitions: int = 40) -> tuple[list[Row], dict[str, float]]:
    """A cup dragged over its table, in steps that are never drawn twice; and what is kept."""
    scene, decoder = enlarged(load_scene(SAMPLE), *SIZE), ProxyDecoder()
    cup = scene.objects[0]

    def drawn(step: int) -> object:
        box = cup.box.translated((0.0004 * step, 0.01, 0.0)).rotated((0, 0, 1), 0.004 * step)
        return decoder.generate(scene.with_box(cup.name, box))

    def timed(name: str, *work: Callable[[], object]) -> Row:
        """Each piece of work once."""
        seconds, used = [], time.process_time()
        for piece in work:
            start = time.perf_counter()
            piece()
            seconds.append(time.perf_counter() - start)
        return Row.of(f"photograph, {name}", seconds, time.process_time() - used)

    rows = [
        timed("opened", lambda: decoder.generate(scene)),
        # The window does this beside, on a thread, while the photograph is shown.
        timed("prepared in the background", lambda: prepare_photograph(scene.background)),
        timed("first update", lambda: drawn(0)),
        timed("an update", *(partial(drawn, step) for step in range(1, repetitions))),
    ]
    kept = photograph_of(scene.background).nbytes / 2**20
    return rows, {"photograph, MiB kept": kept}
