"""What the user prefers on this machine."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache
from pathlib import Path

from PySide6.QtCore import QSignalBlocker, Qt, QTimer, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QSpinBox,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.theme import UNIT
from app.where import last_folder, remember_folder
from neural_assets_core.decoders import look_at_machine
from neural_assets_core.device_choice import Machine, choose
from neural_assets_core.errors import UserError
from neural_assets_core.preferences import Preferences, load_preferences, store_preferences

CHOICES = {
    "device": {
        "auto": "Automatic", "cpu": "Processor", "cuda": "Graphics card", "mps": "Apple GPU",
    },
    "precision": {"auto": "Automatic", "fp32": "fp32", "bf16": "bf16", "fp16": "fp16"},
    "runtime": {"auto": "Automatic", "torch": "PyTorch", "openvino": "OpenVINO"},
}
LABELS = {
    "device": ("Device", "Automatic: a graphics card if there is one"),
    "precision": ("Precision", "Automatic: fp16 on graphics cards, else fp32, the most exact"),
    "runtime": ("Runtime", "Automatic: OpenVINO on processors, where it is installed"),
    "preview_steps": ("Preview steps", "At most so many while the hand holds a box"),
    "memory": ("Memory", "For finished pictures, and as much for what the encoder made of them"),
    "threads": ("Threads", "Automatic: one for every core"),
    "certificate": ("Certificate", "Signs content credentials: a PEM file of your own"),
    "signing_key": ("Signing key", "A PEM file too; empty if it is in the same one"),
}

PEM_FILTER = "PEM files (*.pem *.crt *.cer *.key);;All files (*)"

LOOK_MS = 100
"""How often to see whether the machine has been looked at."""


@cache
def _look() -> Future[Machine]:
    """The look at the machine, once per session: it imports torch, so not on this thread."""
    return ThreadPoolExecutor(1, "machine").submit(look_at_machine)


class SettingsDialog(QDialog):
    """The machine's settings; every change counts at once, for the next picture.

    Seed, steps and guidance belong to the scene and are in the panel "Generation".
    """

    failed = Signal(str)
    """Why a change could not be kept."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("Settings")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.device, self.precision = _choice("device"), _choice("precision")
        self.runtime = _choice("runtime")
        self.preview_steps = _number(1, 1000)
        self.memory = _number(0, 1024 * 1024, " MiB")
        self.memory.setSingleStep(64)
        self.threads = _number(0, 1024)
        self.threads.setSpecialValueText("Automatic")
        self.certificate, self.signing_key = QLineEdit(), QLineEdit()
        self.certificate.setPlaceholderText("Made on this machine")
        self.told: dict[str, QLabel] = {}
        form = QFormLayout()
        form.setVerticalSpacing(UNIT // 2)
        for name, (label, why) in LABELS.items():
            field: QComboBox | QSpinBox | QLineEdit = getattr(self, name)
            field.setAccessibleName(label)
            form.addRow(label, self._with_browse(field) if isinstance(field, QLineEdit) else field)
            self.told[name] = told = QLabel(why, wordWrap=True)
            told.setProperty("role", "faint")
            form.addRow("", told)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        self.restore = buttons.addButton(
            "&Restore defaults", QDialogButtonBox.ButtonRole.ResetRole
        )
        self.restore.clicked.connect(lambda: self._store(Preferences()))
        for button in (self.restore, buttons.button(QDialogButtonBox.StandardButton.Close)):
            # Enter ends the typing, and nothing else.
            button.setAutoDefault(False)
        buttons.rejected.connect(self.close)
        column = QVBoxLayout(self)
        column.setSpacing(2 * UNIT)
        column.addLayout(form)
        column.addWidget(buttons)
        # Most of the explanations in one line, and none in three.
        self.setMinimumWidth(68 * UNIT)
        self._machine: Machine | None = None
        self._looking = QTimer(self, interval=LOOK_MS)
        self._looking.timeout.connect(self._on_look)
        self._show(load_preferences())
        _look()
        self._looking.start()
        for choice in (self.device, self.precision, self.runtime):
            choice.activated.connect(self._on_edit)
        for number in (self.preview_steps, self.memory, self.threads):
            number.valueChanged.connect(self._on_edit)
        for line in (self.certificate, self.signing_key):
            line.editingFinished.connect(self._on_edit)

    def _with_browse(self, field: QLineEdit) -> QWidget:
        """The name of a file, and a button to choose it."""
        button, row = QToolButton(), QWidget()
        button.setText("…")
        button.setToolTip("Choose a PEM file")
        button.setAccessibleName(f"Choose a PEM file: {field.accessibleName()}")
        button.clicked.connect(lambda: self._browse(field))
        line = QHBoxLayout(row)
        line.setContentsMargins(0, 0, 0, 0)
        line.addWidget(field, 1)
        line.addWidget(button)
        return row

    def _browse(self, field: QLineEdit) -> None:
        folder = Path(field.text()).parent if field.text() else last_folder()
        name, _ = QFileDialog.getOpenFileName(
            self, f"Choose a {field.accessibleName().lower()}", str(folder), PEM_FILTER
        )
        if name:
            remember_folder(Path(name))
            field.setText(name)
            self._on_edit()

    def _show(self, preferences: Preferences) -> None:
        self._shown = preferences
        for name in CHOICES:
            choice: QComboBox = getattr(self, name)
            choice.setCurrentIndex(choice.findData(getattr(preferences, name)))
        for name in ("preview_steps", "memory", "threads"):
            number: QSpinBox = getattr(self, name)
            with QSignalBlocker(number):
                number.setValue(getattr(preferences, name))
        self.certificate.setText(preferences.certificate)
        self.signing_key.setText(preferences.signing_key)
        self._explain()

    def _on_look(self) -> None:
        if not _look().done():
            return
        self._looking.stop()
        # Without torch there is nothing to explain; making a picture says so.
        if _look().exception() is None:
            self._machine = _look().result()
            self._explain()

    def _explain(self) -> None:
        """Say what "Automatic" means on this machine, and why."""
        if self._machine is None:
            return
        automatic = self._shown.changed(device="auto", precision="auto")
        device = choose(automatic, self._machine)
        label = CHOICES["device"][device.device].lower()
        self.told["device"].setText(f"Automatic: {label}; {device.device_reason}")
        try:
            found = choose(self._shown.changed(precision="auto", runtime="auto"), self._machine)
        except UserError as error:
            self.told["precision"].setText(str(error))
        else:
            self.told["precision"].setText(
                f"Automatic: {found.precision}; {found.precision_reason}"
            )
            label = CHOICES["runtime"][found.runtime]
            self.told["runtime"].setText(f"Automatic: {label}; {found.runtime_reason}")

    def _on_edit(self) -> None:
        self._store(
            self._shown.changed(
                device=self.device.currentData(),
                precision=self.precision.currentData(),
                runtime=self.runtime.currentData(),
                preview_steps=self.preview_steps.value(),
                memory=self.memory.value(),
                threads=self.threads.value(),
                certificate=self.certificate.text().strip(),
                signing_key=self.signing_key.text().strip(),
            )
        )

    def _store(self, preferences: Preferences) -> None:
        try:
            store_preferences(preferences)
        except UserError as error:
            self.failed.emit(str(error))
            preferences = self._shown
        self._show(preferences)


def open_settings(parent: QWidget, report: Callable[[str], None]) -> None:
    """Open the dialog; `report` gets why a change could not be kept."""
    dialog = SettingsDialog(parent)
    dialog.failed.connect(report)
    dialog.open()


def _choice(name: str) -> QComboBox:
    choice = QComboBox()
    for key, label in CHOICES[name].items():
        choice.addItem(label, key)
    return choice


def _number(least: int, most: int, suffix: str = "") -> QSpinBox:
    number = QSpinBox()
    number.setRange(least, most)
    number.setSuffix(suffix)
    # Half a number is not a wish.
    number.setKeyboardTracking(False)
    number.setAlignment(Qt.AlignmentFlag.AlignRight)
    return number
