"""The viewer of evaluations in the real window, on a real file of results."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QPointF, Qt
from PySide6.QtWidgets import QFileDialog, QLabel
from pytestqt.qtbot import QtBot

from app.dialogs.evaluation import BINS, SPREAD, EvaluationReport, spread
from app.main_window import MainWindow
from neural_assets_core.evaluation.results import CASES, Column, Results, write_results

COLUMNS = (
    Column("psnr", "PSNR", "dB", 2, True), Column("lpips", "LPIPS", "", 3, False),
)  # fmt: skip


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Nine cases of two methods; pictures of one method were kept, one of them is gone."""
    rows = []
    for number in range(9):
        case = f"{number:06d}"
        for method, better in (("neural", 2.0), ("copy", 0.0)):
            picture = f"{case}.png" if method == "neural" else None
            if picture and number:
                Image.new("RGB", (32, 32), (20 * number, 90, 90)).save(tmp_path / picture)
            rows.append(
                {
                    "case": case, "clip": "a/b", "source_frame": 1, "target_frame": 7,
                    "group": "pairs", "task": "move" if number < 6 else "turn", "objects": 2,
                    "edited": [1], "method": method, "sample": 0, "seed": None, "steps": None,
                    "guidance": None, "kept": True, "seconds": 0.1, "source": picture,
                    "truth": picture, "picture": picture, "psnr": 10.0 + number + better,
                    "lpips": np.nan if number == 3 else 0.1 * number,
                }
            )  # fmt: skip
    methods = {"neural": "this checkpoint", "copy": "the source"}
    about = {"pairs": 9, "steps": 1, "size": 32}
    results = Results(about, COLUMNS, methods, rows, {"neural": {"fid": 8.25}})
    write_results(tmp_path / CASES, results)
    return tmp_path / CASES


def test_from_the_menu_to_a_case(
    empty_window: MainWindow, file: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *a, **k: (str(file), ""))
    empty_window.actions_by_id["evaluation"].trigger()
    qtbot.waitUntil(lambda: empty_window.findChild(EvaluationReport) is not None)
    (dialog,) = empty_window.findChildren(EvaluationReport)
    with qtbot.waitExposed(dialog):
        dialog.show()
    assert "9 pairs, 1 step, 32 × 32 pixels." in [one.text() for one in dialog.findChildren(QLabel)]
    # Means with intervals, as in the written summary; FID is of all cases alone.
    cells = [dialog.table.item(0, k).text() for k in range(dialog.table.columnCount())]
    assert cells[0] == "neural"
    assert cells[1].startswith("16.00 ± ")
    assert cells[3] == "8.25"
    plot = dialog.plot
    levels, shares = plot._lines["copy"]
    assert (levels[0], shares[0], shares[-1]) == (10.0, 100.0, pytest.approx(100 / 9))

    def click(x: float, y: float) -> None:
        at = plot.plotItem.vb.mapViewToScene(QPointF(x, y))
        qtbot.mouseClick(plot.viewport(), Qt.MouseButton.LeftButton, pos=plot.mapFromScene(at))

    # On the curve of the better one, at the case whose value is 16.
    click(16.0, float(np.interp(16.0, *plot._lines["neural"])))
    assert dialog.case.text().startswith("Case 000004: move, frames 1 and 7 of a/b")
    assert "neural: 16.00 dB" in dialog.case.text()
    tiles = [label for label in dialog.pictures.findChildren(QLabel) if not label.pixmap().isNull()]
    assert len(tiles) == 3
    assert tiles[0].pixmap().toImage().pixelColor(9, 9).red() == 80
    qtbot.keyClick(plot, Qt.Key.Key_Left)
    assert dialog.case.text().startswith("Case 000003")
    for _ in range(5):
        qtbot.keyClick(plot, Qt.Key.Key_Left)
    # The first case's pictures were deleted: said, not guessed.
    assert dialog.case.text().startswith("Case 000000")
    assert sum(label.text() == "not on disk" for label in dialog.pictures.findChildren(QLabel)) >= 3
    # Other figures, by the table's head; other cases; the distribution.
    dialog.table.horizontalHeader().sectionClicked.emit(2)
    assert dialog.figure.currentText() == "LPIPS"
    # What is told of the case is of the figure that is shown.
    assert dialog.case.text().endswith("neural: 0.000")
    assert plot._lines["copy"][1][0] == pytest.approx(100 / 8)
    dialog.group.setCurrentIndex(dialog.group.findData("turn"))
    assert dialog.table.columnCount() == 3
    dialog.kind.setCurrentText(SPREAD)
    assert len(plot._lines["neural"][0]) == BINS
    dialog.close()


def test_another_file_is_refused_inline(
    empty_window: MainWindow, tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "other.parquet").write_bytes(b"no parquet")
    name = str(tmp_path / "other.parquet")
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *a, **k: (name, ""))
    empty_window.actions_by_id["evaluation"].trigger()
    qtbot.waitUntil(lambda: "choose its cases.parquet" in empty_window.messages.text)


def test_the_spread_is_over_the_range_of_all() -> None:
    every = np.array([0.0, 1.0, 2.0, np.nan, 24.0])
    middles, shares = spread(np.array([0.2, 0.3, 23.9, np.nan]), every)
    assert middles[0] == pytest.approx(0.5)
    assert (shares[0], shares[-1]) == pytest.approx((200 / 3, 100 / 3))
