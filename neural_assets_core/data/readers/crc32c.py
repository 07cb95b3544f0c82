"""CRC-32C (Castagnoli), many bytes at a time, and TFRecord's masked form of it.

A checksum is linear over bits: the parts of a long text are summed side by side in numpy, and
joined by the map that running over as many zero bytes would be.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

POLYNOMIAL = 0x82F63B78
"""Reversed, lowest bit first."""

_LANES = 2048

Words = NDArray[np.uint32]


def crc32c(data: bytes | memoryview) -> int:
    """The checksum of `data`."""
    table = _table()
    octets = np.frombuffer(data, dtype=np.uint8)
    length = -(-octets.size // _LANES)
    # Zeros in front change nothing while the state is zero; the real start is added below.
    padded = np.zeros(length * _LANES, dtype=np.uint8)
    if octets.size:
        padded[-octets.size :] = octets
    columns = np.ascontiguousarray(padded.reshape(_LANES, length).T)
    lanes = np.zeros(_LANES, dtype=np.uint32)
    for column in columns:
        lanes = table[(lanes ^ column) & 0xFF] ^ (lanes >> 8)
    # Neighbours join, each pair over twice the length of the one before.
    while lanes.size > 1:
        lanes = _over_zeros(lanes[::2], length) ^ lanes[1::2]
        length *= 2
    start = _over_zeros(np.array([0xFFFFFFFF], dtype=np.uint32), octets.size)
    return int(lanes[0] ^ start[0]) ^ 0xFFFFFFFF


def masked_crc32c(data: bytes | memoryview) -> int:
    """As TFRecord files store it: rotated and shifted, so that sums of sums differ from them."""
    crc = crc32c(data)
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


@lru_cache(maxsize=1)
def _table() -> Words:
    crc = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        crc = np.where(crc & 1, crc >> 1 ^ POLYNOMIAL, crc >> 1).astype(np.uint32)
    return crc


def _over_zeros(states: Words, count: int) -> Words:
    """The states after `count` zero bytes."""
    power = 0
    while count:
        if count & 1:
            states = _applied(_zeros_map(power), states)
        count >>= 1
        power += 1
    return states


@lru_cache(maxsize=64)
def _zeros_map(power: int) -> Words:
    """(32,) what 2 ** power zero bytes make of each single bit."""
    if power:
        half = _zeros_map(power - 1)
        return _applied(half, half)
    bits = (np.uint32(1) << np.arange(32, dtype=np.uint32)).astype(np.uint32)
    moved: Words = _table()[bits & 0xFF] ^ (bits >> 8)
    return moved


def _applied(matrix: Words, states: Words) -> Words:
    """Matrix times vectors over bits."""
    out = np.zeros_like(states)
    for bit in range(32):
        out ^= np.where(states >> np.uint32(bit) & 1, matrix[bit], 0).astype(np.uint32)
    return out
