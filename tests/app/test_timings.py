"""The time left is what the last pictures took, and nothing is promised before."""

from __future__ import annotations

import pytest

from app.generation import timings
from app.generation.timings import Stopwatch, Timings, later
from app.panels.generation_panel import describe, share
from neural_assets_core.decoders import Progress


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """A clock that is set by hand."""
    now = [100.0]
    monkeypatch.setattr(timings.time, "perf_counter", lambda: now[0])
    return now


def picture(times: Timings, clock: list[float], steps: int, step: float) -> list[float | None]:
    """The time left that is told at every phase of a picture: 1 s, `step` s each, 2 s."""
    watch = Stopwatch(times)
    told = []
    phases = [("preparing", 0, 1.0), *(("denoising", done, step) for done in range(steps))]
    for phase, done, seconds in [*phases, ("decoding", steps, 2.0)]:
        told.append(watch.mark(Progress(phase, done, steps)).left)
        clock[0] += seconds
    watch.stop()
    return told


def test_nothing_is_promised_before_the_first_picture(clock: list[float]) -> None:
    times = Timings()
    assert picture(times, clock, 3, 4.0) == [None] * 5
    assert picture(times, clock, 3, 4.0) == pytest.approx([15, 14, 10, 6, 2])
    assert picture(times, clock, 5, 4.0)[0] == pytest.approx(1 + 20 + 2)


def test_what_was_slow_lately_counts(clock: list[float]) -> None:
    times = Timings()
    picture(times, clock, 5, 1.0)
    picture(times, clock, 5, 4.0)
    assert picture(times, clock, 5, 4.0)[1] == pytest.approx(20 + 2)


def test_a_picture_given_up_measures_only_what_it_finished(clock: list[float]) -> None:
    times = Timings()
    picture(times, clock, 2, 4.0)
    watch = Stopwatch(times)
    watch.mark(Progress("preparing", 0, 2))
    clock[0] += 1
    watch.mark(Progress("denoising", 0, 2))
    clock[0] += 1000  # cancelled in here
    assert picture(times, clock, 2, 4.0)[0] == pytest.approx(11)


def test_a_phase_with_no_measurement_is_no_reason_to_guess() -> None:
    assert Timings().left(Progress("drawing", 1, 1)) is None
    times = Timings()
    for phase in ("preparing", "denoising", "decoding"):
        times.add(phase, 1.0)
    assert times.left(Progress("encoding", 0, 2)) is None
    assert times.left(Progress("preparing", 0, 2)) == pytest.approx(4)


def test_time_goes_by_and_an_overdue_picture_promises_nothing() -> None:
    told = Progress("decoding", 3, 3, elapsed=10.0, left=4.0)
    after = later(told, 3.0)
    assert (after.elapsed, after.left) == (13.0, 1.0)
    assert later(told, 5.0).left is None


@pytest.mark.parametrize(
    ("progress", "text"),
    [
        (Progress("loading", 0, 0), "Loading"),
        (Progress("encoding", 0, 20), "Encoding"),
        (Progress("denoising", 0, 20), "Step 1 of 20"),
        (Progress("denoising", 19, 20, left=0.4), "Step 20 of 20"),
        (Progress("denoising", 2, 20, left=6.2), "Step 3 of 20, about 6 s left"),
        (Progress("denoising", 0, 1, left=3.0), "Denoising, about 3 s left"),
        (Progress("decoding", 20, 20, left=150.0), "Decoding, about 2 min left"),
    ],
)
def test_progress_in_words(progress: Progress, text: str) -> None:
    assert describe(progress) == text


def test_share_is_of_the_time_if_that_is_known() -> None:
    assert share(Progress("denoising", 1, 3)) == pytest.approx(0.25)
    assert share(Progress("denoising", 1, 3, elapsed=9.0, left=1.0)) == pytest.approx(0.9)
    assert share(Progress("loading", 0, 0)) == 0.0
