"""Which device a run trains on, and in which numbers, chosen in one place and checked."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import keras
import tensorflow as tf

from artsim.errors import DeviceError, UsageError
from artsim.training.recipes import Recipe

AUTO = "auto"
CPU_FLAGS = {"avx512_bf16", "amx_bf16"}  # of which one multiplies in bfloat16
COMPUTE_CAPABILITY = (8, 0)  # of the first NVIDIA GPUs that do (Ampere)


def use_device(device_id: str) -> str:
    """Make a device the only one that TensorFlow sees, and return what it is called.

    Args:
        device_id: `auto` (the first GPU, else the CPU), `/cpu:0` or `/gpu:N`.

    Raises:
        UsageError: spelled otherwise.
        DeviceError: not on this machine.
    """
    match = re.fullmatch(r"/?(?:device:)?(cpu|gpu):(\d+)", device_id.lower())
    if device_id.lower() != AUTO and not match:
        raise UsageError(f"--device-id {device_id}: it is auto, /cpu:0 or /gpu:N.")
    gpus = tf.config.list_physical_devices("GPU")
    kind, number = (match[1], int(match[2])) if match else ("gpu" if gpus else "cpu", 0)
    there = gpus if kind == "gpu" else tf.config.list_physical_devices("CPU")
    if number >= len(there):
        raise DeviceError(
            f"--device-id {device_id}: TensorFlow finds {len(gpus)} GPUs and the CPU. On Linux with an NVIDIA GPU, "
            'pip install "artsim[train-cuda]"; without one, leave the flag out.'
        )
    tf.config.set_visible_devices([there[number]] if kind == "gpu" else [], "GPU")
    return f"/{kind}:{number}"


def computes_in_bfloat16() -> bool:
    """Whether the device in use multiplies in bfloat16, which is faster then: see benchmarks/train_step.py."""
    gpus = tf.config.get_visible_devices("GPU")
    if gpus:
        found = tf.config.experimental.get_device_details(gpus[0]).get("compute_capability")
        return found is not None and tuple(found) >= COMPUTE_CAPABILITY
    cpu = Path("/proc/cpuinfo")
    return cpu.exists() and bool(CPU_FLAGS & set(cpu.read_text(encoding="utf-8").split()))


def for_this_device(recipe: Recipe) -> Recipe:
    """The recipe, what it leaves to the device decided by the one in use."""
    if recipe.mixed_precision != AUTO:
        return recipe
    return replace(recipe, mixed_precision="on" if computes_in_bfloat16() else "off")


@contextmanager
def mixed_precision(on: bool) -> Iterator[None]:
    """Layers that are built meanwhile keep their weights in float32, and compute in bfloat16 where that is on."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16" if on else before)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)
