"""EfficientNet-Lite (Google 2020): float32 (N, S, S, 3) RGB in 0..255 -> feature maps (N, h, w, C) at several depths.

EfficientNet (Tan and Le 2019) without squeeze-and-excitation and with ReLU6 instead of swish, made for devices without
floating-point arithmetic. Lite1 and Lite2 are deeper, Lite2 is also wider. Weights trained on ImageNet come as state
dicts of torch (weight_packages.py). Layers have the names of their arrays there.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import keras
from keras import layers
from numpy.typing import NDArray

MEAN, SCALE = 127.0, 128.0  # the input is (x - MEAN) / SCALE
EPSILON = 1e-3  # of the batch norms
STEM = 32
# (repeats, side of the kernel, stride, expansion, channels) of each stage of Lite0
STAGES = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)
FIRST_STAGE_WITH_MAPS = 2  # counted from 0; the maps of the first two are large, and told artists apart no better
# (width, depth) of each size of the network, as factors of Lite0's
SIZES = {"efficientnet-lite0": (1.0, 1.0), "efficientnet-lite1": (1.0, 1.1), "efficientnet-lite2": (1.1, 1.2)}


@dataclass(frozen=True)
class _Block:
    """An inverted residual block (Sandler et al. 2018)."""

    number: int
    stage: int
    kernel: int
    stride: int
    expansion: int
    channels: int


def build_lite(name: str, image_size: int) -> keras.Model:
    """The network with random weights, up to its last block: (N, S, S, 3) in 0..255 -> the feature maps.

    Each block from the third stage on gives the output of its depthwise convolution. In probes, these maps carried
    nearly all that tells artists apart, and those of the last block of each stage alone lost 0.01 of AUC.
    """
    images = keras.Input((image_size, image_size, 3))
    x = layers.Rescaling(1 / SCALE, offset=-MEAN / SCALE)(images)
    x = _normalised(layers.Conv2D(STEM, 3, 2, padding="same", use_bias=False, name="_conv_stem")(x), "_bn0")
    maps = []
    for block in _blocks(*SIZES[name]):
        x, depthwise = _residual(x, block)
        if block.stage >= FIRST_STAGE_WITH_MAPS:
            maps.append(depthwise)
    return keras.Model(images, maps, name=name)


def load_state_dict(network: keras.Model, state: Mapping[str, NDArray[Any]]) -> None:
    """Fill a network with the arrays of a state dict. Arrays of later layers are ignored.

    Raises:
        KeyError, ValueError: an array is missing, or has another shape.
    """
    for layer in network.layers:
        if layer.weights:
            layer.set_weights(_of_layer(layer, state))


def _blocks(width: float, depth: float) -> Iterator[_Block]:
    """The blocks of all stages. The first and the last stage keep their depth in every variant."""
    number = 0
    for stage, (repeats, kernel, stride, expansion, channels) in enumerate(STAGES):
        is_scaled = 0 < stage < len(STAGES) - 1
        count = math.ceil(repeats * depth) if is_scaled else repeats
        for place in range(count):
            yield _Block(number, stage, kernel, stride if place == 0 else 1, expansion, _scaled(channels, width))
            number += 1


def _scaled(channels: int, width: float) -> int:
    """Channels times the width, rounded to a multiple of 8, as in EfficientNet."""
    scaled = channels * width
    rounded = max(8, int(scaled + 4) // 8 * 8)
    return rounded + 8 if rounded < 0.9 * scaled else rounded


def _residual(x: keras.KerasTensor, block: _Block) -> tuple[keras.KerasTensor, keras.KerasTensor]:
    """The output of a block, and the map after its depthwise convolution."""
    name, shortcut = f"_blocks.{block.number}.", x
    if block.expansion > 1:
        expanded = block.expansion * x.shape[-1]
        x = layers.Conv2D(expanded, 1, padding="same", use_bias=False, name=f"{name}_expand_conv")(x)
        x = _normalised(x, f"{name}_bn0")
    x = layers.DepthwiseConv2D(
        block.kernel, block.stride, padding="same", use_bias=False, name=f"{name}_depthwise_conv"
    )(x)
    depthwise = _normalised(x, f"{name}_bn1")
    x = layers.Conv2D(block.channels, 1, padding="same", use_bias=False, name=f"{name}_project_conv")(depthwise)
    x = _normalised(x, f"{name}_bn2", activated=False)
    return layers.Add()([x, shortcut]) if x.shape == shortcut.shape else x, depthwise


def _normalised(x: keras.KerasTensor, name: str, *, activated: bool = True) -> keras.KerasTensor:
    x = layers.BatchNormalization(epsilon=EPSILON, name=name)(x)
    return layers.ReLU(6.0)(x) if activated else x


def _of_layer(layer: keras.Layer, state: Mapping[str, NDArray[Any]]) -> list[NDArray[Any]]:
    """The weights of a layer in Keras's order and layout."""
    if isinstance(layer, layers.BatchNormalization):
        return [state[f"{layer.name}.{part}"] for part in ("weight", "bias", "running_mean", "running_var")]
    kernel = state[f"{layer.name}.weight"]  # (out, in, h, w); depthwise (channels, 1, h, w)
    order = (2, 3, 0, 1) if isinstance(layer, layers.DepthwiseConv2D) else (2, 3, 1, 0)
    return [kernel.transpose(order)]
