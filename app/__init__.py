"""Neural Assets Studio: the desktop program around `neural_assets_core`."""

import os

# Before anything loads them: threads of OpenMP and OpenBLAS that have nothing to do would turn in
# circles for a while, on cores that the window and the other workers need.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
