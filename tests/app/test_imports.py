"""Imports beside Qt."""

from __future__ import annotations

import importlib
import linecache
import sys
from pathlib import Path

import PySide6.QtCore  # noqa: F401
import pytest
import shibokensupport.feature

from app.imports import make_plain


def test_qt_does_not_read_the_source_of_what_is_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    features = shibokensupport.feature
    monkeypatch.setattr(features, "_mod_uses_pyside", features._mod_uses_pyside)
    monkeypatch.syspath_prepend(str(tmp_path))

    def is_read(name: str) -> bool:
        path = tmp_path / f"{name}.py"
        path.write_text("import sys\n")
        importlib.invalidate_caches()
        monkeypatch.delitem(sys.modules, name, raising=False)
        exec(f"import {name}")
        return str(path) in linecache.cache

    assert is_read("imported_as_ever")
    make_plain()
    assert not is_read("imported_plainly")
