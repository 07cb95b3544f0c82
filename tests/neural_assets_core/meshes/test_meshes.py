"""Meshes from files, good and bad ones, as stand-ins in a scene."""

from __future__ import annotations

import json
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest
import trimesh
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from neural_assets_core.cli.main import app
from neural_assets_core.decoders import ProxyDecoder
from neural_assets_core.errors import UserError
from neural_assets_core.library import Asset, inserted, replaced
from neural_assets_core.meshes import MESH_SUFFIXES, load_mesh, stand_in
from neural_assets_core.scene import Scene, Wireframe, load_scene, save_scene
from neural_assets_core.scene.wireframe import MAXIMUM_EDGES

SIZE = np.array([0.3, 0.2, 0.5])
"""Along x, y and z, z up."""


def written(path: Path, mesh: trimesh.Trimesh) -> Path:
    """A file of a mesh that has z up, as its kind means it."""
    mesh = mesh.copy()
    if path.suffix in (".glb", ".obj"):
        turn = np.eye(4)
        turn[:3, :3] = [[0, 1, 0], [0, 0, 1], [1, 0, 0]]
        mesh.apply_transform(turn)
    mesh.export(str(path))
    return path


@pytest.fixture
def part() -> trimesh.Trimesh:
    """Somewhere in space."""
    mesh = trimesh.creation.box(extents=SIZE)
    mesh.apply_translation([3.0, -2.0, 7.0])
    return mesh


class TestReading:
    @pytest.mark.parametrize("suffix", sorted(MESH_SUFFIXES))
    def test_every_kind_stands_on_the_ground_with_its_size(
        self, part: trimesh.Trimesh, tmp_path: Path, suffix: str
    ) -> None:
        mesh = load_mesh(written(tmp_path / f"part{suffix}", part))
        assert mesh.name == "part"
        np.testing.assert_allclose(mesh.size, SIZE, rtol=1e-5)
        np.testing.assert_allclose(mesh.vertices.min(axis=0), [-0.15, -0.1, 0.0], atol=1e-5)
        box = stand_in(mesh).object_appearance().box
        np.testing.assert_allclose(box.size, SIZE, rtol=1e-5)
        np.testing.assert_allclose(box.base_center(), 0, atol=1e-9)

    def test_millimetres_are_guessed_unless_said(self, part, tmp_path: Path) -> None:
        part.apply_scale(1000)
        path = written(tmp_path / "part.stl", part)
        np.testing.assert_allclose(load_mesh(path).size, SIZE, rtol=1e-5)
        np.testing.assert_allclose(load_mesh(path, 0.01).size, 10 * SIZE, rtol=1e-5)

    def test_parts_of_a_glb_are_placed(self, tmp_path: Path) -> None:
        scene = trimesh.Scene()
        scene.add_geometry(trimesh.creation.box(extents=(1, 1, 1)), node_name="a")
        aside = trimesh.transformations.translation_matrix([3.0, 0.0, 0.0])
        scene.add_geometry(trimesh.creation.box(extents=(1, 1, 1)), transform=aside)
        scene.export(str(tmp_path / "two.glb"))
        np.testing.assert_allclose(load_mesh(tmp_path / "two.glb").size, [1, 4, 1], rtol=1e-6)


BAD = {
    "empty.obj": (b"", "no triangles|damaged"),
    "points.obj": (b"v 0 0 0\nv 1 0 0\n", "no triangles|damaged"),
    "nan.obj": (b"v 0 0 0\nv nan 0 0\nv 0 1 0\nf 1 2 3\n", "nowhere|damaged"),
    "far.obj": (b"v 0 0 0\nv 1e30 0 0\nv 0 1 0\nf 1 2 3\n", "nowhere"),
    "huge.obj": (b"v 0 0 0\nv 1e8 0 0\nv 0 1 0\nf 1 2 3\n", "m large"),
    "tiny.obj": (b"v 0 0 0\nv 1e-9 0 0\nv 0 1e-9 0\nf 1 2 3\n", "m large"),
    "hole.obj": (b"v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 9\n", "damaged"),
    "cut.stl": (b"\0" * 80 + struct.pack("<I", 2**31), "damaged|no triangles"),
    "count.ply": (
        b"ply\nformat binary_little_endian 1.0\nelement vertex 2000000000\n"
        b"property float x\nproperty float y\nproperty float z\nend_header\n",
        "damaged|memory|no triangles",
    ),
    "text.glb": (b"glTF" + b"x" * 60, "damaged"),
    "photo.jpg": (b"\xff\xd8", "no mesh"),
}


