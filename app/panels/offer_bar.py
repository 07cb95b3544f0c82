"""Offers inside the window: something can be done now, and need not be."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QObject, QSize, Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QToolButton, QWidget

from app.theme import ICON_SIZE, UNIT, float_over_picture, icon

MAXIMUM_WIDTH = 720


@dataclass(frozen=True)
class Answer:
    """A button of an offer.

    Attributes
    ----------
    text : str
    run : callable
        Called when it is pressed; the offer is gone by then.
    """

    text: str
    run: Callable[[], object]


@dataclass(frozen=True)
class Offer:
    """A sentence, and what can be answered; the first answer is the likely one.

    Attributes
    ----------
    about : str
        An offer about the same thing as one that is still open takes its place.
    """

    about: str
    text: str
    answers: Sequence[Answer]


class OfferBar(QFrame):
    """Floats over the head of its parent until it is answered or put off.

    It never takes the keys away from the work. Of several offers the latest is shown; the one
    before it comes back when that is answered.
    """

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._over = parent
        self._offers: list[Offer] = []
        self.setProperty("role", "message")
        # Painted over the picture, never see-through.
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        float_over_picture(self)
        self._text = QLabel(wordWrap=True)
        self._text.setTextFormat(Qt.TextFormat.PlainText)
        self._buttons = QHBoxLayout()
        self._buttons.setSpacing(UNIT)
        self._close = QToolButton()
        self._close.setToolTip("Not now")
        self._close.setAccessibleName("Not now")
        self._close.setIconSize(QSize(ICON_SIZE, ICON_SIZE))
        self._close.clicked.connect(self._put_off)
        self._row = row = QHBoxLayout(self)
        row.setContentsMargins(UNIT * 3 // 2, UNIT // 2, UNIT // 2, UNIT // 2)
        row.setSpacing(UNIT)
        row.addWidget(self._text, 1)
        row.addLayout(self._buttons)
        row.addWidget(self._close, 0, Qt.AlignmentFlag.AlignVCenter)
        parent.installEventFilter(self)
        self.hide()

    @property
    def text(self) -> str:
        """What is offered; empty if nothing is."""
        return self._offers[-1].text if self._offers else ""

    def offer(self, offer: Offer) -> None:
        """Show an offer."""
        self._offers = [other for other in self._offers if other.about != offer.about]
        self._offers.append(offer)
        self._show()

    def withdraw(self, about: str) -> None:
        """Take back what was offered about something."""
        self._offers = [offer for offer in self._offers if offer.about != about]
        self._show()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize and self.isVisible():
            self._place()
        elif event.type() == QEvent.Type.LayoutRequest:
            # Another page has come forward, and lies over everything.
            self.raise_()
        return super().eventFilter(watched, event)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and self._offers:
            self._close.setIcon(icon("close"))

    def _show(self) -> None:
        while (old := self._buttons.takeAt(0)) is not None:
            widget = old.widget()
            if widget is not None:
                widget.hide()
                widget.deleteLater()
        if not self._offers:
            self.hide()
            return
        offer = self._offers[-1]
        self._text.setText(offer.text)
        self._close.setIcon(icon("close"))
        for index, answer in enumerate(offer.answers):
            button = QPushButton(answer.text)
            button.setProperty("primary", "true" if index == 0 else "false")
            # A click leaves the focus where it is, for the button goes.
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            button.clicked.connect(lambda _=False, chosen=answer: self._answer(offer, chosen))
            self._buttons.addWidget(button)
            # At once: a bar that is shown already would do that later.
            button.show()
        self.show()
        self.raise_()
        self._place()

    def _answer(self, offer: Offer, chosen: Answer) -> None:
        self._offers.remove(offer)
        self._show()
        chosen.run()

    def _put_off(self) -> None:
        self._offers.pop()
        self._show()

    def _place(self) -> None:
        width = min(MAXIMUM_WIDTH, self._over.width() - 4 * UNIT)
        self.setFixedWidth(width)
        height = max(self._row.totalHeightForWidth(width), self._row.sizeHint().height())
        # Below the tools, which stay at hand.
        self.setGeometry((self._over.width() - width) // 2, 6 * UNIT, width, height)
