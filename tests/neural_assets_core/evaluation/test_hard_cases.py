"""Hard edits are what they say, and their page shows all of them."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from neural_assets_core.data.dataset import ObjectAnnotation
from neural_assets_core.evaluation.benchmark import Case
from neural_assets_core.evaluation.hard_cases import (
    GAP,
    SIDE,
    TEXT,
    Result,
    measure,
    strip,
    table_row,
    write_page,
)
from neural_assets_core.evaluation.hard_edits import KINDS, make_hard_edit, revolved
from neural_assets_core.model.build import ModelConfig, build_pipeline

SIZE = 64


@pytest.fixture(scope="module")
def results(
    tiny_model: ModelConfig, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, list[Result]]:
    """One case of each kind, answered by a tiny checkpoint."""
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("checkpoint")
    build_pipeline(tiny_model).save_pretrained(str(folder))
    return measure(str(folder), 1, SIZE)


def before_and_after(case: Case) -> tuple[ObjectAnnotation, ObjectAnnotation]:
    """The first edited object in source and truth."""
    source, target = (
        next(item for item in frame.objects if item.id == case.edited[0])
        for frame in (case.source, case.target)
    )
    return source, target


def test_an_edit_depends_only_on_its_number() -> None:
    first, again, other = (make_hard_edit("far", number, SIZE) for number in (0, 0, 1))
    assert again.scene == first.scene
    assert np.array_equal(again.target.image, first.target.image)
    assert not np.array_equal(other.source.image, first.source.image)


@pytest.mark.parametrize(
    ("kind", "degrees"), [("turn-45", 45), ("turn-90", 90), ("turn-180", 180), ("nearly-round", 90)]
)
def test_turns_have_their_angle(
    results: dict[str, list[Result]], kind: str, degrees: float
) -> None:
    source, target = before_and_after(results[kind][0].case)
    turn = target.box.rotation_matrix() @ source.box.rotation_matrix().T
    assert math.degrees(math.acos(turn[0, 0].clip(-1, 1))) == pytest.approx(degrees, abs=1e-3)
    assert target.box.center == pytest.approx(source.box.center)


def test_what_can_be_seen_is_what_the_kind_asks(results: dict[str, list[Result]]) -> None:
    for name, found in results.items():
        case, kind = found[0].case, KINDS[name]
        assert kind.objects[0] <= len(case.source.objects) <= kind.objects[1]
        for number in case.edited:
            for frame, (least, most) in ((case.source, kind.before), (case.target, kind.after)):
                item = next(item for item in frame.objects if item.id == number)
                assert least <= item.visible_fraction <= most, name
    hidden, free = before_and_after(results["pulled-out"][0].case)
    assert hidden.visible_fraction <= 0.5 < 0.85 <= free.visible_fraction


def test_borders_cut_through_boxes(results: dict[str, list[Result]]) -> None:
    for kind, frame_of in (("leaves", 1), ("enters", 0)):
        case = results[kind][0].case
        item = before_and_after(case)[frame_of]
        across = case.source.camera.project(item.box.corners())[:, 0]
        assert across.min() < 0 < across.max() or across.min() < SIZE < across.max()


def test_distances_and_sizes(results: dict[str, list[Result]]) -> None:
    for kind, low, high in (("far", 1.5, 2.0), ("near", 0.55, 0.7)):
        case = results[kind][0].case
        foot = case.source.camera.position[:2]
        reach = [math.dist(item.box.center[:2], foot) for item in before_and_after(case)]
        assert low <= reach[1] / reach[0] <= high
    before, after = before_and_after(results["enlarged"][0].case)
    assert 1.8 <= after.box.size[0] / before.box.size[0] <= 2.2
    assert len(results["crowd"][0].case.edited) > 1


def test_touching_boxes_touch(results: dict[str, list[Result]]) -> None:
    case = results["touching"][0].case
    moved = before_and_after(case)[1].box
    gaps = [
        np.abs(a.to_local(np.vstack([b.corners(), b.center])))[:, :2].max(axis=1).min()
        for other in case.target.objects
        if other.id not in case.edited
        for a, b in ((moved, other.box), (other.box, moved))
    ]
    assert min(gaps) < 1.25


def test_round_bodies_are_the_same_from_all_sides() -> None:
    for seed in range(6):
        body = revolved(np.random.default_rng(seed))
        part = body.parts[0]
        assert body.size[0] == pytest.approx(body.size[1])
        assert np.ptp(part.vertices, axis=0) == pytest.approx(body.size)
        assert part.vertices[:, 2].min() == pytest.approx(0, abs=1e-9)
        assert part.material.texture is not None
        assert (part.material.texture == part.material.texture[:, :1]).all()


def test_the_page_has_every_kind(results: dict[str, list[Result]], tmp_path: Path) -> None:
    write_page(results, tmp_path, "somewhere")
    text = (tmp_path / "README.md").read_text()
    figures = json.loads((tmp_path / "figures.json").read_text())
    for name, kind in KINDS.items():
        psnr = figures[f"{name}-00"]["neural"]["object_psnr"]
        assert f"| {kind.title} |" in text
        assert f"## {kind.title}\n" in text
        assert f"{psnr:.2f} ± 0.00" in text
        with Image.open(tmp_path / f"{name}.jpg") as picture:
            # Source, edit, proxy, checkpoint, truth.
            assert picture.size == (5 * (SIDE + GAP) - GAP, TEXT + SIDE + TEXT)
    assert figures["far-00"]["truth"].keys() <= {
        "silhouette_iou", "centroid_error", "size_error", "residue"
    }


def test_the_verdict_follows_the_figure(results: dict[str, list[Result]]) -> None:
    found = results["far"][0]
    for psnr, verdict in ((21.0, "**works**"), (18.0, "**in part**"), (10.0, "does not")):
        neural = {**found.figures["neural"], "object_psnr": psnr}
        row = table_row("Far", [Result(found.case, {}, {**found.figures, "neural": neural})])
        assert row.startswith(f"| Far | {verdict} | ")


def test_a_strip_shows_best_middle_and_worst(results: dict[str, list[Result]]) -> None:
    strips = [strip([results[name][0] for name in names])
              for names in (("far", "near"), ("far", "near", "crowd", "round", "leaves"))]
    assert [picture.height for picture in strips] == [
        TEXT + rows * (SIDE + TEXT) for rows in (2, 3)
    ]
