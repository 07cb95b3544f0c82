"""How the picture is made: the scene's settings, starting and stopping, progress."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress

from PySide6.QtCore import QRegularExpression, QSignalBlocker, QSize, Qt
from PySide6.QtGui import QAction, QRegularExpressionValidator
from PySide6.QtWidgets import (
    QCheckBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QProgressBar,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.document import Document
from app.generation import Pictures
from app.panels.fields import ChoiceField, NumberField
from app.theme import UNIT
from neural_assets_core.decoders import Progress, doubts_about, find_inpainting
from neural_assets_core.decoders.base import STEPPED_PHASE
from neural_assets_core.errors import UserError
from neural_assets_core.preferences import load_preferences, store_preferences
from neural_assets_core.scene import GenerationSettings, Scene
from neural_assets_core.scene.scene import MAXIMUM_PROMPT

DECODERS = {
    "neural": "Neural",
    "proxy": "Proxy (instant)",
    "inpainting": "Inpainting (own checkpoint)",
    "preview": "Preview (what neural starts from)",
}
LARGEST_SEED = 2**63 - 1
FULL = 1000
"""The progress bar's end."""


class GenerationPanel(QWidget):
    """Decoder, checkpoint and the other settings of the scene; generate and cancel.

    Parameters
    ----------
    document : Document
    pictures : Pictures
    actions : mapping of str to QAction
        "generate", "cancel", "automatic" and "new_seed" are shown as buttons.
    """

    def __init__(
        self,
        document: Document,
        pictures: Pictures,
        actions: Mapping[str, QAction],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._document = document
        self._make_fields()
        self.generate = _push_button(actions["generate"])
        self.generate.setProperty("primary", "true")
        self.cancel = _push_button(actions["cancel"])
        self.automatic = _check_box(actions["automatic"])
        self.progress = QProgressBar()
        self.progress.setAccessibleName("Progress")
        self._arrange(actions["new_seed"])
        document.scene_changed.connect(self._show_scene)
        pictures.generator.progress.connect(self._show_progress)
        pictures.generator.busy_changed.connect(self._show_busy)
        self._show_scene(document.scene)
        self._show_busy(False)

    def _make_fields(self) -> None:
        self.seed = QLineEdit()
        self.seed.setAccessibleName("Seed")
        digits = QRegularExpression(r"\d{0,19}")
        self.seed.setValidator(QRegularExpressionValidator(digits, self.seed))
        self.seed.setToolTip("Same seed, same picture, on the same machine")
        self.seed.editingFinished.connect(self._on_seed)
        self.steps = NumberField(1, 1000, 1, decimals=0)
        self.steps.setToolTip("Denoising steps: more are slower and a little finer")
        self.steps.edited.connect(
            lambda value, spun: self._change("steps", round(value), spun)
        )
        self.guidance = NumberField(0, 50, 0.1, decimals=2)
        self.guidance.setToolTip(
            "How closely the picture keeps to boxes and looks; 1 takes half the time"
        )
        self.guidance.edited.connect(
            lambda value, spun: self._change("guidance", round(value, 2), spun)
        )
        self.decoder = ChoiceField()
        for key, label in DECODERS.items():
            self.decoder.addItem(label, key)
        self.decoder.activated.connect(lambda _: self._on_decoder(self.decoder.currentData()))
        self.doubt = QLabel()
        self.doubt.setProperty("role", "faint")
        self.doubt.setWordWrap(True)
        self.doubt.linkActivated.connect(lambda _: self._on_decoder("proxy"))
        self.prompt = QLineEdit()
        self.prompt.setAccessibleName("Prompt")
        self.prompt.setMaxLength(MAXIMUM_PROMPT)
        self.prompt.setPlaceholderText("what is to be seen")
        self.prompt.setToolTip("Words that guide what is painted; may stay empty")
        self.prompt.editingFinished.connect(
            lambda: self._change("prompt", self.prompt.text().strip())
        )
        self.strength = NumberField(0.05, 1, 0.05, decimals=2)
        self.strength.setToolTip(
            "How much is painted anew: 1 from noise alone, less starts from the proxy"
        )
        self.strength.edited.connect(
            lambda value, spun: self._change("strength", round(value, 2), spun)
        )
        self.keep_source = QCheckBox("Keep what was not touched")
        self.keep_source.setToolTip(
            "The photograph's own pixels stay wherever the edit cannot be seen"
        )
        self.keep_source.toggled.connect(lambda on: self._change("keep_source", on))
        self.checkpoint = QLineEdit()
        self.checkpoint.setAccessibleName("Checkpoint")
        self.checkpoint.setToolTip('"default", or a folder in diffusers layout')
        self.checkpoint.editingFinished.connect(self._on_checkpoint)
        self._browse = QToolButton()
        self._browse.setText("…")
        self._browse.setToolTip("Choose a checkpoint folder")
        self._browse.setAccessibleName("Choose a checkpoint folder")
        self._browse.clicked.connect(self._on_browse)

    def _arrange(self, new_seed: QAction) -> None:
        dice = QToolButton()
        dice.setDefaultAction(new_seed)
        # No higher than the field beside it.
        dice.setIconSize(QSize(2 * UNIT, 2 * UNIT))
        form = self._form = QFormLayout()
        form.setHorizontalSpacing(UNIT)
        form.setVerticalSpacing(UNIT // 2)
        form.setLabelAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        form.addRow("Seed", _side_by_side(self.seed, dice))
        form.addRow("Steps", self.steps)
        form.addRow("Guidance", self.guidance)
        form.addRow("Decoder", self.decoder)
        form.addRow("Checkpoint", _side_by_side(self.checkpoint, self._browse))
        form.addRow(self.doubt)
        form.addRow("Prompt", self.prompt)
        form.addRow("Strength", self.strength)
        column = QVBoxLayout(self)
        column.setContentsMargins(UNIT, 0, UNIT, UNIT)
        column.setSpacing(UNIT)
        column.addLayout(form)
        column.addWidget(self.keep_source)
        column.addWidget(self.automatic)
        column.addWidget(_side_by_side(self.generate, self.cancel))
        column.addWidget(self.progress)
        column.addStretch()

    # -- document and worker to fields -------------------------------------------------------------

    def _show_scene(self, scene: Scene | None) -> None:
        self.setEnabled(scene is not None)
        settings = scene.settings if scene else GenerationSettings()
        with (
            QSignalBlocker(self.seed),
            QSignalBlocker(self.checkpoint),
            QSignalBlocker(self.prompt),
            QSignalBlocker(self.keep_source),
        ):
            self.prompt.setText(settings.prompt)
            self.keep_source.setChecked(settings.keep_source)
            self.seed.setText(str(settings.seed))
            self.checkpoint.setText(settings.checkpoint)
        self.steps.show_value(settings.steps)
        self.guidance.show_value(settings.guidance)
        self.decoder.setCurrentIndex(self.decoder.findData(settings.decoder))
        self.strength.show_value(settings.strength)
        neural, inpainting = (settings.decoder == name for name in ("neural", "inpainting"))
        for field in (self.seed, self.steps, self.guidance, self.checkpoint, self._browse):
            field.setEnabled(neural or inpainting)
        self.keep_source.setEnabled(neural)
        self._form.setRowVisible(self.prompt, inpainting)
        # A single step paints all of it.
        several = neural and settings.steps > 1
        self._form.setRowVisible(self.strength, several or inpainting)
        doubt = doubts_about(scene) if scene else ""
        self.doubt.setText(doubt.replace("use the proxy", '<a href="proxy">use the proxy</a>'))
        self._form.setRowVisible(self.doubt, bool(doubt))

    def _show_busy(self, busy: bool) -> None:
        # Never 0 to 0: Qt's busy animation would redraw the whole window without a pause.
        self.progress.setRange(0, FULL)
        self.progress.setValue(0)
        self._elapsed = 0.0
        self.progress.setFormat("Starting …" if busy else "")

    def _show_progress(self, progress: Progress) -> None:
        value = round(FULL * share(progress))
        # The expected end may move, what is done stays done: no bar runs backwards.
        if progress.elapsed >= self._elapsed:
            value = max(value, self.progress.value())
        self._elapsed = progress.elapsed
        self.progress.setValue(value)
        self.progress.setFormat(describe(progress))

    # -- fields to document ----------------------------------------------------------------------

    def _change(self, name: str, value: object, spun: bool = False) -> None:
        scene = self._document.scene
        if scene is None:
            return
        merge = f"settings {name}" if spun else None
        text = f"Change {name.replace('_', ' ')}"
        self._document.push(scene.with_settings(**{name: value}), text, merge)

    def _on_decoder(self, name: str) -> None:
        """Draw with another decoder, and the settings that suit it."""
        scene = self._document.scene
        if scene is None or name == scene.settings.decoder:
            return
        checkpoint = {}
        if name == "inpainting":
            folder = load_preferences().inpainting or self._ask_for_inpainting()
            if not folder:
                self._show_scene(scene)
                return
            checkpoint = {"checkpoint": folder}
        self._document.push(scene.with_decoder(name, **checkpoint), "Change decoder")

    def _ask_for_inpainting(self) -> str:
        """A folder that the user chooses, remembered if it holds what it should."""
        folder = QFileDialog.getExistingDirectory(
            self, "Choose a Stable Diffusion inpainting checkpoint", load_preferences().inpainting
        )
        if folder:
            # What is wrong with it is told when the picture is made.
            with suppress(UserError):
                find_inpainting(folder)
                store_preferences(load_preferences().changed(inpainting=folder))
        return folder

    def _on_seed(self) -> None:
        if self.seed.text():
            self._change("seed", min(int(self.seed.text()), LARGEST_SEED))
        self._show_scene(self._document.scene)

    def _on_checkpoint(self) -> None:
        if self.checkpoint.text().strip():
            self._change("checkpoint", self.checkpoint.text().strip())
        self._show_scene(self._document.scene)

    def _on_browse(self) -> None:
        scene = self._document.scene
        if scene is not None and scene.settings.decoder == "inpainting":
            folder = self._ask_for_inpainting()
        else:
            folder = QFileDialog.getExistingDirectory(self, "Choose a checkpoint folder")
        if folder:
            self._change("checkpoint", folder)


def describe(progress: Progress) -> str:
    """The phase or the step, and the time left if it is known: "Step 3 of 20, about 6 s left"."""
    if progress.phase == STEPPED_PHASE and progress.steps > 1:
        text = f"Step {min(progress.step + 1, progress.steps)} of {progress.steps}"
    else:
        text = progress.phase[:1].upper() + progress.phase[1:]
    # Less than a second is over before it is read.
    if progress.left is None or progress.left < 1:
        return text
    if progress.left < 90:
        return f"{text}, about {round(progress.left)} s left"
    return f"{text}, about {round(progress.left / 60)} min left"


def share(progress: Progress) -> float:
    """How much of the picture is done, in [0, 1]: of the time if it is known, else of the steps."""
    if progress.left is not None and progress.elapsed + progress.left > 0:
        return progress.elapsed / (progress.elapsed + progress.left)
    # The picture is not there with the last step: decoding is one more.
    return progress.step / (progress.steps + 1)


def _side_by_side(*widgets: QWidget) -> QWidget:
    holder = QWidget()
    row = QHBoxLayout(holder)
    row.setContentsMargins(0, 0, 0, 0)
    row.setSpacing(UNIT // 2)
    for widget in widgets:
        row.addWidget(widget)
    return holder


def _push_button(action: QAction) -> QPushButton:
    """A button that does what the action does, whenever it can be done."""
    button = QPushButton(action.text().replace("&", ""))
    button.setEnabled(action.isEnabled())
    button.setToolTip(action.toolTip())
    button.clicked.connect(lambda: action.trigger())
    action.enabledChanged.connect(button.setEnabled)
    return button


def _check_box(action: QAction) -> QCheckBox:
    box = QCheckBox(action.text().replace("&", ""))
    box.setToolTip(action.toolTip())
    box.setChecked(action.isChecked())
    box.toggled.connect(action.setChecked)
    action.toggled.connect(box.setChecked)
    return box
