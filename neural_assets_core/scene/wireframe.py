"""Wireframes as values: the lines of a mesh inside an object's box, for the eye alone."""

from __future__ import annotations

import hashlib
import struct
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

MAXIMUM_POINTS = 4096
MAXIMUM_EDGES = 4096
_HEAD = struct.Struct("<HH")
_STEPS = 65535
MAXIMUM_BYTES = _HEAD.size + 6 * MAXIMUM_POINTS + 4 * MAXIMUM_EDGES


class Wireframe:
    """Immutable line segments in a box's own frame.

    Parameters
    ----------
    points : array (N, 3)
        In the box's frame, where the box is [-1, 1]^3; what lies outside is moved to its side.
        At most `MAXIMUM_POINTS`.
    edges : array (M, 2)
        Pairs of indices of points, at most `MAXIMUM_EDGES`.

    Notes
    -----
    Points are kept to a 32768th of the box. Two wireframes are equal when their `data` are;
    `sha256` names it, and stands for the wireframe inside a scene's JSON.

    Raises
    ------
    ValueError
        If there are none or too many, a point is not finite, or an edge has no such point.
    """

    def __init__(self, points: ArrayLike, edges: ArrayLike) -> None:
        places = np.asarray(points, dtype=np.float64).reshape(-1, 3)
        if not np.isfinite(places).all():
            raise ValueError("a wireframe needs finite points")
        steps = np.round((np.clip(places, -1, 1) + 1) * (0.5 * _STEPS)).astype("<u2")
        self._set(steps, np.asarray(edges, dtype=np.int64).reshape(-1, 2))

    @classmethod
    def from_bytes(cls, data: bytes) -> Wireframe:
        """A wireframe from its `data`.

        Raises
        ------
        ValueError
            If it is none.
        """
        if len(data) < _HEAD.size:
            raise ValueError("a wireframe is cut short")
        points, edges = _HEAD.unpack_from(data)
        middle = _HEAD.size + 6 * points
        if len(data) != middle + 4 * edges:
            raise ValueError("a wireframe is cut short")
        made = cls.__new__(cls)
        steps = np.frombuffer(data[_HEAD.size : middle], "<u2").reshape(-1, 3)
        made._set(steps, np.frombuffer(data[middle:], "<u2").astype(np.int64).reshape(-1, 2))
        return made

    def _set(self, steps: NDArray[np.uint16], edges: NDArray[np.int64]) -> None:
        if not 0 < len(steps) <= MAXIMUM_POINTS or not 0 < len(edges) <= MAXIMUM_EDGES:
            raise ValueError("a wireframe is empty or too large")
        if edges.min() < 0 or edges.max() >= len(steps):
            raise ValueError("an edge of a wireframe has no such point")
        self.data = (
            _HEAD.pack(len(steps), len(edges)) + steps.tobytes() + edges.astype("<u2").tobytes()
        )
        """What its entry in a file holds: both counts, points, edges, as 16-bit numbers."""
        self.sha256 = hashlib.sha256(self.data).hexdigest()
        places = steps.astype(np.float64) * (2.0 / _STEPS) - 1.0
        self.segments: NDArray[np.float64] = places[edges]
        """(M, 2, 3) ends of the edges in the box's frame, where the box is [-1, 1]^3."""
        self.segments.setflags(write=False)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Wireframe) and self.data == other.data

    def __hash__(self) -> int:
        return hash(self.data)

    def __repr__(self) -> str:
        return f"Wireframe({len(self.segments)} edges, {self.sha256[:8]})"

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.is_instance_schema(
            cls,
            serialization=core_schema.plain_serializer_function_ser_schema(
                lambda wireframe: wireframe.sha256
            ),
        )

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return {
            "type": "string",
            "pattern": "^[0-9a-f]{64}$",
            "description": "The lines of a mesh, by the hash of wireframes/<sha256>.bin.",
        }
