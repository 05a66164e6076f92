"""Towers as a stranger could make them: good towers with one thing changed."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from tests.towers import write_tower

OTHER_FILE = "id_rsa"
Change = Callable[[onnx.ModelProto], None]


def changed(path: Path, change: Change) -> Path:
    """A tower with a change; no part of it is checked."""
    model = onnx.load(write_tower(path))
    change(model)
    path.write_bytes(model.SerializeToString())
    return path


def elsewhere(name: str = "weights", shape: tuple[int, ...] = (48, 8)) -> TensorProto:
    """A tensor whose numbers are in another file."""
    tensor = TensorProto(name=name, data_type=TensorProto.FLOAT, dims=shape, data_location=TensorProto.EXTERNAL)
    tensor.external_data.add(key="location", value=OTHER_FILE)
    return tensor


def external_weights(model: onnx.ModelProto) -> None:
    (weights,) = (each for each in model.graph.initializer if each.name == "weights")
    weights.CopyFrom(elsewhere())


def external_without_a_location(model: onnx.ModelProto) -> None:
    external_weights(model)
    del model.graph.initializer[1].external_data[:]


def external_by_its_entry_alone(model: onnx.ModelProto) -> None:
    model.graph.initializer[1].external_data.add(key="location", value=OTHER_FILE)


def external_constant(model: onnx.ModelProto) -> None:
    model.graph.node.append(helper.make_node("Constant", [], ["spare"], value=elsewhere("spare")))


def external_constants(model: onnx.ModelProto) -> None:
    node = helper.make_node("Constant", [], ["spare"])
    node.attribute.append(onnx.AttributeProto(name="values", type=onnx.AttributeProto.TENSORS, tensors=[elsewhere()]))
    model.graph.node.append(node)


def branch(*nodes: onnx.NodeProto, weights: TensorProto | None = None) -> onnx.GraphProto:
    """A subgraph with one output."""
    output = helper.make_tensor_value_info("out", TensorProto.FLOAT, None)
    return helper.make_graph(list(nodes), "branch", [], [output], [] if weights is None else [weights])


def with_if(model: onnx.ModelProto, then: onnx.GraphProto) -> None:
    model.graph.initializer.append(numpy_helper.from_array(np.array(True), "yes"))
    plain = branch(helper.make_node("Identity", ["scale"], ["out"]))
    model.graph.node.append(helper.make_node("If", ["yes"], ["spare"], then_branch=then, else_branch=plain))


def external_in_a_branch(model: onnx.ModelProto) -> None:
    with_if(model, branch(helper.make_node("Identity", ["hidden"], ["out"]), weights=elsewhere("hidden")))


def external_in_a_branch_of_a_branch(model: onnx.ModelProto) -> None:
    inner = branch(helper.make_node("Identity", ["hidden"], ["out"]), weights=elsewhere("hidden"))
    plain = branch(helper.make_node("Identity", ["scale"], ["out"]))
    with_if(model, branch(helper.make_node("If", ["yes"], ["out"], then_branch=inner, else_branch=plain)))


def external_in_a_loop(model: onnx.ModelProto) -> None:
    body = branch(helper.make_node("Identity", ["hidden"], ["out"]), weights=elsewhere("hidden"))
    model.graph.node.append(helper.make_node("Loop", ["", ""], ["spare"], body=body))


def sparse_weights(model: onnx.ModelProto) -> None:
    values, places = elsewhere("sparse", (1,)), numpy_helper.from_array(np.array([0], dtype=np.int64))
    model.graph.sparse_initializer.append(onnx.SparseTensorProto(values=values, indices=places, dims=[48, 8]))


def sparse_constant(model: onnx.ModelProto) -> None:
    node = helper.make_node("Constant", [], ["spare"])
    sparse = onnx.SparseTensorProto(values=elsewhere("sparse", (1,)), dims=[4])
    node.attribute.append(
        onnx.AttributeProto(name="sparse_value", type=onnx.AttributeProto.SPARSE_TENSOR, sparse_tensor=sparse)
    )
    model.graph.node.append(node)


def custom_operator(model: onnx.ModelProto) -> None:
    model.graph.node.append(helper.make_node("Steal", ["floats"], ["spare"], domain="evil"))


def microsofts_operator(model: onnx.ModelProto) -> None:
    model.graph.node.append(helper.make_node("EPContext", ["floats"], ["spare"], domain="com.microsoft"))


def custom_operator_in_a_branch(model: onnx.ModelProto) -> None:
    with_if(model, branch(helper.make_node("Steal", ["scale"], ["out"], domain="evil")))


def own_function(model: onnx.ModelProto) -> None:
    body = [helper.make_node("Identity", ["x"], ["y"])]
    model.functions.append(helper.make_function("", "Relu", ["x"], ["y"], body, [helper.make_opsetid("", 17)]))


def for_training(model: onnx.ModelProto) -> None:
    model.training_info.add().algorithm.initializer.append(elsewhere())


EXTERNAL, SPARSE = "external data", "sparse weights"
FOREIGN: dict[str, tuple[Change, str]] = {
    "external weights": (external_weights, EXTERNAL),
    "external weights without a location": (external_without_a_location, EXTERNAL),
    "an external entry alone": (external_by_its_entry_alone, EXTERNAL),
    "an external constant": (external_constant, EXTERNAL),
    "external constants": (external_constants, EXTERNAL),
    "external weights in a branch": (external_in_a_branch, EXTERNAL),
    "external weights in a branch of a branch": (external_in_a_branch_of_a_branch, EXTERNAL),
    "external weights in a loop": (external_in_a_loop, EXTERNAL),
    "sparse weights": (sparse_weights, SPARSE),
    "a sparse constant": (sparse_constant, SPARSE),
    "a custom operator": (custom_operator, "operator Steal of the domain evil"),
    "an operator of com.microsoft": (microsofts_operator, "operator EPContext of the domain com.microsoft"),
    "a custom operator in a branch": (custom_operator_in_a_branch, "operator Steal of the domain evil"),
    "a function": (own_function, "functions"),
    "instructions for training": (for_training, "instructions for training"),
}


def write_other_file(folder: Path) -> Path:
    """A file of a user's, large enough to be taken for weights."""
    path = folder / OTHER_FILE
    path.write_bytes(os.urandom(48 * 8 * 4))
    return path


