"""A film of a turning object, of a swinging camera, or of the scene's keyframes."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QSettings, Qt, Signal
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QDoubleSpinBox,
    QFormLayout,
    QLabel,
    QProgressBar,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from app.films import FilmRequest
from app.theme import UNIT
from neural_assets_core.animation import FORMATS, Film, played
from neural_assets_core.animation.paths import WIDEST_ORBIT
from neural_assets_core.animation.video import MAXIMUM_SIZE
from neural_assets_core.decoders import Progress
from neural_assets_core.scene import Scene

QUALITIES = {"draft": "Draft", "good": "Good", "best": "Best"}
ORBIT_DEGREES = 10
_KEY = "turntable"
_OBJECT, _CAMERA, _KEYFRAMES = "object ", "camera", "keyframes"
"""What turns; an object's name comes after the first."""

_STARTED = ("seconds", 4.0), ("fps", 25.0), ("side", 0.0), ("loop", 0.0)


class TurntableDialog(QDialog):
    """Asks what moves and how; shows the progress; stays beside the work."""

    wanted = Signal(object)
    """A `FilmRequest`."""

    stopped = Signal()
    """The user has had enough."""

    show_folder = Signal()
    """The user wants to see the finished film where it lies."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        # As wide at rest as with all of its buttons.
        self.setMinimumWidth(46 * UNIT)
        self._scene: Scene | None = None
        self.busy = False
        self.what, self.format, self.quality = QComboBox(), QComboBox(), QComboBox()
        for suffix, label in FORMATS.items():
            self.format.addItem(label, suffix)
        for name, label in QUALITIES.items():
            self.quality.addItem(label, name)
        self.seconds, self.fps = _decimal(0.1, 600, " s"), _decimal(1, 240, " per second")
        self.degrees = _whole(-3600, 3600, "°")
        self.side = _whole(0, MAXIMUM_SIZE, " pixels")
        self.side.setSpecialValueText("As the picture")
        self.side.setSingleStep(64)
        self.loop = _whole(0, 1000, " times")
        self.told = QLabel(wordWrap=True)
        self.told.setMinimumHeight(3 * self.told.fontMetrics().lineSpacing())
        self.told.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.bar = QProgressBar(textVisible=False)
        # So that the fields stay where they are when it appears.
        keeps = self.bar.sizePolicy()
        keeps.setRetainSizeWhenHidden(True)
        self.bar.setSizePolicy(keeps)
        form = QFormLayout()
        form.setVerticalSpacing(UNIT)
        for label, field in (
            ("&What turns", self.what), ("By", self.degrees), ("&Length", self.seconds),
            ("Fra&mes", self.fps), ("&Format", self.format), ("Longer si&de", self.side),
            ("&Quality", self.quality), ("&Played", self.loop),
        ):  # fmt: skip
            form.addRow(label, field)
        buttons = QDialogButtonBox()
        self.close_button = buttons.addButton(QDialogButtonBox.StandardButton.Close)
        self.folder = buttons.addButton("&Show in folder", QDialogButtonBox.ButtonRole.ActionRole)
        self.stop = buttons.addButton("St&op", QDialogButtonBox.ButtonRole.ActionRole)
        self.go = buttons.addButton("&Export …", QDialogButtonBox.ButtonRole.ActionRole)
        self.go.setDefault(True)
        self.go.setProperty("primary", "true")
        self.go.clicked.connect(self._on_go)
        self.stop.clicked.connect(self.stopped)
        self.folder.clicked.connect(self.show_folder)
        buttons.rejected.connect(self.close)
        column = QVBoxLayout(self)
        column.setSpacing(2 * UNIT)
        column.addLayout(form)
        column.addWidget(self.bar)
        column.addWidget(self.told)
        column.addWidget(buttons)
        self._fields: tuple[QWidget, ...] = (
            self.what, self.degrees, self.seconds, self.fps, self.format, self.side, self.quality,
            self.loop,
        )  # fmt: skip
        self._restore()
        self.what.currentIndexChanged.connect(self._on_what)
        self.format.currentIndexChanged.connect(self._refresh)
        for number in (self.seconds, self.fps, self.side, self.degrees):
            number.valueChanged.connect(self._refresh)
        self.folder.hide()
        self._rest()

    def start(self, scene: Scene, name: str | None, keyframes: bool = False) -> None:
        """Show the dialog for a scene.

        Parameters
        ----------
        scene : Scene
        name : str or None
            The object that most likely is to turn.
        keyframes : bool
            Whether a film of the scene's keyframes is meant instead.
        """
        self.show()
        self.raise_()
        self.activateWindow()
        if self.busy:
            return
        self._scene = scene
        self.setWindowTitle("Export animation" if keyframes else "Export turntable")
        self.what.blockSignals(True)
        self.what.clear()
        for item in scene.objects:
            self.what.addItem(item.name, _OBJECT + item.name)
        self.what.addItem("The camera, to and fro", _CAMERA)
        if scene.animation.tracks:
            self.what.addItem("As the scene's keyframes say", _KEYFRAMES)
        wanted = _KEYFRAMES if keyframes else f"{_OBJECT}{name}"
        self.what.setCurrentIndex(max(self.what.findData(wanted), 0))
        self.what.blockSignals(False)
        self.folder.hide()
        self._on_what()
        self.go.setFocus()

    def begin(self) -> None:
        """A film is being made."""
        self.busy = True
        for field in (*self._fields, self.go):
            field.setEnabled(False)
        self.folder.hide()
        self.stop.show()
        self.bar.setRange(0, 0)
        self.bar.setVisible(True)
        self._tell("Loading the decoder")

    def show_progress(self, progress: Progress) -> None:
        """Say how far it is, and how long it will take."""
        self.bar.setRange(0, progress.steps)
        self.bar.setValue(progress.step)
        if progress.step < progress.steps:
            text = f"Drawing frame {progress.step + 1} of {progress.steps}"
            self.told.setText(text + _left(progress.left))
        else:
            self.told.setText("Writing the film")

    def end(self, text: str, film: Film | None = None, failed: bool = False) -> None:
        """It is over, and how."""
        self.busy = False
        self._rest()
        self._tell(text, "warning" if failed else "")
        self.folder.setVisible(film is not None)
        if film is not None:
            self.folder.setFocus()

    def closeEvent(self, event: QCloseEvent) -> None:
        # What is being made goes on; the menu brings the dialog back.
        self._store()
        super().closeEvent(event)

    # -- choosing --------------------------------------------------------------------------------

    def _tell(self, text: str, role: str = "") -> None:
        self.told.setText(text)
        self.told.setProperty("role", role)
        # A style sheet looks at properties only when it is applied.
        self.told.style().unpolish(self.told)
        self.told.style().polish(self.told)

    def _rest(self) -> None:
        for field in (*self._fields, self.go):
            field.setEnabled(True)
        self.stop.hide()
        self.bar.setVisible(False)
        self._refresh()

    def _on_what(self) -> None:
        camera = self.what.currentData() == _CAMERA
        self.degrees.setRange(*((1, int(WIDEST_ORBIT)) if camera else (-3600, 3600)))
        self.degrees.setValue(ORBIT_DEGREES if camera else 360)
        if self.what.currentData() == _KEYFRAMES and self._scene is not None:
            # As the timeline says, and `neural-assets animate` does.
            self.fps.setValue(self._scene.animation.fps)
            self.loop.setValue(played(self._scene.animation, Path(f"a{self.format.currentData()}")))
        self._refresh()

    def _refresh(self) -> None:
        if self._scene is None or self.busy or self.what.currentData() is None:
            return
        turns = self.what.currentData() != _KEYFRAMES
        suffix = self.format.currentData()
        self.degrees.setEnabled(turns)
        self.seconds.setEnabled(turns)
        self.quality.setEnabled(suffix != "")
        self.loop.setEnabled(suffix != "")
        self.loop.setSpecialValueText("For ever" if suffix == ".gif" else "Once")
        camera = self._scene.camera
        longer = max(camera.width, camera.height)
        scale = (self.side.value() or longer) / longer
        width, height = round(scale * camera.width), round(scale * camera.height)
        count = self._count()
        frames = "1 frame" if count == 1 else f"{count} frames"
        self._tell(f"{frames} of about {width} × {height} pixels")

    def _count(self) -> int:
        if self.what.currentData() == _KEYFRAMES and self._scene is not None:
            return round(self._scene.animation.seconds * self.fps.value()) + 1
        return max(1, round(self.seconds.value() * self.fps.value()))

    def _on_go(self) -> None:
        scene = self._scene
        if scene is None:
            return
        self._store()
        what = self.what.currentData()
        self.wanted.emit(
            FilmRequest(
                scene=scene,
                motion=what if what in (_CAMERA, _KEYFRAMES) else "object",
                name=what.removeprefix(_OBJECT),
                degrees=self.degrees.value(),
                seconds=self.seconds.value(),
                fps=self.fps.value(),
                suffix=self.format.currentData(),
                size=self.side.value() or None,
                quality=self.quality.currentData(),
                loop=self.loop.value(),
            )
        )

    def _store(self) -> None:
        store = QSettings()
        if self.what.currentData() == _KEYFRAMES:
            # Frames and repetition are the scene's own, not for the next turntable.
            return
        for name, _ in _STARTED:
            store.setValue(f"{_KEY}/{name}", getattr(self, name).value())
        store.setValue(f"{_KEY}/format", self.format.currentData())
        store.setValue(f"{_KEY}/quality", self.quality.currentData())

    def _restore(self) -> None:
        store = QSettings()
        for name, usual in _STARTED:
            field = getattr(self, name)
            try:
                value = float(str(store.value(f"{_KEY}/{name}", usual)))
            except ValueError:
                value = usual
            field.setValue(value if isinstance(field, QDoubleSpinBox) else int(value))
        self.format.setCurrentIndex(max(self.format.findData(store.value(f"{_KEY}/format")), 0))
        quality = store.value(f"{_KEY}/quality", "good")
        self.quality.setCurrentIndex(max(self.quality.findData(quality), 0))


def _left(seconds: float | None) -> str:
    if seconds is None or seconds < 1:
        return ""
    if seconds < 90:
        return f", about {round(seconds)} s left"
    return f", about {round(seconds / 60)} min left"


def _decimal(least: float, most: float, suffix: str) -> QDoubleSpinBox:
    number = QDoubleSpinBox()
    number.setDecimals(1)
    number.setRange(least, most)
    number.setSuffix(suffix)
    number.setKeyboardTracking(False)
    number.setAlignment(Qt.AlignmentFlag.AlignRight)
    return number


def _whole(least: int, most: int, suffix: str) -> QSpinBox:
    number = QSpinBox()
    number.setRange(least, most)
    number.setSuffix(suffix)
    number.setKeyboardTracking(False)
    number.setAlignment(Qt.AlignmentFlag.AlignRight)
    return number
