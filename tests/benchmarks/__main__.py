"""Run all benchmarks: a table on the terminal, the same in out/bench.json."""

from __future__ import annotations

import json
import math
import os
import platform
import tempfile
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QSettings
from PySide6.QtGui import QOffscreenSurface, QOpenGLContext
from PySide6.QtWidgets import QApplication

from app.theme import apply_theme
from app.turns import take_short_turns
from tests.benchmarks.drag import FRAMES, SIZE, drag_studio, drag_viewport
from tests.benchmarks.generation import first_picture, generate
from tests.benchmarks.library import list_library
from tests.benchmarks.photograph import edit_photograph
from tests.benchmarks.picking import pick
from tests.benchmarks.scenes import crowded_scene
from tests.benchmarks.startup import start_up
from tests.benchmarks.timing import HEADING, Load, Row, yardstick

BOXES = 50
RESULTS = Path("out/bench.json")
PAGE = Path("out/bench.md")
"""To be kept beside the benchmarks as RESULTS.md, when what it says has changed."""

AIMS = {
    f"viewport alone, {BOXES} boxes, 1 dragged": "p99 under 16 ms",
    f"picking among {BOXES} boxes": "under 2 ms",
    f"whole studio, {BOXES} boxes, 1 dragged, as fast as frames come": "p99 under 16 ms",
    f"whole studio, {BOXES} boxes, 1 dragged, 60 moves a second": "p99 under 16 ms",
    "previews a second, as fast as frames come": "20",
    "previews a second, 60 moves a second": "20",
    "start-up to the first frame": "under 2 s",
    "loading the checkpoint": "under 2 s",
    "neural picture, 1 step": "under 1.5 s, from the release on",
    "start-up to the first regenerated picture": "under 8 s",
    "GUI thread between two events meanwhile": "p99 under 16 ms, worst under 30 ms",
    "listing 5000 assets, first time": "under 1 s",
    "listing 5000 assets, again": "under 1 s",
    "neural picture over its forwards, 1 step": "1.05",
    "neural picture over its forwards, 1 step, no preview before": "1.05",
    "neural picture over its forwards, 20 steps": "1.05",
    "neural picture over its forwards, 20 steps, no preview before": "1.05",
    "U-Net forward over its arithmetic at peak": "under 4",
    "preview pictures a second": "5",
    "peak memory, GB": "under 1.5",
}
"""What the rows and ratios are held to."""


def main() -> None:
    """Measure, print, write."""
    load, rows = Load(), []

    def measured(row: Row) -> Row:
        print(row, flush=True)
        rows.append(row)
        return row

    print(HEADING)
    with tempfile.TemporaryDirectory() as folder:
        QSettings.setDefaultFormat(QSettings.Format.IniFormat)
        QSettings.setPath(QSettings.Format.IniFormat, QSettings.Scope.UserScope, folder)
        application = QApplication([])
        apply_theme(application)
        take_short_turns()
        crowd, single = crowded_scene(BOXES), crowded_scene(1)
        fixed = measured(yardstick())
        alone, one = measured(drag_viewport(crowd)), measured(drag_viewport(single))
        measured(drag_viewport(crowd, selected=BOXES))
        picked, picked_one = measured(pick(crowd)), measured(pick(single))
        measured(start_up(Path(folder)))
        # Before there are windows here, whose threads go on for a while.
        shown, memory = first_picture(Path(folder))
        previews = {}
        # What the proxy prepares of a photograph when that is opened is kept from then on.
        for told, rate in (
            ("just opened", 60.0), ("as fast as frames come", math.inf), ("60 moves a second", 60.0)
        ):
            studio, made_meanwhile = drag_studio(crowd, rate)
            measured(replace(studio, name=f"{studio.name}, {told}"))
            previews[f"previews a second, {told}"] = made_meanwhile
        made, costs = generate("default")
        edited, kept = edit_photograph()
        listed = list_library(Path(folder), single)
        for row in (*made, *edited, *shown, *listed):
            measured(row)
    # Within one run, so that a slow or busy machine cancels out.
    ratios = {
        f"frame, {BOXES} boxes over 1": alone.p50 / one.p50,
        f"picking, {BOXES} boxes over 1": picked.p50 / picked_one.p50,
        "frame, 99th percentile over 50th": alone.p99 / alone.p50,
        "yardstick, 99th percentile over 50th": fixed.p99 / fixed.p50,
        **previews,
        **costs,
        **memory,
        **kept,
    }
    _report(rows, ratios, _machine(load))


def _machine(load: Load) -> dict[str, object]:
    others = load.others()
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "cores used by other programs": None if others is None else round(others, 2),
        "rasteriser": _rasteriser(),
        "window": list(SIZE),
        "frames of a drag": FRAMES,
    }


def _processor() -> str:
    """Its name, where the system tells (Linux); else its kind."""
    try:
        told = Path("/proc/cpuinfo").read_text()
    except OSError:
        told = ""
    names = [line.split(":", 1)[1].strip() for line in told.splitlines() if "model name" in line]
    return names[0] if names else platform.processor() or platform.machine()


def _rasteriser() -> str:
    context, surface = QOpenGLContext(), QOffscreenSurface()
    surface.create()
    context.create()
    context.makeCurrent(surface)
    renderer = 0x1F01
    return str(context.functions().glGetString(renderer))


def _report(rows: list[Row], ratios: dict[str, float], machine: dict[str, object]) -> None:
    print()
    for name, value in [*ratios.items(), *machine.items()]:
        print(f"{name}: {value:.2f}" if isinstance(value, float) else f"{name}: {value}")
    RESULTS.parent.mkdir(exist_ok=True)
    found = {
        "rows": [row.to_json() for row in rows],
        "ratios": {name: round(value, 3) for name, value in ratios.items()},
        "machine": machine,
    }
    RESULTS.write_text(json.dumps(found, indent=2) + "\n")
    PAGE.write_text(_page(rows, ratios, machine))


def _page(rows: list[Row], ratios: dict[str, float], machine: dict[str, object]) -> str:
    """The results as Markdown."""
    lines = [
        "# How fast the studio is",
        "",
        "Written by `make bench`. Compare figures within one run: machines differ, and so do days.",
        "",
        "| milliseconds | times | p50 | p99 | worst | processor time | aim |",
        "|---|--:|--:|--:|--:|--:|---|",
    ]
    for row in rows:
        cpu = "" if row.cpu is None else f"{row.cpu:.1f}"
        times = f"{row.p50:.1f} | {row.p99:.1f} | {row.worst:.1f}"
        lines.append(
            f"| {row.name} | {row.count} | {times} | {cpu} | {AIMS.get(row.name, '')} |"
        )
    lines += ["", "| ratios within the run | | aim |", "|---|--:|---|"]
    lines += [f"| {name} | {value:.2f} | {AIMS.get(name, '')} |" for name, value in ratios.items()]
    lines += ["", "| the machine | |", "|---|---|"]
    lines += [f"| {name} | {value} |" for name, value in machine.items()]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
