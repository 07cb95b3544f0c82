"""What was prepared is kept, up to a number of bytes."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Protocol, TypeVar

KEPT_BYTES = 192 * 2**20


class Sized(Protocol):
    """Something that knows how much memory it takes, which may grow."""

    @property
    def nbytes(self) -> int: ...


S = TypeVar("S", bound=Sized)


class Shelf:
    """Prepared things by what they were made from; those not used for longest go first.

    Parameters
    ----------
    limit : int
        Bytes kept, at most, but always the one used last.
    """

    def __init__(self, limit: int = KEPT_BYTES) -> None:
        self.limit = limit
        self._lock = threading.RLock()
        self._kept: OrderedDict[Hashable, Sized] = OrderedDict()

    @property
    def nbytes(self) -> int:
        """Memory taken."""
        return sum(one.nbytes for one in self._kept.values())

    def __len__(self) -> int:
        return len(self._kept)

    def clear(self) -> None:
        """Keep nothing."""
        with self._lock:
            self._kept.clear()

    def get(self, key: Hashable, make: Callable[[], S]) -> S:
        """The thing kept under `key`, or the one that `make` makes now; from any thread."""
        with self._lock:
            kept = self._kept.get(key)
            if kept is None:
                kept = self._kept[key] = make()
            self._kept.move_to_end(key)
            while len(self._kept) > 1 and self.nbytes > self.limit:
                self._kept.popitem(last=False)
            return kept  # type: ignore[return-value]
