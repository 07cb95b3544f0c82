"""Numbers typed while something is moved, turned or scaled."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt

from app.viewport.gestures import Numbers

Key = Qt.Key

LONGEST = 12
"""Characters of one number."""

_CHARACTERS = {
    **{Key(Key.Key_0.value + digit): str(digit) for digit in range(10)},
    Key.Key_Period: ".",
    Key.Key_Comma: ".",
}


class TypedNumbers:
    """One text for each number of a gesture, and which of them is being typed."""

    def __init__(self) -> None:
        self._texts = [""]
        self._at = 0

    @property
    def active(self) -> bool:
        """Whether they count instead of the pointer."""
        return self._at > 0 or any(self._texts)

    def values(self) -> Numbers:
        """The numbers up to the last one begun; None for what is none yet."""
        begun = [index for index, text in enumerate(self._texts) if text]
        count = max([self._at, *begun]) + 1
        return tuple(_number(text) for text in self._texts[:count])

    def key(self, key: Key, count: int) -> bool:
        """A key was pressed while there are `count` numbers. Returns whether it belongs here."""
        text = self._texts[self._at]
        if key in (Key.Key_Tab, Key.Key_Backtab):
            self._at = (self._at + (1 if key == Key.Key_Tab else -1)) % count
            self._texts += [""] * (self._at + 1 - len(self._texts))
        elif key == Key.Key_Backspace:
            self._texts[self._at] = text[:-1]
            if not text:
                self._at = max(self._at - 1, 0)
        elif key == Key.Key_Minus:
            self._texts[self._at] = text[1:] if text.startswith("-") else f"-{text}"
        elif key in _CHARACTERS:
            character = _CHARACTERS[key]
            if len(text) < LONGEST and not (character == "." and "." in text):
                self._texts[self._at] = text + character
        else:
            return False
        return True

    def fit(self, count: int) -> None:
        """There are `count` numbers from now on."""
        del self._texts[count:]
        self._at = min(self._at, count - 1)

    def shown(self, names: Sequence[str], joint: bool = False) -> str:
        """As they are typed, a bar where the next character goes.

        `joint`: the first one counts for all, and stands alone, until another is begun.
        """
        if joint and len(self.values()) == 1:
            return f"[{self._texts[0]}|]"
        texts = [*self._texts, *[""] * len(names)]
        fields = []
        for index, name in enumerate(names):
            text = f"{texts[index]}|" if index == self._at else texts[index] or "–"
            fields.append(f"{name} {text}".strip())
        return f"[{'   '.join(fields)}]"


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        # Only a sign or a point so far.
        return None
