from __future__ import annotations

import torch

from neural_assets_core.model.cache import TensorCache


def tensors(count: int) -> list[torch.Tensor]:
    return [torch.full((250,), float(number)) for number in range(count)]  # 1000 bytes each


def test_what_was_not_used_for_longest_goes_first() -> None:
    cache = TensorCache(3000)
    made = tensors(4)
    for number in range(3):
        cache.get(number, lambda number=number: made[number])
    cache.get(0, lambda: made[3])
    cache.get(3, lambda: made[3])
    assert (len(cache), cache.nbytes) == (3, 3000)
    again: list[int] = []
    for number in (0, 2, 3, 1):
        cache.get(number, lambda number=number: again.append(number) or made[number])
    assert again == [1]


def test_a_slice_counts_with_all_that_it_keeps_alive() -> None:
    cache = TensorCache(3000)
    cache.get("slice", lambda: torch.zeros(500)[:1])
    assert cache.nbytes == 2000


def test_too_large_for_the_limit_is_given_and_not_kept() -> None:
    cache = TensorCache(500)
    assert cache.get("large", lambda: tensors(1)[0]).shape == (250,)
    assert (len(cache), cache.nbytes) == (0, 0)
