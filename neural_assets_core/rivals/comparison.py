"""What a comparison consists of, read from one TOML file; importing this imports no torch."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from neural_assets_core.errors import UserError
from neural_assets_core.resources import TRAINING_CONFIGS

COMPARISONS = TRAINING_CONFIGS / "comparison"

Method = Literal["neural assets", "3dit", "chained", "proxy", "copy"]
TRAINED = ("neural assets", "3dit", "chained")


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Row(_Value):
    """One row of a table.

    Attributes
    ----------
    name : str
        Of its folder; rows of the same name in two tables are one.
    label : str
        In the table.
    method : {"neural assets", "3dit", "chained", "proxy", "copy"}
    changes : dict
        What is different from the training configuration that all rows share.
    """

    name: str = Field(pattern=r"[a-z0-9-]+")
    label: str
    method: Method = "neural assets"
    changes: dict[str, Any] = {}


class Comparison(_Value):
    """A table to be made.

    Attributes
    ----------
    title, text : str
        Above the table.
    reference : str
        Name of the row that the others' gains are over.
    tasks : tuple of str
        Of the benchmark, those that all rows can be asked.
    steps, guidance : int, float
        How all rows are sampled.
    rows : tuple of Row
    """

    title: str
    text: str
    reference: str
    tasks: tuple[str, ...]
    steps: int = Field(default=25, ge=1)
    guidance: float = 2.0
    rows: tuple[Row, ...]


def read_comparison(name: str) -> Comparison:
    """The comparison called so, "rivals" or "ablations".

    Raises
    ------
    UserError
        If there is none, or its file is damaged.
    """
    path = COMPARISONS / f"{name}.toml"
    try:
        found = Comparison.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError:
        raise UserError(f"There is no comparison {name!r}: rivals or ablations.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, ValidationError) as error:
        reason = " ".join(str(error).split())[:300]
        raise UserError(f"{path} is damaged ({reason}): correct it.") from None
    if found.reference not in [row.name for row in found.rows]:
        raise UserError(f"{path}: no row is called {found.reference!r}: correct `reference`.")
    return found


def merged(base: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """`base` with the entries of `changes`, table by table, in the place of its own."""
    out = dict(base)
    for key, value in changes.items():
        here = out.get(key)
        if isinstance(value, dict) and isinstance(here, dict):
            value = merged(here, value)
        out[key] = value
    return out


def read_json(path: Path) -> Any:
    """The content of a file of ours; None if it is not there or not whole."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
