"""A MOVi-E shard."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation

from tests.neural_assets_core.data.readers.drawn.messages import message_classes
from tests.neural_assets_core.data.readers.drawn.outlines import Cuboid, Truth, draw, looking, png

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
