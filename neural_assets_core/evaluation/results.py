"""Figures of every case in one Parquet file; importing this imports no torch.

One row for each case, sample and method:

===================================  ==============================================================
`case`, `clip`                       Name of the case, and of what it was taken from
`source_frame`, `target_frame`       Numbers in the clip
`group`, `task`                      As the summary's tables are called
`objects`, `edited`                  Objects in the request; ids of those that are judged
`method`                             Who drew the picture
`sample`, `seed`, `steps`,           Number of the sample from 0, and how it was drawn; seed, steps
`guidance`                           and guidance are null where they change nothing
`kept`                               Whether this sample is the one that counts
`seconds`                            Drawing it took
`source`, `truth`, `picture`         Where the pictures lie, from this file's folder; null if
                                     they were not kept
===================================  ==============================================================

and a column of 64-bit floats for each figure, null where it does not apply. What the figures and
methods are called, and all that belongs to no single case, is JSON in the file's metadata, under
`neural_assets`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow
import pyarrow.parquet
from numpy.typing import NDArray

from neural_assets_core.errors import UserError
from neural_assets_core.evaluation.intervals import Figure, interval
from neural_assets_core.files import write_atomically

METADATA = b"neural_assets"
VERSION = 1
CASES = "cases.parquet"
ALL = "all"
"""The group of all cases."""

SCHEMA = pyarrow.schema(
    [
        ("case", pyarrow.string()),
        ("clip", pyarrow.string()),
        ("source_frame", pyarrow.int32()),
        ("target_frame", pyarrow.int32()),
        ("group", pyarrow.string()),
        ("task", pyarrow.string()),
        ("objects", pyarrow.int32()),
        ("edited", pyarrow.list_(pyarrow.int32())),
        ("method", pyarrow.string()),
        ("sample", pyarrow.int32()),
        ("seed", pyarrow.int64()),
        ("steps", pyarrow.int32()),
        ("guidance", pyarrow.float64()),
        ("kept", pyarrow.bool_()),
        ("seconds", pyarrow.float64()),
        ("source", pyarrow.string()),
        ("truth", pyarrow.string()),
        ("picture", pyarrow.string()),
    ]
)
PICTURES = ("source", "truth", "picture")


@dataclass(frozen=True)
class Column:
    """A figure: what it is called, its unit and digits, and whether more is better."""

    name: str
    label: str
    unit: str
    digits: int
    higher: bool

    @property
    def head(self) -> str:
        """For a table: "PSNR, objects, dB"."""
        return f"{self.label}, {self.unit}" if self.unit else self.label


@dataclass(frozen=True)
class Results:
    """What one evaluation found.

    Attributes
    ----------
    about : dict
        Plain values that tell what was evaluated, and how.
    columns : tuple of Column
    methods : dict of str to str
        Name to description, in the order of the tables.
    rows : sequence of dict
        See the module; figures are floats, nan where they do not apply.
    sets : dict
        `sets[method][name]`: figures of all pictures of a method together, such as `fid`.
    folder : Path
        Where the pictures' paths start.
    """

    about: dict[str, Any]
    columns: tuple[Column, ...]
    methods: dict[str, str]
    rows: Sequence[Mapping[str, Any]]
    sets: dict[str, dict[str, float]] = field(default_factory=dict)
    folder: Path = Path()

    def groups(self) -> dict[str, list[str]]:
        """Cases by group: all, then each group and each task if there are several."""
        seen: dict[str, Mapping[str, Any]] = {row["case"]: row for row in self.rows}
        out = {ALL: list(seen)}
        for key in ("group", "task"):
            names = sorted({row[key] for row in seen.values()})
            for name in names if len(names) > 1 else ():
                out[name] = [case for case, row in seen.items() if row[key] == name]
        return out

    @cached_property
    def _kept(self) -> dict[str, dict[str, Mapping[str, Any]]]:
        out: dict[str, dict[str, Mapping[str, Any]]] = {method: {} for method in self.methods}
        for row in self.rows:
            if row["kept"]:
                out[row["method"]][row["case"]] = row
        return out

    def of(self, method: str) -> Mapping[str, Mapping[str, Any]]:
        """By case, the row that counts."""
        return self._kept[method]

    def values(
        self, method: str, figure: str, cases: Sequence[str] | None = None
    ) -> NDArray[np.float64]:
        """(n,) of some cases or all, in their order; nan where it does not apply."""
        rows = self.of(method)
        chosen = list(rows) if cases is None else cases
        return np.array([rows[case][figure] for case in chosen], dtype=np.float64)

    def sample_means(self, method: str, figure: str) -> NDArray[np.float64]:
        """(n,) for each case the mean over all its samples."""
        found: dict[str, list[float]] = {}
        for row in self.rows:
            if row["method"] == method:
                found.setdefault(row["case"], []).append(row[figure])
        return np.array([np.mean(values) for values in found.values()], dtype=np.float64)

    def figures(self) -> dict[str, dict[str, dict[str, Figure]]]:
        """`figures()[group][method][figure]`, of the rows that count; made once."""
        return self._figures

    @cached_property
    def _figures(self) -> dict[str, dict[str, dict[str, Figure]]]:
        return {
            group: {
                method: self._means(method, cases) for method in self.methods
            }
            for group, cases in self.groups().items()
        }

    def _means(self, method: str, cases: Sequence[str]) -> dict[str, Figure]:
        found = {c.name: interval(self.values(method, c.name, cases)) for c in self.columns}
        return {name: figure for name, figure in found.items() if figure is not None}

    def gains(self, first: str) -> dict[str, dict[str, Figure]]:
        """`gains(first)[other][figure]`: by how much a method is better, case by case."""
        out: dict[str, dict[str, Figure]] = {}
        for other in self.methods:
            for column in self.columns if other != first else ():
                gain = self.values(first, column.name) - self.values(other, column.name)
                figure = interval(gain if column.higher else -gain)
                if figure is not None:
                    out.setdefault(other, {})[column.name] = figure
        return out


def write_results(path: Path, results: Results) -> None:
    """Write a Parquet file.

    Raises
    ------
    UserError
        If it cannot be written.
    """
    told = {
        "version": VERSION,
        "about": results.about,
        "columns": [asdict(column) for column in results.columns],
        "methods": results.methods,
        "sets": results.sets,
    }
    figures = [(column.name, pyarrow.float64()) for column in results.columns]
    schema = pyarrow.schema([*SCHEMA, *figures]).with_metadata({METADATA: json.dumps(told)})
    names = {column.name for column in results.columns}
    rows = [
        {key: None if key in names and np.isnan(value) else value for key, value in row.items()}
        for row in results.rows
    ]
    out = pyarrow.BufferOutputStream()
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows, schema), out)
    write_atomically(path, out.getvalue().to_pybytes())


def read_results(path: str | Path) -> Results:
    """Read such a file.

    Raises
    ------
    UserError
        If it is missing, damaged, or holds something else.
    """
    path = Path(path)
    try:
        table = pyarrow.parquet.read_table(path)
        told = json.loads((table.schema.metadata or {})[METADATA])
        if told["version"] > VERSION:
            raise UserError(f"{path.name} is of a newer version of this program: update it.")
        columns = tuple(Column(**column) for column in told["columns"])
        names = [*SCHEMA.names, *(column.name for column in columns)]
        rows = table.select(names).to_pylist()
        for row in rows:
            for column in columns:
                row[column.name] = np.nan if row[column.name] is None else row[column.name]
        return Results(
            told["about"], columns, told["methods"], rows, told["sets"], path.absolute().parent
        )
    except FileNotFoundError:
        raise UserError(f"There is no {path}: check the path.") from None
    except (pyarrow.ArrowException, OSError, KeyError, ValueError, TypeError):
        raise UserError(
            f"{path.name} holds no results of `neural-assets evaluate` (--protocol own or paper): "
            "choose its cases.parquet."
        ) from None
