"""Detection of a usable GPU.

onnxruntime lists the execution providers that it was built with, not those that work on this machine.
"""

from __future__ import annotations

import contextlib
import ctypes
import io
import sys
from typing import Literal

import onnxruntime

Device = Literal["auto", "cuda", "cpu"]

CUDA = "CUDAExecutionProvider"
CPU = "CPUExecutionProvider"

_DRIVER = "nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1"


def gpu_count() -> int:
    """Count the GPUs that the NVIDIA driver offers this process; 0 without a driver, within microseconds."""
    try:
        driver = ctypes.CDLL(_DRIVER)
    except OSError:
        return 0
    count = ctypes.c_int(0)
    if driver.cuInit(0) != 0 or driver.cuDeviceGetCount(ctypes.byref(count)) != 0:
        return 0
    return count.value


def cuda_obstacle() -> str | None:
    """Return why CUDA cannot work here, or None if nothing shows before a session is made."""
    if CUDA not in onnxruntime.get_available_providers():
        return "this onnxruntime is built without CUDA; replace it by onnxruntime-gpu (never install both)"
    if gpu_count() == 0:
        return f"the NVIDIA driver ({_DRIVER}) is not installed or offers no GPU to this process"
    return None


def load_cuda_libraries() -> str:
    """Load the CUDA and cuDNN libraries of pip packages; return the first problem that onnxruntime prints, or ""."""
    # onnxruntime has this function from 1.21 on, and not in every build.
    if not hasattr(onnxruntime, "preload_dlls"):
        return ""
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        onnxruntime.preload_dlls()
    return printed.getvalue().partition("\n")[0]
