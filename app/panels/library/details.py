"""What is known of the chosen assets; tags and licence can be typed over."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QGridLayout, QLabel, QLineEdit, QSizePolicy, QWidget

from app.shelf import ships
from app.theme import UNIT
from neural_assets_core.library import Entry
from neural_assets_core.library.asset import MAXIMUM_LICENCE

NONE = "No asset is chosen"
SEVERAL = "(several)"
_HASH = 12


class Details(QWidget):
    """Kind, size, tags, licence and origin of one asset, or what several have in common."""

    tags_edited = Signal(object, object, object)
    """Entries, tags that they are to get, and tags that they are to lose."""

    licence_edited = Signal(object, str)
    """Entries and their new licence note."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._entries: list[Entry] = []
        self._rows: list[QWidget] = []
        self.name, self.what = _label("heading"), _label("faint")
        self.tags, self.licence = _Line(), _Line()
        self.tags.setPlaceholderText("none")
        self.tags.setToolTip("Tags, with commas between them")
        self.licence.setPlaceholderText("none noted")
        self.licence.setMaxLength(MAXIMUM_LICENCE)
        self.origin, self.image, self.tokens = _label(), _label(), _label()
        self.tags.edited.connect(self._on_tags)
        self.licence.edited.connect(self._on_licence)
        grid = QGridLayout(self)
        grid.setContentsMargins(UNIT // 2, 0, 0, 0)
        grid.setHorizontalSpacing(UNIT)
        grid.setVerticalSpacing(UNIT // 4)
        grid.setColumnStretch(1, 1)
        grid.addWidget(self.name, 0, 0, 1, 2)
        grid.addWidget(self.what, 1, 0, 1, 2)
        rows = (
            ("Tags", self.tags),
            ("Licence", self.licence),
            ("From", self.origin),
            ("Image", self.image),
            ("Tokens", self.tokens),
        )
        for row, (title, shown) in enumerate(rows, 2):
            heading = QLabel(title)
            heading.setProperty("role", "faint")
            heading.setBuddy(shown)
            shown.setAccessibleName(title)
            grid.addWidget(heading, row, 0)
            grid.addWidget(shown, row, 1)
            self._rows += [heading, shown]
        grid.setRowStretch(len(rows) + 2, 1)
        self.show_entries([])

    def show_entries(self, entries: Sequence[Entry]) -> None:
        """Tell of these assets; typing that has not ended goes on if they are the same."""
        same = [entry.path for entry in entries] == [entry.path for entry in self._entries]
        self._entries = list(entries)
        changeable = bool(entries) and not any(ships(entry) or entry.fault for entry in entries)
        for row in self._rows:
            row.setVisible(bool(entries))
        for field in (self.tags, self.licence):
            field.setReadOnly(not changeable)
        if not (same and self.tags.typing):
            self.tags.show_text(", ".join(_common_tags(entries)))
        if not (same and self.licence.typing):
            self.licence.show_text(_common([entry.licence for entry in entries]))
        self.licence.setToolTip(self.licence.text() or "What may be done with it")
        _tell(self.name, entries[0].name if len(entries) == 1 else _how_many(entries))
        _tell(self.what, _common([_kind(entry) for entry in entries]))
        _tell(self.origin, _common([_origin(entry) for entry in entries]))
        _tell(self.image, _common([entry.image for entry in entries]), _HASH)
        _tell(self.tokens, _common([_tokens(entry) for entry in entries]))

    def _on_tags(self, text: str) -> None:
        typed = list(dict.fromkeys(filter(None, (word.strip() for word in text.split(",")))))
        before = _common_tags(self._entries)
        add = [tag for tag in typed if tag not in before]
        remove = [tag for tag in before if tag not in typed]
        if add or remove:
            self.tags_edited.emit(self._entries, add, remove)

    def _on_licence(self, text: str) -> None:
        if text != SEVERAL:
            self.licence_edited.emit(self._entries, text.strip())


class _Line(QLineEdit):
    """A field that tells once what was typed; Esc takes the typing back."""

    edited = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self._shown = ""
        self.editingFinished.connect(self._on_finished)

    @property
    def typing(self) -> bool:
        return self.hasFocus() and self.text() != self._shown

    def show_text(self, text: str) -> None:
        self._shown = text
        self.setText(text)
        self.setCursorPosition(0)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.show_text(self._shown)
        super().keyPressEvent(event)

    def _on_finished(self) -> None:
        if self.text() != self._shown:
            self._shown = self.text()
            self.edited.emit(self._shown)


def _label(role: str = "") -> QLabel:
    label = QLabel()
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    # Long names are cut by the panel's edge, and told in full by the tooltip.
    label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
    label.setProperty("role", role)
    return label


def _tell(label: QLabel, text: str, most: int | None = None) -> None:
    label.setText(text if most is None or text == SEVERAL else text[:most])
    label.setToolTip(text)


def _how_many(entries: Sequence[Entry]) -> str:
    return f"{len(entries)} assets" if entries else NONE


def _common(texts: Sequence[str]) -> str:
    """What all of them say, or that they say different things."""
    different = set(texts)
    return SEVERAL if len(different) > 1 else "".join(different)


def _common_tags(entries: Sequence[Entry]) -> list[str]:
    first = entries[0].tags if entries else ()
    return [tag for tag in first if all(tag in entry.tags for entry in entries)]


def _kind(entry: Entry) -> str:
    if entry.fault:
        return "damaged"
    size = " × ".join(f"{side:.2f}" for side in entry.size or ())
    return ", ".join(filter(None, (entry.category or entry.kind, f"{size} m" if size else "")))


def _origin(entry: Entry) -> str:
    return ", ".join(filter(None, (entry.scene, entry.date)))


def _tokens(entry: Entry) -> str:
    if entry.kind != "object":
        return ""
    return f"by the encoder {entry.encoder[:_HASH]}" if entry.encoder else "made when it is used"
