"""Equal graphs become equal, whatever the order and the names that a converter gave them."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import onnx

from artsim.export.canonical import make_canonical
from artsim.scoring.session import open_tower
from tests.towers import SIZE, write_tower


def disguised(model: onnx.ModelProto, seed: int) -> onnx.ModelProto:
    """The same graph with other names, and its parts in another order that is allowed."""
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    graph, rng = copy.graph, random.Random(seed)  # noqa: S311 - names, no secrets
    fixed = {value.name for value in (*graph.input, *graph.output)}
    names = {each.name for each in graph.initializer} | {name for node in graph.node for name in node.output}
    new = {name: name if name in fixed else f"{rng.random()}" for name in sorted(names)}
    graph.doc_string = f"converted from function {seed}"
    for node in graph.node:
        node.name = f"{rng.random()}"
        node.input[:] = [new.get(name, name) for name in node.input]
        node.output[:] = [new[name] for name in node.output]
    for weight in graph.initializer:
        weight.name = new[weight.name]
    shuffled = rng.sample(list(graph.initializer), len(graph.initializer))
    unused = onnx.numpy_helper.from_array(np.ones(1, np.float32), "unused")
    del graph.initializer[:]
    graph.initializer.extend([unused, *shuffled])
    return copy


def test_equal_graphs_get_equal_bytes_and_give_the_embeddings_of_before(tmp_path: Path) -> None:
    model = onnx.load(write_tower(tmp_path / "tower.onnx"))
    pixels = np.random.default_rng(0).integers(0, 256, (3, SIZE, SIZE, 3), dtype=np.uint8)
    before = open_tower(tmp_path / "tower.onnx", "cpu")(pixels)
    others = [disguised(model, seed) for seed in range(3)]
    assert len({other.SerializeToString(deterministic=True) for other in others}) == 3
    for other in others:
        make_canonical(other.graph)
        onnx.checker.check_model(other, full_check=True)
    assert len({other.SerializeToString(deterministic=True) for other in others}) == 1
    onnx.save(others[0], tmp_path / "tower.onnx")
    np.testing.assert_array_equal(open_tower(tmp_path / "tower.onnx", "cpu")(pixels), before)


def test_a_node_is_used_after_all_that_it_reads_also_if_two_nodes_read_one(tmp_path: Path) -> None:
    names = ("a", "b", "c", "d")
    node = onnx.helper.make_node
    nodes = [node("Neg", ["x"], ["a"]), node("Abs", ["a"], ["b"]), node("Add", ["b", "a"], ["c"]),
             node("Mul", ["c", "b"], ["y"]), node("Exp", ["x"], ["d"])]  # fmt: skip
    value = onnx.helper.make_tensor_value_info
    graph = onnx.helper.make_graph(
        nodes, "g", [value("x", 1, [2])], [value("y", 1, [2])], value_info=[value(name, 1, [2]) for name in names]
    )
    make_canonical(graph)
    assert [(each.op_type, list(each.input), list(each.output)) for each in graph.node] == [
        ("Neg", ["x"], ["Neg_0.output_0"]),
        ("Abs", ["Neg_0.output_0"], ["Abs_1.output_0"]),
        ("Add", ["Abs_1.output_0", "Neg_0.output_0"], ["Add_2.output_0"]),
        ("Mul", ["Add_2.output_0", "Abs_1.output_0"], ["y"]),
    ]  # nothing needs Exp
    onnx.checker.check_model(onnx.helper.make_model(graph), full_check=True)
