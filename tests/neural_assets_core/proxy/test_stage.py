"""What is remembered between the frames of a drag, and that no picture shows it."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest
from numpy.typing import NDArray

from neural_assets_core.geometry import Box, Camera
from neural_assets_core.geometry.raycast import BoxHits
from neural_assets_core.proxy import ProxyLayers, render_proxy
from neural_assets_core.proxy.objects import Carver, Layer
from neural_assets_core.proxy.render import _stages
from neural_assets_core.scene import Appearance, Picture, Scene


class CountingCarver(Carver):
    """Counts what it draws."""

    def __init__(self) -> None:
        self.drawn: list[Appearance] = []

    def draw(
        self, appearance: Appearance, source: Picture, hits: BoxHits, outline: NDArray[np.uint8]
    ) -> Layer:
        self.drawn.append(appearance)
        return super().draw(appearance, source, hits, outline)


def same(first: ProxyLayers, second: ProxyLayers) -> bool:
    return all(
        np.array_equal(getattr(first, field.name), getattr(second, field.name))
        for field in fields(ProxyLayers)
    )


def test_pictures_do_not_depend_on_those_before(
    scene: Scene, camera: Camera, boxes: list[Box]
) -> None:
    lifter = CountingCarver()
    one = scene.with_box("box 1", boxes[0].translated((0.2, -0.2, 0)))
    other = scene.with_box("box 2", boxes[1].translated((-0.2, 0.1, 0)))
    eye = Camera.looking_at((0.3, -3.0, 1.6), (0.0, 0.0, 0.2), camera.width, camera.height, 0.8)
    edits = [
        one,
        scene.with_box("box 1", boxes[0].translated((0.3, -0.2, 0))),
        other,
        other.with_box("box 1", one.object("box 1").box),
        scene,
        scene.without("box 1"),
        one.model_copy(update={"camera": eye}),
    ]
    views = [edit.camera for edit in edits] + [camera.cropped(10, 20, 60, 60)]
    edits.append(one)
    after_others = [
        render_proxy(edit, view, lifter) for edit, view in zip(edits, views, strict=True)
    ]
    for edit, view, made in zip(edits, views, after_others, strict=True):
        _stages.clear()
        assert same(made, render_proxy(edit, view, lifter))


def test_only_the_dragged_object_is_drawn_again(
    scene: Scene, camera: Camera, boxes: list[Box]
) -> None:
    lifter = CountingCarver()
    frames = [
        scene.with_box("box 1", boxes[0].translated((0.1 * step, 0, 0))) for step in (1, 2, 3)
    ]
    render_proxy(frames[0], camera, lifter)
    lifter.drawn.clear()
    for frame in frames[1:]:
        render_proxy(frame, camera, lifter)
    assert lifter.drawn == [scene.object("box 1").appearance] * 2


def test_large_pictures_are_not_remembered(
    scene: Scene, camera: Camera, boxes: list[Box], monkeypatch: pytest.MonkeyPatch
) -> None:
    moved = scene.with_box("box 1", boxes[0].translated((0.1, -0.3, 0)))
    remembered = render_proxy(moved, camera)
    _stages.clear()
    monkeypatch.setattr("neural_assets_core.proxy.render.KEPT_PIXELS", camera.width)
    assert same(remembered, render_proxy(moved, camera))
    assert len(_stages) == 0
