"""A Keras tower becomes an ONNX graph of artsim's contract, and is compared with what it was made from."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import keras
import numpy as np
import onnx
import tensorflow as tf
import tf2onnx
from numpy.typing import NDArray
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2
from tf2onnx.handler import tf_op
from tf2onnx.utils import make_name, map_onnx_to_numpy_type

from artsim.errors import GateError
from artsim.files import replacing
from artsim.scoring.contract import INPUT_NAME, METADATA_KEY, OUTPUT_NAME, Card, DistanceName
from artsim.scoring.distance import pair_distances

# tf2onnx goes up to 18; 17 keeps global average pooling whole.
OPSET = 17
# Of the largest value in an embedding, or of 1 where that is smaller; float32 on both sides differs by about 5e-7.
TOLERANCE = 1e-5


@dataclass(frozen=True)
class ExportCheck:
    """The largest differences between TensorFlow and onnxruntime: of an embedding's value, of any pair's distance."""

    images: int
    embedding: float
    distance: float
    tolerance: float


def convert(tower: keras.Model) -> onnx.ModelProto:
    """The graph of a tower: `images` uint8 (batch, S, S, 3) -> `embeddings` float32 (batch, D).

    Raises:
        GateError: an operation of it has no counterpart in ONNX.
    """
    logging.getLogger("tf2onnx").setLevel(logging.CRITICAL)  # what it logs as an error is found here
    size, width = tower.input_shape[1], tower.output_shape[1]
    signature = [tf.TensorSpec((None, size, size, 3), tf.uint8, name=INPUT_NAME)]

    @tf.function(input_signature=signature)
    def embed(images: Any) -> Any:
        return tf.identity(tower(images, training=False), name=OUTPUT_NAME)

    # What a layer holds as a plain tensor is an input of its function, and tf2onnx would make it one of the graph.
    frozen = convert_variables_to_constants_v2(embed.get_concrete_function())
    whole = tf.function(lambda images: frozen(images), input_signature=signature)
    proto, _ = tf2onnx.convert.from_function(whole, input_signature=signature, opset=OPSET)
    _check_operators(proto)
    _rename_output(proto, OUTPUT_NAME)
    _shape(proto.graph.input[0], ["batch", size, size, 3])
    _shape(proto.graph.output[0], ["batch", width])
    # Inner shapes, where known, name the free dimension by a number; the checker finds them anew.
    del proto.graph.value_info[:]
    try:
        onnx.checker.check_model(proto, full_check=True)
    except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as error:
        raise GateError(f"the exported graph is not valid ONNX ({str(error).splitlines()[0]}): not written.") from error
    return cast(onnx.ModelProto, proto)


@tf_op("Erfc")
class _Erfc:
    """erfc(x) = 1 - erf(x), of which TensorFlow makes the exact GELU; tf2onnx knows erf only."""

    @classmethod
    def version_9(cls, ctx: Any, node: Any, **_: Any) -> None:
        dtype, shape = ctx.get_dtype(node.output[0]), ctx.get_shape(node.output[0])
        one = ctx.make_const(make_name("one"), np.ones((), map_onnx_to_numpy_type(dtype)))
        erf = ctx.make_node("Erf", [node.input[0]], shapes=[shape], dtypes=[dtype])
        ctx.remove_node(node.name)
        ctx.make_node("Sub", [one.output[0], erf.output[0]], outputs=node.output, shapes=[shape], dtypes=[dtype])


def _check_operators(proto: onnx.ModelProto) -> None:
    """tf2onnx passes on what it can't convert, and returns as if it had."""
    unknown = {node.op_type for node in proto.graph.node if node.domain or not onnx.defs.has(node.op_type, OPSET, "")}
    if unknown:
        raise GateError(
            f"the tower computes {', '.join(sorted(unknown))}, which ONNX {OPSET} does not have: not written."
        )


def _rename_output(proto: onnx.ModelProto, name: str) -> None:
    old = proto.graph.output[0].name
    for node in proto.graph.node:
        node.output[:] = [name if output == old else output for output in node.output]
        node.input[:] = [name if value == old else value for value in node.input]
    proto.graph.output[0].name = name


def _shape(value: Any, dimensions: list[str | int]) -> None:
    for slot, dimension in zip(value.type.tensor_type.shape.dim, dimensions, strict=True):
        if isinstance(dimension, str):
            slot.dim_param = dimension
        else:
            slot.dim_value = dimension


def compare(tensorflow: NDArray[np.float32], onnxruntime: NDArray[np.float32], distance: DistanceName) -> ExportCheck:
    """Hold the exported graph's embeddings (N, D) to the source model's, and the distances of all their pairs.

    Raises:
        GateError: of another shape, not finite, or farther apart than the tolerance.
    """
    if tensorflow.shape != onnxruntime.shape:
        raise GateError(f"the export gives embeddings of shape {onnxruntime.shape}, TensorFlow {tensorflow.shape}.")
    first, second = np.triu_indices(len(tensorflow), k=1)
    apart = [pair_distances(vectors, first, second, distance) for vectors in (tensorflow, onnxruntime)]
    check = ExportCheck(
        images=len(tensorflow),
        embedding=float(np.abs(tensorflow - onnxruntime).max(initial=0.0)),
        distance=float(np.abs(apart[0] - apart[1]).max(initial=0.0)),
        tolerance=TOLERANCE * max(1.0, float(np.abs(tensorflow).max(initial=0.0))),
    )
    # Written so that a difference which is not a number fails, too.
    if not (check.embedding <= check.tolerance and check.distance <= check.tolerance):
        raise GateError(
            f"the exported tower differs from its source by {check.embedding:.3g} in an embedding and by "
            f"{check.distance:.3g} in a distance, more than the tolerance {check.tolerance:.3g}: not written."
        )
    return check


def write(proto: onnx.ModelProto, card: Card, path: Path) -> None:
    """Write the graph with its card.

    Raises:
        OutputError: it can't be written.
    """
    proto.producer_name = "artsim"
    proto.producer_version = card.artsim_version
    onnx.helper.set_model_props(proto, {METADATA_KEY: card.to_json()})
    with replacing(path, "wb") as file:
        file.write(proto.SerializeToString())
