"""A float32 graph in reduced precision: fp16, or int8 with ranges measured on paintings.

All operations after the network's last convolution stay in float32: masks, pooled means and deviations, the matrix that
gives the embedding, and its normalisation. There are three reasons. A variance is a small difference of large squares,
which overflows in 16 bits and is lost in 8. Pooled statistics of different depths differ in size, so one scale of 8
bits is too coarse. An error there reaches the embedding directly; errors of earlier layers average out over a map.
These operations take almost no time: the convolutions and the matrices between them take most.
"""

from __future__ import annotations

import io
import logging
import re
import tempfile
import warnings
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.onnx_model import ONNXModel
from onnxruntime.transformers.float16 import DEFAULT_OP_BLOCK_LIST, convert_float_to_float16

from artsim.errors import GateError
from artsim.scoring.contract import INPUT_NAME
from artsim.training.networks.heads import HEAD

LAYERS = ("Conv", "Gemm", "MatMul")  # most of the time goes here; elsewhere reduced precision gains nothing
CUT_OFF = ("Clip", "Relu")  # after a layer, they bound the range that 8 bits cover
# Sums over many values and operations on them. Here, and in squares, 16 bits overflow or underflow.
SENSITIVE = ("Pow", "Reciprocal", "ReduceL2", "ReduceMean", "ReduceSum", "ReduceSumSquare", "Softmax", "Sqrt")
CALIBRATION_BATCH = 16  # bounds the memory: the calibration keeps every layer's output of a batch
_IN_HEAD = re.compile(rf"/{HEAD}(_\d+)?/")


def to_fp16(proto: onnx.ModelProto) -> onnx.ModelProto:
    """The graph with its layers and the operations between them in 16 bits; input and output keep their types.

    Raises:
        GateError: the graph does not convert.
    """
    with _conversion("fp16"):
        graph = onnx.shape_inference.infer_shapes(proto).graph
        named = _named(onnx.helper.make_model(graph, opset_imports=proto.opset_import, ir_version=proto.ir_version))
        kept = _after_last_layer(named.graph) | {
            node.name
            for node in named.graph.node
            if node.op_type in (*SENSITIVE, *DEFAULT_OP_BLOCK_LIST) or _is_square(node)
        }
        _hide(named.graph, kept)
        half = convert_float_to_float16(named, node_block_list=sorted(kept), disable_shape_infer=True)
        half.graph.output[0].type.tensor_type.elem_type = onnx.TensorProto.FLOAT
        _drop_repeated(half.graph)
        return _checked(half)


def to_int8(proto: onnx.ModelProto, paintings: NDArray[np.uint8]) -> onnx.ModelProto:
    """The graph with its layers in 8 bits (QDQ): weights by channel, activations by their range over some paintings.

    The range reaches from the smallest to the largest value. In measurements, clipping it (by entropy, at a percentile)
    lost more than it gained. Weights have 7 bits, as products of 8 bits saturate on processors without VNNI. The loss
    measured here would not hold there.

    Args:
        proto: the graph in float32.
        paintings: uint8 (N, S, S, 3), from the training works.

    Raises:
        GateError: the graph does not convert.
    """
    with _conversion("int8"), tempfile.TemporaryDirectory(prefix="artsim-") as name:
        prepared, quantised = (Path(name) / f"{stage}.onnx" for stage in ("prepared", "quantised"))
        named = _named(_fused(proto, prepared))
        onnx.save(named, str(prepared))
        quantize_static(
            prepared,
            quantised,
            _Paintings(paintings),
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=[*LAYERS, *CUT_OFF],
            nodes_to_exclude=sorted(_after_last_layer(named.graph)),
            per_channel=True,
            reduce_range=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            extra_options={"MatMulConstBOnly": True},  # products of two activations, as in attention, stay in float32
        )
        return _checked(onnx.load(quantised))


