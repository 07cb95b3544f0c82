"""Neural Assets Studio: the desktop program around `neural_assets_core`."""

import os

from neural_assets_core.allocation import keep_freed_memory

# Before anything loads them: threads of OpenMP and OpenBLAS that have nothing to do would turn in
# circles for a while, on cores that the window and the other workers need. OpenMP's do so for a
# fraction of a millisecond: between two layers of a network, waking them takes as long as the work.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("GOMP_SPINCOUNT", "10000")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

keep_freed_memory()
