"""The classic tower in ONNX with random weights, to measure its speed without training.

256 px; convolutions 11x11x16; 9x9x32 three times; 7x7x64 three times; 5x5x128 three times; 4x4x256 twice; each
with bias, ReLU and batch norm as a scale and a shift; 2x2 max pools after convolutions 1, 4, 7, 10, 11 and 12; two
fully connected layers of 4096 with ReLU. 37 million parameters (20 with the one fully connected layer of the
published code), 14 GFLOP an image.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from artsim import __version__
from artsim.scoring.contract import INPUT_NAME, METADATA_KEY, OUTPUT_NAME, Calibration, Card

SIZE = 256
CONVOLUTIONS = [(11, 16), *[(9, 32)] * 3, *[(7, 64)] * 3, *[(5, 128)] * 3, *[(4, 256)] * 2]  # kernel, channels
POOL_AFTER = (1, 4, 7, 10, 11, 12)
DENSE = (4096, 4096)


class _Graph:
    """Nodes and weights of a chain, in which each node reads the output of the node before."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.weights: list[onnx.TensorProto] = []
        self.last = INPUT_NAME
        self._rng = np.random.default_rng(0)

    def add(self, kind: str, *weights: NDArray[np.float32], **attributes: Any) -> None:
        names = [f"w{len(self.weights) + index}" for index in range(len(weights))]
        self.weights += [numpy_helper.from_array(array, name) for array, name in zip(weights, names, strict=True)]
        output = f"x{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, [self.last, *names], [output], **attributes))
        self.last = output

    def random(self, *shape: int) -> NDArray[np.float32]:
        """Weights that keep the activations' size through a ReLU (He et al. 2015)."""
        spread = np.sqrt(2 / np.prod(shape[1:]))
        return self._rng.normal(scale=spread, size=shape).astype(np.float32)


def write_classic_tower(path: Path) -> Path:
    """Write the tower with its card."""
    graph = _Graph()
    graph.add("Cast", to=TensorProto.FLOAT)
    graph.add("Mul", np.array(1 / 255, dtype=np.float32))
    graph.add("Transpose", perm=[0, 3, 1, 2])
    channels = _convolutions(graph)
    graph.add("Flatten")
    features = channels * (SIZE >> len(POOL_AFTER)) ** 2
    for units in DENSE:
        graph.add("Gemm", graph.random(units, features), np.zeros(units, np.float32), transB=1)
        graph.add("Relu")
        features = units
    graph.nodes[-1].output[0] = OUTPUT_NAME
    proto = helper.make_graph(
        graph.nodes,
        "classic",
        [helper.make_tensor_value_info(INPUT_NAME, TensorProto.UINT8, ["batch", SIZE, SIZE, 3])],
        [helper.make_tensor_value_info(OUTPUT_NAME, TensorProto.FLOAT, ["batch", features])],
        graph.weights,
    )
    model = helper.make_model(proto, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    helper.set_model_props(model, {METADATA_KEY: _card().to_json()})
    onnx.save(model, str(path))
    return path


def _convolutions(graph: _Graph) -> int:
    depth = 3
    for number, (kernel, channels) in enumerate(CONVOLUTIONS, start=1):
        weights = graph.random(channels, depth, kernel, kernel)
        graph.add("Conv", weights, np.zeros(channels, np.float32), auto_pad="SAME_UPPER")
        graph.add("Relu")
        one = np.ones((channels, 1, 1), dtype=np.float32)
        graph.add("Mul", one)
        graph.add("Add", 0 * one)
        if number in POOL_AFTER:
            graph.add("MaxPool", kernel_shape=[2, 2], strides=[2, 2])
        depth = channels
    return depth


def _card() -> Card:
    return Card(
        image_size=SIZE,
        distance="rms",
        threshold=0.3,
        calibration=Calibration(slope=-10.0, intercept=3.0),
        recipe="classic, random weights",
        selection_sha256="0" * 64,
        artsim_version=__version__,
    )
