"""Weights stored in 16 bits: a file of half the size, which computes in 32 bits.

Each large matrix or kernel is followed by a cast to float32. onnxruntime casts it once, when it opens the file, so the
tower is as fast as in float32. Vectors stay in 32 bits: they are small, and the slopes of a readout's compression reach
beyond what 16 bits hold.
"""

from __future__ import annotations

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from artsim.errors import GateError

LEAST_VALUES = 256  # of an array; a smaller one saves too little. A setting
STORED = "_fp16"  # end of the stored array's name


def to_half_weights(proto: onnx.ModelProto) -> onnx.ModelProto:
    """The graph with its large float32 arrays stored as float16 and cast to float32.

    Raises:
        GateError: a weight is too large for float16, or not finite.
    """
    half = onnx.ModelProto()
    half.CopyFrom(proto)
    graph, casts = half.graph, []
    for array in graph.initializer:
        is_small = len(array.dims) < 2 or np.prod(array.dims, dtype=np.int64) < LEAST_VALUES
        if array.data_type != TensorProto.FLOAT or is_small:
            continue
        name, values = array.name, numpy_helper.to_array(array)
        if not np.abs(values).max() <= np.finfo(np.float16).max:  # also refuses NaN
            raise GateError(
                f"--precision fp16-weights: the weights {name} are too large for 16 bits. No tower is written. "
                "Use fp32."
            )
        array.CopyFrom(numpy_helper.from_array(values.astype(np.float16), name + STORED))
        casts.append(helper.make_node("Cast", [name + STORED], [name], name=f"{name}_cast", to=TensorProto.FLOAT))
    nodes = [*casts, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)
    onnx.checker.check_model(half)
    return half
