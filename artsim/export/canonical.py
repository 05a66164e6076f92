"""The order and the names of a graph's parts, by their places in it: equal towers give equal files.

tf2onnx 1.17 goes through sets of names. Their order differs from process to process, and so do the order of the nodes
and the numbers in the names of constants. The graph's description counts the functions that TensorFlow has traced.
"""

from __future__ import annotations

from typing import Any

import onnx


def make_canonical(graph: onnx.GraphProto) -> None:
    """Order the nodes of a graph as its outputs need them, and name nodes, values and weights by this order.

    Inputs and outputs keep their names. Nodes and weights that no output needs are left out.
    """
    graph.doc_string = ""
    nodes = _as_needed(graph)
    weights = {each.name: each for each in graph.initializer}
    fixed = {value.name for value in (*graph.input, *graph.output)}
    new_names: dict[str, str] = {}
    used: list[onnx.TensorProto] = []
    for number, node in enumerate(nodes):
        node.name = f"{node.op_type}_{number}"
        for place, name in enumerate(node.input):
            if name in weights and name not in new_names:
                new_names[name] = f"{node.name}.input_{place}"
                used.append(weights[name])
        for place, name in enumerate(node.output):
            if name and name not in fixed:
                new_names[name] = f"{node.name}.output_{place}"
    for node in nodes:
        node.input[:] = [new_names.get(name, name) for name in node.input]
        node.output[:] = [new_names.get(name, name) for name in node.output]
    known = [value for value in graph.value_info if value.name in new_names]
    for part in (*used, *known):
        part.name = new_names[part.name]
    _replace(graph.node, nodes)
    _replace(graph.initializer, used)
    _replace(graph.value_info, sorted(known, key=lambda value: value.name))


def _replace(parts: Any, others: list[Any]) -> None:
    """Put other parts, which may be of the same message, in the place of a message's parts."""
    copies = [type(each).FromString(each.SerializeToString()) for each in others]
    del parts[:]
    parts.extend(copies)


def _as_needed(graph: onnx.GraphProto) -> list[onnx.NodeProto]:
    """The nodes, each after those that make its inputs, in the order of the graph's outputs and the nodes' inputs."""
    maker = {name: node for node in graph.node for name in node.output if name}
    ordered: list[onnx.NodeProto] = []
    done: set[int] = set()
    waiting = [maker[value.name] for value in reversed(graph.output) if value.name in maker]
    while waiting:
        node = waiting[-1]
        missing = [maker[name] for name in node.input if name in maker and id(maker[name]) not in done]
        if missing:
            waiting += reversed(missing)
            continue
        waiting.pop()
        if id(node) not in done:
            done.add(id(node))
            ordered.append(node)
    return ordered
