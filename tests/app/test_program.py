"""Starting and ending the program itself."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from app.main_window import MainWindow

_STARTUP = """
import sys
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication
from app import __main__ as studio

def look():
    window = QApplication.topLevelWidgets()
    assert any(widget.isVisible() for widget in window)
    heavy = {"torch", "diffusers", "transformers"} & set(sys.modules)
    assert not heavy, heavy
    for widget in window:
        widget.close()

QTimer.singleShot(0, look)
sys.exit(studio.main([]))
"""


class TestProgram:
    def environment(self, tmp_path: Path, **changes: str) -> dict[str, str]:
        homes = {name: str(tmp_path) for name in ("HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME")}
        return {**os.environ, **homes, **changes}

    def test_opens_without_torch_and_ends_with_its_window(self, tmp_path: Path) -> None:
        ended = subprocess.run(
            [sys.executable, "-c", _STARTUP],
            env=self.environment(tmp_path),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert ended.returncode == 0, ended.stderr
        assert "AssertionError" not in ended.stderr
        assert list(tmp_path.rglob("studio.log"))

    @pytest.mark.parametrize("display", ["", ":98765"])
    def test_no_display(self, tmp_path: Path, display: str) -> None:
        environment = self.environment(tmp_path, DISPLAY=display)
        for name in ("WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
            environment.pop(name, None)
        ended = subprocess.run(
            [sys.executable, "-m", "app"],
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert ended.returncode == 2
        assert ended.stderr.count("\n") == 1
        assert "display" in ended.stderr


def test_unexpected_error_is_told_inline(
    window: MainWindow, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from app.__main__ import catch_exceptions

    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    catch_exceptions(window, tmp_path / "studio.log")
    error = ZeroDivisionError("division by zero")
    sys.excepthook(ZeroDivisionError, error, None)
    assert "ZeroDivisionError" in window.messages.text
    assert "studio.log" in window.messages.text
