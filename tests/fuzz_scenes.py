"""Put damaged and hostile scene files through the loader: `python -m tests.fuzz_scenes`.

Every file is a mutation of a sound one: of its bytes, of the zip's structure, of values in its
JSON, or of its pictures. The loader must answer each with one sentence or with a scene that can be
saved again, in less than a second of processor time, without 500 MB of memory, and without writing
or deleting anything or running what the file says.
"""

from __future__ import annotations

import argparse
import copy
import hashlib
import io
import json
import os
import random
import resource
import struct
import sys
import tempfile
import time
import warnings
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from neural_assets_core.animation import with_keyframes
from neural_assets_core.errors import UserError
from neural_assets_core.resources import SAMPLE_SCENES
from neural_assets_core.scene import Wireframe, load_scene
from neural_assets_core.scene.archive import scene_bytes

SECONDS = 1.0
MEGABYTES = 500

Entries = list[tuple[zipfile.ZipInfo, bytes]]

# -- values ------------------------------------------------------------------------------------

ODD_VALUES: list[Any] = [
    None, True, -1, 0, 10**30, 1e308, -1e-320, "", "x", "../..", [], {}, [[]], {"sha256": 5},
    [0, 0, 0], [0, 0, 0, 0], "9" * 300,
]  # fmt: skip


def mutate(value: Any, chance: random.Random) -> None:
    """Change one random place somewhere inside a JSON value."""
    while True:
        keys = list(value) if isinstance(value, dict) else list(range(len(value)))
        if not keys:
            return
        key = chance.choice(keys)
        inner = value[key]
        if isinstance(inner, (dict, list)) and inner and chance.random() < 0.85:
            value = inner
            continue
        if chance.random() < 0.2:
            del value[key]
        else:
            # A copy: the next change may be inside it.
            value[key] = copy.deepcopy(chance.choice(ODD_VALUES))
        return


def mutated_json(entries: Entries, chance: random.Random) -> bytes:
    """Some values changed, or text that is no sound JSON at all."""

    def change(data: bytes) -> bytes:
        fields = json.loads(data)
        for _ in range(chance.choice([1, 1, 2, 6])):
            mutate(fields, chance)
        text = json.dumps(fields)
        match chance.randrange(8):
            case 0:
                number = chance.choice(["NaN", "-Infinity", "1e999", "9" * 5000, "0x1", "1_0"])
                text = text.replace("0.", number + ",", 1)
            case 1:
                depth = chance.choice([100, 1000, 100_000])
                text = text[:-1] + f', "x": {"[" * depth}{"]" * depth}}}'
            case 2:
                text = text[:-1] + ', "x": [' + "{}," * chance.choice([10, 500_000]) + "{}]}"
            case 3:
                text = text[:-1] + ', "x": "\\ud800", "format": "other"}'
        return text.encode()

    return packed(changed(entries, "scene.json", change))


# -- bytes -------------------------------------------------------------------------------------


def damage(data: bytes, chance: random.Random) -> bytes:
    """Flip, cut, repeat or overwrite something somewhere."""
    at = chance.randrange(len(data))
    length = chance.choice([1, 1, 1, 4, 30])
    noise = chance.randbytes(length)
    return chance.choice(
        [
            data[:at] + noise + data[at + length :],
            data[:at] + noise + data[at:],
            data[:at] + data[at + length :],
            data[:at] + bytes(length) + data[at + length :],
            data[:at] + data[at - length : at] + data[at:],
        ]
    )


def mutated_bytes(entries: Entries, chance: random.Random) -> bytes:
    """A few places changed, half of the time in the zip's directory."""
    data = packed(entries)
    for _ in range(chance.choice([1, 1, 3, 20])):
        split = chance.choice([0, max(0, len(data) - 900)])
        data = data[:split] + damage(data[split:], chance)
    return data[: chance.randrange(len(data))] if chance.random() < 0.1 else data


# -- the zip -----------------------------------------------------------------------------------

NAMES = ["../evil", "/etc/passwd", "a\\b", "C:/evil", "images/../../x", "scene.json", "x" * 60_000]


