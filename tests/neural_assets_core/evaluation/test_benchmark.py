"""The fixed benchmark: its list, and a small part of it rendered, kept and recognised."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from neural_assets_core.data.edits import TASKS
from neural_assets_core.errors import UserError
from neural_assets_core.evaluation.benchmark import fingerprint, open_benchmark, slots


def test_the_list_is_large_enough_and_any_part_of_it_mixed() -> None:
    groups = Counter(group for group, _, _ in slots())
    assert groups["seen"] >= 300
    assert groups["unseen"] >= 60
    assert {task for _, task, _ in slots()[:60]} == set(TASKS) - {"replace"}
    assert len(set(slots())) == len(slots())


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("benchmark")
    open_benchmark(folder, 64, 2)
    return folder


def test_it_is_rendered_once_and_extended(folder: Path) -> None:
    first = folder / "clips" / "000000" / "000.png"
    made = first.stat().st_mtime_ns
    cases = open_benchmark(folder, 64, 3)
    assert first.stat().st_mtime_ns == made
    assert fingerprint(cases[:2]) == fingerprint(open_benchmark(folder, 64, 2))
    assert fingerprint(cases) != fingerprint(cases[:2])
    for case in cases:
        assert len(case.regions) == len(case.looks()) == len(case.edited) > 0
        assert all(mask.any() for mask in case.silhouettes())


def test_another_number_or_size_is_refused(folder: Path) -> None:
    with pytest.raises(UserError, match="another benchmark"):
        open_benchmark(folder, 96, 1)


def test_a_changed_generator_is_noticed(folder: Path) -> None:
    picture = folder / "clips" / "000000" / "001.png"
    before = picture.read_bytes()
    Image.fromarray(255 - np.asarray(Image.open(picture))).save(picture)
    with pytest.raises(UserError, match="generator has changed"):
        open_benchmark(folder, 64, 1)
    picture.write_bytes(before)
    assert json.loads((folder / "benchmark.json").read_text())["size"] == 64
