"""Protocol buffers, read from the wire: the few rules that the data sets' messages need.

Source: protobuf.dev/programming-guides/encoding.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
_LONGEST_VARINT = 10

Value = int | memoryview


def fields(message: memoryview) -> Iterator[tuple[int, int, Value]]:
    """The fields of a message in their order: number, wire type, value.

    Varints come as unsigned numbers, all else as bytes.

    Raises
    ------
    ValueError
        If the bytes are not a message.
    """
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        number, kind = key >> 3, key & 7
        if kind == VARINT:
            value, at = _varint(message, at)
            yield number, kind, value
            continue
        if kind == BYTES:
            length, at = _varint(message, at)
        elif kind in (FIXED32, FIXED64):
            length = 4 if kind == FIXED32 else 8
        else:
            raise ValueError(f"wire type {kind} is not known")
        if number == 0 or at + length > len(message):
            raise ValueError("a message ends in the middle of a field")
        yield number, kind, message[at : at + length]
        at += length


def messages(message: memoryview, number: int) -> list[memoryview]:
    """The messages, strings or bytes under a field's number."""
    return [v for n, _, v in fields(message) if n == number and isinstance(v, memoryview)]


def text(message: memoryview, number: int) -> str:
    """The last string under a field's number; empty if there is none."""
    found = messages(message, number)
    return bytes(found[-1]).decode() if found else ""


def integer(message: memoryview, number: int, default: int = 0) -> int:
    """The last number of an integer field."""
    found = [value for n, _, value in fields(message) if n == number and isinstance(value, int)]
    # Negative 32-bit numbers are written with the sign extended to 64 bits.
    return default if not found else (found[-1] ^ (1 << 63)) - (1 << 63)


def floats(message: memoryview, number: int) -> NDArray[np.float64]:
    """All 32-bit floats of a field, packed or one by one."""
    parts = [bytes(value) for value in messages(message, number)]
    return np.frombuffer(b"".join(parts), dtype="<f4").astype(np.float64)


def varints(packed: memoryview) -> NDArray[np.int64]:
    """Packed varints as signed 64-bit numbers."""
    data = np.frombuffer(packed, dtype=np.uint8)
    last = np.flatnonzero(data < 0x80)
    if data.size and (last.size == 0 or last[-1] != data.size - 1):
        raise ValueError("a message ends in the middle of a number")
    starts = np.concatenate([[0], last[:-1] + 1]) if last.size else last
    lengths = last - starts + 1
    if lengths.size and lengths.max() > _LONGEST_VARINT:
        raise ValueError("a number is longer than 64 bits")
    values = np.zeros(len(last), dtype=np.uint64)
    for byte in range(int(lengths.max(initial=0))):
        longer = lengths > byte
        digits = (data[starts[longer] + byte] & 0x7F).astype(np.uint64)
        values[longer] |= digits << np.uint64(7 * byte)
    return values.view(np.int64)


def length_prefix(data: bytes) -> int:
    """A little-endian 64-bit length."""
    return int(struct.unpack("<Q", data)[0])


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 7 * _LONGEST_VARINT, 7):
        if at >= len(message):
            raise ValueError("a message ends in the middle of a number")
        byte = message[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value & (1 << 64) - 1, at
    raise ValueError("a number is longer than 64 bits")
