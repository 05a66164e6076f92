"""The device and the number format of a training run, chosen in one place and checked."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path

import keras
import tensorflow as tf

from artsim.errors import DeviceError, UsageError
from artsim.messages import counted
from artsim.training.recipes import Distribution, Recipe

AUTO = "auto"
CPU_FLAGS = {"avx512_bf16", "amx_bf16"}  # a CPU with either one multiplies in bfloat16
COMPUTE_CAPABILITY = (8, 0)  # of Ampere, the first NVIDIA GPUs that multiply in bfloat16


def use_device(device_id: str) -> str:
    """Make TensorFlow see one device only, and return its name.

    Args:
        device_id: `auto` (the first GPU, else the CPU), `/cpu:0` or `/gpu:N`.

    Raises:
        UsageError: `device_id` has another form.
        DeviceError: the device is not on this machine.
    """
    match = re.fullmatch(r"/?(?:device:)?(cpu|gpu):(\d+)", device_id.lower())
    if device_id.lower() != AUTO and not match:
        raise UsageError(f"--device-id {device_id}: not a device. Use auto, /cpu:0 or /gpu:N.")
    gpus = tf.config.list_physical_devices("GPU")
    kind, number = (match[1], int(match[2])) if match else ("gpu" if gpus else "cpu", 0)
    devices = gpus if kind == "gpu" else tf.config.list_physical_devices("CPU")
    if number >= len(devices):
        raise DeviceError(
            f"--device-id {device_id}: not found. TensorFlow finds the CPU and {counted(len(gpus), 'GPU')}. On Linux "
            'with an NVIDIA GPU, pip install "artsim[train-cuda]". Without one, leave the flag out.'
        )
    tf.config.set_visible_devices([devices[number]] if kind == "gpu" else [], "GPU")
    return f"/{kind}:{number}"


def use_devices(device_id: str, distribution: Distribution) -> tuple[str, Callable[[], AbstractContextManager[object]]]:
    """Choose the device, or all of them; return their name, and the scope in which networks are built and trained.

    Raises:
        UsageError, DeviceError: as `use_device` and `mirrored`.
    """
    if distribution == "none":
        return use_device(device_id), nullcontext
    strategy = mirrored(device_id)
    return f"{strategy.num_replicas_in_sync} devices", strategy.scope


def mirrored(device_id: str) -> tf.distribute.MirroredStrategy:
    """A strategy that trains on all GPUs, or on all logical CPU devices where there is no GPU.

    Networks are built and trained in its scope. This is how Keras 3 trains on several devices with TensorFlow; its own
    `keras.distribution` needs JAX.

    Raises:
        UsageError: `device_id` names one device.
        DeviceError: there is only one device.
    """
    if device_id.lower() != AUTO:
        raise UsageError(f"--device-id {device_id}: --distribution mirrored uses all devices. Leave one of them out.")
    devices = tf.config.list_logical_devices("GPU") or tf.config.list_logical_devices("CPU")
    if len(devices) < 2:
        kind = devices[0].device_type
        raise DeviceError(
            f"--distribution mirrored: TensorFlow finds one device only, a {kind}. It needs two GPUs. Leave the flag "
            "out."
        )
    return tf.distribute.MirroredStrategy([device.name for device in devices])


def computes_in_bfloat16() -> bool:
    """Whether the device in use multiplies in bfloat16. It is faster then (benchmarks/train_step.py)."""
    gpus = tf.config.get_visible_devices("GPU")
    if gpus:
        capability = tf.config.experimental.get_device_details(gpus[0]).get("compute_capability")
        return capability is not None and tuple(capability) >= COMPUTE_CAPABILITY
    cpu = Path("/proc/cpuinfo")
    return cpu.exists() and bool(CPU_FLAGS & set(cpu.read_text(encoding="utf-8").split()))


def for_this_device(recipe: Recipe) -> Recipe:
    """The recipe, with `mixed_precision` of `auto` set for the device in use."""
    if recipe.mixed_precision != AUTO:
        return recipe
    return replace(recipe, mixed_precision="on" if computes_in_bfloat16() else "off")


@contextmanager
def mixed_precision(on: bool) -> Iterator[None]:
    """Build layers in the block that compute in bfloat16, if `on`. Their weights stay in float32."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16" if on else before)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)
