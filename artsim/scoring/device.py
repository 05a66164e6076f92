"""Which execution provider a tower runs on. onnxruntime detects nothing: it lists what it was built with."""

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
    """How many GPUs the NVIDIA driver shows this process; 0 without a driver. Takes microseconds then."""
    try:
        driver = ctypes.CDLL(_DRIVER)
    except OSError:
        return 0
    count = ctypes.c_int(0)
    if driver.cuInit(0) != 0 or driver.cuDeviceGetCount(ctypes.byref(count)) != 0:
        return 0
    return count.value


def cuda_obstacle() -> str | None:
    """What keeps CUDA from working, as far as it shows before a session is made; None if nothing does."""
    if CUDA not in onnxruntime.get_available_providers():
        return "this onnxruntime is built without CUDA; install onnxruntime-gpu in its place (never both)"
    if gpu_count() == 0:
        return f"the NVIDIA driver ({_DRIVER}) is not there or shows no GPU to this process"
    return None


def load_cuda_libraries() -> str:
    """Load the CUDA and cuDNN libraries of pip packages; returns the first complaint that onnxruntime prints."""
    if not hasattr(onnxruntime, "preload_dlls"):
        return ""
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        onnxruntime.preload_dlls()
    return printed.getvalue().partition("\n")[0]
