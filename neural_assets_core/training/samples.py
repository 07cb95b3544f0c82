"""Training samples: paired frames of one clip, seen through the eyes of the pipeline."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import Dataset

from neural_assets_core.data.dataset import AnnotatedFrame, Clips, FrameClip
from neural_assets_core.data.frames import scene_from_pair
from neural_assets_core.errors import UserError
from neural_assets_core.geometry import Camera
from neural_assets_core.geometry.checks import behind_camera
from neural_assets_core.geometry.raycast import bounding_rect
from neural_assets_core.model.conditioning import region, source_inputs, target_inputs
from neural_assets_core.proxy import CARVER, Lifter, fill_smoothly
from neural_assets_core.scene import Scene
from neural_assets_core.training.config import DataConfig

Sample = dict[str, torch.Tensor]

LONGEST_GAP = 23
"""Frames between source and target, as in the paper."""

COVERED = 16
"""Of 255: from here on a cell counts as an object's."""

_TRIES = 100
"""Clips looked at for one that has more than one frame."""

@dataclass(frozen=True)
class SampleShape:
    """Sizes that the network fixes: pixels a side of target and encoder, latent cells a side.

    `objects` is how many a sample has room for; made clips have fewer than eight. Without `proxy`
    none is drawn, which takes most of a sample's time: its entries are zero.
    """

    target: int
    encoder: int
    latent: int
    objects: int = 8
    proxy: bool = True


