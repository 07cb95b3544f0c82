"""An Objectron video with its annotations."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation

from tests.neural_assets_core.data.readers.drawn.messages import message_classes
from tests.neural_assets_core.data.readers.drawn.outlines import SIGNS, Cuboid, Truth, draw, looking

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
