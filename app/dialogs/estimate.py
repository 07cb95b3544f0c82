"""The dialog that asks which models shall tell what about the photograph."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QSettings, Qt, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QMessageBox,
    QProgressBar,
    QSpinBox,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.theme import UNIT

_KEY = "estimate"
EXPLANATION = (
    "A model is a folder in transformers' layout, or a repository on the Hugging Face Hub as "
    "owner/name. Nothing is downloaded without asking."
)


@dataclass(frozen=True)
class EstimateRequest:
    """What is wanted.

    Attributes
    ----------
    depth, masks : str
        Models; empty for none.
    cut_out : bool
        Whether the objects that there are get new masks.
    propose : int
        New objects, at most.
    """

    depth: str
    masks: str
    cut_out: bool
    propose: int


class EstimateDialog(QDialog):
    """Asks for models and what they are for; stays beside the work."""

    wanted = Signal(object)
    """An `EstimateRequest`."""

    allowed = Signal()
    """What was asked about may be downloaded."""

    stopped = Signal()
    """The user has had enough."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("Estimate with models")
        self.setMinimumWidth(56 * UNIT)
        settings = QSettings()
        self.depth_model = self._model_field("depth", "moge:weights/model.pt is one, too")
        self.mask_model = self._model_field("masks", "a SAM or SAM-HQ model")
        self.cut_out = QCheckBox("Cut out the objects that there are")
        self.cut_out.setChecked(bool(settings.value(f"{_KEY}/cut_out", True, bool)))
        self.propose = QSpinBox()
        self.propose.setRange(0, 32)
        self.propose.setSpecialValueText("None")
        self.propose.setAccessibleName("Further objects, at most")
        self.propose.setToolTip("Boxes for what the model sees besides; they stand on the ground")
        self.propose.setValue(int(str(settings.value(f"{_KEY}/propose", 0, int))))
        self.told = QLabel(EXPLANATION, wordWrap=True)
        self.told.setMinimumHeight(3 * self.told.fontMetrics().lineSpacing())
        self.told.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.bar = QProgressBar(textVisible=False)
        self.bar.setRange(0, 0)
        self.bar.hide()
        buttons = QDialogButtonBox()
        self.close_button = buttons.addButton(QDialogButtonBox.StandardButton.Close)
        self.stop = buttons.addButton("&Stop", QDialogButtonBox.ButtonRole.ActionRole)
        self.go = buttons.addButton("&Estimate", QDialogButtonBox.ButtonRole.ActionRole)
        self.go.setDefault(True)
        self.go.clicked.connect(self._on_go)
        self.stop.clicked.connect(self.stopped)
        self.stop.hide()
        buttons.rejected.connect(self.close)
        form = QFormLayout()
        form.setVerticalSpacing(UNIT)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        form.addRow("&Shapes: depth model", self._with_browse(self.depth_model))
        form.addRow("&Masks: mask model", self._with_browse(self.mask_model))
        form.addRow("", self.cut_out)
        form.addRow("&Further objects", self.propose)
        column = QVBoxLayout(self)
        column.setSpacing(2 * UNIT)
        column.addLayout(form)
        column.addWidget(self.bar)
        column.addWidget(self.told)
        column.addWidget(buttons)
        for field in (self.depth_model, self.mask_model):
            field.textChanged.connect(self._refresh)
        self.cut_out.toggled.connect(self._refresh)
        self.propose.valueChanged.connect(self._refresh)
        self._refresh()

    def begin(self, text: str) -> None:
        """Something takes a while."""
        self.bar.show()
        self.stop.show()
        self.told.setText(text)
        self._refresh()

    def end(self, text: str) -> None:
        """It is over, and how."""
        self.bar.hide()
        self.stop.hide()
        self.told.setText(text)
        self._refresh()

    def ask_to_download(self, told: str) -> None:
        """Ask whether models may be fetched; the answer comes as `allowed` or `stopped`."""
        box = QMessageBox(
            QMessageBox.Icon.Question,
            "Download models?",
            "Not on this machine yet. Download from the Hugging Face Hub?",
            QMessageBox.StandardButton.Yes | QMessageBox.StandardButton.No,
            self,
        )
        box.setInformativeText(told)
        box.setDefaultButton(QMessageBox.StandardButton.No)
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        yes = QMessageBox.StandardButton.Yes
        box.finished.connect(
            lambda answer: (self.allowed if answer == yes else self.stopped).emit()
        )
        box.open()

    def _model_field(self, name: str, hint: str) -> QLineEdit:
        field = QLineEdit(str(QSettings().value(f"{_KEY}/{name}", "", str)))
        field.setAccessibleName(f"{name.capitalize()} model")
        field.setPlaceholderText("a folder, or owner/name")
        field.setToolTip(f"A folder, or a repository as owner/name; {hint}")
        return field

    def _with_browse(self, field: QLineEdit) -> QWidget:
        button = QToolButton()
        button.setText("…")
        button.setToolTip("Choose a folder")
        button.setAccessibleName(f"Choose the folder of the {field.accessibleName().lower()}")
        button.clicked.connect(lambda: self._browse(field))
        holder = QWidget()
        # What the label's key leads to.
        holder.setFocusProxy(field)
        row = QHBoxLayout(holder)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(UNIT // 2)
        row.addWidget(field)
        row.addWidget(button)
        return holder

    def _browse(self, field: QLineEdit) -> None:
        folder = QFileDialog.getExistingDirectory(self, "Choose a model's folder", field.text())
        if folder:
            field.setText(folder)

    def _refresh(self) -> None:
        idle = self.bar.isHidden()
        masks = bool(self.mask_model.text().strip())
        for choice in (self.cut_out, self.propose):
            choice.setEnabled(idle and masks)
        for field in (self.depth_model, self.mask_model):
            field.setEnabled(idle)
        used = masks and (self.cut_out.isChecked() or self.propose.value() > 0)
        self.go.setEnabled(idle and (used or bool(self.depth_model.text().strip())))

    def _on_go(self) -> None:
        request = EstimateRequest(
            depth=self.depth_model.text().strip(),
            masks=self.mask_model.text().strip(),
            cut_out=self.cut_out.isChecked(),
            propose=self.propose.value(),
        )
        settings = QSettings()
        for name in ("depth", "masks", "cut_out", "propose"):
            settings.setValue(f"{_KEY}/{name}", getattr(request, name))
        self.wanted.emit(request)
