"""Users' meshes as families, from real files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import trimesh
from PIL import Image
from typer.testing import CliRunner

from neural_assets_core.cli.dataset import app
from neural_assets_core.data.dataset import AnnotatedFrame, ClipDataset
from neural_assets_core.data.edits import make_edit
from neural_assets_core.data.families import SEEN, MadeObject, make_object
from neural_assets_core.data.families.meshes import MOST_FACES, find_meshes
from neural_assets_core.errors import UserError

# A wedge: 4 long (front, +x), 2 wide, 1 high at the front and nothing at the back.
WEDGE = trimesh.Trimesh(
    [[0, 0, 0], [4, 0, 0], [4, 2, 0], [0, 2, 0], [4, 0, 1], [4, 2, 1]],
    [[0, 2, 1], [0, 3, 2], [1, 2, 5], [1, 5, 4], [0, 1, 4], [3, 5, 2], [0, 4, 5], [0, 5, 3]],
    process=False,
)


def saved(mesh: trimesh.Trimesh, path: Path) -> str:
    mesh.export(path)
    return str(path)


def made(path: str, seed: int = 0) -> MadeObject:
    return make_object(path, np.random.default_rng(seed), 0.4)


def colors(frame: AnnotatedFrame) -> np.ndarray:
    """(N, 3) colours of the pixels of all objects."""
    return frame.image[frame.mask > 0].astype(float)


def textured() -> trimesh.Trimesh:
    """A box that is red above and blue below, by its texture; y is up."""
    box = trimesh.creation.box((1, 1, 1))
    image = np.zeros((8, 8, 3), dtype=np.uint8)
    image[:4], image[4:] = (250, 10, 10), (10, 10, 250)
    uv = np.column_stack([np.full(8, 0.5), box.vertices[:, 1] * 0.9 + 0.5])
    material = trimesh.visual.material.PBRMaterial(baseColorTexture=Image.fromarray(image))
    box.visual = trimesh.visual.TextureVisuals(uv=uv, material=material)
    return box


@pytest.mark.parametrize("suffix", [".ply", ".stl"])
def test_a_mesh_stands_on_the_ground_with_its_front_ahead(tmp_path: Path, suffix: str) -> None:
    item = made(saved(WEDGE, tmp_path / f"my_wedge{suffix}"))
    points = np.concatenate([part.vertices for part in item.parts])
    high = points[points[:, 2] > 0.5 * item.size[2]]

    assert item.category == "my wedge"
    assert item.size.max() == item.size[0] == pytest.approx(0.4)
    assert points.min(axis=0) == pytest.approx([-item.size[0] / 2, -item.size[1] / 2, 0])
    assert points.max(axis=0) == pytest.approx([*(item.size[:2] / 2), item.size[2]])
    assert high[:, 0] == pytest.approx(item.size[0] / 2)


@pytest.mark.parametrize("suffix", [".glb", ".obj"])
def test_files_with_y_up_are_set_upright(tmp_path: Path, suffix: str) -> None:
    turned = WEDGE.copy()
    # (x, y, z) to (y, z, x): front +z, up +y.
    turned.apply_transform([[0, 1, 0, 0], [0, 0, 1, 0], [1, 0, 0, 0], [0, 0, 0, 1]])
    upright = made(saved(WEDGE, tmp_path / "a.ply"))
    item = made(saved(turned, tmp_path / f"b{suffix}"))

    assert item.size == pytest.approx(upright.size, rel=1e-4)
    assert max(len(part.faces) for part in item.parts) == len(WEDGE.faces)


def test_instances_differ_a_little(tmp_path: Path) -> None:
    path = saved(WEDGE, tmp_path / "wedge.ply")

    assert made(path, 1).size != pytest.approx(made(path, 2).size, rel=0.01)
    assert made(path, 1).size == pytest.approx(made(path, 1).size)


def test_surfaces_face_outwards(tmp_path: Path) -> None:
    (part,) = made(saved(trimesh.creation.icosphere(), tmp_path / "ball.ply")).parts
    corners = part.vertices[part.faces] - (0, 0, 0.5 * np.ptp(part.vertices[:, 2]))
    facing = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])

    assert (np.einsum("ij,ij->i", facing, corners.mean(axis=1)) > 0).all()
    assert (np.einsum("ij,ij->i", part.normals[part.faces[:, 0]], corners[:, 0]) > 0).all()
    assert np.linalg.norm(part.normals, axis=1) == pytest.approx(1)


def test_textures_are_drawn(tmp_path: Path) -> None:
    path = saved(textured(), tmp_path / "dice.glb")
    item = made(path)
    texture = item.parts[0].material.texture
    edit = make_edit(0, 0, "camera", 64, [path])

    assert texture is not None
    assert texture.shape == (8, 8, 3)
    upper = item.parts[0].uv[item.parts[0].vertices[:, 2] > 0.5 * item.size[2], 1]
    assert (upper > 0.5).all()
    assert (texture[0] == (250, 10, 10)).all()
    seen = colors(edit.source)
    assert (seen[:, 0] > 2 * seen[:, 2]).mean() > 0.1
    assert (seen[:, 2] > 2 * seen[:, 0]).mean() > 0.05


@pytest.mark.parametrize("where", ["vertex_colors", "face_colors"])
def test_colours_of_vertices_and_faces_are_drawn(tmp_path: Path, where: str) -> None:
    box = trimesh.creation.box((1, 1, 1))
    setattr(box.visual, where, np.tile([30, 200, 40, 255], (len(getattr(box.visual, where)), 1)))
    edit = make_edit(0, 0, "camera", 64, [saved(box, tmp_path / "box.ply")])
    seen = np.median(colors(edit.source), axis=0)

    assert seen[1] > 2 * seen[0]
    assert seen[1] > 2 * seen[2]


def test_the_command_line_makes_data_with_meshes(tmp_path: Path) -> None:
    folder = tmp_path / "meshes"
    folder.mkdir()
    for k in range(60):  # so many that they are drawn beside the program's own families
        saved(WEDGE, folder / f"wedge{k}.stl")
    (folder / "notes.txt").write_text("not a mesh")
    arguments = ["--out", str(tmp_path / "data"), "--scenes", "2", "--frames", "1"]
    arguments += ["--size", "32", "--workers", "1", "--meshes", str(folder)]
    result = CliRunner().invoke(app, ["make", *arguments])
    data = ClipDataset(tmp_path / "data")

    assert result.exit_code == 0, result.output
    assert len(data.info.families) == len(SEEN) + 60
    assert "wedge7" in data.info.families
    assert any(item.category.startswith("wedge") for clip in data for item in clip[0].objects)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("bad.glb", b"glTF, but no more", "cannot be read as a mesh"),
        (
            "bad.ply",
            b"ply\nformat ascii 1.0\nelement vertex 3\n",
            "cannot be read as a mesh|no sur",
        ),
        ("empty.stl", b"", "cannot be read as a mesh|holds no surface"),
        ("points.obj", b"v 0 0 0\nv 1 0 0\nv 0 1 0\n", "holds no surface|cannot be read"),
        ("line.obj", b"v 0 0 0\nv 1 0 0\nv 2 0 0\nf 1 2 3\n", "holds no surface"),
        ("nan.obj", b"v 0 0 0\nv nan 0 0\nv 0 1 0\nf 1 2 3\n", "holds no surface|cannot be read"),
    ],
)
def test_what_cannot_be_used_is_told(
    tmp_path: Path, name: str, content: bytes, message: str
) -> None:
    (tmp_path / name).write_bytes(content)

    with pytest.raises(UserError, match=message) as error:
        find_meshes(tmp_path)
    assert name in str(error.value)


def test_folders_without_meshes_and_huge_meshes_are_told(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="There is no folder"):
        find_meshes(tmp_path / "nowhere")
    with pytest.raises(UserError, match=r"has no mesh files: put \.glb"):
        find_meshes(tmp_path)
    side = int((MOST_FACES / 2) ** 0.5) + 2
    grid = np.arange(side * side).reshape(side, side)
    quads = np.stack([grid[:-1, :-1], grid[1:, :-1], grid[1:, 1:], grid[:-1, 1:]], -1).reshape(
        -1, 4
    )
    row, column = np.divmod(np.arange(side * side), side)
    points = np.column_stack([row, column, row * 0.1])
    saved(
        trimesh.Trimesh(points, quads[:, [[0, 1, 2], [0, 2, 3]]].reshape(-1, 3)),
        tmp_path / "big.stl",
    )
    with pytest.raises(UserError, match="triangles: reduce it"):
        find_meshes(tmp_path)