def endless_loop(model: onnx.ModelProto) -> None:
    """The embeddings go through a loop of 2^62 rounds."""
    nodes = [
        helper.make_node("Identity", ["go"], ["on"]),
        helper.make_node("Sin", ["before"], ["after"]),
    ]
    body = helper.make_graph(
        nodes,
        "round",
        [
            helper.make_tensor_value_info("number", TensorProto.INT64, []),
            helper.make_tensor_value_info("go", TensorProto.BOOL, []),
            helper.make_tensor_value_info("before", TensorProto.FLOAT, None),
        ],
        [
            helper.make_tensor_value_info("on", TensorProto.BOOL, []),
            helper.make_tensor_value_info("after", TensorProto.FLOAT, None),
        ],
    )
    model.graph.initializer.append(numpy_helper.from_array(np.array(2**62), "rounds"))
    model.graph.initializer.append(numpy_helper.from_array(np.array(True), "yes"))
    model.graph.node[-1].output[0] = "first"
    model.graph.node.append(helper.make_node("Loop", ["rounds", "yes", "first"], ["embeddings"], body=body))


def one_row_for_all(model: onnx.ModelProto) -> None:
    """The graph declares a row for each image, but returns the mean of all rows."""
    model.graph.node[-1].output[0] = "rows"
    model.graph.node.append(helper.make_node("ReduceMean", ["rows"], ["embeddings"], axes=[0], keepdims=1))


def grows_by(factor: int) -> Change:
    """Each embedding is repeated before it is summed: 32 bytes become 32 bytes times the factor."""

    def change(model: onnx.ModelProto) -> None:
        model.graph.node[-1].output[0] = "rows"
        model.graph.initializer.append(numpy_helper.from_array(np.array([factor, 1], dtype=np.int64), "times"))
        model.graph.initializer.append(numpy_helper.from_array(np.array([0], dtype=np.int64), "first_axis"))
        model.graph.node.append(helper.make_node("Tile", ["rows", "times"], ["many"]))
        model.graph.node.append(helper.make_node("ReduceSum", ["many", "first_axis"], ["sum"], keepdims=1))
        model.graph.node.append(helper.make_node("Mul", ["rows", "sum"], ["embeddings"]))

    return change
