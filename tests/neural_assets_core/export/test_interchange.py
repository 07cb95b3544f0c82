"""GLB, transforms.json and COLMAP: what comes back is what was there."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import numpy as np
import pytest
import trimesh
from hypothesis import given
from hypothesis import strategies as st

from neural_assets_core.animation import camera_orbit, turntable
from neural_assets_core.errors import UserError
from neural_assets_core.export import export_still
from neural_assets_core.export.gltf import glb, read_glb
from neural_assets_core.export.poses import (
    cameras_from_colmap,
    cameras_from_transforms,
    colmap,
    frame_cameras,
    transforms,
    write_poses,
)
from neural_assets_core.geometry import Box, Camera
from neural_assets_core.scene import Scene, load_scene, save_scene
from tests.neural_assets_core.test_cli import done, refused

turn = st.floats(-3.0, 3.0)


@pytest.fixture
def file(scene: Scene, tmp_path: Path) -> Path:
    """The scene as GLB, its first box turned every way, its principal point off the centre."""
    k = scene.camera.k
    k[:2, 2] += (3.0, -5.0)
    camera = Camera.from_matrices(96, 96, k, scene.camera.extrinsics)
    box = scene.object("box 1").box.rotated((1, 2, 3), 0.7)
    tilted = scene.with_box("box 1", box).with_camera(camera)
    path = tmp_path / "a.glb"
    export_still(scene.background.view.picture, tilted, path, what="glb")
    save_scene(tilted, tmp_path / "tilted.nascene")
    return path


def same_box(one: Box, other: Box) -> None:
    np.testing.assert_allclose(one.corners(), other.corners(), atol=1e-6)


class TestGlb:
    def test_round_trip(self, scene: Scene, file: Path, tmp_path: Path) -> None:
        tilted = load_scene(tmp_path / "tilted.nascene")
        placement = read_glb(file)
        assert set(placement.boxes) == {"box 1", "box 2"}
        for item in tilted.objects:
            same_box(placement.boxes[item.name], item.box)
        np.testing.assert_allclose(placement.camera.k, tilted.camera.k, atol=1e-6)
        np.testing.assert_allclose(
            placement.camera.extrinsics, tilted.camera.extrinsics, atol=1e-6
        )
        applied = placement.applied(scene)
        same_box(applied.object("box 1").box, tilted.object("box 1").box)

    def test_another_reader_sees_the_same(self, file: Path, tmp_path: Path) -> None:
        tilted = load_scene(tmp_path / "tilted.nascene")
        loaded = trimesh.load_scene(file)
        for item in tilted.objects:
            pose, geometry = loaded.graph[item.name]
            vertices = trimesh.transform_points(loaded.geometry[geometry].vertices, pose)
            # From y up to z up.
            ours = vertices[:, [0, 2, 1]] * [1, -1, 1]
            for corner in item.box.corners():
                assert np.linalg.norm(ours - corner, axis=1).min() < 1e-5
        backdrop = loaded.geometry["backdrop"]
        assert backdrop.visual.material.baseColorTexture.size == (96, 96)
        pose, _ = loaded.graph["backdrop"]
        plane = trimesh.transform_points(backdrop.vertices, pose)[:, [0, 2, 1]] * [1, -1, 1]
        seen = tilted.camera.project(plane)
        # The picture hangs where the camera sees it fill its frame.
        assert {tuple(np.round(p).astype(int)) for p in seen[:, :2]} == {
            (0, 0), (96, 0), (96, 96), (0, 96),
        }  # fmt: skip
        assert backdrop.faces.shape == (2, 3)

    @given(angles=st.tuples(turn, turn, turn), shift=st.tuples(turn, turn, turn))
    def test_boxes_of_other_programs(self, angles, shift) -> None:
        import tempfile

        box = Box(center=(0.0, 0.0, 0.0), size=(0.5, 1.0, 2.0)).translated(shift)
        for axis, angle in zip(np.eye(3), angles, strict=True):
            box = box.rotated(axis, angle)
        pose = np.eye(4)
        pose[:3, :3], pose[:3, 3] = box.rotation_matrix(), box.center
        made = trimesh.creation.box(extents=box.size)
        made.apply_transform(trimesh.transformations.translation_matrix((1, 2, 3)))
        back = pose @ trimesh.transformations.translation_matrix((-1, -2, -3))
        up = trimesh.transformations.rotation_matrix(-np.pi / 2, (1, 0, 0))
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "x.glb"
            world = trimesh.Scene()
            world.add_geometry(made, node_name="thing", transform=up @ back)
            world.export(path)
            found = read_glb(path)
        assert found.camera is None
        same_box(found.boxes["thing"], box)

    def test_command(self, scene: Scene, file: Path, tmp_path: Path) -> None:
        save_scene(scene, tmp_path / "s.nascene")
        out = tmp_path / "new.nascene"
        done("import", file, "--into", tmp_path / "s.nascene", "--out", out)
        tilted = load_scene(tmp_path / "tilted.nascene")
        same_box(load_scene(out).object("box 1").box, tilted.object("box 1").box)
        empty = tmp_path / "empty.glb"
        trimesh.Scene([trimesh.creation.box()]).export(empty)
        told = refused("import", empty, "--into", tmp_path / "s.nascene", "--out", out)
        assert "Nothing in that file" in told

    def test_damaged_files_are_told(self, file: Path, tmp_path: Path) -> None:
        content = file.read_bytes()
        length = struct.unpack("<I", content[12:16])[0]
        document = json.loads(content[20 : 20 + length])
        document["nodes"][-1]["children"].append(len(document["nodes"]) - 1)
        loop = json.dumps(document).encode()
        bad = [
            b"", content[:15], b"x" * 40, content[:200],
            content[:12] + struct.pack("<I", len(loop)) + content[16:20] + loop,
            content[:20] + b"[" + content[21:],
        ]  # fmt: skip
        for index, data in enumerate(bad):
            path = tmp_path / f"{index}.glb"
            path.write_bytes(data)
            with pytest.raises(UserError, match="not a GLB file that can be used"):
                read_glb(path)

    def test_a_scene_without_objects(self, scene: Scene, tmp_path: Path) -> None:
        empty = scene.model_copy(update={"objects": ()})
        (tmp_path / "e.glb").write_bytes(glb(scene.background.view.picture, empty))
        assert read_glb(tmp_path / "e.glb").boxes == {}


def same_camera(one: Camera, other: Camera) -> None:
    assert (one.width, one.height) == (other.width, other.height)
    np.testing.assert_allclose(one.k, other.k, atol=1e-6)
    np.testing.assert_allclose(one.extrinsics, other.extrinsics, atol=1e-6)


class TestPoses:
    def test_round_trips(self, scene: Scene) -> None:
        cameras = frame_cameras(camera_orbit(scene, seconds=1, fps=5))
        files = [f"{number}.png" for number in range(5)]
        document = json.loads(json.dumps(transforms(cameras, files)))
        models, images, _ = colmap(cameras, files)
        for back in (cameras_from_transforms(document), cameras_from_colmap(models, images)):
            for one, other in zip(cameras, back, strict=True):
                same_camera(one, other)
        assert [frame["file_path"] for frame in document["frames"]] == files
        # One camera for all frames.
        assert len(models.splitlines()) == 2

    def test_opengl_cameras_look_along_minus_z(self, scene: Scene) -> None:
        pose = np.array(transforms([scene.camera], ["a.png"])["frames"][0]["transform_matrix"])
        np.testing.assert_allclose(-pose[:3, 2], scene.camera.forward, atol=1e-12)
        np.testing.assert_allclose(pose[:3, 3], scene.camera.position, atol=1e-12)

    def test_for_what_turns_the_camera_circles(self, scene: Scene) -> None:
        frames = turntable(scene, "box 1", seconds=1, fps=6)
        cameras = frame_cameras(frames, "box 1")
        resting = frames[0].object("box 1").box.corners()
        for frame, camera in zip(frames, cameras, strict=True):
            turned = frame.camera.project(frame.object("box 1").box.corners())
            np.testing.assert_allclose(camera.project(resting), turned, atol=1e-8)

    def test_distorted_models_are_refused(self) -> None:
        with pytest.raises(UserError, match="OPENCV"):
            cameras_from_colmap("1 OPENCV 4 4 1 1 1 1 0 0 0 0", "")

    def test_command(self, scene: Scene, tmp_path: Path) -> None:
        save_scene(scene, tmp_path / "s.nascene")
        out = tmp_path / "turn"
        done(
            "turntable", tmp_path / "s.nascene", "--object", "box 1", "--seconds", "1", "--fps",
            "4", "--size", "48", "--out", out, "--poses", "--decoder", "proxy", "--checkpoint",
            "nowhere",
        )  # fmt: skip
        document = json.loads((out / "transforms.json").read_text())
        assert [frame["w"] for frame in document["frames"]] == [48] * 4
        assert all((out / frame["file_path"]).is_file() for frame in document["frames"])
        assert {path.name for path in (out / "colmap").iterdir()} == {
            "cameras.txt", "images.txt", "points3D.txt",
        }  # fmt: skip

    def test_write_poses(self, scene: Scene, tmp_path: Path) -> None:
        write_poses([scene.camera], ["a.png"], tmp_path)
        model = tmp_path / "colmap"
        back = cameras_from_colmap(
            (model / "cameras.txt").read_text(), (model / "images.txt").read_text()
        )
        same_camera(back[0], scene.camera)
