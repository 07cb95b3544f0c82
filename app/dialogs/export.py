"""What of the picture is exported, and as what."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from PySide6.QtCore import QRect, QSettings, QSize, Qt, Signal
from PySide6.QtGui import QBrush, QColor, QImage, QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QSizePolicy,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from app.theme import UNIT, colors
from neural_assets_core.export import KINDS
from neural_assets_core.export.credentials import FORMATS as CREDENTIAL_FORMATS
from neural_assets_core.export.image import QUALITY
from neural_assets_core.preferences import load_preferences

FORMATS = {
    ".png": "PNG",
    ".jpg": "JPEG",
    ".webp": "WebP",
    ".tif": "TIFF",
    ".exr": "OpenEXR (linear)",
    ".ora": "OpenRaster",
    ".glb": "GLB (glTF 2.0)",
}
"""Those of `KINDS` by their usual suffix."""

LOSSY = (".jpg", ".webp")
_KEY = "export"
_SIDE = 40 * UNIT


@dataclass(frozen=True)
class Choice:
    """What the user wants.

    Attributes
    ----------
    what : str
        One of `KINDS`.
    suffix : str
    quality : int
    metadata : bool
    credentials : bool
    """

    what: str
    suffix: str
    quality: int
    metadata: bool
    credentials: bool = False


class ExportDialog(QDialog):
    """Kind and format of an export, with a look at what is written; the choices are remembered.

    Parameters
    ----------
    parent : QWidget
    """

    chosen = Signal(object)
    """The `Choice`, when the user goes on; who has asked closes the dialog."""

    preview_wanted = Signal(str)
    """A kind whose picture is to be given to `show_preview`."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("Export picture")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.what, self.format = QComboBox(), QComboBox()
        for name, kind in KINDS.items():
            self.what.addItem(kind.label, name)
        self.quality = QSpinBox()
        self.quality.setRange(1, 100)
        self.quality.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.metadata = QCheckBox("Keep the whole &scene in the file")
        self.metadata.setToolTip(
            "Every box, the camera, seed and checkpoint: dropped on the window, the file gives "
            "them back. Without it nobody can tell how the picture was made."
        )
        self.credentials = QCheckBox("Content c&redentials")
        self.credentials.setToolTip(
            "A signed statement in the file (C2PA): that a trained model drew it or none, which "
            "one, with which seed. A small picture of the original is part of it."
        )
        self._missing = find_spec("c2pa") is None
        self._certificate = load_preferences().certificate
        self.signer = QLabel(wordWrap=True)
        self.signer.setProperty("role", "faint")
        self.signer.setMinimumHeight(4 * self.signer.fontMetrics().lineSpacing())
        self.signer.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.tip = QLabel(wordWrap=True)
        self.tip.setProperty("role", "faint")
        # Room for the longest of them, so that nothing jumps.
        self.tip.setMinimumHeight(5 * self.tip.fontMetrics().lineSpacing())
        self.tip.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.preview = _Preview()
        form = QFormLayout()
        form.setVerticalSpacing(UNIT)
        form.addRow("&What", self.what)
        form.addRow(self.tip)
        form.addRow("&Format", self.format)
        form.addRow("&Quality", self.quality)
        form.addRow("", self.metadata)
        form.addRow("", self.credentials)
        form.addRow("", self.signer)
        side = QVBoxLayout()
        side.addLayout(form)
        side.addStretch()
        row = QHBoxLayout()
        row.setSpacing(2 * UNIT)
        row.addWidget(self.preview, 1)
        row.addLayout(side)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        self.go = buttons.addButton("&Export …", QDialogButtonBox.ButtonRole.AcceptRole)
        self.go.setDefault(True)
        self.go.setProperty("primary", "true")
        buttons.accepted.connect(self._on_accepted)
        buttons.rejected.connect(self.close)
        column = QVBoxLayout(self)
        column.setSpacing(2 * UNIT)
        column.addLayout(row)
        column.addWidget(buttons)
        self._restore()
        self.what.currentIndexChanged.connect(self._on_what)
        self.format.currentIndexChanged.connect(self._on_format)
        self.credentials.toggled.connect(self._tell_signer)
        self._on_what()

    def choice(self) -> Choice:
        """What is chosen now."""
        return Choice(
            self.what.currentData(),
            self.format.currentData(),
            self.quality.value(),
            self.metadata.isChecked(),
            self.credentials.isEnabled() and self.credentials.isChecked(),
        )

    def start(self) -> None:
        """Show the dialog; the answers come as signals."""
        self.open()
        self.preview_wanted.emit(self.what.currentData())

    def show_preview(self, what: str, image: QImage) -> None:
        """Show what would be written, unless another kind was chosen since."""
        if what == self.what.currentData():
            self.preview.show_image(image)

    def _on_what(self) -> None:
        kind = KINDS[self.what.currentData()]
        self.tip.setText(kind.tip)
        wanted = QSettings().value(f"{_KEY}/format/{self.what.currentData()}")
        self.format.blockSignals(True)
        self.format.clear()
        for suffix in kind.suffixes:
            if suffix in FORMATS:
                self.format.addItem(FORMATS[suffix], suffix)
        self.format.setCurrentIndex(max(self.format.findData(wanted), 0))
        self.format.blockSignals(False)
        self.preview.show_image(None)
        self._on_format()
        if self.isVisible():
            self.preview_wanted.emit(self.what.currentData())

    def _on_format(self) -> None:
        self.format.setEnabled(self.format.count() > 1)
        lossy = self.format.currentData() in LOSSY and self.what.currentData() != "boxes"
        self.quality.setEnabled(lossy)
        drawn = KINDS[self.what.currentData()].drawn
        self.metadata.setEnabled(drawn)
        carries = drawn and self.format.currentData() in CREDENTIAL_FORMATS
        self.credentials.setEnabled(carries and not self._missing)
        self._tell_signer()

    def _tell_signer(self) -> None:
        """Who signs: nobody is to believe more than is so."""
        if self._missing:
            told = "They need the package c2pa-python."
        elif not self.metadata.isEnabled():
            told = "Only finished pictures have them."
        elif not self.credentials.isEnabled():
            told = "This format cannot carry them."
        elif not self.credentials.isChecked():
            told = ""
        elif self._certificate:
            told = f"Signed with {Path(self._certificate).name}."
        else:
            told = (
                "Signed by a certificate made on this machine: it shows that nothing was changed "
                "since, but nobody vouches for who signed."
            )
        self.signer.setText(told)

    def _on_accepted(self) -> None:
        choice = self.choice()
        store = QSettings()
        store.setValue(f"{_KEY}/what", choice.what)
        store.setValue(f"{_KEY}/format/{choice.what}", choice.suffix)
        store.setValue(f"{_KEY}/quality", choice.quality)
        store.setValue(f"{_KEY}/metadata", choice.metadata)
        store.setValue(f"{_KEY}/credentials", self.credentials.isChecked())
        self.chosen.emit(choice)

    def _restore(self) -> None:
        store = QSettings()
        self.what.setCurrentIndex(max(self.what.findData(store.value(f"{_KEY}/what")), 0))
        kept = store.value(f"{_KEY}/quality")
        self.quality.setValue(int(kept) if str(kept).isdigit() else QUALITY)
        self.metadata.setChecked(str(store.value(f"{_KEY}/metadata", True)).lower() != "false")
        signed = str(store.value(f"{_KEY}/credentials", False)).lower() == "true"
        self.credentials.setChecked(signed)


