"""Motions frame by frame: turntables, orbits and keyframes."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from neural_assets_core.animation import (
    animation_frames,
    camera_orbit,
    keyed,
    played,
    scene_at,
    turntable,
    with_key_scene,
    with_keyframes,
    with_playback,
)
from neural_assets_core.animation.keyframes import blended_box, blended_camera, eased
from neural_assets_core.animation.paths import orbit_center, turned
from neural_assets_core.errors import UserError
from neural_assets_core.geometry import Box, Camera
from neural_assets_core.history import request_digest
from neural_assets_core.library import Asset, isolated, replaced, with_surroundings
from neural_assets_core.scene import (
    Animation,
    Background,
    Keyframe,
    Scene,
    Track,
    load_scene,
    save_scene,
)

angle = st.floats(-math.pi, math.pi)
share = st.floats(0, 1)


class TestTurntable:
    def test_object_turns_in_place_and_all_else_stays(self, scene: Scene) -> None:
        frames = turntable(scene, "box 1", seconds=2, fps=6)
        assert len(frames) == 12
        before = scene.object("box 1").box
        yaws = np.unwrap([frame.object("box 1").box.yaw() for frame in frames])
        np.testing.assert_allclose(np.diff(yaws), math.tau / 12, atol=1e-9)
        # The same step leads from the last frame back to the first.
        assert yaws[-1] + math.tau / 12 == pytest.approx(yaws[0] + math.tau)
        for frame in frames:
            box = frame.object("box 1").box
            assert box.center == pytest.approx(before.center)
            assert box != before
            assert frame.object("box 2") == scene.object("box 2")
            assert frame.settings == scene.settings
            assert frame.camera == scene.camera

    def test_part_of_a_turn_goes_from_here_to_there(self, scene: Scene) -> None:
        frames = turntable(scene, "box 1", seconds=1, fps=5, degrees=90)
        boxes = [frame.object("box 1").box for frame in frames]
        assert boxes[0].rotation == pytest.approx(scene.object("box 1").box.rotation)
        assert boxes[-1].yaw() - boxes[0].yaw() == pytest.approx(math.pi / 2)

    @pytest.mark.parametrize(
        "wrong",
        [{"seconds": 0}, {"seconds": 1e6}, {"fps": 0}, {"fps": math.nan}, {"degrees": math.inf}],
    )
    def test_impossible_numbers_are_told(self, scene: Scene, wrong: dict[str, float]) -> None:
        with pytest.raises(UserError):
            turntable(scene, "box 1", **wrong)

    def test_unknown_object_is_told(self, scene: Scene) -> None:
        with pytest.raises(UserError, match="no object called 'mug'"):
            turntable(scene, "mug")


class TestOrbit:
    def test_camera_swings_about_the_objects(self, scene: Scene) -> None:
        frames = camera_orbit(scene, degrees=20, seconds=2, fps=12)
        pivot = orbit_center(scene)
        distances = [np.linalg.norm(frame.camera.position - pivot) for frame in frames]
        np.testing.assert_allclose(distances, distances[0])
        seen = [frame.camera.project(pivot) for frame in frames]
        np.testing.assert_allclose(seen, np.broadcast_to(scene.camera.project(pivot), (24, 3)))
        offsets = [frame.camera.position[:2] - pivot[:2] for frame in frames]
        headings = np.unwrap([math.atan2(y, x) for x, y in offsets])
        assert np.ptp(headings) == pytest.approx(math.radians(20), rel=0.02)
        assert all(frame.objects == scene.objects for frame in frames)

    @given(a=angle, b=angle)
    def test_turns_add_up(self, a: float, b: float) -> None:
        camera = Camera.looking_at((0.2, -3.0, 1.6), (0.0, 0.0, 0.2), 64, 48, 0.8)
        pivot = np.array([0.3, 0.1, 0.5])
        both = turned(turned(camera, pivot, a), pivot, b).extrinsics
        at_once = turned(camera, pivot, a + b).extrinsics
        np.testing.assert_allclose(both, at_once, atol=1e-9)

    def test_without_objects_it_circles_the_ground_ahead(self, scene: Scene) -> None:
        empty = scene.model_copy(update={"objects": ()})
        center = orbit_center(empty)
        assert center[2] == pytest.approx(0, abs=1e-9)
        assert len(camera_orbit(empty, seconds=1, fps=4)) == 4

    def test_too_wide_is_told(self, scene: Scene) -> None:
        with pytest.raises(UserError, match="180"):
            camera_orbit(scene, degrees=200)


@pytest.fixture
def moved(scene: Scene) -> Scene:
    box = scene.object("box 1").box.translated((0.2, -0.4, 0.0)).rotated((0, 0, 1), 1.0)
    return scene.with_box("box 1", box)


class TestKeyframes:
    def test_first_and_last_frame_are_the_keyframes(self, scene: Scene, moved: Scene) -> None:
        animated = with_key_scene(with_key_scene(scene, 0, scene), 1, moved)
        frames = animation_frames(animated, fps=8)
        assert len(frames) == 9
        assert frames[0] == scene
        assert frames[-1] == moved
        places = [frame.object("box 1").box.center[1] for frame in frames]
        assert places == sorted(places, reverse=True)
        # Slowly away and slowly in.
        steps = -np.diff(places)
        assert steps[0] < 0.5 * steps[4] > steps[-1]

    def test_kept_in_the_scene_s_file(self, scene: Scene, moved: Scene, tmp_path: Path) -> None:
        animated = with_key_scene(scene, 0.5, moved, "linear")
        save_scene(animated, tmp_path / "a.nascene")
        loaded = load_scene(tmp_path / "a.nascene")
        assert loaded == animated
        assert loaded.animation.track("box 1").keyframes[0].easing == "linear"
        assert loaded.with_animation(Animation()) == scene

    def test_damaged_animation_is_told(self, scene: Scene) -> None:
        with pytest.raises(ValidationError):
            Scene.model_validate({**dict(scene), "animation": {"tracks": [{"keyframes": []}]}})
        with pytest.raises(UserError, match="no keyframes"):
            animation_frames(scene)

    def test_follows_what_becomes_of_its_objects(self, scene: Scene, moved: Scene) -> None:
        animated = with_keyframes(moved, ["box 1", "box 2", None], 1.0)
        renamed = animated.renamed("box 1", "mug")
        assert [track.object for track in renamed.animation.tracks] == ["mug", "box 2", None]
        assert [t.object for t in renamed.without("mug").animation.tracks] == ["box 2", None]

    def test_is_kept_by_what_takes_an_object_s_place(self, scene: Scene, moved: Scene) -> None:
        animated = with_key_scene(with_key_scene(scene, 0, scene), 1, moved)
        other = Asset(name="mug", appearance=scene.object("box 2").appearance)
        made = replaced(animated, "box 1", other)
        keys = made.animation.track("mug").keyframes
        assert {key.box.size for key in keys} == {other.appearance.box.size}
        for key, source in zip(keys, (scene, moved), strict=True):
            base = source.object("box 1").box.base_center()
            np.testing.assert_allclose(key.box.base_center(), base)
        alone = isolated(animated, ["box 2"])
        assert [track.object for track in alone.animation.tracks] == ["box 2", None]
        # In another picture all that moves comes along, but for its camera.
        pivot = orbit_center(scene)
        camera = turned(scene.camera, pivot, 0.7)
        view = scene.background.view.model_copy(update={"camera": camera})
        there = with_surroundings(animated, Background(view=view))
        assert there.animation.track(None) is None
        for frame, before in ((0, scene), (-1, moved)):
            box = there.animation.track("box 1").keyframes[frame].box
            seen = [c.to_camera(b.base_center()) for c, b in (
                (camera, box), (scene.camera, before.object("box 1").box))]  # fmt: skip
            np.testing.assert_allclose(seen[0], seen[1], atol=0.05)

    def test_object_that_is_gone_is_told(self, scene: Scene, moved: Scene) -> None:
        lost = with_keyframes(moved, ["box 1"], 1.0).animation.renamed("box 1", "mug")
        with pytest.raises(UserError, match="mug"):
            animation_frames(scene.with_animation(lost))

    def test_pictures_do_not_depend_on_other_moments(self, scene: Scene, moved: Scene) -> None:
        assert request_digest(with_key_scene(scene, 1, moved)) == request_digest(scene)

    def test_an_edit_of_what_moves_is_a_keyframe(self, scene: Scene, moved: Scene) -> None:
        animated = scene_at(with_keyframes(scene, ["box 1"], 0.0), 0.5)
        edited = animated.with_box("box 1", moved.object("box 1").box)
        edited = edited.with_box("box 2", scene.object("box 2").box.translated((0.1, 0.0, 0.0)))
        made = keyed(edited, animated)
        assert made.animation.keyframe(("box 1", 0.5)).box == moved.object("box 1").box
        assert made.animation.track("box 2") is None
        # The moment stays; an edit of keyframes is none of the boxes.
        assert made.animation.time == 0.5
        assert keyed(scene_at(made, 0.0), made).animation.tracks == made.animation.tracks

    def test_keyframes_are_edited_as_values(self, scene: Scene, moved: Scene) -> None:
        animation = with_keyframes(scene, ["box 1"], 0.0).animation
        for time in (1.0, 2.0, 3.0):
            animation = with_keyframes(
                moved.with_animation(animation), ["box 1"], time, "linear"
            ).animation
        late = animation.shifted([("box 1", 1.0), ("box 1", 2.0)], 1.0)
        assert [key.time for key in late.track("box 1").keyframes] == [0.0, 2.0, 3.0]
        held = late.eased([("box 1", 2.0)], "hold")
        assert [k.easing for k in held.track("box 1").keyframes] == ["ease", "hold", "linear"]
        # Once more keeps how it leads on.
        again = with_keyframes(scene.with_animation(held), ["box 1"], 2.0)
        assert again.animation.keyframe(("box 1", 2.0)).easing == "hold"
        rest = held.without([("box 1", 0.0), ("box 1", 3.0)])
        assert [key.time for key in rest.track("box 1").keyframes] == [2.0]
        assert rest.without([("box 1", 2.0)]).tracks == ()
        assert rest.without([("nobody", 2.0), ("box 1", 9.0)]) == rest

    def test_length_frame_rate_and_repetition(self, scene: Scene, moved: Scene) -> None:
        animated = with_key_scene(with_key_scene(scene, 0, scene), 1, moved)
        assert len(animation_frames(animated)) == 26
        longer = with_playback(animated, duration=2.0, fps=5, loop=False)
        frames = animation_frames(longer)
        assert len(frames) == 11
        assert frames[-1] == frames[5] == moved
        assert [played(longer.animation, Path(name)) for name in ("a.gif", "a.mp4")] == [1, 0]
        assert played(animated.animation, Path("a.gif")) == 0
        with pytest.raises(UserError, match="impossible"):
            with_playback(animated, fps=0)

    def test_frames_that_cannot_be_drawn_are_named(self, scene: Scene) -> None:
        box = scene.object("box 1").box
        behind = scene.with_box("box 1", box.with_center((0.0, -9.0, 0.2)))
        with pytest.raises(UserError, match="Frame 3 of 5: The box of 'box 1' reaches behind"):
            animation_frames(
                with_key_scene(with_key_scene(scene, 0, scene, "linear"), 1, behind), fps=4
            )

    def test_hold_jumps_at_the_next_keyframe(self, scene: Scene, moved: Scene) -> None:
        animated = with_key_scene(with_key_scene(scene, 0, scene, "hold"), 1, moved)
        frames = animation_frames(animated, fps=4)
        assert [frame == scene for frame in frames] == [True] * 4 + [False]

    def test_rests_outside_of_its_keyframes(self, scene: Scene, moved: Scene) -> None:
        animated = with_key_scene(with_key_scene(scene, 1, scene), 2, moved)
        assert scene_at(animated, 0.0).objects == scene.objects
        assert scene_at(animated, 9.0).objects == moved.objects
        assert scene_at(animated, 9.0).animation.time == 9.0

    def test_same_time_replaces(self, scene: Scene, moved: Scene) -> None:
        twice = with_key_scene(with_key_scene(scene, 1, scene), 1, moved)
        assert twice == with_key_scene(scene, 1, moved)

    def test_impossible_ones_are_refused(self, scene: Scene) -> None:
        box, camera = scene.objects[0].box, scene.camera
        key = Keyframe(time=1, box=box)
        for wrong in (
            lambda: Keyframe(time=1),
            lambda: Keyframe(time=1, box=box, camera=camera),
            lambda: Keyframe(time=-1, box=box),
            lambda: Track(object="a", keyframes=(key, key)),
            lambda: Track(object=None, keyframes=(key,)),
            lambda: Animation(tracks=(Track(object="a", keyframes=(key,)),) * 2),
        ):
            with pytest.raises(ValidationError):
                wrong()

    @given(turn=st.floats(-3, 3), at=share)
    def test_boxes_turn_evenly_the_short_way(self, turn: float, at: float) -> None:
        start = Box(center=(0.0, 0.0, 0.5), size=(1.0, 2.0, 0.5))
        end = start.rotated((0, 0, 1), turn).translated((2.0, 0.0, 0.0)).with_size((4.0, 2.0, 0.5))
        between = blended_box(start, end, at)
        assert between.yaw() == pytest.approx(turn * at, abs=1e-6)
        assert between.center == pytest.approx((2 * at, 0, 0.5))
        assert between.size[0] == pytest.approx(4**at)

    @given(turn=st.floats(-3, 3), at=share)
    def test_cameras_turn_evenly_the_short_way(self, turn: float, at: float) -> None:
        start = Camera.looking_at((0.0, -3.0, 1.0), (0.0, 0.0, 1.0), 64, 48, 0.8)
        own = start.position
        between = blended_camera(start, turned(start, own, turn), at)
        expected = turned(start, own, turn * at).extrinsics
        np.testing.assert_allclose(between.extrinsics, expected, atol=1e-6)

    @given(at=share)
    def test_easing_stays_between(self, at: float) -> None:
        for easing in ("linear", "ease", "hold"):
            assert 0 <= eased(at, easing) <= 1
            assert (eased(0, easing), eased(1, easing)) == (0, 1)
