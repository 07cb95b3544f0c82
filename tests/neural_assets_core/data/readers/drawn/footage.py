"""A clip of pictures with masks, as one makes them oneself."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from PIL import Image
from scipy.spatial.transform import Rotation

from tests.neural_assets_core.data.readers.drawn.outlines import Cuboid, Truth, draw, looking


def write_footage(folder: Path, frames: int = 3) -> Truth:
    """A clip of pictures with masks, in the documented format."""
    truth, told = Truth(), []
    clip = folder / "desk"
    clip.mkdir(parents=True)
    k = np.array([[90.0, 0, 50], [0, 90, 35], [0, 0, 1]])
    objects = {
        "cup": Cuboid((0.0, 0.1, 0.2), (0.5, 0.3, 0.4), Rotation.from_euler("z", 0.3)),
        "tin": Cuboid((0.6, -0.2, 0.15), (0.3, 0.3, 0.3), Rotation.from_euler("zx", [0.5, 0.2])),
    }
    for number in range(frames):
        pose = looking((0.3 * number, -2.0, 1.1), (0.2, 0, 0.2), (0, 0, 1))
        pose[:3, 1:3] *= -1  # from up and backward to down and forward
        outlines = []
        for cuboid in objects.values():
            local = (cuboid.points() - pose[:3, 3]) @ pose[:3, :3]
            outlines.append((local @ k.T)[:, :2] / local[:, 2:])
        image, ids = draw(96, 72, outlines)
        Image.fromarray(image).save(clip / f"{number}.png")
        Image.fromarray(np.choose(ids, [0, 40, 7]).astype(np.uint8)).save(clip / f"m{number}.png")
        truth.corners.append(outlines)
        truth.images.append(image)
        truth.masks.append(ids)
        frame = {"picture": f"{number}.png", "mask": f"m{number}.png"}
        key = "camera_to_world" if number else "world_to_camera"
        matrix = pose if number else np.linalg.inv(pose)
        told.append({**frame, "camera": {"intrinsics": k.tolist(), key: matrix.tolist()}})
    content = {
        "format": "neural-assets-clip",
        "objects": [
            {
                "name": name, "category": name, "mask_value": value, "center": cuboid.center,
                "size": cuboid.size,
                "rotation": cuboid.turn.as_quat(scalar_first=True).tolist(),
            }
            for (name, cuboid), value in zip(objects.items(), (40, 7), strict=True)
        ],
        "frames": told,
    }  # fmt: skip
    (clip / "clip.json").write_text(json.dumps(content))
    return truth
