"""Made data: reproducible, resumable, and annotated with what the pictures really show."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import pytest

from neural_assets_core.data.dataset import (
    AnnotatedFrame,
    Clip,
    ClipDataset,
    ObjectAnnotation,
    write_clip,
)
from neural_assets_core.data.families import FAMILIES, SEEN, UNSEEN, make_object
from neural_assets_core.data.made import make_dataset, render_frames, render_made_frame
from neural_assets_core.data.made_scenes import ClipPlan, compose, plan_clip
from neural_assets_core.errors import UserError

SCENES, FRAMES, SIZE, SEED = 3, 2, 96, 5


def make(path: Path, scenes: int = SCENES, workers: int = 1) -> list[tuple[int, int]]:
    """Make the tests' dataset at `path`; returns the calls of `progress`."""
    calls: list[tuple[int, int]] = []
    make_dataset(
        path, scenes, FRAMES, SIZE, SEED, "train", workers, lambda *call: calls.append(call)
    )
    return calls


def content(path: Path) -> dict[str, bytes]:
    """Bytes of all files under `path` by their relative names."""
    files = sorted(p for p in path.rglob("*") if p.is_file())
    return {str(p.relative_to(path)): p.read_bytes() for p in files}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A whole dataset; tests that change it take a copy."""
    path = tmp_path_factory.mktemp("made") / "data"
    make(path)
    return path


@pytest.fixture
def copy(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "data"))


class Rendered(NamedTuple):
    """A frame and the plan that it was rendered from."""

    plan: ClipPlan
    index: int
    frame: AnnotatedFrame

    def surface(self, number: int) -> np.ndarray:
        """(N, 3) world positions of the surface points of object `number`, metres."""
        item = self.plan.objects[number]
        points = np.concatenate([part.vertices[np.unique(part.faces)] for part in item.parts])
        turn = self.frame.objects[number].box.rotation_matrix()
        return self.plan.positions[self.index, number] + points @ turn.T

    def objects(self) -> Iterator[tuple[int, ObjectAnnotation, np.ndarray]]:
        """Number, annotation and pixels (H, W) bool of each object."""
        for number, item in enumerate(self.frame.objects):
            yield number, item, self.frame.mask == item.id


@pytest.fixture(scope="module")
def rendered() -> list[Rendered]:
    """Frames of clips with few and many objects, moved, turned and piled ones among them."""
    out = []
    for clip in range(12):
        plan = plan_clip(SEED, "train", clip, 2)
        frames = render_frames(plan, range(2), 160)
        out += [Rendered(plan, k, frame) for k, frame in enumerate(frames)]
    assert {len(shot.plan.objects) for shot in out} >= {1, 2, 3, 5, 6}
    return out


# -- making ----------------------------------------------------------------------------------------


def test_same_seed_same_bytes_whatever_the_number_of_processes(made: Path, tmp_path: Path) -> None:
    assert make(tmp_path / "data", workers=2)[-1] == (SCENES, SCENES)

    assert content(tmp_path / "data") == content(made)
    assert len(content(made)) == 1 + SCENES * (1 + 2 * FRAMES)


def test_another_seed_makes_other_scenes() -> None:
    a, b = (plan_clip(seed, "train", 0, 1) for seed in (1, 2))

    assert a.cameras != b.cameras
    assert not np.array_equal(a.surroundings.ground.texture, b.surroundings.ground.texture)


def test_an_interrupted_run_continues(made: Path, copy: Path) -> None:
    """As after a kill: one clip missing, one half written under its temporary name."""
    shutil.rmtree(copy / "clips/000000")
    half = (copy / "clips/000002").rename(copy / "clips/.000002.partial")
    (half / "clip.json").unlink()
    (half / "001.png").write_bytes((half / "001.png").read_bytes()[:100])
    (half / "000_mask.png").write_bytes(b"")
    untouched = (copy / "clips/000001/clip.json").stat().st_mtime_ns
    assert [clip.name for clip in ClipDataset(copy)] == ["000001"]

    assert make(copy) == [(1, 3), (2, 3), (3, 3)]

    assert content(copy) == content(made)
    assert (copy / "clips/000001/clip.json").stat().st_mtime_ns == untouched


def test_a_finished_run_is_extended(made: Path, tmp_path: Path) -> None:
    make(tmp_path, scenes=1)
    assert ClipDataset(tmp_path).info.scenes == 1

    assert make(tmp_path) == [(1, 3), (2, 3), (3, 3)]

    assert content(tmp_path) == content(made)
    assert make(tmp_path) == [(3, 3)]


def test_more_frames_leave_the_first_ones_as_they_are() -> None:
    short, long = (plan_clip(SEED, "train", 1, frames) for frames in (2, 5))

    assert np.array_equal(short.positions, long.positions[:2])
    assert np.array_equal(short.rotations, long.rotations[:2])
    assert short.cameras == long.cameras[:2]


def test_a_frame_for_people_shows_the_same_scene(made: Path) -> None:
    stored = ClipDataset(made)[2][1]
    fine = render_made_frame(SEED, 2, 1, SIZE)

    assert fine.objects == stored.objects
    assert fine.camera == stored.camera
    assert np.array_equal(fine.mask, stored.mask)
    assert np.abs(fine.image.astype(float) - stored.image).mean() < 4
    assert render_made_frame(SEED, 2, 1, 40).image.shape == (40, 40, 3)


def test_held_out_scenes_and_objects_are_others() -> None:
    train, heldout = (
        [plan_clip(SEED, split, clip, 1) for clip in range(12)] for split in ("train", "heldout")
    )

    def sizes(plans: list[ClipPlan]) -> set[tuple[float, ...]]:
        return {tuple(item.size) for plan in plans for item in plan.objects}

    def grounds(plans: list[ClipPlan]) -> set[bytes]:
        return {plan.surroundings.ground.texture.tobytes() for plan in plans}

    assert len(sizes(train)) > 25
    assert not sizes(train) & sizes(heldout)
    assert not grounds(train) & grounds(heldout)
    assert not {plan.cameras for plan in train} & {plan.cameras for plan in heldout}


def test_the_benchmarks_families_are_never_drawn_by_themselves() -> None:
    assert len(UNSEEN) == 6
    assert set(FAMILIES) == set(SEEN) | set(UNSEEN)
    assert len(FAMILIES) >= 36
    drawn = {
        item.category
        for split in ("train", "heldout")
        for clip in range(14)
        for item in plan_clip(SEED, split, clip, 1).objects
    }
    assert len(drawn) > 18
    assert not drawn & set(UNSEEN)
    with pytest.raises(UserError, match="dog are kept for the benchmark"):
        plan_clip(SEED, "train", 0, 1, ("car", "dog"))


# -- poses -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def piles() -> list[ClipPlan]:
    return [
        compose(np.random.SeedSequence((SEED, 1 + k)), "train", "pile", 3, SEEN, piled=1.0)
        for k in range(8)
    ]


def test_dropped_objects_rest_on_the_ground_or_on_each_other(piles: list[ClipPlan]) -> None:
    tilted = stacked = 0
    for plan in piles:
        for frame in range(3):
            lowest = []
            for number, item in enumerate(plan.objects):
                box = plan.box(frame, number)
                points = np.concatenate(
                    [part.vertices[np.unique(part.faces)] for part in item.parts]
                )
                world = plan.positions[frame, number] + points @ box.rotation_matrix().T
                lowest.append(float(world[:, 2].min()))
                tilted += abs(box.rotation_matrix()[2, 2]) < 0.97
            assert min(lowest) > -1e-9
            assert min(lowest) < 0.01
            stacked += max(lowest) > 0.02
    assert tilted > 10
    assert stacked


def test_drops_are_reproducible_and_differ_between_frames(piles: list[ClipPlan]) -> None:
    again = compose(np.random.SeedSequence((SEED, 1)), "train", "pile", 3, SEEN, piled=1.0)

    assert np.array_equal(again.positions, piles[0].positions)
    assert np.array_equal(again.rotations, piles[0].rotations)
    assert any(not np.array_equal(p.positions[0], p.positions[1]) for p in piles)


def test_lenses_are_those_of_a_photographer() -> None:
    """24 to 85 mm on a sensor 36 mm wide."""
    cameras = [plan_clip(SEED, "train", clip, 1).cameras[0] for clip in range(14)]
    focal = [36 * camera.k[0, 0] / camera.width for camera in cameras]

    assert 24 <= min(focal) < 34
    assert 60 < max(focal) <= 85


# -- annotations -----------------------------------------------------------------------------------


@pytest.mark.parametrize("category", FAMILIES)
def test_a_family_fills_its_size_and_stands_on_the_ground(category: str) -> None:
    for seed in range(3):
        item = make_object(category, np.random.default_rng(seed), 0.3)
        points = np.concatenate([part.vertices[part.faces].reshape(-1, 3) for part in item.parts])

        assert item.size.max() == pytest.approx(0.3)
        assert points.min(axis=0) == pytest.approx(item.center - item.size / 2, abs=1e-9)
        assert points.max(axis=0) == pytest.approx(item.center + item.size / 2, abs=1e-9)
        assert points[:, 2].min() == pytest.approx(0, abs=1e-9)


def test_boxes_are_tight_in_every_pose() -> None:
    """Every face is touched by the object's surface, and nothing sticks out."""
    tilted = 0
    for clip in range(12):
        plan = plan_clip(SEED, "train", clip, 6)
        for frame in range(6):
            for number, item in enumerate(plan.objects):
                box = plan.box(frame, number)
                points = np.concatenate([part.vertices[part.faces.ravel()] for part in item.parts])
                world = plan.positions[frame, number] + points @ box.rotation_matrix().T
                local = box.to_local(world)
                assert local.max(axis=0) == pytest.approx(1, abs=1e-9)
                assert local.min(axis=0) == pytest.approx(-1, abs=1e-9)
                assert world[:, 2].min() > -1e-9
                tilted += abs(box.rotation_matrix()[2, 2]) < 0.999
    assert tilted