class PairDataset(Dataset[Sample]):
    """Any two frames of any clip, in any order, maybe through a window.

    Parameters
    ----------
    clips : Clips
    config : DataConfig
    shape : SampleShape
    length : int
        Samples an epoch.
    lifter : Lifter
        As the pipeline's.
    seed : int
        Sample k is the same for the same seed, whichever process makes it.
    own : range, optional
        Numbers of the clips that are drawn from; all without it.
    """

    def __init__(
        self,
        clips: Clips,
        config: DataConfig,
        shape: SampleShape,
        length: int,
        seed: int,
        lifter: Lifter = CARVER,
        own: range | None = None,
    ) -> None:
        self.clips, self.config, self.shape, self.lifter = clips, config, shape, lifter
        self.length, self.seed = length, seed
        self.own = range(len(clips)) if own is None else own

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, index: int) -> Sample:
        # The loader's processes and torch share two cores: OpenCV must not start threads too.
        cv2.setNumThreads(0)
        # Two targets for each source: what is known of the source is worked out only once.
        rng = np.random.default_rng((self.seed, index // 2))
        clip = self._clip(rng)
        masked = bool(rng.random() >= self.config.unmasked_share)
        first, second = draw_pair(len(clip), index, rng, paired=self.config.paired)
        source, target = trainable_pair(
            clip[first], clip[second], self.shape.objects
        )
        scene = scene_from_pair(source, target, masked=masked)
        rng = np.random.default_rng((self.seed, index, 1))
        camera = scene.camera
        if rng.random() < self.config.window_share:
            camera = _random_window(scene, self.config.smallest_window, rng)
        elif camera.width != camera.height:
            # Pictures are square: as much of an oblong one as goes in.
            camera = _random_window(scene, 1.0, rng)
        return make_sample(scene, camera, target.image, target.mask, self.shape, self.lifter)


    def _clip(self, rng: np.random.Generator) -> FrameClip:
        """One that a sample can be made of, if a few tries find one."""
        for _ in range(_TRIES):
            clip = self.clips[self.own[int(rng.integers(len(self.own)))]]
            if len(clip) > 1 or not self.config.paired:
                break
        return clip


def draw_pair(
    frames: int, index: int, rng: np.random.Generator, *, paired: bool
) -> tuple[int, int]:
    """Source and target among the frames of a clip; sample 2k + 1 has the source of sample 2k.

    Raises
    ------
    UserError
        If there is only one frame, and pairs are wanted.
    """
    if frames < 2:
        if paired:
            raise UserError(
                "A clip has one frame only, so no pair can be made of it: see what "
                "`neural-assets dataset check` says of the data."
            )
        return 0, 0
    # Of a long clip only a part: little of its beginning is left at its end.
    near = min(frames, LONGEST_GAP + 1)
    start = int(rng.integers(frames - near + 1)) if frames > near else 0
    chosen = start + rng.choice(near, size=min(3, near), replace=False)
    second = int(chosen[1:][index % (len(chosen) - 1)])
    return (int(chosen[0]) if paired else second), second


def trainable_pair(
    source: AnnotatedFrame, target: AnnotatedFrame, most: int
) -> tuple[AnnotatedFrame, AnnotatedFrame]:
    """The frames with the objects that can be learnt from.

    Objects that reach behind either camera are left out; of more than `most`, those remain that
    fill the most of both pictures.
    """
    behind = {
        item.id
        for frame in (source, target)
        for item in frame.objects
        if behind_camera(source.camera, item.box) or behind_camera(target.camera, item.box)
    }
    area: dict[int, float] = {}
    for frame in (source, target):
        for item in frame.objects:
            x0, y0, x1, y1 = item.region
            area[item.id] = area.get(item.id, 0.0) + (x1 - x0) * (y1 - y0)
    kept = set(sorted(area.keys() - behind, key=lambda number: (-area[number], number))[:most])
    first, second = (
        replace(frame, objects=tuple(item for item in frame.objects if item.id in kept))
        for frame in (source, target)
    )
    return first, second


def make_sample(
    scene: Scene,
    camera: Camera,
    image: NDArray[np.uint8],
    mask: NDArray[np.uint8],
    shape: SampleShape,
    lifter: Lifter = CARVER,
) -> Sample:
    """Everything the network needs to learn one edit.

    Parameters
    ----------
    scene : Scene
        The edit.
    camera : Camera
        A window of the scene's camera.
    image, mask : uint8 arrays (h, w, 3), (h, w)
        The truth: the picture of the edited scene by the scene's camera, and its objects' ids.
    shape : SampleShape
    """
    sample = condition_sample(scene, camera, shape, lifter)
    window = camera.resized(shape.target, shape.target)
    truth = through_window(image, scene.camera, window)
    covered = covered_cells(mask, scene.camera, window, shape.latent)
    return {
        **sample,
        "target": torch.from_numpy(truth),
        "changed": sample["changed"] | torch.from_numpy(covered > COVERED),
    }


def condition_sample(
    scene: Scene, camera: Camera, shape: SampleShape, lifter: Lifter = CARVER
) -> Sample:
    """What is known of an edit without its truth; "changed" are the cells that it may touch."""
    view = scene.background.view
    sources = source_inputs(view, scene.background.occluders, shape.encoder)
    target_camera = camera.resized(shape.target, shape.target)
    lifter_ = lifter if shape.proxy else None
    inputs = target_inputs(scene, target_camera, shape.latent, lifter_, fill_smoothly)
    count = len(scene.objects)
    corners = np.zeros((shape.objects, 4, 3), dtype=np.float32)
    regions = np.zeros((shape.objects, 4), dtype=np.float32)
    corners[:count] = inputs.corners
    for index, item in enumerate(scene.objects):
        regions[index] = region(item.appearance)
    touched = inputs.proxy_masks[[0, 1, 3, 4]].max(axis=0) > 0.05
    return {
        "proxy": torch.from_numpy(np.ascontiguousarray(inputs.proxy)),
        "foreground": torch.from_numpy(sources.foreground),
        "background": torch.from_numpy(sources.background),
        "regions": torch.from_numpy(regions),
        "present": torch.arange(shape.objects) < count,
        "corners": torch.from_numpy(corners),
        "background_pose": torch.from_numpy(inputs.background_pose),
        "background_region": torch.from_numpy(inputs.background_region),
        "layout": torch.from_numpy(inputs.layout),
        "nearest": torch.from_numpy(inputs.nearest),
        "proxy_masks": torch.from_numpy(inputs.proxy_masks),
        "changed": torch.from_numpy(touched | (inputs.nearest >= 0)),
    }


def covered_cells(
    mask: NDArray[np.uint8], camera: Camera, window: Camera, cells: int
) -> NDArray[np.uint8]:
    """How much of each latent cell of a window is some object's, 255 for all of it."""
    there = through_window(np.where(mask > 0, 255, 0).astype(np.uint8), camera, window)
    return np.asarray(cv2.resize(there, (cells, cells), interpolation=cv2.INTER_AREA))


def _random_window(scene: Scene, smallest: float, rng: np.random.Generator) -> Camera:
    """A square part of the picture that shows at least a part of some object."""
    camera = scene.camera
    side = rng.uniform(smallest, 1.0) * min(camera.width, camera.height)
    if scene.objects:
        item = scene.objects[int(rng.integers(len(scene.objects)))]
        rect = bounding_rect(camera, item.box)
        middle = np.array([rect.left + rect.right, rect.top + rect.bottom]) / 2
    else:
        middle = np.array([camera.width, camera.height]) / 2
    corner = middle - side / 2 + rng.uniform(-0.25, 0.25, size=2) * side
    # Whole pixels, so that cutting the truth out of its picture needs no interpolation.
    whole = round(side)
    left, top = np.clip(np.round(corner), 0, [camera.width - whole, camera.height - whole])
    return camera.cropped(float(left), float(top), whole, whole)


def through_window(
    image: NDArray[np.uint8], camera: Camera, window: Camera
) -> NDArray[np.uint8]:
    """The part of the camera's picture that `window` (same pose) shows, at its resolution."""
    to_image = camera.k @ np.linalg.inv(window.k)
    factor = to_image[0, 0]
    if factor > 1.0:
        # Average first: sampling alone would alias.
        left, top = to_image[0, 2], to_image[1, 2]
        right, bottom = left + factor * window.width, top + factor * window.height
        inside = image[round(top) : round(bottom), round(left) : round(right)]
        size = (window.width, window.height)
        return np.asarray(cv2.resize(inside, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
    # warpAffine takes pixel centres as whole numbers.
    matrix = to_image[:2].copy()
    matrix[:, 2] += 0.5 * (factor - 1.0)
    warped = cv2.warpAffine(
        image,
        matrix,
        (window.width, window.height),
        flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return np.asarray(warped, dtype=np.uint8)
