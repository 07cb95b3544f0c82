"""Many pictures from one list of jobs: edits × scenes × seeds, each model loaded once."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from neural_assets_core.decoders import Decoder
from neural_assets_core.errors import UserError
from neural_assets_core.export.image import QUALITY, read_request
from neural_assets_core.export.signing import find_signature
from neural_assets_core.export.stills import (
    KINDS,
    Still,
    check_still,
    draw_still,
    write_still,
)
from neural_assets_core.geometry.box import Finite, Vector3
from neural_assets_core.proxy import check_boxes
from neural_assets_core.scene import Scene, load_scene
from neural_assets_core.scene.validation import describe

MAXIMUM_PICTURES = 100_000
_READABLE = (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".exr", ".ora")
"""Formats whose request is read again."""


class _Value(BaseModel):
    # Unlike files of newer versions: a key that is misspelt must not be ignored.
    model_config = ConfigDict(frozen=True, extra="forbid")


class Edit(_Value):
    """One edit of one object, as `neural-assets edit` makes it: turned, scaled, then moved.

    Attributes
    ----------
    object : str
    translate : tuple of 3 floats
        Metres along the world's axes.
    rotate_z : float
        Degrees about the vertical.
    scale : float
        About the centre of its base.
    remove : bool
        Instead of all that.
    """

    object: str
    translate: Vector3 = (0.0, 0.0, 0.0)
    rotate_z: Finite = 0.0
    scale: Annotated[Finite, Field(gt=0)] = 1.0
    remove: bool = False

    def applied(self, scene: Scene) -> Scene:
        """The scene after this edit."""
        if self.remove:
            return scene.without(self.object)
        box = scene.object(self.object).box
        if self.rotate_z:
            box = box.rotated((0.0, 0.0, 1.0), math.radians(self.rotate_z))
        if self.scale != 1:
            box = box.scaled(self.scale)
        return scene.with_box(self.object, box.translated(self.translate))


class Job(_Value):
    """A line of the list: every edit of every scene with every seed.

    Attributes
    ----------
    scene : str or tuple of str
        Scene files; relative to the list's own folder.
    out : str
        File of a picture; `{scene}`, `{edit}` and `{seed}` stand for what differs. Relative to
        the list's folder too.
    edits : mapping from a name to the edits made together
    seed : int or tuple of int, optional
        And the others of the generation settings: instead of the scene's.
    what : str
        One of `KINDS`.
    metadata, credentials : bool
    quality : int
    """

    scene: str | tuple[str, ...]
    out: str
    edits: dict[str, tuple[Edit, ...]] = {"": ()}
    seed: int | tuple[int, ...] | None = None
    steps: int | None = None
    guidance: float | None = None
    decoder: Literal["neural", "proxy", "inpainting"] | None = None
    checkpoint: str | None = None
    what: str = "picture"
    metadata: bool = True
    credentials: bool = False
    quality: int = Field(default=QUALITY, ge=1, le=100)

    @field_validator("scene", "edits", "seed", mode="before")
    @classmethod
    def _something_is_listed(cls, listed: object) -> object:
        if isinstance(listed, (list, tuple, dict)) and not listed:
            raise ValueError("it is empty: name one at least")
        return listed

    @field_validator("what")
    @classmethod
    def _what_is_known(cls, what: str) -> str:
        if what not in KINDS:
            raise ValueError(f"it must be one of {', '.join(KINDS)}")
        return what


@dataclass(frozen=True)
class Task:
    """One picture of a job.

    Attributes
    ----------
    job : Job
    scene : Path
    edits : tuple of Edit
    seed : int or None
    out : Path
    """

    job: Job
    scene: Path
    edits: tuple[Edit, ...]
    seed: int | None
    out: Path

    def request(self) -> Scene:
        """The scene as it is to be drawn.

        Raises
        ------
        UserError
            If the file cannot be read, or an edit or a setting is impossible.
        """
        names = ("steps", "guidance", "decoder", "checkpoint")
        options = {name: getattr(self.job, name) for name in names} | {"seed": self.seed}
        changes = {name: value for name, value in options.items() if value is not None}
        scene = load_scene(self.scene)
        try:
            for edit in self.edits:
                scene = edit.applied(scene)
            wanted = str(changes.pop("decoder", scene.settings.decoder))
            scene = scene.with_decoder(wanted, **changes)
        except ValidationError as error:
            raise UserError(f"{describe(error)}.") from None
        check_boxes(scene)
        return scene


@dataclass
class BatchReport:
    """What came of a batch.

    Attributes
    ----------
    made, kept : int
        Pictures made now, and those that were there already.
    faults : list of str
        A sentence for each that could not be made.
    """

    made: int = 0
    kept: int = 0
    faults: list[str] = field(default_factory=list)

    @property
    def done(self) -> int:
        """Pictures that nothing more is to be done about."""
        return self.made + self.kept + len(self.faults)


Order = tuple[Task, Scene]
"""A picture that is to be drawn, and its scene."""

Drawing = Callable[[Iterable[Order]], Iterable[tuple[Order, Still | UserError]]]
"""Draws many; what cannot be drawn comes back as the reason."""


def read_tasks(path: str | Path) -> list[Task]:
    """All pictures of a list of jobs, one JSON object a line; empty lines are skipped.

    Raises
    ------
    UserError
        Names the line that is wrong; if two pictures would be the same file; if there are none,
        or more than `MAXIMUM_PICTURES`.
    """
    path = Path(path)
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path} cannot be read ({error}): check the name.") from None
    tasks: list[Task] = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            tasks.extend(_tasks(Job.model_validate(json.loads(line)), path.parent))
        except ValidationError as error:
            raise UserError(f"{path}, line {number}: {describe(error)}.") from None
        except (json.JSONDecodeError, LookupError, ValueError, UserError) as error:
            raise UserError(f"{path}, line {number}: {error}.".replace("..", ".")) from None
        if len(tasks) > MAXIMUM_PICTURES:
            raise UserError(f"{path} asks for more than {MAXIMUM_PICTURES} pictures: split it.")
    if not tasks:
        raise UserError(f"{path} asks for no picture: write a job on each line.")
    seen: set[Path] = set()
    for task in tasks:
        if task.out in seen:
            raise UserError(
                f"Two pictures would be {task.out}: use {{scene}}, {{edit}} and {{seed}} in `out`."
            )
        seen.add(task.out)
    return tasks


def run_batch(
    tasks: list[Task],
    drawing: Drawing,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> BatchReport:
    """Make the pictures that are not there yet; a fault stops only the picture that it is about.

    A picture counts as there if its metadata name exactly this request; without metadata they are
    made again. Each is the same as when it is made alone, but for
    content credentials, which name the time.

    Parameters
    ----------
    tasks : list of Task
    drawing : callable
        `one_by_one`, or `neural_assets_core.export.parallel.Workers`; gets them in an order in
        which every model is needed once.
    progress : callable
        Gets how many are done, and how many there are.

    Raises
    ------
    UserError
        If content credentials are wanted and there is nothing to sign them with.
    """
    signature = find_signature() if any(task.job.credentials for task in tasks) else None
    report = BatchReport()

    def missing() -> Iterator[Order]:
        for task in sorted(tasks, key=lambda t: (t.job.decoder or "", t.job.checkpoint or "")):
            try:
                scene = task.request()
                if not _is_there(task, scene):
                    yield task, scene
                    continue
                report.kept += 1
            except UserError as error:
                report.faults.append(f"{task.out.name}: {error}")
            progress(report.done, len(tasks))

    progress(0, len(tasks))
    for (task, scene), still in drawing(missing()):
        try:
            if isinstance(still, UserError):
                raise still
            signed = signature if task.job.credentials else None
            write_still(still, scene, task.out, what=task.job.what, signature=signed)
            report.made += 1
        except UserError as error:
            report.faults.append(f"{task.out.name}: {error}")
        progress(report.done, len(tasks))
    return report


def one_by_one(decoder_of: Callable[[Scene], Decoder]) -> Drawing:
    """Drawing in this process; `decoder_of` gives a scene's decoder."""

    def draw(orders: Iterable[Order]) -> Iterator[tuple[Order, Still | UserError]]:
        for task, scene in orders:
            yield (task, scene), drawn(task.job, task.out.suffix, scene, decoder_of)

    return draw


