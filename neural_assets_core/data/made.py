"""Making datasets and single frames from planned clips."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from neural_assets_core.data.dataset import (
    GROUND,
    AnnotatedFrame,
    DatasetInfo,
    ObjectAnnotation,
    begin_dataset,
    clip_is_complete,
    visible_region,
    write_clip,
)
from neural_assets_core.data.families import SEEN, family_name
from neural_assets_core.data.made_scenes import SPLITS, ClipPlan, plan_clip
from neural_assets_core.errors import UserError


@dataclass(frozen=True)
class _Job:
    out: Path
    frames: int
    size: int
    seed: int
    split: str
    index: int
    families: tuple[str, ...]


def make_dataset(
    out: str | Path,
    scenes: int,
    frames: int,
    size: int,
    seed: int,
    split: str = "train",
    workers: int = 1,
    progress: Callable[[int, int], None] | None = None,
    families: Sequence[str] = SEEN,
) -> None:
    """Render a dataset, or the rest of an interrupted one.

    Parameters
    ----------
    out : str or Path
        The dataset's folder.
    scenes, frames : int
        Number of clips and frames in each.
    size : int
        Side of the square pictures in pixels.
    split : {"train", "heldout"}
        Which of two disjoint streams of scenes and object instances.
    workers : int
        Processes; the result does not depend on it.
    progress : callable (done clips, all clips), optional
        Called at the start and after each clip.
    families : sequence of str
        Names of object families, or paths of mesh files.

    Raises
    ------
    UserError
        If an argument is out of range, or `out` holds another dataset or cannot be written.
    """
    _check(seed, split, scenes=scenes, frames=frames, size=size, workers=workers)
    out = Path(out)
    names = tuple(family_name(family) for family in families)
    begin_dataset(out, DatasetInfo(size, scenes, frames, seed, split, names))
    jobs = [
        _Job(out, frames, size, seed, split, index, tuple(families))
        for index in range(scenes)
        if not clip_is_complete(out, f"{index:06d}")
    ]
    done = scenes - len(jobs)
    if progress is not None:
        progress(done, scenes)
    if workers == 1 or len(jobs) < 2:
        for job in jobs:
            _render_job(job)
            done += 1
            if progress is not None:
                progress(done, scenes)
        return
    # Fresh processes: graphics contexts do not survive a fork.
    context = multiprocessing.get_context("spawn")
    with context.Pool(min(workers, len(jobs)), initializer=_start_worker) as pool:
        for _ in pool.imap_unordered(_render_job, jobs):
            done += 1
            if progress is not None:
                progress(done, scenes)


def _check(seed: int, split: str, **counts: int) -> None:
    if seed < 0:
        raise UserError(f"The seed must be at least 0, not {seed}.")
    if split not in SPLITS:
        raise UserError(f"There is no split {split!r}; use one of {', '.join(SPLITS)}.")
    for name, value in counts.items():
        if value < 1:
            raise UserError(f"{name.capitalize()} must be at least 1, not {value}.")


def _start_worker() -> None:
    # After Ctrl-C the parent ends its workers; they have nothing to say about it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # The software rasteriser's own threads would compete with the other workers.
    os.environ.setdefault("LP_NUM_THREADS", "1")


def _render_job(job: _Job) -> None:
    plan = plan_clip(job.seed, job.split, job.index, job.frames, job.families)
    write_clip(job.out, plan.name, render_frames(plan, range(job.frames), job.size))


def render_frames(
    plan: ClipPlan, indices: Sequence[int], size: int, *, fine: bool = False
) -> list[AnnotatedFrame]:
    """Render frames of a plan with their annotations; `fine` for pictures shown to people."""
    # Imported late: reading datasets must work where there is no graphics driver.
    from neural_assets_core.data.render import FAST, FINE, open_renderer, silhouette_areas

    out = []
    with open_renderer(plan, size, FINE if fine else FAST) as renderer:
        for index in indices:
            image, mask = renderer.frame(index)
            whole = silhouette_areas(plan, index, size)
            objects = []
            for k, item in enumerate(plan.objects):
                seen = int((mask == k + 1).sum())
                objects.append(
                    ObjectAnnotation(
                        id=k + 1,
                        name=plan.names[k],
                        category=item.category,
                        box=plan.box(index, k),
                        region=visible_region(mask, k + 1),
                        visible_fraction=min(1.0, seen / max(int(whole[k]), 1)),
                    )
                )
            camera = plan.cameras[index].resized(size, size)
            out.append(AnnotatedFrame(image, mask, camera, tuple(objects), GROUND))
    return out


def render_made_frames(
    seed: int, clip: int, count: int = 2, size: int = 512, split: str = "train"
) -> list[AnnotatedFrame]:
    """The first `count` frames of clip number `clip` in high quality at any size in pixels."""
    _check(seed, split, count=count, size=size)
    plan = plan_clip(seed, split, clip, count)
    return render_frames(plan, range(count), size, fine=True)


def render_made_frame(
    seed: int, clip: int, frame: int = 0, size: int = 512, split: str = "train"
) -> AnnotatedFrame:
    """Frame `frame` of clip number `clip` in high quality, composed like the dataset's."""
    _check(seed, split, size=size)
    plan = plan_clip(seed, split, clip, frame + 1)
    return render_frames(plan, [frame], size, fine=True)[0]