def glb(folder: Path, document: dict) -> Path:
    """A file of a document alone."""
    text = json.dumps(document).encode()
    text += b" " * (-len(text) % 4)
    header = struct.pack("<III", 0x46546C67, 2, 20 + len(text))
    path = folder / "a.glb"
    path.write_bytes(header + struct.pack("<II", len(text), 0x4E4F534A) + text)
    return path


class TestBadFiles:
    @pytest.mark.parametrize("name", BAD)
    def test_one_sentence(self, tmp_path: Path, name: str) -> None:
        content, reason = BAD[name]
        (tmp_path / name).write_bytes(content)
        with pytest.raises(UserError, match=reason) as told:
            load_mesh(tmp_path / name)
        assert len(str(told.value)) < 300
        assert "\n" not in str(told.value)

    def test_missing_or_too_many(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        with pytest.raises(UserError, match="no file"):
            load_mesh(tmp_path / "a.obj")
        path = written(tmp_path / "a.stl", trimesh.creation.box())
        monkeypatch.setattr("neural_assets_core.meshes.reading.MAXIMUM_FACES", 10)
        with pytest.raises(UserError, match="decimate"):
            load_mesh(path)
        monkeypatch.setattr("neural_assets_core.meshes.reading.MAXIMUM_BYTES", 10)
        with pytest.raises(UserError, match="too large"):
            load_mesh(path)

    def test_other_files_are_left_alone(self, tmp_path: Path) -> None:
        secret = tmp_path / "secret.bin"
        secret.write_bytes(struct.pack("<9f", 0, 0, 0, 1, 0, 0, 0, 1, 0))
        document = {
            "asset": {"version": "2.0"},
            "scenes": [{"nodes": [0]}],
            "nodes": [{"mesh": 0}],
            "meshes": [{"primitives": [{"attributes": {"POSITION": 0}}]}],
            "accessors": [{"bufferView": 0, "componentType": 5126, "count": 3, "type": "VEC3"}],
            "bufferViews": [{"buffer": 0, "byteLength": 36}],
            "buffers": [{"byteLength": 36, "uri": str(secret)}],
        }
        with pytest.raises(UserError, match="needs other files"):
            load_mesh(glb(tmp_path, document))
        # Zeros that are only claimed, and a node that is its own child.
        accessor = {"componentType": 5126, "count": 4_000_000_000, "type": "VEC3"}
        with pytest.raises(UserError, match="claims"):
            load_mesh(glb(tmp_path, {**document, "accessors": [accessor]}))
        with pytest.raises(UserError):
            load_mesh(glb(tmp_path, {**document, "nodes": [{"children": [0]}]}))
        (tmp_path / "b.obj").write_text(
            "mtllib ../../../etc/passwd\nv 0 0 0\nv 1 0 0\nv 0 1 0\nusemtl root\nf 1 2 3\n"
        )
        assert load_mesh(tmp_path / "b.obj").faces.shape == (1, 3)

    @settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
    @given(data=st.data())
    def test_mutated_files(self, tmp_path: Path, data: st.DataObject) -> None:
        suffix = data.draw(st.sampled_from(sorted(MESH_SUFFIXES)))
        path = tmp_path / f"m{suffix}"
        content = bytearray(written(path, trimesh.creation.box()).read_bytes())
        for _ in range(data.draw(st.integers(1, 8))):
            content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
        path.write_bytes(content)
        try:
            asset = stand_in(load_mesh(path))
        except UserError:
            return
        assert np.isfinite(asset.appearance.box.size).all()


class TestWireframes:
    def test_all_edges_of_a_small_mesh_inside_its_box(self, part, tmp_path: Path) -> None:
        lines = stand_in(load_mesh(written(tmp_path / "a.ply", part))).wireframe
        # Twelve, and the diagonals of six faces.
        assert lines.segments.shape == (18, 2, 3)
        np.testing.assert_allclose(np.abs(lines.segments), 1, atol=1e-4)

    def test_large_ones_become_coarser(self, tmp_path: Path) -> None:
        mesh = trimesh.creation.icosphere(subdivisions=5, radius=0.4)
        lines = stand_in(load_mesh(written(tmp_path / "a.stl", mesh))).wireframe
        assert 1000 < len(lines.segments) <= MAXIMUM_EDGES
        radii = np.linalg.norm(lines.segments, axis=2)
        assert radii.min() > 0.9
        assert radii.max() <= 1.01

    def test_value(self) -> None:
        lines = Wireframe([[-1, -1, -1], [1, 1, 1], [0, 3, 0]], [[0, 1], [1, 2]])
        assert Wireframe.from_bytes(lines.data) == lines
        assert hash(Wireframe.from_bytes(lines.data)) == hash(lines)
        assert lines.segments[1, 1].tolist() == pytest.approx([0, 1, 0], abs=1e-4)
        lost = b"\1\0\1\0" + b"\xff" * 10
        for wrong in (b"", lines.data[:-1], lines.data + b"x", b"\0" * 4, lost):
            with pytest.raises(ValueError, match="wireframe"):
                Wireframe.from_bytes(wrong)


class TestStandIns:
    @pytest.fixture
    def placed(self, scene: Scene, part: trimesh.Trimesh, tmp_path: Path) -> Scene:
        asset = stand_in(load_mesh(written(tmp_path / "part.glb", part)))
        return inserted(scene, asset, (0.1, -0.3))

    def test_stands_where_it_was_put_and_is_seen_as_clay(
        self, scene: Scene, placed: Scene
    ) -> None:
        item = placed.object("part")
        assert item.category == "stand-in"
        assert item.box.base_center() == pytest.approx([0.1, -0.3, 0.0], abs=1e-9)
        before, after = (ProxyDecoder().generate(s).picture.pixels for s in (scene, placed))
        changed = np.abs(before.astype(int) - after).max(axis=2) > 8
        assert changed.sum() > 50
        corners = placed.camera.project(item.box.corners())[:, :2]
        y, x = np.nonzero(changed)
        assert abs(np.mean([x, y], axis=1) - corners.mean(axis=0)).max() < 15

    def test_kept_in_the_file(self, placed: Scene, tmp_path: Path) -> None:
        path = tmp_path / "a.nascene"
        save_scene(placed, path)
        assert load_scene(path) == placed
        name = f"wireframes/{placed.object('part').wireframe.sha256}.bin"
        with zipfile.ZipFile(path) as archive:
            assert archive.getinfo(name).file_size < 2000
            entries = {entry: archive.read(entry) for entry in archive.namelist()}
        # Without it the scene opens all the same; another one in its place is damage.
        other = Wireframe([[0, 0, 0]], [[0, 0]]).data
        for content, fault in ((None, None), (other, "not the one")):
            with zipfile.ZipFile(path, "w") as archive:
                for entry, data in entries.items():
                    data = content if entry == name else data
                    if data is not None:
                        archive.writestr(entry, data)
            if fault is None:
                assert load_scene(path).object("part").wireframe is None
            else:
                with pytest.raises(UserError, match=fault):
                    load_scene(path)

    def test_until_an_asset_replaces_it(self, scene: Scene, placed: Scene) -> None:
        looks = scene.objects[0].appearance
        assert placed.with_appearance("part", looks).object("part").wireframe is None
        asset = Asset(name="mug", appearance=looks)
        assert replaced(placed, "part", asset).objects[-1].wireframe is None

    def test_command_line(self, scene: Scene, part: trimesh.Trimesh, tmp_path: Path) -> None:
        save_scene(scene, tmp_path / "a.nascene")
        mesh = written(tmp_path / "part.obj", part)
        arguments = ["import", mesh, "--scene", tmp_path / "a.nascene", "--at", 0.2, -0.4,
                     "--out", tmp_path / "b.nascene"]  # fmt: skip
        result = CliRunner().invoke(app, list(map(str, arguments)))
        assert result.exit_code == 0, result.output
        item = load_scene(tmp_path / "b.nascene").object("part")
        assert item.wireframe is not None
        assert item.box.base_center() == pytest.approx([0.2, -0.4, 0.0], abs=1e-9)