class _Preview(QWidget):
    """A picture, on a chequered ground where it is transparent."""

    def __init__(self) -> None:
        super().__init__()
        self._image: QImage | None = None
        self.setMinimumSize(_SIDE, _SIDE * 3 // 4)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAccessibleName("Preview")

    @property
    def shown(self) -> bool:
        return self._image is not None

    def sizeHint(self) -> QSize:
        return QSize(6 * _SIDE // 4, 5 * _SIDE // 4)

    def show_image(self, image: QImage | None) -> None:
        """Show an image; None while there is none yet."""
        self._image = image
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.fillRect(self.rect(), QColor(colors().field))
        if self._image is None:
            painter.setPen(QColor(colors().faint))
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, "Drawing …")
            return
        size = self._image.size().scaled(self.size(), Qt.AspectRatioMode.KeepAspectRatio)
        frame = QRect(0, 0, size.width(), size.height())
        frame.moveCenter(self.rect().center())
        if self._image.hasAlphaChannel():
            painter.fillRect(frame, QBrush(_chequers()))
        painter.drawImage(frame, self._image)


def _chequers() -> QImage:
    image = QImage(2 * UNIT, 2 * UNIT, QImage.Format.Format_RGB32)
    image.fill(QColor("#b8b8b8"))
    painter = QPainter(image)
    for left, top in ((0, 0), (UNIT, UNIT)):
        painter.fillRect(left, top, UNIT, UNIT, QColor("#989898"))
    painter.end()
    return image
