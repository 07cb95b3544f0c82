"""A sample of OBJect."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from PIL import Image
from scipy.spatial.transform import Rotation

from tests.neural_assets_core.data.readers.drawn.outlines import Cuboid, draw

SET1 = ((228, 26, 28), (55, 126, 184), (77, 175, 74))


def write_object(folder: Path, task: str, *, part: str = "train", angle: float = 40.0) -> Path:
    """One sample: two things on the ground; the first is moved, turned or removed."""
    sample = folder / task / part / "0a1b2c"
    sample.mkdir(parents=True)
    width = height = 96
    focal = 50 / 36 * width
    pitch = np.radians(30)
    for number in (1, 2):
        outlines = []
        for index, (center, size) in enumerate(
            (((-0.5, 0.2, 0.3), (0.5, 0.5, 0.6)), ((0.6, 0.0, 0.2), (0.6, 0.6, 0.4)))
        ):
            center, turn = np.array(center), Rotation.identity()
            if number == 2 and index == 0:
                if task == "translate":
                    center += (0.2, -0.3, 0)
                elif task == "rotate":
                    turn = Rotation.from_euler("z", angle, degrees=True)
                else:
                    continue
            points = Cuboid(tuple(center), size, turn).points()
            # 2 m up, looking down by 30 degrees at the world's middle: y runs away from the camera.
            away = points - [0, -2 / np.tan(pitch), 2]
            depth = away[:, 1] * np.cos(pitch) - away[:, 2] * np.sin(pitch)
            down = -away[:, 1] * np.sin(pitch) - away[:, 2] * np.cos(pitch)
            outlines.append(
                np.stack([away[:, 0], down], axis=1) / depth[:, None] * focal + width / 2
            )
        image, ids = draw(width, height, outlines)
        if number == 2 and task == "remove":
            ids[ids == 1] = 2
        Image.fromarray(image).save(sample / f"{number}.png")
        Image.fromarray(np.array(SET1, dtype=np.uint8)[ids]).save(sample / f"{number}_mask.png")
    things = [{"uid": "u1", "category": "mug"}, {"uid": "u2", "category": "book"}]
    metadata = {
        "object_data": things,
        "translate": {"translation_category": "mug", "end_location_2d": [0.4, 0.6]},
        "rotate": {"rotation_category": "mug", "rotation_angle": angle},
        "remove": {"removed_object_uid": "u1", "removed_object_camera_coords": [0.3, 0.5]},
    }
    metadata.update(metadata[task])
    (sample / "metadata.json").write_text(json.dumps(metadata))
    return sample
