"""TFRecord files of `tf.train.Example` messages, without TensorFlow.

A record is: length (uint64), masked CRC-32C of the length, data, masked CRC-32C of the data; all
little-endian. Source: tensorflow.org/tutorials/load_data/tfrecord.
"""

from __future__ import annotations

import mmap
import os
import struct
from collections.abc import Collection
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from neural_assets_core.data.readers import wire
from neural_assets_core.data.readers.crc32c import masked_crc32c

Feature = list[memoryview] | NDArray[np.float64] | NDArray[np.int64]

_HEAD, _FOOT = 12, 4


def record_offsets(path: Path) -> list[tuple[int, int]]:
    """Where each record's data starts in a file, and their length; reads the heads alone.

    Raises
    ------
    ValueError
        If the file is cut off, or a length's checksum is wrong.
    """
    size = os.path.getsize(path)
    offsets: list[tuple[int, int]] = []
    with path.open("rb") as file:
        at = 0
        while at < size:
            file.seek(at)
            head = file.read(_HEAD)
            if len(head) < _HEAD:
                raise ValueError("the file is cut off")
            length = wire.length_prefix(head[:8])
            if masked_crc32c(head[:8]) != struct.unpack("<I", head[8:])[0]:
                raise ValueError(f"the checksum of record {len(offsets)} is wrong")
            offsets.append((at + _HEAD, length))
            at += _HEAD + length + _FOOT
        if at != size:
            raise ValueError("the file is cut off")
    return offsets


def map_record(path: Path, offset: int, length: int) -> memoryview:
    """A record's data; what of them is not looked at is not read, nor is their checksum."""
    with path.open("rb") as file:
        mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    return memoryview(mapped)[offset : offset + length]


def verify_record(path: Path, offset: int, length: int) -> None:
    """Read all of a record.

    Raises
    ------
    ValueError
        If its checksum is wrong.
    """
    with path.open("rb") as file:
        file.seek(offset)
        data = file.read(length)
        foot = file.read(_FOOT)
    if len(foot) < _FOOT or masked_crc32c(data) != struct.unpack("<I", foot)[0]:
        raise ValueError(f"the checksum of the record at byte {offset - _HEAD} is wrong")


def read_example(data: memoryview, wanted: Collection[str]) -> dict[str, Feature]:
    """The wanted features of a `tf.train.Example`, those that it has; pictures stay where they are.

    Raises
    ------
    ValueError
        If the bytes are no such message.
    """
    found: dict[str, Feature] = {}
    for features in wire.messages(data, 1):
        for entry in wire.messages(features, 1):
            name = wire.text(entry, 1)
            if name in wanted:
                found[name] = _feature((wire.messages(entry, 2) or [memoryview(b"")])[-1])
    return found


def _feature(message: memoryview) -> Feature:
    for number, _, value in wire.fields(message):
        assert isinstance(value, memoryview)
        if number == 1:
            return wire.messages(value, 1)
        if number == 2:
            return wire.floats(value, 1)
        if number == 3:
            return _integers(value)
    return []


def _integers(message: memoryview) -> NDArray[np.int64]:
    parts = [
        wire.varints(value) if isinstance(value, memoryview)
        else np.array([value], dtype=np.uint64).view(np.int64)
        for number, _, value in wire.fields(message) if number == 1
    ]  # fmt: skip
    return np.concatenate(parts) if parts else np.zeros(0, dtype=np.int64)
