"""Boxes as values."""

import math
import subprocess
import sys

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


def test_rotations_are_made_while_another_thread_imports_torch():
    # In a process of its own: scipy remembers which types are no tensors.
    script = """if True:
        import sys, types
        import numpy as np
        from scipy.spatial.transform import Rotation, Slerp
        from neural_assets_core.geometry import Box
        from neural_assets_core.geometry.rays import intersect_boxes
        sys.modules["torch"] = types.ModuleType("torch")
        box = Box(center=(0, 3, 0), size=(1, 1, 1)).rotated((0, 0, 1), 0.3)
        Rotation.from_quat(box.rotation, scalar_first=True).as_euler("ZYX")
        turn = Rotation.from_euler("ZYX", [10.0, 20, 30], degrees=True)
        Rotation.from_euler("x", -90, degrees=True) * turn
        Slerp([0.0, 1.0], Rotation.from_matrix([np.eye(3), np.eye(3)]))(0.5)
        print(box.corners().shape, *intersect_boxes(np.zeros(3), np.array([0, 1.0, 0]), [box]) > 2)
    """
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.stdout == "(8, 3) True\n", done.stderr