def mutated_structure(entries: Entries, chance: random.Random) -> bytes:
    """Entries lost, twice, renamed, exchanged or of strange kinds; headers that lie."""
    entries = list(entries)
    at, other = chance.randrange(len(entries)), chance.randrange(len(entries))
    match chance.randrange(9):
        case 0:
            del entries[at]
        case 1:
            entries.append(entries[at])
        case 2:
            entries[at] = (zipfile.ZipInfo(chance.choice(NAMES)), entries[at][1])
        case 3:
            entries[at] = (entries[at][0], entries[other][1])
        case 4:
            chance.shuffle(entries)
        case 5:
            number = chance.choice([3, 2000, 20_000])
            entries += [(zipfile.ZipInfo(f"assets/{k}"), b"") for k in range(number)]
        case 6:
            odd = zipfile.ZipInfo("assets/odd")
            odd.compress_type = chance.choice([zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
            entries.append((odd, b"x" * 99))
        case 7:
            link = zipfile.ZipInfo("images/link")
            link.create_system, link.external_attr = 3, 0o120777 << 16
            entries.append((link, b"/etc/passwd"))
        case 8:
            inflated = changed(entries, "scene.json", lambda data: b" " * 30_000_000 + data)
            return packed(inflated)
    data = bytearray(packed(entries))
    for _ in range(chance.choice([0, 0, 1, 3])):
        signature = chance.choice([b"PK\1\2", b"PK\3\4", b"PK\5\6"])
        start = data.find(signature, chance.randrange(len(data)))
        if start >= 0 and start + 44 < len(data):
            width, value = chance.choice([("<H", 0xFFFF), ("<L", 0xFFFFFFFF), ("<L", 2**30)])
            value = chance.choice([0, 1, value, chance.randrange(value)])
            struct.pack_into(width, data, start + 4 + 2 * chance.randrange(19), value)
    return bytes(data)


# -- the pictures ------------------------------------------------------------------------------


def mutated_pictures(entries: Entries, chance: random.Random) -> bytes:
    """Damaged PNG, headers that lie, strange chunks; rarely a bomb."""
    if chance.random() < 0.01:
        size = chance.choice([(4000, 3000), (8000, 8000), (16_384, 7_300)])
        return packed(bomb(entries, *size))
    kind = chance.randrange(3)

    def change(data: bytes) -> bytes:
        if kind == 0:
            return damage(data, chance)
        if kind == 1:
            header = bytearray(data[16:29])
            values = [0, 1, 20_000, 16_384, 2**31 - 1, chance.randrange(1, 5000)]
            struct.pack_into(">L", header, chance.choice([0, 4]), chance.choice(values))
            header[chance.choice([8, 9, 12])] = chance.randrange(9)
            return data[:8] + chunk(b"IHDR", bytes(header)) + data[33:]
        name = chance.choice([b"zTXt", b"iCCP", b"iTXt", b"tRNS", b"PLTE", b"acTL", b"IDAT"])
        return data[:33] + chunk(name, blown(chance.choice([9, 20_000_000]))) + data[33:]

    return packed(changed(entries, "images/", change))


@cache
def blown(size: int) -> bytes:
    """What a chunk of compressed text holds that is long once it is unpacked, bytes."""
    return b"x\0\0" + zlib.compress(bytes(size))


def chunk(kind: bytes, data: bytes) -> bytes:
    """A PNG's chunk with a sound checksum."""
    checked = kind + data
    return struct.pack(">L", len(data)) + checked + struct.pack(">L", zlib.crc32(checked))


def bomb(entries: Entries, width: int, height: int) -> Entries:
    """The scene's picture exchanged for a black one, sound but for its size."""
    digest = hashlib.sha256(repr((height, width, 3)).encode())
    packer, row = zlib.compressobj(9), bytes(1 + 3 * width)
    image = b""
    for _ in range(height):
        image += packer.compress(row)
        digest.update(row[1:])
    header = struct.pack(">LLBBBBB", width, height, 8, 2, 0, 0, 0)
    png = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header)
    png += chunk(b"IDAT", image + packer.flush()) + chunk(b"IEND", b"")

    def refer(data: bytes) -> bytes:
        fields = json.loads(data)
        old = fields["background"]["view"]["picture"]["sha256"]
        size = [fields["camera"][side] for side in ("width", "height")]
        text = data.decode().replace(old, digest.hexdigest())
        for side, was, now in zip(("width", "height"), size, (width, height), strict=True):
            text = text.replace(f'"{side}": {was}', f'"{side}": {now}')
        return text.encode()

    extra = (zipfile.ZipInfo(f"images/{digest.hexdigest()}.png"), png)
    return [*changed(entries, "scene.json", refer), extra]


# -- packing -----------------------------------------------------------------------------------


def unpacked(data: bytes) -> Entries:
    """What a scene file holds."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return [(entry, archive.read(entry)) for entry in archive.infolist()]


def packed(entries: Entries) -> bytes:
    """A zip of entries, whatever they are called."""
    buffer = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(buffer, "w") as archive:
        warnings.simplefilter("ignore", UserWarning)
        for entry, data in entries:
            archive.writestr(copy.copy(entry), data)
    return buffer.getvalue()


def changed(entries: Entries, prefix: str, change: Callable[[bytes], bytes]) -> Entries:
    """The entries, the content of those whose name starts with `prefix` changed."""
    return [
        (entry, change(data) if entry.filename.startswith(prefix) else data)
        for entry, data in entries
    ]


# -- the trial ---------------------------------------------------------------------------------

MUTATIONS = (mutated_bytes, mutated_structure, mutated_json, mutated_pictures)


@dataclass
class Report:
    """What came of the files.

    Attributes
    ----------
    outcomes : Counter
        By mutation, then "refused" or "scene".
    slowest : float
        Seconds of processor time.
    megabytes : int
        By how much the process's memory has grown at most, making the files included.
    """

    outcomes: Counter[tuple[str, str]] = field(default_factory=Counter)
    slowest: float = 0.0
    megabytes: int = 0


WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
FORBIDDEN = (
    "os.remove", "os.rename", "os.mkdir", "os.rmdir", "os.link", "os.symlink", "os.truncate",
    "os.system", "os.exec", "subprocess.Popen", "socket.connect", "pickle.find_class", "exec",
)  # fmt: skip
_watched: list[str] | None = None


def _audit(event: str, args: tuple[Any, ...]) -> None:
    if _watched is not None and (
        event in FORBIDDEN or (event == "open" and isinstance(args[2], int) and args[2] & WRITING)
    ):
        _watched.append(f"{event} {args}")


@contextmanager
def watched() -> Iterator[list[str]]:
    """What is written, deleted or run meanwhile."""
    global _watched
    _watched = seen = []
    try:
        yield seen
    finally:
        _watched = None


def run(files: int, seed: int, folder: Path) -> Report:
    """Mutate and load.

    Raises
    ------
    AssertionError
        If one file is not treated as it should be; it lies in `folder` then.
    """
    sys.addaudithook(_audit)
    bases = [unpacked(path.read_bytes()) for path in sorted(SAMPLE_SCENES.glob("*.nascene"))[:1]]
    bases += [bases[0], unpacked(_small())]
    report, path = Report(), folder / "fuzzed.nascene"
    path.write_bytes(packed(bases[0]))
    scene_bytes(load_scene(path))
    memory = _memory()
    for index in range(files):
        chance = random.Random(seed + index)
        mutation = chance.choice(MUTATIONS)
        path.write_bytes(mutation(chance.choice(bases), chance))
        outcome, seconds = _load(path)
        report.outcomes[mutation.__name__, outcome] += 1
        report.slowest = max(report.slowest, seconds)
        report.megabytes = _memory() - memory
        told = f"file {seed + index} ({mutation.__name__})"
        assert seconds < SECONDS, f"{told} took {seconds:.2f} s"
        assert report.megabytes < MEGABYTES, f"{told} took {report.megabytes} MB"
    return report


def _load(path: Path) -> tuple[str, float]:
    outcome = "scene"
    start = time.process_time()
    with watched() as seen, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            scene = load_scene(path)
        except UserError as error:
            outcome = "refused"
            text = str(error)
            assert "\n" not in text, text
            assert text.endswith("."), text
            assert len(text) < 500, text
    seconds = time.process_time() - start
    assert not seen, seen
    if outcome == "scene":
        scene_bytes(scene)
    return outcome, seconds


def _memory() -> int:
    """Most of this process so far, MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def _small() -> bytes:
    """A scene of few bytes, so that each of them is hit more often."""
    from tests.kill_saving import make_scene

    scene = make_scene(48, 36)
    first, *others = scene.objects
    lines = Wireframe([[-1, -1, -1], [1, 1, 1], [0, 0, 1]], [[0, 1], [1, 2]])
    first = first.model_copy(update={"wireframe": lines})
    scene = scene.model_copy(update={"objects": (first, *others)})
    for moment in (0.0, 1.0):
        scene = with_keyframes(scene, [first.name, None], moment)
    return scene_bytes(scene.with_extra("x_note", {"deep": [1, 2.5, None]}))


def main() -> None:
    """Print what came of the files."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--files", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    np.seterr(all="ignore")
    folder = Path(tempfile.mkdtemp(prefix="fuzz-scenes-"))
    report = run(arguments.files, arguments.seed, folder)
    for (name, outcome), number in sorted(report.outcomes.items()):
        print(f"{name:18} {outcome:8} {number:6}")
    print(f"slowest {report.slowest:.2f} s, most memory {report.megabytes} MB, nothing written")


if __name__ == "__main__":
    main()
