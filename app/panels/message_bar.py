"""Messages inside the window: nothing modal, nothing lost."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QSize, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QSizePolicy, QToolButton, QWidget

from app.theme import ICON_SIZE, UNIT, colors, float_over_picture, icon, pixmap

MAXIMUM_WIDTH = 720


class MessageBar(QFrame):
    """A message that floats over the foot of its parent until dismissed or outdated.

    Its text can be selected and copied.
    """

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._over = parent
        self.setProperty("role", "message")
        # Painted over the picture, never see-through.
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        float_over_picture(self)
        self._sign = QLabel()
        self._text = QLabel(wordWrap=True)
        self._text.setTextFormat(Qt.TextFormat.PlainText)
        self._text.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse
            | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self._text.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self._copy = self._button("Copy the message")
        self._copy.clicked.connect(lambda: QGuiApplication.clipboard().setText(self.text))
        self._close = self._button("Dismiss")
        self._close.clicked.connect(self.dismiss)
        self._row = row = QHBoxLayout(self)
        row.setContentsMargins(UNIT * 3 // 2, UNIT // 2, UNIT // 2, UNIT // 2)
        row.setSpacing(UNIT)
        row.addWidget(self._sign, 0, Qt.AlignmentFlag.AlignVCenter)
        row.addWidget(self._text, 1)
        row.addWidget(self._copy, 0, Qt.AlignmentFlag.AlignVCenter)
        row.addWidget(self._close, 0, Qt.AlignmentFlag.AlignVCenter)
        parent.installEventFilter(self)
        self.hide()

    @property
    def text(self) -> str:
        """What is shown; empty if nothing is."""
        return self._text.text()

    @property
    def tier(self) -> str:
        return str(self.property("tier") or "")

    def show_message(self, text: str, tier: str = "error") -> None:
        """Show `text`, instead of whatever was shown; `tier` is "error", "warning" or "hint"."""
        self._text.setText(text)
        self.setProperty("tier", tier)
        # A style sheet looks at properties only when it is applied.
        self.style().unpolish(self)
        self.style().polish(self)
        self._draw_icons()
        self.show()
        self.raise_()
        self._place()

    def dismiss(self) -> None:
        """Hide the message."""
        self._text.clear()
        self.hide()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize and not self.isHidden():
            self._place()
        return super().eventFilter(watched, event)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and self.tier:
            self._draw_icons()

    def _draw_icons(self) -> None:
        scheme = colors()
        tiers = {"error": scheme.error, "warning": scheme.warning, "hint": scheme.text}
        color = tiers[self.tier]
        self._sign.setPixmap(pixmap(self.tier, color, ICON_SIZE, self.devicePixelRatioF()))
        self._copy.setIcon(icon("copy"))
        self._close.setIcon(icon("close"))

    def _place(self) -> None:
        width = min(MAXIMUM_WIDTH, self._over.width() - 4 * UNIT)
        self.setFixedWidth(width)
        height = self._row.totalHeightForWidth(width)
        left, top = (self._over.width() - width) // 2, self._over.height() - height - 2 * UNIT
        self.setGeometry(left, top, width, height)

    def _button(self, tip: str) -> QToolButton:
        button = QToolButton()
        button.setToolTip(tip)
        button.setAccessibleName(tip)
        button.setIconSize(QSize(ICON_SIZE, ICON_SIZE))
        return button
