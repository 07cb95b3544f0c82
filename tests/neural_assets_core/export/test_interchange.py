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


WIDTHS = {5121: 1, 5123: 2, 5125: 4, 5126: 4}
NUMBERS = {5123: "<u2", 5126: "<f4"}
SHAPES = {"SCALAR": 1, "VEC2": 2, "VEC3": 3}


class TestRulesOfGltf:
    """What glTF 2.0 asks of a file, beyond what the readers at hand happen to need."""

    @pytest.fixture
    def content(self, file: Path) -> tuple[dict, bytes]:
        """Description and binary part, taken apart by the format's own rules."""
        data = file.read_bytes()
        magic, version, length = struct.unpack("<4sII", data[:12])
        assert (magic, version, length) == (b"glTF", 2, len(data))
        size, kind = struct.unpack("<I4s", data[12:20])
        assert (kind, size % 4) == (b"JSON", 0)
        document = json.loads(data[20 : 20 + size])
        rest = data[20 + size :]
        binary_size, kind = struct.unpack("<I4s", rest[:8])
        assert (kind, binary_size % 4, binary_size) == (b"BIN\0", 0, len(rest) - 8)
        stated = document["buffers"][0]["byteLength"]
        assert "uri" not in document["buffers"][0]
        assert 0 <= binary_size - stated < 4
        return document, rest[8:]

    def values(self, content: tuple[dict, bytes], index: int) -> np.ndarray:
        document, binary = content
        told = document["accessors"][index]
        view = document["bufferViews"][told["bufferView"]]
        assert view["byteOffset"] % WIDTHS[told["componentType"]] == 0
        start, count = view["byteOffset"], told["count"] * SHAPES[told["type"]]
        kind = np.dtype(NUMBERS[told["componentType"]])
        assert count * kind.itemsize <= view["byteLength"]
        found = np.frombuffer(binary, kind, count, start)
        return found.reshape(told["count"], SHAPES[told["type"]])

    def test_everything_referred_to_is_there(self, content) -> None:
        document, binary = content
        assert document["asset"]["version"] == "2.0"
        for view in document["bufferViews"]:
            assert view["byteOffset"] + view["byteLength"] <= len(binary)
        children = [c for node in document["nodes"] for c in node.get("children", ())]
        roots = document["scenes"][document["scene"]]["nodes"]
        # A forest: every node once.
        assert sorted(children + roots) == list(range(len(document["nodes"])))
        for node in document["nodes"]:
            assert node.get("mesh", 0) < len(document["meshes"])
            assert np.linalg.norm(node.get("rotation", (0, 0, 0, 1))) == pytest.approx(1, abs=1e-6)
            assert min(node.get("scale", (1, 1, 1))) > 0
        for name in document["extensionsUsed"]:
            assert any(name in part.get("extensions", ()) for part in document["materials"])
        image = document["images"][document["textures"][0]["source"]]
        view = document["bufferViews"][image["bufferView"]]
        assert binary[view["byteOffset"] :][:8] == b"\x89PNG\r\n\x1a\n"
        assert image["mimeType"] == "image/png"

    def test_accessors_tell_the_truth(self, content) -> None:
        document, _ = content
        for mesh in document["meshes"]:
            for part in mesh["primitives"]:
                places = part["attributes"]["POSITION"]
                vertices = self.values(content, places)
                told = document["accessors"][places]
                np.testing.assert_array_equal(np.float32(told["min"]), vertices.min(axis=0))
                np.testing.assert_array_equal(np.float32(told["max"]), vertices.max(axis=0))
                indices = self.values(content, part["indices"])
                assert indices.max() < len(vertices)
                assert len(indices) % 3 == 0
                for view, target in ((places, 34962), (part["indices"], 34963)):
                    used = document["accessors"][view]["bufferView"]
                    assert document["bufferViews"][used]["target"] == target

    def test_faces_look_outwards(self, content) -> None:
        vertices, indices = self.values(content, 0), self.values(content, 1).reshape(-1, 3)
        corners = vertices[indices]
        normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
        assert (np.einsum("ij,ij->i", normals, corners.mean(axis=1)) > 0).all()
        assert np.abs(normals).sum() == pytest.approx(12)

    def test_the_picture_hangs_upright_and_faces_the_camera(self, content, tmp_path) -> None:
        tilted = load_scene(tmp_path / "tilted.nascene")
        plane, uv = self.values(content, 2), self.values(content, 3)
        camera = tilted.camera
        # In the camera's axes of glTF: y up, z towards the viewer.
        seen = plane[:, :2] / -plane[:, 2:] * [1, -1] * [camera.k[0, 0], camera.k[1, 1]]
        np.testing.assert_allclose(seen + camera.k[:2, 2], uv * [96, 96], atol=1e-4)
        a, b, c = plane[self.values(content, 4)[:3, 0]]
        assert np.cross(b - a, c - a)[2] > 0

    def test_the_camera_has_the_picture_s_focal_length(self, content, tmp_path) -> None:
        document, _ = content
        camera = load_scene(tmp_path / "tilted.nascene").camera
        told = document["cameras"][0]["perspective"]
        assert told["znear"] > 0
        # A frame of the picture's size about the axis: glTF knows no other principal point,
        # so that is in the extras.
        assert np.tan(told["yfov"] / 2) == pytest.approx(48 / camera.k[1, 1])
        assert told["aspectRatio"] == pytest.approx(camera.k[1, 1] / camera.k[0, 0])
        node = next(node for node in document["nodes"] if "camera" in node)
        np.testing.assert_allclose(node["extras"]["neural_assets"]["intrinsics"], camera.k)
        assert node["extras"]["neural_assets"]["width"] == 96


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
