"""How exactly cameras and boxes are found by hand: on made views whose truth is known.

`python -m neural_assets_core.evaluation.calibration`

Nothing is rendered: a view is a camera, edges of things that stand along the world's axes, and
boxes on the ground. Half of the views are off-centre crops, whose principal point is not in their
middle. The hand misses the ends of edges by 1 pixel and the corners of boxes by 2 (standard
deviations in x and in y).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np
import typer
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from neural_assets_core.calibration import Axis, Segment, calibrate, cuboid_from_clicks
from neural_assets_core.errors import UserError
from neural_assets_core.geometry import Box, Camera
from neural_assets_core.geometry.box import Float

Rng = np.random.Generator

VIEWS = 200
SEED = 2024
WIDTH, HEIGHT = 1500, 1000
"""Pixels of the uncropped picture, a frame of 36 x 24 mm."""

FOCAL_LENGTHS = (24.0, 85.0)
LINE_JITTER, CLICK_JITTER = 1.0, 2.0
"""Pixels."""

MOST_LINES, BOXES = 4, 3
SHORTEST_LINE = 0.15
"""Of what a hand would lay a line over, picture diagonals."""

SMALLEST_BOX = 0.12
"""Sides of the shortest visible edge of a box, share of the picture's height."""

GRID = 24
"""Points a side that measure what two boxes share."""


@dataclass(frozen=True)
class MadeView:
    """A camera, and what a hand finds in its picture.

    Attributes
    ----------
    camera : Camera
    cropped : bool
    lines : mapping of Axis to `MOST_LINES` Segment
        Jittered. The first two are far from each other.
    boxes : tuple of Box
        On the ground.
    clicks : tuple of 4 (x, y) for each box
        Jittered.
    """

    camera: Camera
    cropped: bool
    lines: Mapping[Axis, Sequence[Segment]]
    boxes: tuple[Box, ...]
    clicks: tuple[tuple[tuple[float, float], ...], ...]


@dataclass(frozen=True)
class Way:
    """One way to find the camera.

    Attributes
    ----------
    name : str
    axes : str
        The directions along which lines are laid.
    lines : int
        Along each.
    knows_focal : bool
    """

    name: str
    axes: str
    lines: int
    knows_focal: bool = False


WAYS = (
    Way("x, y and z, 4 lines each", "xyz", 4),
    Way("x, y and z, 2 lines each", "xyz", 2),
    Way("x and z, 4 lines each", "xz", 4),
    Way("x and y, 4 lines each", "xy", 4),
    Way("x and y, 2 lines each", "xy", 2),
    Way("x alone, 4 lines, focal length known", "x", 4, knows_focal=True),
)

FOCAL, TURN, IOU = "focal length, %", "rotation, degrees", "boxes, IoU"
METRICS = (FOCAL, TURN, IOU)

AXES: tuple[Axis, ...] = ("x", "y", "z")

TRUE_CAMERA = "the true camera"
WHOLE, CROPS = "whole pictures", "crops"


# -- making ------------------------------------------------------------------------------------


def made_view(rng: Rng) -> MadeView:
    """A random view that shows enough to be calibrated by."""
    while True:
        camera, cropped = _camera(rng)
        edges = {axis: _edges(rng, camera, index) for index, axis in enumerate(AXES)}
        boxes = [_box(rng, camera) for _ in range(BOXES)]
        if all(edges.values()) and all(boxes):
            break
    found = tuple(box for box in boxes if box is not None)
    return MadeView(
        camera=camera,
        cropped=cropped,
        lines={
            axis: [Segment(*_jittered(rng, ends, LINE_JITTER)) for ends in edges[axis] or ()]
            for axis in AXES
        },
        boxes=found,
        clicks=tuple(_jittered(rng, clicked_corners(camera, box), CLICK_JITTER) for box in found),
    )


def _camera(rng: Rng) -> tuple[Camera, bool]:
    """Looks down at the origin from 0.8 to 2.5 m; every second picture is cropped on average."""
    focal = math.exp(float(rng.uniform(*np.log(FOCAL_LENGTHS))))
    height = float(rng.uniform(0.8, 2.5))
    below = math.radians(float(rng.uniform(8.0, 40.0)))
    heading = float(rng.uniform(-math.pi, math.pi))
    away = height / math.tan(below)
    eye = (away * math.cos(heading), away * math.sin(heading), height)
    fov = 2.0 * math.atan(12.0 / focal)
    level = Camera.looking_at(eye, (0.0, 0.0, 0.0), WIDTH, HEIGHT, fov)
    roll = np.eye(4)
    roll[:3, :3] = Rotation.from_rotvec([0, 0, math.radians(float(rng.normal(0, 1.5)))]).as_matrix()
    camera = Camera.from_matrices(WIDTH, HEIGHT, level.k, roll @ level.extrinsics)
    if rng.random() < 0.5:
        return camera, False
    width, tall = (int(side * rng.uniform(0.65, 0.95)) for side in (WIDTH, HEIGHT))
    left, top = rng.uniform(0, WIDTH - width), rng.uniform(0, HEIGHT - tall)
    return camera.cropped(float(left), float(top), width, tall), True


