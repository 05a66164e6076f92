"""A float32 graph in fewer bits: fp16, or int8 with its ranges taken from paintings.

What comes after the last convolution of the network stays in float32: masks, pooled means and deviations, the matrix
that gives the embedding, its normalisation. A variance is a small difference of large squares, which overflows in 16
bits and drowns in 8; pooled statistics of different depths have different sizes, for which one scale of 8 bits is too
coarse; and an error there reaches the embedding as it is, while those of the layers before average out over a map.
It costs nothing: the time goes into the convolutions and the matrices between them.
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

LAYERS = ("Conv", "Gemm", "MatMul")  # what computes: elsewhere fewer bits gain nothing
CUT_OFF = ("Clip", "Relu")  # after a layer: what they let through is the range that 8 bits have to cover
# Sums over many values, and what is made of them; with squares, the places where 16 bits overflow or run out.
SENSITIVE = ("Pow", "Reciprocal", "ReduceL2", "ReduceMean", "ReduceSum", "ReduceSumSquare", "Softmax", "Sqrt")
CALIBRATION_BATCH = 16
_IN_HEAD = re.compile(rf"/{HEAD}(_\d+)?/")


def to_fp16(proto: onnx.ModelProto) -> onnx.ModelProto:
    """The graph with its layers, and what lies between them, in 16 bits; input and output keep their types.

    Raises:
        GateError: it does not convert.
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

    The range is from the smallest to the largest value: by measurement, cutting it off (by entropy, at a percentile)
    loses more than it gains. Weights have 7 bits, since on processors without VNNI products of 8 saturate, and the loss
    measured here would not hold there.

    Args:
        proto: the graph in float32.
        paintings: uint8 (N, S, S, 3), of those it was trained on.

    Raises:
        GateError: it does not convert.
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
    """The graph with layers and the batch norms after them in one, still of ONNX's own operators; `path` is for itself.

    onnxruntime's `quant_pre_process` (1.26) is no way to it: it infers symbolic shapes first, which fails for DINOv2,
    and told to skip that it returns the graph as it was.
    """
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.optimized_model_filepath = str(path)
    options.log_severity_level = 3  # it warns that an optimised graph is for one machine, which at this level it is not
    onnxruntime.InferenceSession(proto.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return onnx.shape_inference.infer_shapes(onnx.load(path))


class _Paintings(CalibrationDataReader):
    """Batches of paintings, in the form that the calibration asks for them."""

    def __init__(self, paintings: NDArray[np.uint8]) -> None:
        starts = range(0, len(paintings), CALIBRATION_BATCH)
        self._batches = ({INPUT_NAME: np.array(paintings[start : start + CALIBRATION_BATCH])} for start in starts)

    def get_next(self) -> dict[str, NDArray[np.uint8]] | None:
        return next(self._batches, None)


def _after_last_layer(graph: onnx.GraphProto) -> set[str]:
    """The nodes from which no layer is reached but the last one, which gives the embedding; and that one.

    All layers of a head on a pretrained network's features count as the last one.
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
    head = {node.name for node in graph.node if _IN_HEAD.search(node.output[0])}  # its own name may be another by now
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
    """A copy in which every node has a name of its own: nodes are told apart by it."""
    copy = onnx.ModelProto()
    copy.CopyFrom(proto)
    for number, node in enumerate(copy.graph.node):
        node.name = f"{node.op_type}_{number}"
    return copy


def _hide(graph: onnx.GraphProto, kept: set[str]) -> None:
    """Keep from the converter the type of what only float32 nodes read and write.

    It would pass every value that it knows of through 16 bits, also between two nodes that it was told to leave alone.
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
    """The converter casts a value anew, under the same name, for each float32 node that reads it."""
    seen: set[str] = set()
    once = []
    for node in graph.node:
        if node.output[0] not in seen:
            once.append(node)
        seen.update(node.output)
    del graph.node[:]
    graph.node.extend(once)


def _checked(proto: onnx.ModelProto) -> onnx.ModelProto:
    """In the order that ONNX wants, whole, and without notes of the shapes inside, which no longer hold."""
    del proto.graph.value_info[:]
    ONNXModel(proto).topological_sort()
    onnx.checker.check_model(proto, full_check=True)
    return proto


@contextmanager
def _conversion(precision: str) -> Iterator[None]:
    """Say in our words what goes wrong, and nothing else: the libraries print and log their progress and advice.

    Raises:
        GateError: the tower does not convert.
    """
    root, quiet, level = logging.getLogger(), logging.NullHandler(), logging.root.manager.disable
    root.addHandler(quiet)  # without a handler, logging would give the root one that writes to stderr, and leave it
    logging.disable(logging.CRITICAL)
    try:
        with redirect_stdout(io.StringIO()), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except Exception as error:  # neither onnx nor onnxruntime have a class of their own
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise GateError(f"--precision {precision}: the tower does not convert ({reason}): not written.") from error
    finally:
        logging.disable(level)
        root.removeHandler(quiet)
