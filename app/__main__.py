"""Start the studio: `python -m app [scene]`."""

from __future__ import annotations

import faulthandler
import logging
import os
import socket
import sys
import threading
from logging.handlers import RotatingFileHandler
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from platformdirs import user_log_path

if TYPE_CHECKING:
    from app.main_window import MainWindow

ORGANIZATION = "Neural Assets Studio"
log = logging.getLogger(__name__)


def main(argv: list[str] | None = None) -> int:
    """Open the window, with the scene file named on the command line if there is one.

    Returns
    -------
    status : int
        0; 2 if there is no display or too many arguments.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    if arguments == ["--can-open"]:  # For scripts: is there a display?
        return 0 if _has_display() else 1
    if len(arguments) > 1 or arguments[:1] in (["-h"], ["--help"]):
        print("Usage: python -m app [scene.nascene]", file=sys.stderr)
        return 0 if len(arguments) == 1 else 2
    if not _has_display():
        print(
            "There is no display to open a window on: set DISPLAY or WAYLAND_DISPLAY.",
            file=sys.stderr,
        )
        return 2
    log_file = start_logging()
    # Late: whoever only wants to be told about a missing display need not wait for Qt.
    from PySide6.QtWidgets import QApplication

    from app.imports import make_plain

    make_plain()
    from app.garbage import GarbageCollector
    from app.generation.generator import stuck_threads
    from app.main_window import MainWindow
    from app.theme import apply_theme
    from app.turns import take_short_turns

    take_short_turns()
    application = QApplication([sys.argv[0]])
    application.setOrganizationName(ORGANIZATION)
    application.setApplicationName(ORGANIZATION)
    apply_theme(application)
    collector = GarbageCollector()
    window = MainWindow()
    catch_exceptions(window, log_file)
    if arguments:
        # Before it is there: nobody should see the start page first.
        window.open(Path(arguments[0]))
    window.show()
    status = application.exec()
    collector.stop()
    if stuck_threads():
        # A library call that cannot be interrupted: tearing Qt down around it would crash.
        logging.shutdown()
        os._exit(status)
    return status


def start_logging() -> Path | None:
    """Log to a file in the user's log folder, crashes too; None if it cannot be written."""
    try:
        folder = user_log_path(ORGANIZATION, appauthor=False, ensure_exists=True)
        path = folder / "studio.log"
        handler = RotatingFileHandler(path, maxBytes=1_000_000, backupCount=3, encoding="utf-8")
        faulthandler.enable(open(folder / "crash.log", "a", encoding="utf-8"))  # noqa: SIM115
    except OSError:
        faulthandler.enable()
        logging.basicConfig(level=logging.INFO)
        return None
    logging.basicConfig(
        level=logging.INFO,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
        handlers=[handler],
    )
    return path


def catch_exceptions(window: MainWindow, log_file: Path | None) -> None:
    """Turn a fault of the program into a log entry and an inline message instead of the end."""

    def show(
        kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> None:
        if issubclass(kind, KeyboardInterrupt):
            sys.__excepthook__(kind, error, trace)
            return
        log.error("unexpected error", exc_info=(kind, error, trace))
        where = f" The details are in {log_file}." if log_file else ""
        window.report(
            f"Something went wrong in the program ({kind.__name__}: {error}). "
            f"Your scene is as it was; save it under a new name to be safe.{where}"
        )

    def note(args: threading.ExceptHookArgs) -> None:
        # Not on the GUI thread: only written down.
        if args.exc_value is not None:
            log.error(
                "unexpected error in a thread",
                exc_info=(args.exc_type, args.exc_value, args.exc_traceback),
            )

    sys.excepthook = show
    threading.excepthook = note


def _has_display() -> bool:
    if not sys.platform.startswith("linux") or os.environ.get("QT_QPA_PLATFORM"):
        return True
    # Not only whether they are set: Qt aborts if nobody answers there.
    wayland = os.environ.get("WAYLAND_DISPLAY", "")
    if wayland and _answers(os.path.join(os.environ.get("XDG_RUNTIME_DIR", ""), wayland)):
        return True
    host, _, screen = os.environ.get("DISPLAY", "").rpartition(":")
    number = screen.partition(".")[0]
    if not number.isdigit():
        return False
    if host not in ("", "unix"):
        return _answers((host, 6000 + int(number)))
    path = f"/tmp/.X11-unix/X{number}"
    return _answers(path) or _answers(f"\0{path}")


def _answers(address: str | tuple[str, int]) -> bool:
    """Whether a server listens at a Unix socket's path or a TCP host and port."""
    try:
        if isinstance(address, tuple):
            socket.create_connection(address, timeout=5).close()
        else:
            with socket.socket(socket.AF_UNIX) as connection:
                connection.settimeout(5)
                connection.connect(address)
    except OSError:
        return False
    return True


if __name__ == "__main__":
    sys.exit(main())
