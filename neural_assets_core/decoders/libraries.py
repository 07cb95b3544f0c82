"""Large libraries, loaded without holding Python's lock; importing this imports no torch."""

from __future__ import annotations

import ctypes
import os
from importlib.util import find_spec
from pathlib import Path


def load_libraries() -> None:
    """Load what `import torch` would load, while other threads of Python go on.

    That import holds the interpreter's lock for as long as its largest library takes, some tenths
    of a second in which no window is drawn. Where this does not work, the import does it all.
    """
    load_without_lock("torch", "lib/libtorch_cpu.*")


def load_without_lock(package: str, *patterns: str) -> None:
    """Load shared libraries of a package that is not imported yet, one pattern after the other."""
    spec = find_spec(package)
    if os.name != "posix" or spec is None or spec.origin is None:
        return
    # Called as a function of C, it lets go of the lock; `ctypes.CDLL(path)` would not.
    load = ctypes.CDLL(None).dlopen
    load.argtypes, load.restype = [ctypes.c_char_p, ctypes.c_int], ctypes.c_void_p
    for pattern in patterns:
        for library in Path(spec.origin).parent.glob(pattern):
            load(os.fsencode(library), os.RTLD_NOW)
