"""Annotated frames as scenes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from neural_assets_core.data.dataset import AnnotatedFrame
from neural_assets_core.data.frames import scene_from_frame, scene_from_pair
from neural_assets_core.data.made import render_made_frames


@pytest.fixture(scope="module")
def frames() -> list[AnnotatedFrame]:
    """Two frames of a clip of several objects, between which objects and camera move."""
    source, target = render_made_frames(5, 3, 2, 64)
    assert len(source.objects) > 1
    assert source.camera != target.camera
    return [source, target]


def test_a_frame_is_a_scene_in_which_nothing_was_edited(frames: list[AnnotatedFrame]) -> None:
    frame = frames[0]
    scene = scene_from_frame(frame)

    assert scene.camera == frame.camera
    assert np.array_equal(scene.background.view.picture.pixels, frame.image)
    assert [item.name for item in scene.objects] == [item.name for item in frame.objects]
    for item, annotation in zip(scene.objects, frame.objects, strict=True):
        assert item.category == annotation.category
        assert item.box == item.appearance.box == annotation.box
        assert item.appearance.mask is not None
        assert np.array_equal(item.appearance.mask.pixels == 255, frame.mask == annotation.id)
    assert scene.background.occluders == tuple(item.appearance for item in scene.objects)


def test_masks_can_be_left_out(frames: list[AnnotatedFrame]) -> None:
    scene = scene_from_pair(*frames, masked=False)

    assert [item.appearance.mask for item in scene.objects] == [None] * len(scene.objects)


def test_a_pair_has_the_targets_poses_and_the_sources_looks(frames: list[AnnotatedFrame]) -> None:
    source, target = frames
    before, scene = scene_from_frame(source), scene_from_pair(source, target)

    assert scene.camera == target.camera
    assert scene.background == before.background
    assert [item.box for item in scene.objects] == [item.box for item in target.objects]
    assert [item.appearance for item in scene.objects] == [
        item.appearance for item in before.objects
    ]
    assert scene_from_pair(source, source) == before


def test_a_pair_has_only_objects_of_both_frames(frames: list[AnnotatedFrame]) -> None:
    source, target = frames
    first, *others = source.objects

    gone = scene_from_pair(source, replace(target, objects=target.objects[1:]))
    new = scene_from_pair(replace(source, objects=tuple(others)), target)

    assert [item.name for item in gone.objects] == [item.name for item in others]
    assert [item.name for item in new.objects] == [item.name for item in others]
    # The object that left is still known to have hidden the background.
    assert first.box in [appearance.box for appearance in gone.background.occluders]