def test_masks_lie_in_the_projected_boxes(rendered: list[Rendered]) -> None:
    for shot in rendered:
        for _, item, pixels in shot.objects():
            corners = shot.frame.camera.project(item.box.corners())[:, :2]
            outline = cv2.convexHull(corners.astype(np.float32))
            for row, column in np.argwhere(pixels):
                center = (float(column) + 0.5, float(row) + 0.5)
                assert cv2.pointPolygonTest(outline, center, True) > -0.75


def test_regions_are_the_bounds_of_the_masks(rendered: list[Rendered]) -> None:
    for shot in rendered:
        assert set(np.unique(shot.frame.mask)) <= {0, *(item.id for item in shot.frame.objects)}
        for _, item, pixels in shot.objects():
            if not pixels.any():
                assert item.region == (0, 0, 0, 0)
                assert item.visible_fraction == 0
                continue
            rows, columns = np.nonzero(pixels)
            bounds = (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
            assert item.region == pytest.approx([v / 160 for v in bounds])


def test_the_camera_puts_objects_where_they_are_seen(rendered: list[Rendered]) -> None:
    """Unhidden objects are drawn where the camera projects their surface, to half a pixel."""
    misses = []
    for shot in rendered:
        for number, item, _ in shot.objects():
            outline = shot.frame.camera.project(shot.surface(number))[:, :2]
            low, high = outline.min(axis=0), outline.max(axis=0)
            if item.visible_fraction > 0.999 and low.min() >= 0 and high.max() <= 160:
                misses.append(160 * np.array(item.region) - [*low, *high])
    assert len(misses) >= 20
    # A pixel is drawn if its centre is covered; thin tips such as aerials may be missed.
    assert np.percentile(np.abs(misses), 95) < 0.8
    assert np.abs(misses).max() < 4
    assert np.abs(np.median(misses, axis=0)).max() < 0.25


def test_the_centre_of_a_solid_object_is_on_its_mask(rendered: list[Rendered]) -> None:
    solid = {"car", "duck", "book", "toaster", "birdhouse", "camera", "robot", "drum", "bottle"}
    checked = 0
    for shot in rendered:
        for _, item, pixels in shot.objects():
            if item.category in solid and item.visible_fraction > 0.999:
                u, v, depth = shot.frame.camera.project(np.array(item.box.center))
                assert depth > 0
                assert pixels[int(v), int(u)]
                checked += 1
    assert checked >= 3


def test_visible_fractions_compare_with_the_object_alone(rendered: list[Rendered]) -> None:
    hidden = 0
    for shot in rendered[:10]:
        for number, item, pixels in shot.objects():
            keep = slice(number, number + 1)
            alone = replace(
                shot.plan,
                objects=shot.plan.objects[keep],
                names=shot.plan.names[keep],
                positions=shot.plan.positions[:, keep],
                rotations=shot.plan.rotations[:, keep],
            )
            (frame,) = render_frames(alone, [shot.index], 160)
            whole = frame.mask == 1
            assert 0 <= item.visible_fraction <= 1
            hidden += item.visible_fraction < 0.8
            if not (whole[0].any() or whole[-1].any() or whole[:, 0].any() or whole[:, -1].any()):
                assert frame.objects[0].visible_fraction > 0.95
                share = pixels.sum() / whole.sum()
                assert item.visible_fraction == pytest.approx(share, abs=0.05)
    assert hidden


# -- reading ---------------------------------------------------------------------------------------


def test_reading_gives_back_what_was_written(tmp_path: Path, rendered: list[Rendered]) -> None:
    frames = [shot.frame for shot in rendered[:2]]
    write_clip(tmp_path, "000007", frames)
    clip = Clip(tmp_path / "clips/000007")

    assert len(clip) == 2
    for read, written in zip(clip, frames, strict=True):
        assert np.array_equal(read.image, written.image)
        assert np.array_equal(read.mask, written.mask)
        assert read.camera == written.camera
        assert read.objects == written.objects
        assert read.ground == written.ground
    assert np.array_equal(clip[-1].image, frames[1].image)
    with pytest.raises(IndexError):
        clip[2]


def test_a_dataset_says_what_it_holds(made: Path) -> None:
    dataset = ClipDataset(made)

    assert (dataset.info.size, dataset.info.scenes, dataset.info.frames) == (SIZE, SCENES, FRAMES)
    assert (dataset.info.seed, dataset.info.split) == (SEED, "train")
    assert dataset.info.families == SEEN
    assert [clip.name for clip in dataset] == ["000000", "000001", "000002"]
    assert len(dataset) == SCENES
    assert dataset[1][0].image.shape == (SIZE, SIZE, 3)
    assert dataset[1][0].ground == (0, 0, 1, 0)


@pytest.mark.parametrize("name", ["001.png", "001_mask.png", "clip.json"])
def test_a_truncated_file_is_told_when_it_is_read(copy: Path, name: str) -> None:
    file = copy / "clips/000001" / name
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    dataset = ClipDataset(copy)  # reads no clip yet

    assert dataset[0][1].image.shape == (SIZE, SIZE, 3)
    with pytest.raises(UserError, match=rf"000001/{name} .*delete its clip folder") as error:
        dataset[1][1]
    assert str(error.value).count(". ") == 0
    shutil.rmtree(file.parent)
    make(copy)
    assert dataset[1][1].mask.shape == (SIZE, SIZE)


@pytest.mark.parametrize("change", [{"camera": {}}, {"objects": [1]}, {"ground": [0, 1]}])
def test_wrong_annotations_are_told(copy: Path, change: dict[str, object]) -> None:
    file = copy / "clips/000000/clip.json"
    record = json.loads(file.read_text())
    record["frames"][0].update(change)
    file.write_text(json.dumps(record))

    with pytest.raises(UserError, match=r"clip\.json is missing or damaged"):
        ClipDataset(copy)[0][0]


def test_a_missing_picture_is_told(copy: Path) -> None:
    (copy / "clips/000000/000.png").unlink()

    with pytest.raises(UserError, match=r"000\.png is missing or damaged"):
        ClipDataset(copy)[0][0]


# -- what goes wrong -------------------------------------------------------------------------------


def test_folders_that_are_no_datasets_are_refused(copy: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="There is no dataset folder"):
        ClipDataset(tmp_path / "nowhere")
    with pytest.raises(UserError, match=r"has no dataset\.json"):
        ClipDataset(copy / "clips")
    shutil.rmtree(copy / "clips")
    with pytest.raises(UserError, match="no complete clip yet"):
        ClipDataset(copy)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"format": "neural-assets', "missing or damaged; delete its dataset"),
        ("[]", "is not of the format"),
        ('{"format": "coco"}', "is not of the format"),
        (
            '{"format": "neural-assets-dataset", "version": 3}',
            "this program reads versions up to 2",
        ),
        ('{"format": "neural-assets-dataset", "version": 2}', "missing or damaged"),
    ],
)
def test_unusable_headers_are_told(copy: Path, text: str, message: str) -> None:
    (copy / "dataset.json").write_text(text)

    with pytest.raises(UserError, match=message):
        ClipDataset(copy)
    with pytest.raises(UserError, match=message):
        make(copy)


