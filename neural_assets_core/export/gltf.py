"""glTF 2.0 in one file (GLB): boxes, the camera, and the picture as a backdrop behind them."""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from pydantic import ValidationError
from scipy.spatial.transform import Rotation

from neural_assets_core.errors import UserError
from neural_assets_core.export.image import encoded
from neural_assets_core.geometry import CORNER_SIGNS, FACES, Box, Camera
from neural_assets_core.geometry.box import Float
from neural_assets_core.scene import Picture, Scene
from neural_assets_core.scene.container import DAMAGE

MAXIMUM_FILE_BYTES = 2**30
MAXIMUM_NODES = 10_000
EXTRAS = "neural_assets"
"""What glTF has no words for: the camera's intrinsics, names, what is no object."""

_VERTICES, _INDICES = 34962, 34963
"""What a part of the buffer is for, in OpenGL's numbers."""

_MAGIC, _JSON, _BINARY = 0x46546C67, 0x4E4F534A, 0x004E4942
_UP = Rotation.from_euler("x", -90, degrees=True)
"""From our axes (z up) to glTF's (y up)."""

_FLIP = np.diag([1.0, -1.0, -1.0, 1.0])
"""From our camera's axes (y down, z ahead) to glTF's (y up, z back)."""

_BEHIND = 1.5
"""Depth of the backdrop, in that of the farthest box's corner."""


@dataclass(frozen=True)
class Placement:
    """What a GLB file says about a scene.

    Attributes
    ----------
    boxes : dict from name to Box
        Of every mesh: the box around it, along its node's own axes.
    camera : Camera or None
        Only of files that name its intrinsics in their extras, as ours do.
    """

    boxes: dict[str, Box]
    camera: Camera | None

    def applied(self, scene: Scene) -> Scene:
        """The scene with its objects of these names, and its camera, placed so.

        Raises
        ------
        UserError
            If no object has one of the names.
        """
        known = [item.name for item in scene.objects if item.name in self.boxes]
        if not known and self.camera is None:
            raise UserError("Nothing in that file has the name of an object of this scene.")
        for name in known:
            scene = scene.with_box(name, self.boxes[name])
        same = self.camera is not None and (self.camera.width, self.camera.height) == (
            scene.camera.width,
            scene.camera.height,
        )
        return scene.with_camera(self.camera) if same and self.camera is not None else scene


# -- writing ---------------------------------------------------------------------------------


def glb(picture: Picture, scene: Scene, request: str | None = None) -> bytes:
    """A GLB file of a scene, to be opened in Blender and elsewhere.

    Every object is a node that scales a unit cube to its box. The camera is a node; its
    intrinsics, which glTF does not know, are in the node's `extras`, and the picture hangs before
    it on a plane, fitted by them.

    Parameters
    ----------
    picture : Picture
    scene : Scene
    request : str, optional
        JSON of the scene, kept in the picture's metadata.
    """
    image = encoded(Image.fromarray(picture.pixels), ".png", request)
    chunks: list[bytes] = []
    views: list[dict[str, Any]] = []
    corners = (0.5 * CORNER_SIGNS).astype("<f4")
    triangles = np.array([(a, b, c, a, c, d) for a, b, c, d in FACES], dtype="<u2")
    plane = _backdrop(scene).astype("<f4")
    uvs = np.array([(0, 0), (1, 0), (1, 1), (0, 1)], dtype="<f4")
    quad = np.array([(0, 3, 2, 0, 2, 1)], dtype="<u2")
    for data in (corners, triangles, plane, uvs, quad):
        _add(chunks, views, data.tobytes(), _INDICES if data.dtype.kind == "u" else _VERTICES)
    _add(chunks, views, image)
    nodes = [_box_node(item.name, item.category, item.box) for item in scene.objects]
    camera = _camera_node(scene.camera)
    told = {"name": "backdrop", "mesh": 1, "extras": {EXTRAS: {"backdrop": True}}}
    # Beside the camera, not below it: not every program looks there.
    place = {key: camera[key] for key in ("translation", "rotation")}
    nodes += [camera, told | place]
    x, y, z, w = _UP.as_quat()
    nodes.append(
        {
            "name": "z up",
            "rotation": [x, y, z, w],
            "children": list(range(len(nodes))),
        }
    )
    document = {
        "asset": {"version": "2.0", "generator": "Neural Assets Studio"},
        "extensionsUsed": ["KHR_materials_unlit"],
        "scene": 0,
        "scenes": [{"nodes": [len(nodes) - 1]}],
        "nodes": nodes,
        "cameras": [_gltf_camera(scene.camera)],
        "meshes": [
            {"name": "box", "primitives": [{"attributes": {"POSITION": 0}, "indices": 1}]},
            {
                "name": "backdrop",
                "primitives": [
                    {
                        "attributes": {"POSITION": 2, "TEXCOORD_0": 3},
                        "indices": 4,
                        "material": 0,
                    }
                ],
            },
        ],
        "materials": [
            {
                "name": "picture",
                "doubleSided": True,
                "extensions": {"KHR_materials_unlit": {}},
                "pbrMetallicRoughness": {
                    "baseColorTexture": {"index": 0},
                    "metallicFactor": 0.0,
                },
            }
        ],
        "textures": [{"source": 0, "sampler": 0}],
        "samplers": [{"wrapS": 33071, "wrapT": 33071}],
        "images": [{"name": "picture", "mimeType": "image/png", "bufferView": 5}],
        "accessors": [
            _accessor(0, corners, "VEC3"),
            _accessor(1, triangles.reshape(-1), "SCALAR"),
            _accessor(2, plane, "VEC3"),
            _accessor(3, uvs, "VEC2"),
            _accessor(4, quad.reshape(-1), "SCALAR"),
        ],
        "bufferViews": views,
        "buffers": [{"byteLength": sum(map(len, chunks))}],
    }
    return _packed(document, b"".join(chunks))


