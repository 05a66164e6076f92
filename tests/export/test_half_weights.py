"""Weights stored in 16 bits: what the file and its embeddings become, and which weights are refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, numpy_helper

from artsim.errors import GateError
from artsim.export.half_weights import LEAST_VALUES, STORED, to_half_weights
from artsim.scoring.contract import INPUT_NAME, OUTPUT_NAME
from tests.towers import SIZE, write_tower

WIDE = 512  # so that the weights are most of the file


@pytest.fixture
def full(tmp_path: Path) -> onnx.ModelProto:
    return onnx.load(write_tower(tmp_path / "tower.onnx", width=WIDE))


def arrays(proto: onnx.ModelProto) -> dict[str, NDArray[np.float32]]:
    return {array.name: numpy_helper.to_array(array) for array in proto.graph.initializer}


def embeddings(proto: onnx.ModelProto) -> NDArray[np.float32]:
    images = np.random.default_rng(0).integers(0, 256, (4, SIZE, SIZE, 3), dtype=np.uint8)
    session = onnxruntime.InferenceSession(proto.SerializeToString(), providers=["CPUExecutionProvider"])
    (found,) = session.run([OUTPUT_NAME], {INPUT_NAME: images})
    return np.asarray(found)


def test_the_file_is_half_the_size_and_embeddings_change_by_rounding_alone(full: onnx.ModelProto) -> None:
    half = to_half_weights(full)
    assert half.ByteSize() < 0.55 * full.ByteSize()
    before, after = embeddings(full), embeddings(half)
    assert after.dtype == np.float32
    # float16 has 11 bits, and each value sums 48 products of about 1.
    np.testing.assert_allclose(after, before, atol=1e-2)
    assert (after != before).any()


def test_input_output_and_metadata_stay(full: onnx.ModelProto) -> None:
    half = to_half_weights(full)
    assert list(half.graph.input) == list(full.graph.input)
    assert list(half.graph.output) == list(full.graph.output)
    assert list(half.metadata_props) == list(full.metadata_props)
    assert list(half.opset_import) == list(full.opset_import)


def test_only_large_arrays_are_stored_in_16_bits_and_the_source_stays(full: onnx.ModelProto) -> None:
    before = full.SerializeToString()
    half = to_half_weights(full)
    assert full.SerializeToString() == before
    weights = arrays(full)["weights"]
    assert weights.size >= LEAST_VALUES
    assert arrays(half).keys() == {"scale", f"weights{STORED}"}
    np.testing.assert_array_equal(arrays(half)[f"weights{STORED}"], weights.astype(np.float16))
    assert arrays(half)["scale"].dtype == np.float32


def test_onnxruntime_casts_the_weights_once_when_it_opens_the_file(full: onnx.ModelProto, tmp_path: Path) -> None:
    options = onnxruntime.SessionOptions()
    options.optimized_model_filepath = str(tmp_path / "optimized.onnx")
    options.log_severity_level = 4
    onnxruntime.InferenceSession(to_half_weights(full).SerializeToString(), options, providers=["CPUExecutionProvider"])
    optimized = onnx.load(tmp_path / "optimized.onnx")
    assert [array.data_type for array in optimized.graph.initializer if array.dims] == [TensorProto.FLOAT]
    (cast,) = (node for node in optimized.graph.node if node.op_type == "Cast")
    assert cast.input[0] == INPUT_NAME  # the pixels; there is no cast of weights


@pytest.mark.parametrize("value", [65536.0, -1e30, float("inf"), float("nan")])
def test_weights_that_16_bits_cannot_hold_are_refused(full: onnx.ModelProto, value: float) -> None:
    weights = next(array for array in full.graph.initializer if array.name == "weights")
    values = numpy_helper.to_array(weights).copy()
    values[3, 5] = value
    weights.CopyFrom(numpy_helper.from_array(values, "weights"))
    with pytest.raises(GateError, match=r"--precision fp16-weights: .*weights.* Use fp32"):
        to_half_weights(full)


def test_the_largest_number_of_16_bits_is_kept(full: onnx.ModelProto) -> None:
    weights = next(array for array in full.graph.initializer if array.name == "weights")
    values = numpy_helper.to_array(weights).copy()
    values[3, 5] = np.finfo(np.float16).max
    weights.CopyFrom(numpy_helper.from_array(values, "weights"))
    assert arrays(to_half_weights(full))[f"weights{STORED}"][3, 5] == np.finfo(np.float16).max