def test_earlier_versions_are_read_and_left_as_they_are(copy: Path) -> None:
    header = json.loads((copy / "dataset.json").read_text())
    header |= {"version": 1, "families": ["car", "duck"]}
    (copy / "dataset.json").write_text(json.dumps(header))
    before = content(copy)
    dataset = ClipDataset(copy)

    assert dataset.info.version == 1
    assert dataset[0][0].image.shape == (SIZE, SIZE, 3)
    assert make(copy) == [(SCENES, SCENES)]
    with pytest.raises(UserError, match="earlier version"):
        make(copy, scenes=SCENES + 1)
    assert content(copy) == before


def test_datasets_are_not_mixed(copy: Path) -> None:
    before = content(copy)

    with pytest.raises(UserError, match="choose another folder"):
        make_dataset(copy, SCENES, FRAMES, SIZE, SEED + 1)
    with pytest.raises(UserError, match="choose another folder"):
        make_dataset(copy, SCENES, FRAMES, SIZE, SEED, "heldout")
    assert content(copy) == before


def test_impossible_wishes_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="There is no split 'test'; use one of train, heldout"):
        make_dataset(tmp_path, 1, 1, 64, 0, "test")
    with pytest.raises(UserError, match="Scenes must be at least 1, not 0"):
        make_dataset(tmp_path, 0, 1, 64, 0)
    with pytest.raises(UserError, match="seed must be at least 0"):
        render_made_frame(-1, 0)
    with pytest.raises(UserError, match="Size must be at least 1"):
        render_made_frame(0, 0, size=0)
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")

    with pytest.raises(UserError, match="Cannot make the folder"):
        make_dataset(tmp_path / "file", 1, 1, 64, 0)
    with pytest.raises(UserError, match=r"Cannot write clip 000000 .*make room"):
        write_clip(tmp_path / "file", "000000", [])
    assert (tmp_path / "file").read_text() == "mine"