def _box_node(name: str, category: str, box: Box) -> dict[str, Any]:
    w, x, y, z = box.rotation
    return {
        "name": name,
        "mesh": 0,
        "translation": list(box.center),
        "rotation": [x, y, z, w],
        "scale": list(box.size),
        "extras": {EXTRAS: {"category": category}},
    }


def _camera_node(camera: Camera) -> dict[str, Any]:
    pose = camera.camera_to_world @ _FLIP
    x, y, z, w = Rotation.from_matrix(pose[:3, :3]).as_quat()
    told = {
        "intrinsics": camera.k.tolist(),
        "width": camera.width,
        "height": camera.height,
    }
    return {
        "name": "camera",
        "camera": 0,
        "translation": pose[:3, 3].tolist(),
        "rotation": [x, y, z, w],
        "extras": {EXTRAS: told},
    }


def _gltf_camera(camera: Camera) -> dict[str, Any]:
    fx, fy = camera.k[0, 0], camera.k[1, 1]
    return {
        "type": "perspective",
        "perspective": {
            "yfov": 2 * math.atan(camera.height / (2 * fy)),
            "aspectRatio": (camera.width / fx) / (camera.height / fy),
            "znear": 0.01,
        },
    }


def _backdrop(scene: Scene) -> Float:
    """(4, 3) corners of the picture's plane in glTF's camera axes, from the top left clockwise."""
    camera = scene.camera
    depths = [camera.to_camera(item.box.corners())[:, 2].max() for item in scene.objects]
    depth = _BEHIND * max((float(d) for d in depths), default=4.0)
    sides = [(0, 0), (camera.width, 0), (camera.width, camera.height), (0, camera.height)]
    pixels = np.array(sides, dtype=np.float64)
    k = camera.k
    local = np.ones((4, 3))
    local[:, :2] = (pixels - k[:2, 2]) / [k[0, 0], k[1, 1]]
    return np.asarray(depth * local * [1.0, -1.0, -1.0])


def _add(
    chunks: list[bytes], views: list[dict[str, Any]], data: bytes, target: int | None = None
) -> None:
    view = {"buffer": 0, "byteOffset": sum(map(len, chunks)), "byteLength": len(data)}
    views.append(view if target is None else view | {"target": target})
    chunks.append(data + bytes(-len(data) % 4))


def _accessor(view: int, values: np.ndarray[Any, Any], kind: str) -> dict[str, Any]:
    told = {
        "bufferView": view,
        "componentType": 5123 if values.dtype.kind == "u" else 5126,
        "count": len(values),
        "type": kind,
    }
    if kind == "VEC3":
        told |= {"min": values.min(axis=0).tolist(), "max": values.max(axis=0).tolist()}
    return told


def _packed(document: dict[str, Any], binary: bytes) -> bytes:
    text = json.dumps(document, allow_nan=False).encode()
    text += b" " * (-len(text) % 4)
    size = 12 + 8 + len(text) + 8 + len(binary)
    return b"".join(
        [
            struct.pack("<III", _MAGIC, 2, size),
            struct.pack("<II", len(text), _JSON),
            text,
            struct.pack("<II", len(binary), _BINARY),
            binary,
        ]
    )


# -- reading ---------------------------------------------------------------------------------