def _edges(rng: Rng, camera: Camera, axis: int) -> list[Float] | None:
    """`MOST_LINES` edges along an axis, each (2, 2) pixels, spread over the picture."""
    diagonal = math.hypot(camera.width, camera.height)
    around = float(np.linalg.norm(camera.position))
    starts = rng.uniform([-around, -around, 0], [around, around, 1.0], (400, 3))
    # Most edges are on the ground or at the height of tables.
    starts[rng.random(len(starts)) < 0.5, 2] = 0.0
    ends = starts.copy()
    ends[:, axis] += rng.uniform(0.2, 1.0, len(ends)) * (around if axis < 2 else 2.0)
    a, b = camera.project(starts), camera.project(ends)
    seen = np.all([_inside(camera, points) for points in (a, b)], axis=0)
    seen &= np.linalg.norm(a[:, :2] - b[:, :2], axis=1) > SHORTEST_LINE * diagonal
    candidates = np.stack([a[seen, :2], b[seen, :2]], axis=1)[:12]
    if len(candidates) < MOST_LINES:
        return None
    # A hand takes edges that are far from each other.
    middles = candidates.mean(axis=1)
    apart = np.linalg.norm(middles[:, None] - middles[None], axis=2)
    chosen = [int(i) for i in np.unravel_index(int(apart.argmax()), apart.shape)]
    while len(chosen) < MOST_LINES:
        chosen.append(int(apart[chosen].min(axis=0).argmax()))
    return [candidates[index] for index in chosen]


def _box(rng: Rng, camera: Camera) -> Box | None:
    """On the ground, turned anyhow, all of it in the picture and no edge of it tiny."""
    around = float(np.linalg.norm(camera.position))
    for _ in range(60):
        size = rng.uniform(0.08, 0.4, 3) * around
        x, y = rng.uniform(-0.6, 0.6, 2) * around
        half = 0.5 * float(rng.uniform(-math.pi, math.pi))
        box = Box(
            center=(float(x), float(y), 0.5 * float(size[2])),
            size=(float(size[0]), float(size[1]), float(size[2])),
            rotation=(math.cos(half), 0.0, 0.0, math.sin(half)),
        )
        corners = camera.project(box.corners())
        if not _inside(camera, corners).all():
            continue
        base = clicked_corners(camera, box)
        edges = [base[2] - base[1], base[0] - base[1], base[3] - base[1]]
        if min(np.linalg.norm(edge) for edge in edges) > SMALLEST_BOX * camera.height:
            return box
    return None


def clicked_corners(camera: Camera, box: Box) -> Float:
    """(4, 2) pixels: one front edge of the base to its nearest corner, the next one, the top.

    These are the corners of a box that are always seen; the top is the nearest corner's.
    """
    corners = camera.project(box.corners())
    # Corners 0, 4, 6 and 2 go round the base; the bit of z is the last.
    ring = [0, 4, 6, 2]
    nearest = int(np.argmin(corners[ring, 2]))
    before, at, after = (ring[(nearest + step) % 4] for step in (-1, 0, 1))
    return np.asarray(corners[[before, at, after, at | 1], :2])


def _inside(camera: Camera, projected: Float) -> NDArray[np.bool_]:
    u, v, depth = np.moveaxis(projected, -1, 0)
    with np.errstate(invalid="ignore"):
        inside = (depth > 0.1) & (u > 0) & (u < camera.width) & (v > 0) & (v < camera.height)
    return np.asarray(inside)


def _jittered(rng: Rng, points: Float, jitter: float) -> tuple[tuple[float, float], ...]:
    moved = points + rng.normal(0.0, jitter, points.shape)
    return tuple((float(x), float(y)) for x, y in moved)


# -- measuring ---------------------------------------------------------------------------------


def found_camera(view: MadeView, way: Way) -> Camera | None:
    """The camera that a hand finds one way; None if the program refuses."""
    lines = {axis: view.lines[axis][: way.lines] for axis in AXES if axis in way.axes}
    focal = float(view.camera.k[0, 0]) if way.knows_focal else None
    height = float(view.camera.position[2])
    try:
        size = (view.camera.width, view.camera.height)
        return calibrate(size, lines, focal=focal, height=height).camera
    except UserError:
        return None


