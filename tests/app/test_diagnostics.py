"""The report tells about program and machine, and nothing about the user."""

from __future__ import annotations

import getpass
import logging
import platform
import sys
from collections.abc import Iterator
from logging.handlers import RotatingFileHandler
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFileDialog
from pytestqt.qtbot import QtBot

from app.diagnostics import log_file, report, scrubbed
from app.dialogs.diagnostics import DiagnosticsReport
from app.main_window import MainWindow
from neural_assets_core.scene import Scene


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Path]:
    """The program's log, with a rotating file of its own."""
    path = tmp_path / "studio.log"
    handler = RotatingFileHandler(path, maxBytes=2000, backupCount=1, encoding="utf-8")
    logging.getLogger().addHandler(handler)
    yield path
    logging.getLogger().removeHandler(handler)
    handler.close()


@pytest.mark.parametrize(
    "line",
    [
        "cannot read /home/anna/photos/beach.png (gone)",
        "cannot read '/home/anna/Anna at the beach/one.nascene': gone",
        "cannot read /home/anna/Anna at the beach",
        "cannot read file:///home/anna/beach",
        "opened ~/anna/beach.nascene",
        r"opened C:\Users\anna\beach.jpg and D:/anna/beach",
        r"opened \\server\anna\beach.jpg",
        "opened beach-anna.NASCENE",
        "FileNotFoundError: [Errno 2] No such file or directory: '/mnt/anna/beach'",
        'File "/opt/anna/beach.py", line 3, in paint',
        f'File "{Path.home()}/anna/beach.py", line 3, in paint',
    ],
)
def test_paths_and_file_names_are_left_out(line: str) -> None:
    left = scrubbed(line)
    for private in ("anna", "Anna", "beach", "NASCENE"):
        assert private not in left


def test_user_and_computer_and_given_names_are_left_out() -> None:
    said = f"{getpass.getuser()} on {platform.node()} opened my holiday"
    left = scrubbed(said, ["my holiday"])
    assert left == "<private> on <private> opened <private>"


def test_code_keeps_its_place() -> None:
    import numpy

    import app.document

    lines = [
        f'File "{app.document.__file__}", line 7, in push',
        f'File "{numpy.__file__}", line 8, in <module>',
        f'File "{logging.__file__}", line 9, in info',
        "3/4 of 1/2, and/or N/A at 12:30:01, 0.5 s",
    ]
    assert scrubbed("\n".join(lines)).splitlines() == [
        'File "./app/document.py", line 7, in push',
        'File "site-packages/numpy/__init__.py", line 8, in <module>',
        'File "python/logging/__init__.py", line 9, in info',
        "3/4 of 1/2, and/or N/A at 12:30:01, 0.5 s",
    ]


@given(st.lists(st.text(alphabet="abcXYZ .-_0é", min_size=1, max_size=12), min_size=1, max_size=5))
def test_no_part_of_any_path_is_left(parts: list[str]) -> None:
    path = "/" + "/".join(f"Q{part.strip()}Q" for part in parts)
    assert "Q" not in scrubbed(f"cannot read {path}")
    assert "Q" not in scrubbed(f"cannot read '{path}.png', give another")


def test_report_has_versions_device_settings_and_the_end_of_the_log(
    log: Path, scene: Scene
) -> None:
    assert log_file() == log
    logger = logging.getLogger("test")
    for number in range(100):
        logger.error("fault %d in /home/anna/beach.nascene", number)
    assert log.with_suffix(".log.1").exists()  # it rotates
    text = report(scene.with_settings(checkpoint="/home/anna/model", seed=123), "cpu")
    for told in ("PySide6", "torch", "Python 3", "GiB", "Decoder on: cpu", "seed 123", "fault 99"):
        assert told in text
    assert "anna" not in text
    assert "a folder of the user's" in text


def test_report_without_log_and_scene_brings_no_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "torch", raising=False)
    text = report(None, "")
    assert "No scene is open." in text
    assert "not loaded yet" in text
    assert "torch" not in sys.modules


class TestDialog:
    @pytest.fixture
    def dialog(self, window: MainWindow, tmp_path: Path, qtbot: QtBot) -> DiagnosticsReport:
        window.document.save(tmp_path / "anna at the beach.nascene")
        window.actions_by_id["diagnostics"].trigger()
        (dialog,) = window.findChildren(DiagnosticsReport)
        with qtbot.waitExposed(dialog):
            dialog.show()
        return dialog

    def test_copy(self, dialog: DiagnosticsReport) -> None:
        dialog.copy.click()
        text = QGuiApplication.clipboard().text()
        assert text == dialog.text.toPlainText()
        assert "Neural Assets Studio" in text
        assert "beach" not in text

    def test_save(
        self, dialog: DiagnosticsReport, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path = tmp_path / "report.txt"
        monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(path), ""))
        dialog.save.click()
        assert path.read_text(encoding="utf-8") == dialog.text.toPlainText()

    def test_a_place_that_cannot_be_written_is_told_inline(
        self,
        window: MainWindow,
        dialog: DiagnosticsReport,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        path = tmp_path / "nowhere" / "report.txt"
        monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(path), ""))
        dialog.save.click()
        assert "Cannot write" in window.messages.text
