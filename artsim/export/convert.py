"""Conversion of a Keras tower to an ONNX graph of artsim's contract, and the comparison of both."""

from __future__ import annotations

import gc
import logging
import math
from collections.abc import Iterator
from contextlib import contextmanager
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
from artsim.export.canonical import make_canonical
from artsim.files import replacing
from artsim.scoring.contract import INPUT_NAME, METADATA_KEY, OUTPUT_NAME, Card, DistanceName
from artsim.scoring.distance import pair_distances

# tf2onnx 1.17 goes up to 18. In 17 it keeps global average pooling one operator, in 18 it makes two of it.
OPSET = 17
LARGE_KERNEL = 2**18  # numbers of a kernel that tf2onnx does not copy; a setting
# Relative to the largest value in an embedding, or to 1 if that is larger. Correct exports differ by about 5e-7.
TOLERANCE = 1e-5


@dataclass(frozen=True)
class ExportCheck:
    """The largest differences between TensorFlow and onnxruntime: in a value of an embedding, in a distance."""

    images: int
    embedding: float
    distance: float
    tolerance: float


def convert(tower: keras.Model) -> onnx.ModelProto:
    """The graph of a tower: `images` uint8 (batch, S, S, 3) -> `embeddings` float32 (batch, D).

    Raises:
        GateError: ONNX has no counterpart of one of its operations.
    """
    logging.getLogger("tf2onnx").setLevel(logging.CRITICAL)  # errors are raised below
    kernels = {f"kernel_{number}": kernel for number, kernel in enumerate(_large_kernels(tower))}
    signature = [tf.TensorSpec((None, *tower.input_shape[1:]), tf.uint8, name=INPUT_NAME)]
    signature += [tf.TensorSpec(kernel.shape, tf.float32, name=name) for name, kernel in kernels.items()]
    given = {id(kernel): number for number, kernel in enumerate(kernels.values())}

    @tf.function(input_signature=signature)
    def embed(images: Any, *inputs: Any) -> Any:
        trained, fixed = (
            [inputs[given[id(variable)]] if id(variable) in given else variable.value for variable in variables]
            for variables in (tower.trainable_variables, tower.non_trainable_variables)
        )
        embeddings, _ = tower.stateless_call(trained, fixed, images, training=False)
        return tf.identity(embeddings, name=OUTPUT_NAME)

    # Without freezing, tf2onnx makes an input of the graph from each plain tensor that a layer holds.
    frozen = convert_variables_to_constants_v2(embed.get_concrete_function())
    whole = tf.function(lambda *inputs: frozen(*inputs), input_signature=signature)
    with collecting_often():
        proto, _ = tf2onnx.convert.from_function(whole, input_signature=signature, opset=OPSET)
    _fill_in(proto, {name: kernel.numpy() for name, kernel in kernels.items()})
    _check_operators(proto)
    _rename_output(proto, OUTPUT_NAME)
    for value in (proto.graph.input[0], proto.graph.output[0]):
        value.type.tensor_type.shape.dim[0].dim_param = "batch"
    proto.graph.output[0].type.tensor_type.shape.dim[1].dim_value = tower.output_shape[1]
    # The inner shapes have a number in place of the free dimension. The checker infers them again.
    del proto.graph.value_info[:]
    try:
        onnx.checker.check_model(proto, full_check=True)
    except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as error:
        reason = str(error).splitlines()[0]
        raise GateError(f"The exported graph is not valid ONNX: {reason}. No tower is written.") from error
    return cast(onnx.ModelProto, proto)


def _large_kernels(model: keras.Model) -> list[keras.Variable]:
    """The large kernels of the dense layers that take vectors, in a model and in the models inside it.

    A head has most of a tower's weights in a few of them. tf2onnx optimizes them in no way, but copies them
    many times. So they are inputs of the graph that it converts.
    """
    found: list[keras.Variable] = []
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            found += _large_kernels(layer)
        elif isinstance(layer, keras.layers.Dense) and len(layer.input.shape) == 2:
            found += [layer.kernel] if math.prod(layer.kernel.shape) >= LARGE_KERNEL else []
    return found


def _fill_in(proto: onnx.ModelProto, kernels: dict[str, NDArray[np.float32]]) -> None:
    """Make weights of the inputs that stand for kernels."""
    images = [value for value in proto.graph.input if value.name not in kernels]
    del proto.graph.input[:]
    proto.graph.input.extend(images)
    proto.graph.initializer.extend(onnx.numpy_helper.from_array(kernel, name) for name, kernel in kernels.items())


