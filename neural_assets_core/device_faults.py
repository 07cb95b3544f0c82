"""Running out of memory and losing the GPU, told in a sentence; importing this imports no torch."""

from __future__ import annotations

import errno
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from neural_assets_core.errors import UserError


class DeviceFault(UserError):
    """Memory ran out or the device is gone: the decoder is done for, a new one may work."""


NO_GPU_MEMORY = (
    "The graphics card has not enough memory for this picture: close other programs that use it, "
    "choose a smaller picture, or switch to CPU."
)
NO_MEMORY = (
    "There is not enough memory for this picture: close other programs, or choose a smaller "
    "picture or the proxy decoder."
)
NO_GPU = (
    "The graphics card stopped answering: save your work and start the program again, or switch "
    "to CPU."
)


@contextmanager
def device_faults() -> Iterator[None]:
    """Turn running out of memory and losing the GPU into a sentence for the user.

    Raises
    ------
    DeviceFault
    """
    try:
        yield
    except Exception as error:
        sentence = _device_fault(error)
        if sentence is None:
            raise
        raise DeviceFault(sentence) from error


def _device_fault(error: Exception) -> str | None:
    """What to tell about a fault of memory or device; None for any other fault."""
    # By name and text: torch and OpenCV are not imported for the sake of their exceptions, and
    # torch has no types of its own for most of this.
    name, text = type(error).__name__, str(error)
    full = "out of memory" in text.lower() or "_ALLOC_FAILED" in text
    if name == "OutOfMemoryError" or (full and isinstance(error, RuntimeError)):
        return NO_GPU_MEMORY
    if (
        isinstance(error, MemoryError)
        or (isinstance(error, OSError) and error.errno == errno.ENOMEM)
        or "DefaultCPUAllocator" in text
        or (name == "error" and "Insufficient memory" in text)
    ):
        return NO_MEMORY
    lost = ("CUDA error", "CUDA driver error", "CUDNN_STATUS", "CUBLAS_STATUS", "HIP error")
    if name == "AcceleratorError" or any(part in text for part in lost):
        return NO_GPU
    return None


def release_memory(fault: BaseException) -> None:
    """Hand back what a fault left behind: the tensors in its frames, and free memory of the GPU.

    No garbage is collected: a worker must not destroy what other threads work with.

    Parameters
    ----------
    fault : BaseException
        Its traceback, and those of its causes, lose their local variables.
    """
    error: BaseException | None = fault
    while error is not None:
        traceback.clear_frames(error.__traceback__)
        error = error.__cause__ or error.__context__
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_initialized():
        # A GPU that is lost cannot hand back anything.
        with suppress(RuntimeError):
            torch.cuda.empty_cache()