def drawn(
    job: Job, suffix: str, scene: Scene, decoder_of: Callable[[Scene], Decoder]
) -> Still | UserError:
    """A picture of a job, as a file of this suffix holds it, or why there is none."""
    try:
        wanted = KINDS[job.what].drawn
        picture = decoder_of(scene).generate(scene).picture if wanted else None
        return draw_still(
            picture, scene, suffix, what=job.what, metadata=job.metadata, quality=job.quality
        )
    except UserError as error:
        return error


def _tasks(job: Job, folder: Path) -> Iterator[Task]:
    scenes = (job.scene,) if isinstance(job.scene, str) else job.scene
    seeds = job.seed if isinstance(job.seed, tuple) else (job.seed,)
    for scene, (name, edits), seed in product(scenes, job.edits.items(), seeds):
        path = folder / scene
        values = {"scene": path.stem, "edit": name, "seed": "" if seed is None else str(seed)}
        out = job.out
        for key, value in values.items():
            out = out.replace(f"{{{key}}}", value)
        task = Task(job, path, edits, seed, folder / out)
        check_still(task.out, job.what, job.credentials)
        yield task


def _is_there(task: Task, scene: Scene) -> bool:
    job = task.job
    known = job.metadata and KINDS[job.what].drawn and task.out.suffix.lower() in _READABLE
    if not known or not task.out.is_file():
        return False
    try:
        return read_request(task.out) == scene.model_dump_json()
    except UserError:
        return False
