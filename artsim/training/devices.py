"""Which device a run trains on, chosen in one place and checked."""

from __future__ import annotations

import re

import tensorflow as tf

from artsim.errors import DeviceError, UsageError

AUTO = "auto"


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