def focal_error(found: Camera, true: Camera) -> float:
    """Per cent."""
    return 100.0 * abs(float(found.k[0, 0] / true.k[0, 0]) - 1.0)


def turn_error(found: Camera, true: Camera) -> float:
    """Degrees; which ends of x and y are the positive ones does not matter."""
    between = [
        found.extrinsics[:3, :3] @ np.diag([sign, sign, 1.0]) @ true.extrinsics[:3, :3].T
        for sign in (-1.0, 1.0)
    ]
    return math.degrees(min(Rotation.from_matrix(turn).magnitude() for turn in between))


def drawn_box_ious(view: MadeView, camera: Camera) -> list[float]:
    """What each box shares with the one that is drawn by clicks through `camera`; 0 if refused."""
    # Both in the coordinates of the camera, wherever the found world may have its axes.
    shared = []
    for box, clicks in zip(view.boxes, view.clicks, strict=True):
        try:
            drawn = cuboid_from_clicks(camera, clicks)
        except UserError:
            shared.append(0.0)
            continue
        inside = camera.camera_to_world @ view.camera.extrinsics
        shared.append(iou(box, drawn, inside))
    return shared


def iou(first: Box, second: Box, motion: Float) -> float:
    """Intersection over union of two boxes, `motion` (4, 4) taking the first's world to the other.

    By a grid of points in the first box.
    """
    steps = (np.arange(GRID) + 0.5) / GRID * 2.0 - 1.0
    points = first.to_world(np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(-1, 3))
    local = second.to_local(points @ motion[:3, :3].T + motion[:3, 3])
    volume, other = float(np.prod(first.size)), float(np.prod(second.size))
    shared = float((np.abs(local).max(axis=1) <= 1.0).mean()) * volume
    return shared / (volume + other - shared)


def measure(
    views: int = VIEWS, seed: int = SEED, progress: Callable[[], object] = lambda: None
) -> dict[str, dict[str, list[float]]]:
    """All figures, by way and metric; a view that is refused counts as infinitely wrong."""
    figures: dict[str, dict[str, list[float]]] = {TRUE_CAMERA: {IOU: []}}
    for stream in np.random.SeedSequence(seed).spawn(views):
        view = made_view(np.random.default_rng(stream))
        figures[TRUE_CAMERA][IOU] += drawn_box_ious(view, view.camera)
        for way in WAYS:
            camera = found_camera(view, way)
            found = _figures(view, camera)
            for name in (way.name, f"{way.name}: {CROPS if view.cropped else WHOLE}"):
                for metric, values in found.items():
                    figures.setdefault(name, {m: [] for m in METRICS})[metric] += values
        progress()
    return figures


def _figures(view: MadeView, camera: Camera | None) -> dict[str, list[float]]:
    if camera is None:
        return {FOCAL: [math.inf], TURN: [math.inf], IOU: [0.0] * BOXES}
    return {
        FOCAL: [focal_error(camera, view.camera)],
        TURN: [turn_error(camera, view.camera)],
        IOU: drawn_box_ious(view, camera),
    }


def table(figures: Mapping[str, Mapping[str, Sequence[float]]]) -> str:
    """Median and 90th percentile (of what is good: the 10th) of all figures, as Markdown.

    Whole pictures come first, then crops, then both.
    """
    heads = ["camera from", *(f"{metric}: median, {_worse(metric)}th" for metric in METRICS)]
    lines = [heads, ["---"] * len(heads)]
    ways = [way.name for way in WAYS]
    names = [f"{way}: {kind}" for kind in (WHOLE, CROPS) for way in ways] + ways
    for name in (TRUE_CAMERA, *(name for name in names if name in figures)):
        found = figures[name]
        cells = []
        for metric in METRICS:
            values = found.get(metric)
            cells.append(_cell(values, _worse(metric)) if values else "")
        lines.append([name, *cells])
    return "".join("| " + " | ".join(line) + " |\n" for line in lines)


def _worse(metric: str) -> int:
    return 10 if metric == IOU else 90


def _cell(values: Sequence[float], worse: int) -> str:
    # The nearest: infinities cannot be averaged.
    median, tail = (np.percentile(values, share, method="nearest") for share in (50, worse))
    return f"{median:.2f}, {tail:.2f}"


def main(
    views: Annotated[int, typer.Option(metavar="N", min=1, help="How many views.")] = VIEWS,
    seed: Annotated[int, typer.Option(metavar="N", min=0)] = SEED,
) -> None:
    """Measure the calibration and the drawing of boxes on made views."""
    with typer.progressbar(length=views, label="measuring") as bar:
        figures = measure(views, seed, lambda: bar.update(1))
    typer.echo(table(figures), nl=False)


if __name__ == "__main__":
    typer.run(main)
