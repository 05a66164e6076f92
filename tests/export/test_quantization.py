"""Real conversions of small towers: what is in fewer bits, what is not, and how near the embeddings stay."""

from __future__ import annotations

import logging
from typing import Any

import keras
import numpy as np
import onnx
import onnxruntime
import pytest
from keras import layers, ops
from numpy.typing import NDArray
from onnx import TensorProto, numpy_helper

from artsim.errors import GateError
from artsim.export.convert import convert
from artsim.export.quantization import to_fp16, to_int8
from artsim.training.networks.backbones import build_backbone
from artsim.training.networks.towers import ChannelStatistics, Normalise, build_tower
from artsim.training.recipes import BackboneName

SIZE = 64


def pictures(count: int, size: int = SIZE, seed: int = 0) -> NDArray[np.uint8]:
    """Soft blots: neighbouring pixels are alike, as in a painting."""
    blots = np.random.default_rng(seed).integers(0, 256, (count, 4, 4, 3), dtype=np.uint8)
    return blots.repeat(size // 4, axis=1).repeat(size // 4, axis=2)


@pytest.fixture(scope="module")
def compact() -> onnx.ModelProto:
    keras.utils.set_random_seed(0)
    return convert(build_tower("compact", SIZE, 16))


def embeddings(proto: onnx.ModelProto, images: NDArray[np.uint8]) -> NDArray[np.float32]:
    session = onnxruntime.InferenceSession(proto.SerializeToString(), providers=["CPUExecutionProvider"])
    found = session.run(["embeddings"], {"images": images})[0]
    assert found.dtype == np.float32
    return np.asarray(found)


def weights(proto: onnx.ModelProto, layer: str) -> list[int]:
    """The types of the weights that nodes of a kind read, straight or through DequantizeLinear."""
    kinds = {tensor.name: tensor.data_type for tensor in proto.graph.initializer}
    for node in proto.graph.node:
        if node.op_type == "DequantizeLinear" and node.input[0] in kinds:
            kinds[node.output[0]] = kinds[node.input[0]]
    return [kinds[node.input[1]] for node in proto.graph.node if node.op_type == layer and node.input[1] in kinds]


def assert_same_contract(reduced: onnx.ModelProto, source: onnx.ModelProto) -> None:
    assert list(reduced.graph.input) == list(source.graph.input)
    assert list(reduced.graph.output) == list(source.graph.output)


def test_fp16_has_its_convolutions_in_16_bits_and_the_head_in_32(compact: onnx.ModelProto) -> None:
    half = to_fp16(compact)
    assert_same_contract(half, compact)
    assert set(weights(half, "Conv")) == {TensorProto.FLOAT16}
    assert weights(half, "MatMul") == [TensorProto.FLOAT]
    assert half.ByteSize() < 0.6 * compact.ByteSize()
    apart = np.abs(embeddings(half, pictures(5)) - embeddings(compact, pictures(5)))
    assert 0 < apart.max() < 0.005  # of vectors of length 1


def test_int8_has_its_convolutions_in_8_bits_by_channel_and_the_head_in_32(compact: onnx.ModelProto) -> None:
    reduced = to_int8(compact, pictures(20, seed=1))
    assert_same_contract(reduced, compact)
    assert set(weights(reduced, "Conv")) == {TensorProto.INT8}
    assert weights(reduced, "MatMul") == [TensorProto.FLOAT]
    kernels = [numpy_helper.to_array(each) for each in reduced.graph.initializer if each.data_type == TensorProto.INT8]
    assert max(int(np.abs(kernel.astype(int)).max()) for kernel in kernels) <= 64, "products of 8 bits may saturate"
    scales = [each for each in reduced.graph.initializer if each.name.endswith("_scale") and list(each.dims) == [192]]
    assert scales, "no kernel of 192 channels has a scale for each"
    apart = np.abs(embeddings(reduced, pictures(5)) - embeddings(compact, pictures(5)))
    assert 0 < apart.max() < 0.1


def test_reduction_leaves_the_source_graph_unchanged(compact: onnx.ModelProto) -> None:
    before = compact.SerializeToString(deterministic=True)
    to_fp16(compact)
    to_int8(compact, pictures(2))
    assert compact.SerializeToString(deterministic=True) == before


def test_int8_takes_its_ranges_from_the_paintings(compact: onnx.ModelProto) -> None:
    source = embeddings(compact, pictures(5))
    good, bad = (to_int8(compact, paintings) for paintings in (pictures(20, seed=1), np.full_like(pictures(20), 128)))
    off = [np.abs(embeddings(reduced, pictures(5)) - source).mean() for reduced in (good, bad)]
    assert off[1] > 5 * off[0]


def test_int8_quantizes_after_batch_norm_and_relu6() -> None:
    """Of channels of very different sizes the norm makes ones of the same: in 8 bits before it, the small are lost."""
    keras.utils.set_random_seed(0)
    images = keras.Input((SIZE, SIZE, 3), dtype="uint8")
    x = layers.Conv2D(8, 3, use_bias=False)(layers.Rescaling(1 / 255)(images))
    norm = layers.BatchNormalization()
    x = layers.ReLU(6.0)(norm(layers.DepthwiseConv2D(3, use_bias=False)(x)))
    x = layers.ReLU(6.0)(layers.Conv2D(8, 1)(x))
    tower = keras.Model(images, Normalise()(layers.Dense(4, use_bias=False)(layers.GlobalAveragePooling2D()(x))))
    norm.moving_variance.assign(10.0 ** np.arange(-6, 2))
    proto = convert(tower)
    reduced = to_int8(proto, pictures(20, seed=1))
    after = {node.input[0]: node.op_type for node in reduced.graph.node}
    assert {after[node.output[0]] for node in reduced.graph.node if node.op_type == "Conv"} == {"QuantizeLinear"}
    operators = [node.op_type for node in reduced.graph.node]
    assert operators.count("Clip") == 1  # of the last layer, which stays in float32
    np.testing.assert_allclose(embeddings(reduced, pictures(5)), embeddings(proto, pictures(5)), atol=0.05)


class LargeNorm(layers.Layer):  # type: ignore[misc]
    """Divides by the root of the mean square over channels: in 16 bits the square of 300 is infinite."""

    def call(self, x: Any) -> Any:
        return x / ops.sqrt(ops.mean(ops.square(x), axis=-1, keepdims=True) + 1e-6)


def test_squares_do_not_overflow_in_fp16_before_or_after_the_last_layer() -> None:
    keras.utils.set_random_seed(0)
    images = keras.Input((SIZE, SIZE, 3), dtype="uint8")
    x = layers.Conv2D(8, 3, strides=2, use_bias=False)(layers.Rescaling(10.0)(images))
    x = layers.Conv2D(8, 3, use_bias=False)(LargeNorm()(x))
    x = ChannelStatistics()(layers.Rescaling(2000.0)(x), ops.ones_like(x[..., :1]))
    tower = keras.Model(images, Normalise()(layers.Dense(4, use_bias=False)(x)))
    proto = convert(tower)
    found, source = embeddings(to_fp16(proto), pictures(5)), embeddings(proto, pictures(5))
    np.testing.assert_allclose(found, source, atol=0.01)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "size"),
    [
        ("mobilenet", 64),
        ("efficientnetv2-b0", 64),
        ("convnext-tiny", 64),
        ("dinov2-small", 56),
    ],
)
def test_towers_on_backbones_convert(name: BackboneName, size: int) -> None:
    keras.utils.set_random_seed(0)
    images = keras.Input((size, size, 3), dtype="uint8")
    maps = build_backbone(name, size, "none")(layers.Rescaling(1.0)(images))
    pooled = [ChannelStatistics()(each, ops.ones_like(each[..., :1])) for each in maps]
    head = layers.Dense(16, use_bias=False)(layers.BatchNormalization()(layers.Concatenate()(pooled)))
    proto = convert(keras.Model(images, Normalise()(head)))
    source = embeddings(proto, pictures(5, size))
    np.testing.assert_allclose(embeddings(to_fp16(proto), pictures(5, size)), source, atol=0.02)
    reduced = to_int8(proto, pictures(20, size, seed=1))
    assert np.abs(embeddings(reduced, pictures(5, size)) - source).mean() < 0.1
    assert reduced.ByteSize() < 0.4 * proto.ByteSize()


def test_conversions_write_nothing_and_leave_logging_unchanged(
    compact: onnx.ModelProto, capfd: pytest.CaptureFixture[str]
) -> None:
    before = list(logging.root.handlers), logging.root.manager.disable
    to_fp16(compact)
    to_int8(compact, pictures(2))
    assert (list(logging.root.handlers), logging.root.manager.disable) == before
    assert capfd.readouterr() == ("", "")


def test_a_graph_that_does_not_convert_is_refused() -> None:
    graph = onnx.helper.make_graph([onnx.helper.make_node("Nothing", ["images"], ["embeddings"])], "broken", [], [])
    broken = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)])
    with pytest.raises(GateError, match="--precision fp16: the tower does not convert"):
        to_fp16(broken)
    with pytest.raises(GateError, match="--precision int8: the tower does not convert"):
        to_int8(broken, pictures(1))
