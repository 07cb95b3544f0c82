"""A segment of Waymo Open v2."""

from __future__ import annotations

import io
from pathlib import Path

import cv2
import numpy as np
from PIL import Image
from scipy.spatial.transform import Rotation

from tests.neural_assets_core.data.readers.drawn.outlines import Cuboid, Truth, draw

SEGMENT = "10017090168044687777_6380_000_6400_000"


def write_waymo(folder: Path, *, synced: bool = True) -> Truth:
    """A lorry that drives and a sign, from a car that turns; three pictures of the front camera."""
    import pyarrow
    import pyarrow.parquet

    width, height, f_u, f_v, c_u, c_v = 120, 80, 110.0, 112.0, 61.0, 38.0
    k1, k2, p1, p2, k3 = -0.3, 0.05, 0.002, -0.002, 0.0
    extrinsic = np.eye(4)
    extrinsic[:3, :3] = Rotation.from_euler("zyx", [2, 4, 1], degrees=True).as_matrix()
    extrinsic[:3, 3] = (1.5, 0.1, 2.1)
    truth, images, boxes, moved = Truth(), [], [], []
    for number, time in enumerate((1_000, 101_000, 201_000)):
        pose = np.eye(4)
        pose[:3, :3] = Rotation.from_euler("z", 1.0 + 0.05 * number).as_matrix()
        pose[:3, 3] = (2000.0 + number, -3000.0 + 1.5 * number, 12.0)
        cuboids = [
            Cuboid((14 + number, 2, 1.4), (6.0, 2.4, 2.8), Rotation.from_euler("z", 0.4)),
            Cuboid((9 - number, -2, 1.2), (0.4, 1.4, 2.0), Rotation.from_euler("z", -0.3)),
        ]
        straight, bent = [], []
        for cuboid in cuboids:
            # Camera frame: x forward, y left, z up.
            local = (cuboid.points() - extrinsic[:3, 3]) @ extrinsic[:3, :3]
            plain = np.stack([-local[:, 1] / local[:, 0], -local[:, 2] / local[:, 0]], axis=1)
            straight.append(plain * [f_u, f_v] + [c_u, c_v])
            # The hull's edges bend: many points of each.
            hull = cv2.convexHull(plain.astype(np.float32))[:, 0]
            steps = np.linspace(0, 1, 32)[:, None, None]
            edge = (hull + steps * (np.roll(hull, -1, axis=0) - hull)).reshape(-1, 2)
            r = np.square(edge).sum(axis=1, keepdims=True)
            x, y = edge.T[..., None]
            lens = edge * (1 + k1 * r + k2 * r**2 + k3 * r**3)
            lens += np.c_[
                2 * p1 * x * y + p2 * (r + 2 * x * x), p1 * (r + 2 * y * y) + 2 * p2 * x * y
            ]
            bent.append(lens * [f_u, f_v] + [c_u, c_v])
        image, _ = draw(width, height, bent)
        truth.corners.append(straight)
        truth.images.append(image)
        truth.masks.append(draw(width, height, straight)[1])
        jpeg = io.BytesIO()
        Image.fromarray(image).save(jpeg, "JPEG", quality=97, subsampling=0)
        for camera in (1, 2):
            images.append(
                {
                    "key.segment_context_name": SEGMENT,
                    "key.frame_timestamp_micros": time,
                    "key.camera_name": camera,
                    "[CameraImageComponent].image": jpeg.getvalue() if camera == 1 else b"",
                    "[CameraImageComponent].pose.transform": pose.ravel().tolist(),
                }
            )
        for key, kind, cuboid in zip(("lorry", "sign"), (1, 3), cuboids, strict=True):
            keys = {
                "key.segment_context_name": SEGMENT,
                "key.frame_timestamp_micros": time,
                "key.laser_object_id": key,
            }
            # Where the synced table is written, the plain one is half a metre behind.
            late = (0.5 if synced else 0.0, 0, 0)
            boxes.append(
                {**keys, "[LiDARBoxComponent].type": kind, **_box3d("box", cuboid, late)}
            )
            moved.append(
                {
                    **keys,
                    "[LiDARCameraSyncedBoxComponent].most_visible_camera_name": 1,
                    **_box3d("camera_synced_box", cuboid, (0, 0, 0)),
                }
            )
    calibration = {
        "key.segment_context_name": SEGMENT,
        "key.camera_name": 1,
        "[CameraCalibrationComponent].extrinsic.transform": extrinsic.ravel().tolist(),
        "[CameraCalibrationComponent].width": width,
        "[CameraCalibrationComponent].height": height,
        "[CameraCalibrationComponent].rolling_shutter_direction": 2,
    }
    names = ("f_u", "f_v", "c_u", "c_v", "k1", "k2", "p1", "p2", "k3")
    values = (f_u, f_v, c_u, c_v, k1, k2, p1, p2, k3)
    for name, value in zip(names, values, strict=True):
        calibration[f"[CameraCalibrationComponent].intrinsic.{name}"] = value
    tables = {"camera_image": images, "lidar_box": boxes, "camera_calibration": [calibration]}
    if synced:
        tables["lidar_camera_synced_box"] = moved
    for name, rows in tables.items():
        file = folder / "training" / name / f"{SEGMENT}.parquet"
        file.parent.mkdir(parents=True)
        pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), file)
    return truth


def _box3d(name: str, cuboid: Cuboid, late: tuple[float, float, float]) -> dict[str, float]:
    component = "LiDARBoxComponent" if name == "box" else "LiDARCameraSyncedBoxComponent"
    center = np.subtract(cuboid.center, late)
    parts = {f"center.{axis}": float(v) for axis, v in zip("xyz", center, strict=True)}
    parts |= {f"size.{axis}": float(v) for axis, v in zip("xyz", cuboid.size, strict=True)}
    parts["heading"] = float(cuboid.turn.as_euler("zyx")[0])
    return {f"[{component}].{name}.{key}": value for key, value in parts.items()}
