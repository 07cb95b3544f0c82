"""Boxes as values."""

import math
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

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


axes = st.tuples(*[st.floats(-1, 1)] * 3).filter(lambda axis: np.linalg.norm(axis) > 1e-3)
angles = st.floats(-10, 10)


@given(axes, angles, axes, angles, axes)
def test_turns_are_scipys(first, by, second, then, pivot):
    box = BOX.rotated(first, by).rotated(second, then, pivot)
    own = Rotation.from_quat(BOX.rotation, scalar_first=True)
    one, two = (
        Rotation.from_rotvec(angle * np.array(axis) / np.linalg.norm(axis))
        for axis, angle in ((first, by), (second, then))
    )
    assert box.rotation_matrix() == pytest.approx((two * one * own).as_matrix(), abs=1e-8)
    center = pivot + two.apply(np.subtract(BOX.center, pivot))
    assert box.center == pytest.approx(center, abs=1e-8)


def test_boxes_are_turned_and_hit_while_another_thread_imports_torch():
    # In a process of its own: scipy remembers which types are no tensors.
    script = """if True:
        import sys, types
        import numpy as np
        from neural_assets_core.geometry import Box
        from neural_assets_core.geometry.rays import intersect_boxes
        sys.modules["torch"] = types.ModuleType("torch")
        box = Box(center=(0, 3, 0), size=(1, 1, 1)).rotated((0, 0, 1), 0.3)
        print(box.corners().shape, *intersect_boxes(np.zeros(3), np.array([0, 1.0, 0]), [box]) > 2)
    """
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.stdout == "(8, 3) True\n", done.stderr