@contextmanager
def collecting_often() -> Iterator[None]:
    """Collect garbage more often than usual.

    Each of tf2onnx's optimizers copies the whole graph, weights included. The copies refer to themselves, so only the
    garbage collector frees them. They are few objects, so it comes late: a tower of 48 MB took 4 GB. It also comes late
    if the last collection left many objects. After a training there are many, so a collection of the few that are not
    frozen follows: without it, a former tower of 90 MB took 0.9 GB more.
    """
    gc.collect()
    gc.freeze()  # what is alive need not be looked at again
    gc.collect()
    thresholds = gc.get_threshold()
    gc.set_threshold(thresholds[0], 1, 1)
    try:
        yield
    finally:
        gc.set_threshold(*thresholds)
        gc.unfreeze()


@tf_op("Erfc")
class _Erfc:
    """erfc(x) = 1 - erf(x). TensorFlow 2.21 computes the exact GELU by Erfc; tf2onnx 1.17 converts Erf only."""

    @classmethod
    def version_9(cls, ctx: Any, node: Any, **_: Any) -> None:
        dtype, shape = ctx.get_dtype(node.output[0]), ctx.get_shape(node.output[0])
        one = ctx.make_const(make_name("one"), np.ones((), map_onnx_to_numpy_type(dtype)))
        erf = ctx.make_node("Erf", [node.input[0]], shapes=[shape], dtypes=[dtype])
        ctx.remove_node(node.name)
        ctx.make_node("Sub", [one.output[0], erf.output[0]], outputs=node.output, shapes=[shape], dtypes=[dtype])


def _check_operators(proto: onnx.ModelProto) -> None:
    """tf2onnx copies an operation that it cannot convert into the graph, and reports no error."""
    unknown = {node.op_type for node in proto.graph.node if node.domain or not onnx.defs.has(node.op_type, OPSET, "")}
    if unknown:
        raise GateError(
            f"The tower uses {', '.join(sorted(unknown))}, which ONNX opset {OPSET} does not have. No tower is written."
        )


def _rename_output(proto: onnx.ModelProto, name: str) -> None:
    old = proto.graph.output[0].name
    for node in proto.graph.node:
        node.output[:] = [name if output == old else output for output in node.output]
        node.input[:] = [name if value == old else value for value in node.input]
    proto.graph.output[0].name = name


def compare(tensorflow: NDArray[np.float32], onnxruntime: NDArray[np.float32], distance: DistanceName) -> ExportCheck:
    """Compare the embeddings (N, D) of source and export, and the distances of all their pairs.

    Raises:
        GateError: the shapes differ, a value is not finite, or a difference exceeds the tolerance.
    """
    if tensorflow.shape != onnxruntime.shape:
        raise GateError(f"The export gives embeddings of shape {onnxruntime.shape}, TensorFlow of {tensorflow.shape}.")
    first, second = np.triu_indices(len(tensorflow), k=1)
    distances = [pair_distances(vectors, first, second, distance) for vectors in (tensorflow, onnxruntime)]
    check = ExportCheck(
        images=len(tensorflow),
        embedding=float(np.abs(tensorflow - onnxruntime).max(initial=0.0)),
        distance=float(np.abs(distances[0] - distances[1]).max(initial=0.0)),
        tolerance=TOLERANCE * max(1.0, float(np.abs(tensorflow).max(initial=0.0))),
    )
    # `not <=` also fails a NaN.
    if not (check.embedding <= check.tolerance and check.distance <= check.tolerance):
        raise GateError(
            f"The exported tower differs from its source by {check.embedding:.3g} in an embedding and by "
            f"{check.distance:.3g} in a distance, more than the tolerance {check.tolerance:.3g}. No tower is written."
        )
    return check


def write(proto: onnx.ModelProto, card: Card, path: Path) -> None:
    """Write the graph with its card, in canonical order: one training gives one file.

    Raises:
        OutputError: the file cannot be written.
    """
    make_canonical(proto.graph)
    proto.producer_name = "artsim"
    proto.producer_version = card.artsim_version
    onnx.helper.set_model_props(proto, {METADATA_KEY: card.to_json()})
    with replacing(path, "wb") as file:
        file.write(proto.SerializeToString())
