"""What networks made of pictures, kept by content: an edit of poses finds it ready."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable

import torch

KEPT_BYTES = 128 * 1024 * 1024


class TensorCache:
    """Tensors by what they were made from; the ones not used for longest go first.

    Parameters
    ----------
    limit : int
        Bytes kept, at most; 0 keeps nothing.
    """

    def __init__(self, limit: int = KEPT_BYTES) -> None:
        self.limit = limit
        self.nbytes = 0
        self._kept: OrderedDict[Hashable, torch.Tensor] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, key: Hashable, make: Callable[[], torch.Tensor]) -> torch.Tensor:
        """The tensor kept under `key`, or the one that `make` makes now."""
        known = self._kept.get(key)
        if known is not None:
            self._kept.move_to_end(key)
            return known
        made = make()
        self._kept[key] = made
        self.nbytes += _size(made)
        while self.nbytes > self.limit:
            _, dropped = self._kept.popitem(last=False)
            self.nbytes -= _size(dropped)
        return made


def _size(tensor: torch.Tensor) -> int:
    # A slice keeps all of its storage.
    return tensor.untyped_storage().nbytes()