def read_glb(path: str | Path) -> Placement:
    """Where the meshes and the camera of a GLB file are, ours or another program's.

    Only the description is read, no mesh and no picture.

    Raises
    ------
    UserError
        If the file is missing, damaged or no GLB file.
    """
    path = Path(path)
    try:
        document = _document(path)
        boxes: dict[str, Box] = {}
        camera = None
        for node, pose in _placed(document):
            told = _extras(node)
            if "mesh" in node and "backdrop" not in told:
                name = str(node.get("name", f"mesh {len(boxes) + 1}"))
                boxes[name] = _box(pose, *_bounds(document, node["mesh"]))
            if "camera" in node and "intrinsics" in told:
                camera = _camera(told, pose)
        return Placement(boxes, camera)
    except FileNotFoundError:
        raise UserError(f"There is no file {path}: check the name.") from None
    except (*DAMAGE, ValidationError, AttributeError, RecursionError) as error:
        reason = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
        raise UserError(f"{path} is not a GLB file that can be used ({reason}).") from None


def _document(path: Path) -> dict[str, Any]:
    if path.stat().st_size > MAXIMUM_FILE_BYTES:
        raise ValueError(f"it is larger than {MAXIMUM_FILE_BYTES >> 20} MiB")
    with open(path, "rb") as file:
        magic, version, _, length, kind = struct.unpack("<IIIII", file.read(20))
        if (magic, version, kind) != (_MAGIC, 2, _JSON):
            raise ValueError("it has another format or version")
        document = json.loads(file.read(min(length, MAXIMUM_FILE_BYTES)))
    if not isinstance(document, dict) or len(document.get("nodes", [])) > MAXIMUM_NODES:
        raise ValueError("it holds too many nodes, or none")
    return document


def _placed(document: dict[str, Any]) -> Iterator[tuple[dict[str, Any], Float]]:
    """The scene's nodes, and their poses in our world (4, 4)."""
    up = np.eye(4)
    up[:3, :3] = _UP.inv().as_matrix()
    roots = document["scenes"][document.get("scene", 0)].get("nodes", [])
    waiting = [(index, up) for index in roots]
    seen = set()
    while waiting:
        index, above = waiting.pop(0)
        if index in seen:
            raise ValueError("its nodes are no tree")
        seen.add(index)
        node = document["nodes"][index]
        pose = above @ _local(node)
        yield node, pose
        waiting.extend((child, pose) for child in node.get("children", []))


def _local(node: dict[str, Any]) -> Float:
    if "matrix" in node:
        return np.asarray(node["matrix"], dtype=np.float64).reshape(4, 4).T
    pose = np.eye(4)
    turn = Rotation.from_quat(node.get("rotation", [0, 0, 0, 1])).as_matrix()
    pose[:3, :3] = turn * np.asarray(node.get("scale", [1, 1, 1]), dtype=np.float64)
    pose[:3, 3] = node.get("translation", [0, 0, 0])
    return pose


def _bounds(document: dict[str, Any], mesh: int) -> tuple[Float, Float]:
    """Least and greatest coordinates of a mesh, (3,) each."""
    accessors = [
        document["accessors"][primitive["attributes"]["POSITION"]]
        for primitive in document["meshes"][mesh]["primitives"]
    ]
    least = np.min([accessor["min"] for accessor in accessors], axis=0)
    most = np.max([accessor["max"] for accessor in accessors], axis=0)
    return np.asarray(least, dtype=np.float64), np.asarray(most, dtype=np.float64)


def _box(pose: Float, least: Float, most: Float) -> Box:
    axes = pose[:3, :3]
    scale = np.linalg.norm(axes, axis=0)
    if np.linalg.det(axes) < 0:
        # Mirrored: a box is the same when its x axis points the other way.
        axes = axes * [-1.0, 1.0, 1.0]
    rotation = Rotation.from_matrix(axes / scale).as_quat(scalar_first=True)
    center = pose[:3, :3] @ (0.5 * (least + most)) + pose[:3, 3]
    size = np.maximum(scale * (most - least), 1e-3)
    return Box(
        center=tuple(center.tolist()), size=tuple(size.tolist()), rotation=tuple(rotation.tolist())
    )


def _camera(told: dict[str, Any], pose: Float) -> Camera:
    flipped = pose @ _FLIP
    rotation = flipped[:3, :3].T
    extrinsics = np.eye(4)
    extrinsics[:3, :3], extrinsics[:3, 3] = rotation, -rotation @ flipped[:3, 3]
    k = np.asarray(told["intrinsics"], dtype=np.float64)
    return Camera.from_matrices(told["width"], told["height"], k, extrinsics)


def _extras(node: dict[str, Any]) -> dict[str, Any]:
    told = node.get("extras", {}).get(EXTRAS, {})
    return told if isinstance(told, dict) else {}
