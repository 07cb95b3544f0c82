"""Boxes as values."""

import math

import pytest

from neural_assets_core.geometry import Box
from neural_assets_core.geometry.box import MINIMUM_EXTENT

BOX = Box(center=(0.3, -0.2, 0.5), size=(0.4, 0.6, 1.0)).rotated((0, 0, 1), 0.4)


@pytest.mark.parametrize("factor", [0.0, -1.0, math.nan, math.inf])
def test_a_box_is_not_turned_inside_out(factor):
    with pytest.raises(ValueError, match="greater than 0, not"):
        BOX.scaled(factor)


def test_a_box_may_become_as_small_as_a_box_can_be():
    assert BOX.scaled(0.5).size == pytest.approx((0.2, 0.3, 0.5))
    assert BOX.scaled(1e-9).size == (MINIMUM_EXTENT,) * 3
