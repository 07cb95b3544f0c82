"""Small data sets in the published formats, written field by field from their schemas.

Each writer draws known boxes by the projection that the format's own documentation gives, never
by this program's camera, and returns where the corners (in this program's order) must be seen.
"""

from __future__ import annotations

import io
import json
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from PIL import Image
from scipy.spatial import ConvexHull
from scipy.spatial.transform import Rotation

SIGNS = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)], dtype=float)
"""Corners p0 to p7: x slowest, z fastest."""
COLOURS = ((200, 60, 40), (40, 90, 210))


@dataclass
class Truth:
    """Pixel positions (8, 2) of corners, by frame and object; pictures, masks."""

    corners: list[list[np.ndarray]] = field(default_factory=list)
    images: list[np.ndarray] = field(default_factory=list)
    masks: list[np.ndarray] = field(default_factory=list)


@dataclass
class Cuboid:
    """Size, rotation and place in the format's own world; all sides differ."""

    center: tuple[float, float, float]
    size: tuple[float, float, float]
    turn: Rotation

    def points(self, signs: np.ndarray = SIGNS) -> np.ndarray:
        return self.turn.apply(signs / 2 * np.array(self.size)) + np.array(self.center)


def draw(width: int, height: int, outlines: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Picture and ids; outlines (n, 2) of pixel positions, the last in front."""
    image = np.full((height, width, 3), 140, dtype=np.uint8)
    image[::8] = 120
    ids = np.zeros((height, width), dtype=np.uint8)
    at = np.stack(np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5), axis=-1)
    for number, points in enumerate(outlines, start=1):
        hull = points[ConvexHull(points).vertices]
        edges = np.roll(hull, -1, axis=0) - hull
        away = at[:, :, None] - hull
        # On the same side of all edges; vertices go around counter-clockwise.
        inside = (edges[:, 0] * away[..., 1] - edges[:, 1] * away[..., 0] >= 0).all(axis=-1)
        image[inside], ids[inside] = COLOURS[number - 1], number
    return image, ids


def looking(eye, target, up) -> np.ndarray:
    """(4, 4) camera to world: axes right, up, backward, as OpenGL and Blender have them."""
    back = np.subtract(eye, target) / np.linalg.norm(np.subtract(eye, target))
    right = np.cross(up, back)
    right /= np.linalg.norm(right)
    pose = np.eye(4)
    pose[:3, :3] = np.stack([right, np.cross(back, right), back], axis=1)
    pose[:3, 3] = eye
    return pose


def png(pixels: np.ndarray) -> bytes:
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "PNG")
    return out.getvalue()


# -- messages of the real protobuf library, from the published .proto files ------------------------

_TYPES = {"int32": 5, "int64": 3, "float": 2, "double": 1, "string": 9, "bytes": 12}


def message_classes(package: str, schema: dict[str, list[str]], syntax: str = "proto3") -> dict:
    """Classes of messages; a field is "name number type", "repeated" before it, "packed" behind."""
    file = descriptor_pb2.FileDescriptorProto(name=f"{package}.proto", package=package)
    file.syntax = syntax
    for name, lines in schema.items():
        message = file.message_type.add(name=name)
        for line in lines:
            words = line.split()
            label = 3 if words[0] == "repeated" else 1
            words = words[label == 3 :]
            item = message.field.add(name=words[0], number=int(words[1]), label=label)
            if words[2] in _TYPES:
                item.type = _TYPES[words[2]]
            else:
                item.type, item.type_name = 11, f".{package}.{words[2]}"
            if words[-1] in ("packed", "unpacked"):
                item.options.packed = words[-1] == "packed"
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return {
        name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{package}.{name}"))
        for name in schema
    }


# -- MOVi-E ----------------------------------------------------------------------------------------

EXAMPLE = {
    "Example": ["features 1 Features"],
    "Features": ["repeated feature 1 Entry"],  # a map is a list of such entries on the wire
    "Entry": ["key 1 string", "value 2 Feature"],
    "Feature": ["bytes_list 1 BytesList", "float_list 2 FloatList", "int64_list 3 Int64List"],
    "BytesList": ["repeated value 1 bytes"],
    "FloatList": ["repeated value 1 float"],
    "Int64List": ["repeated value 1 int64"],
}


def movi_example(features: dict[str, object]) -> bytes:
    kinds = message_classes("tensorflow", EXAMPLE)
    example = kinds["Example"]()
    for name, value in features.items():
        entry = example.features.feature.add(key=name)
        if isinstance(value, list) and isinstance(value[0], bytes):
            entry.value.bytes_list.value.extend(value)
            continue
        array = np.asarray(value)
        whole = array.dtype.kind in "iub"
        target = entry.value.int64_list if whole else entry.value.float_list
        target.value.extend(array.ravel().tolist())
    return example.SerializeToString()


def write_movi(folder: Path, frames: int = 3, size: int = 64) -> Truth:
    """One shard of one video; the camera moves, one object stands and one flies."""
    from tensorboard.summary.writer.record_writer import RecordWriter

    truth = Truth()
    names = ("boxes", "turns", "places")
    told: dict[str, list] = {name: [[], []] for name in names}
    positions, quaternions, images, masks, in_image = [], [], [], [], [[], []]
    focal, sensor = 35.0, 32.0
    for number in range(frames):
        pose = looking((6.0 + number, -7.0, 5.0), (0.3, 0.2, 0.4), (0, 0, 1))
        turn = Rotation.from_matrix(pose[:3, :3])
        positions.append(pose[:3, 3])
        quaternions.append(turn.as_quat(scalar_first=True))
        flying = Rotation.from_euler("xyz", [20 * number, 35, 50], degrees=True)
        cuboids = [
            Cuboid((1.5, 1.0, 0.5), (3.0, 1.4, 1.0), Rotation.from_euler("z", 0.6)),
            Cuboid((-1.2, -1.0, 1.5 - 0.3 * number), (1.0, 2.0, 1.5), flying),
        ]
        outlines = []
        for index, cuboid in enumerate(cuboids):
            local = turn.inv().apply(cuboid.points() - pose[:3, 3])
            matrix = np.array(
                [[focal / sensor, 0, -0.5], [0, -focal / sensor, -0.5], [0, 0, -1]]
            )
            homogeneous = local @ matrix.T
            fractions = homogeneous[:, :2] / homogeneous[:, 2:]
            outlines.append(fractions * size)
            told["boxes"][index].append(cuboid.points())
            told["turns"][index].append(cuboid.turn.as_quat(scalar_first=True))
            told["places"][index].append(cuboid.center)
            in_image[index].append(fractions.mean(axis=0))
        image, ids = draw(size, size, outlines)
        truth.corners.append(outlines)
        truth.images.append(image)
        truth.masks.append(ids)
        images.append(png(image))
        masks.append(png(ids))
    visibility = [[int((ids == k).sum()) for ids in truth.masks] for k in (1, 2)]
    record = movi_example(
        {
            "metadata/video_name": [b"17"],
            "metadata/width": [size],
            "metadata/height": [size],
            "metadata/num_frames": [frames],
            "metadata/num_instances": [2],
            "metadata/depth_range": [1.0, 20.0],
            "background": [b"parking_garage"],
            "camera/focal_length": [focal],
            "camera/sensor_width": [sensor],
            "camera/field_of_view": [2 * np.arctan(sensor / focal / 2)],
            "camera/positions": np.array(positions, dtype=np.float32),
            "camera/quaternions": np.array(quaternions, dtype=np.float32),
            "instances/bboxes_3d": np.array(told["boxes"], dtype=np.float32),
            "instances/quaternions": np.array(told["turns"], dtype=np.float32),
            "instances/positions": np.array(told["places"], dtype=np.float32),
            "instances/image_positions": np.array(in_image, dtype=np.float32),
            "instances/visibility": np.array(visibility),
            "instances/category": np.array([14, 16]),
            "instances/asset_id": [b"a_shoe", b"a_toy"],
            "instances/scale": np.array([1.5, 0.75], dtype=np.float32),
            "instances/is_dynamic": np.array([0, 1]),
            "instances/bbox_frames/ragged_flat_values": np.array([0, 1, 2, 0, 1, 2]),
            "instances/bbox_frames/ragged_row_lengths_0": np.array([3, 3]),
            "forward_flow": np.full((frames, 4, 4, 2), 32768),
            "video": images,
            "segmentations": masks,
        }
    )
    folder.mkdir(parents=True, exist_ok=True)
    for split, records in (("train", 2), ("validation", 1)):
        with (folder / f"movi_e-{split}.tfrecord-00000-of-00001").open("wb") as file:
            writer = RecordWriter(file)
            for _ in range(records):
                writer.write(record)
            writer.flush()
    (folder / "dataset_info.json").write_text(
        '{"name": "movi_e", "version": "1.0.0", "fileFormat": "tfrecord", "configName": "64x64",'
        ' "splits": [{"name": "train", "shardLengths": ["2"]},'
        ' {"name": "validation", "shardLengths": ["1"]}]}'
    )
    return truth


# -- Objectron -------------------------------------------------------------------------------------

OBJECTRON = {
    "KeyPoint": ["x 1 float", "y 2 float", "z 3 float"],
    "Object": [
        "id 1 int32", "category 2 string", "type 3 int32", "repeated rotation 4 float",
        "repeated translation 5 float", "repeated scale 6 float", "repeated keypoints 7 KeyPoint",
        "method 8 int32",
    ],
    "NormalizedPoint2D": ["x 1 float", "y 2 float", "depth 3 float"],
    "AnnotatedKeyPoint": ["id 1 int32", "point_3d 2 KeyPoint", "point_2d 3 NormalizedPoint2D"],
    "ObjectAnnotation": [
        "object_id 1 int32", "repeated keypoints 2 AnnotatedKeyPoint", "visibility 3 float"
    ],
    "ARCamera": [
        "repeated transform 3 float packed", "image_resolution_width 5 int32",
        "image_resolution_height 6 int32", "repeated intrinsics 7 float packed",
        "repeated projection_matrix 8 float packed", "repeated view_matrix 9 float packed",
    ],
    "FrameAnnotation": [
        "frame_id 1 int32", "repeated annotations 2 ObjectAnnotation", "camera 3 ARCamera",
        "timestamp 4 double", "repeated plane_center 5 float", "repeated plane_normal 6 float",
    ],
    "Sequence": ["repeated objects 1 Object", "repeated frame_annotations 2 FrameAnnotation"],
}  # fmt: skip

KEYPOINTS = np.vstack([np.zeros((1, 3)), SIGNS / 2])
OURS_IN_THEIRS = SIGNS @ np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]])
"""Our corners along their box axes: our z is their y, our y their -z."""


def write_video(path: Path, frames: list[np.ndarray]) -> None:
    import av

    path.parent.mkdir(parents=True)
    with av.open(str(path), "w", format="mov") as container:
        stream = container.add_stream("libx264", rate=30, options={"crf": "1", "g": "2"})
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = "yuv444p"
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode())


def write_objectron(folder: Path, *, held: str = "portrait", stored: str = "sensor") -> Truth:
    """A cup and its neighbour on a table; four frames, the first without annotations."""
    kinds = message_classes("xeno", OBJECTRON)
    width, height, focal, cx, cy = 128, 96, 120.0, 66.0, 45.0
    projection = np.array(
        [
            [2 * focal / width, 0, 1 - 2 * cx / width, 0],
            [0, 2 * focal / height, 2 * cy / height - 1, 0],
            [0, 0, -1.0000002, -0.001],
            [0, 0, -1, 0],
        ]
    )
    cuboids = [
        Cuboid((0.05, 0.6, -0.3), (0.12, 0.2, 0.1), Rotation.from_euler("y", 0.5)),
        Cuboid((-0.15, 0.55, -0.4), (0.2, 0.1, 0.08), Rotation.from_euler("y", -0.9)),
    ]
    sequence, truth, pictures = kinds["Sequence"](), Truth(), []
    for number, cuboid in enumerate(cuboids):
        item = sequence.objects.add(id=number, category="cup", type=1, method=1)
        item.rotation.extend(cuboid.turn.as_matrix().ravel())
        item.translation.extend(cuboid.center)
        item.scale.extend(cuboid.size)
        for point in KEYPOINTS:
            item.keypoints.add(x=point[0], y=point[1], z=point[2])
    for number in range(4):
        pose = looking((0.1 + 0.05 * number, 1.0, 0.35), (-0.02, 0.58, -0.35), (0, 1, 0))
        if held == "portrait":
            # The sensor's right is the picture's down, its up the picture's right.
            right, up, back = pose[:3, :3].T
            pose[:3, :3] = np.stack([-up, right, back], axis=1)
        view = np.linalg.inv(pose)
        upright = (height, width) if held == "portrait" else (width, height)

        def project(points, view=view, upright=upright):
            homogeneous = np.c_[points, np.ones(len(points))] @ (projection @ view).T
            x, y = (homogeneous[:, :2] / homogeneous[:, 3:]).T
            fractions = (1 + y, 1 + x) if held == "portrait" else (1 + x, 1 - y)
            return np.stack(fractions, axis=1) / 2 * upright

        frame = sequence.frame_annotations.add(frame_id=number, timestamp=number / 30)
        camera = frame.camera
        camera.image_resolution_width, camera.image_resolution_height = width, height
        camera.transform.extend(pose.ravel())
        camera.view_matrix.extend(view.ravel())
        camera.projection_matrix.extend(projection.ravel())
        camera.intrinsics.extend([focal, 0, cx, 0, focal, cy, 0, 0, 1])
        frame.plane_center.extend((view @ [0, 0.5, -0.35, 1])[:3])
        frame.plane_normal.extend(view[:3, 1])
        if number > 0:
            for key, cuboid in enumerate(cuboids):
                annotation = frame.annotations.add(object_id=key, visibility=1.0)
                world = cuboid.points(KEYPOINTS * 2)
                for index, at in enumerate(project(world) / upright):
                    annotation.keypoints.add(id=index, point_2d={"x": at[0], "y": at[1]})
        outlines = [project(cuboid.points(OURS_IN_THEIRS)) for cuboid in cuboids]
        image, ids = draw(*upright, outlines[::-1])
        pictures.append(image)
        if number > 0:
            truth.corners.append(outlines)
            truth.images.append(image)
            truth.masks.append(np.choose(ids, [0, 2, 1]).astype(np.uint8))
    if held == "portrait" and stored == "sensor":
        # Turned clockwise for the viewer, so stored turned the other way.
        pictures = [np.ascontiguousarray(np.rot90(picture)) for picture in pictures]
    write_video(folder / "videos" / "cup" / "batch-0" / "3" / "video.MOV", pictures)
    file = folder / "annotations" / "cup" / "batch-0" / "3.pbdata"
    file.parent.mkdir(parents=True)
    file.write_bytes(sequence.SerializeToString())
    return truth


# -- Waymo Open v2 ---------------------------------------------------------------------------------

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


# -- OBJect and footage ----------------------------------------------------------------------------

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