def _fused(proto: onnx.ModelProto, path: Path) -> onnx.ModelProto:
    """The graph with each batch norm fused into the layer before it, in ONNX's own operators; `path` is a scratch file.

    onnxruntime 1.26 has `quant_pre_process` for this, but it does not work here. It infers symbolic shapes first, which
    fails for DINOv2. With `skip_symbolic_shape` it returns the graph unchanged.
    """
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.optimized_model_filepath = str(path)
    options.log_severity_level = 3  # no warning that the graph fits this machine only: at this level it fits all
    onnxruntime.InferenceSession(proto.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return onnx.shape_inference.infer_shapes(onnx.load(path))


class _Paintings(CalibrationDataReader):
    """Batches of paintings for the calibration."""

    def __init__(self, paintings: NDArray[np.uint8]) -> None:
        starts = range(0, len(paintings), CALIBRATION_BATCH)
        self._batches = ({INPUT_NAME: np.array(paintings[start : start + CALIBRATION_BATCH])} for start in starts)

    def get_next(self) -> dict[str, NDArray[np.uint8]] | None:
        return next(self._batches, None)


def _after_last_layer(graph: onnx.GraphProto) -> set[str]:
    """The last layer, which gives the embedding, and all nodes that lead to no other layer.

    All layers of a head on a pretrained network's features count as the last layer.
    """
    readers = _readers(graph)
    weights = {tensor.name for tensor in graph.initializer}

    def leads_to(layers: set[str]) -> set[str]:
        found: set[str] = set()
        for node in reversed(graph.node):
            after = {reader.name for output in node.output for reader in readers[output]}
            if after & (found | layers):
                found.add(node.name)
        return found

    layers = {node.name for node in graph.node if node.op_type in LAYERS and weights & set(node.input)}
    head = {node.name for node in graph.node if _IN_HEAD.search(node.output[0])}  # fusing may have renamed the node
    last = layers - leads_to(layers) | layers & head
    body = layers - last
    return {node.name for node in graph.node} - body - leads_to(body)


def _readers(graph: onnx.GraphProto) -> dict[str, list[onnx.NodeProto]]:
    readers: dict[str, list[onnx.NodeProto]] = defaultdict(list)
    for node in graph.node:
        for value in node.input:
            readers[value].append(node)
    return readers


def _is_square(node: onnx.NodeProto) -> bool:
    return node.op_type == "Mul" and node.input[0] == node.input[1]


def _named(proto: onnx.ModelProto) -> onnx.ModelProto:
    """A copy in which every node has a unique name; nodes are looked up by name."""
    copy = onnx.ModelProto()
    copy.CopyFrom(proto)
    for number, node in enumerate(copy.graph.node):
        node.name = f"{node.op_type}_{number}"
    return copy


def _hide(graph: onnx.GraphProto, kept: set[str]) -> None:
    """Remove the type notes of values that only float32 nodes write and read.

    The float16 converter of onnxruntime 1.26 casts every value with a known type to 16 bits and back, also between two
    nodes of its block list.
    """
    readers = _readers(graph)
    within = {
        value
        for node in graph.node
        if node.name in kept
        for value in node.output
        if all(reader.name in kept for reader in readers[value])
    }
    known = [info for info in graph.value_info if info.name not in within]
    del graph.value_info[:]
    graph.value_info.extend(known)
    graph.output[0].type.tensor_type.elem_type = onnx.TensorProto.UNDEFINED


def _drop_repeated(graph: onnx.GraphProto) -> None:
    """Keep one of equal casts: onnxruntime 1.26 adds the same cast for each float32 node that reads a value."""
    once = list({node.output[0]: node for node in reversed(graph.node)}.values())  # sorted again by `_checked`
    del graph.node[:]
    graph.node.extend(once)


def _checked(proto: onnx.ModelProto) -> onnx.ModelProto:
    """The graph sorted, valid, and without notes of inner shapes, which no longer hold."""
    del proto.graph.value_info[:]
    ONNXModel(proto).topological_sort()
    onnx.checker.check_model(proto, full_check=True)
    return proto


@contextmanager
def _conversion(precision: str) -> Iterator[None]:
    """Report an error as artsim's own, and silence the progress and advice that the libraries print and log.

    Raises:
        GateError: the tower does not convert.
    """
    root, quiet, level = logging.getLogger(), logging.NullHandler(), logging.root.manager.disable
    root.addHandler(quiet)  # without a handler, logging adds one that writes to stderr
    logging.disable(logging.CRITICAL)
    try:
        with redirect_stdout(io.StringIO()), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except Exception as error:  # onnx and onnxruntime raise errors of many classes
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise GateError(
            f"--precision {precision}: the tower does not convert ({reason}). No tower is written. "
            "Use --precision fp32."
        ) from error
    finally:
        logging.disable(level)
        root.removeHandler(quiet)
