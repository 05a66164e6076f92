from __future__ import annotations

from collections import deque
from pathlib import Path
from typing import Any
from weakref import WeakSet

import keras
import numpy as np
import onnx
import pytest
import tf2onnx
from keras import layers
from numpy.typing import NDArray

from artsim.errors import GateError, OutputError
from artsim.export.convert import collecting_often, compare, convert, write
from artsim.scoring.contract import Calibration, Card
from artsim.scoring.scorer import load
from artsim.scoring.session import open_tower
from artsim.training.loop.evaluator import embed
from artsim.training.networks.towers import build_tower

SIZE = 64


def card(**changes: object) -> Card:
    fields = {
        "image_size": SIZE,
        "distance": "euclidean",
        "threshold": 0.5,
        "calibration": Calibration(-8.0, 4.0),
        "recipe": "test",
        "selection_sha256": "0" * 64,
        "artsim_version": "0.1.0",
    }
    return Card(**{**fields, **changes})  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def pictures() -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, (5, SIZE, SIZE, 3), dtype=np.uint8)


@pytest.fixture(scope="module", params=["compact", "classic"])
def converted(request: pytest.FixtureRequest) -> tuple[keras.Model, onnx.ModelProto]:
    """A tower with random weights, and its graph."""
    keras.utils.set_random_seed(0)
    tower = build_tower(request.param, SIZE, 32)
    return tower, convert(tower)


def test_an_embedding_is_the_same_in_every_batch(
    converted: tuple[keras.Model, onnx.ModelProto], tmp_path: Path, pictures: NDArray[np.uint8]
) -> None:
    write(converted[1], card(), tmp_path / "tower.onnx")
    scorer = load(tmp_path / "tower.onnx", "cpu", batch_size=4)
    whole = scorer.embed(pictures)
    for order in ([4, 3, 2, 1, 0], [2], [1, 4], [0, 0, 0, 3]):
        np.testing.assert_array_equal(scorer.embed([pictures[place] for place in order]), whole[order])


def test_an_exported_tower_follows_the_contract_and_equals_its_source(
    converted: tuple[keras.Model, onnx.ModelProto], tmp_path: Path, pictures: NDArray[np.uint8]
) -> None:
    tower, proto = converted
    write(proto, card(), tmp_path / "tower.onnx")
    exported = open_tower(tmp_path / "tower.onnx", "cpu")  # checks names, types, shapes and the card
    assert exported.card == card()
    graph = onnx.load(tmp_path / "tower.onnx").graph
    assert graph.input[0].type.tensor_type.shape.dim[0].dim_param == "batch"
    assert graph.output[0].type.tensor_type.shape.dim[0].dim_param == "batch"
    assert exported(pictures[:1]).shape == (1, 32)
    check = compare(embed(tower, pictures), exported(pictures), "euclidean")
    assert check.images == 5
    assert 0 < check.embedding <= check.tolerance
    # The same weights, one of them changed a little: the gate must notice.
    kernel = next(weight for weight in reversed(tower.trainable_weights) if weight.ndim == 2)
    before = np.asarray(kernel)
    kernel.assign(before + 0.01 * np.roll(before, 1))
    with pytest.raises(GateError, match="more than the tolerance"):
        compare(embed(tower, pictures), exported(pictures), "euclidean")
    kernel.assign(before)


def test_large_kernels_are_put_in_after_the_conversion(
    tmp_path: Path, pictures: NDArray[np.uint8], monkeypatch: pytest.MonkeyPatch
) -> None:
    keras.utils.set_random_seed(0)
    images, vectors = keras.Input((SIZE, SIZE, 3), dtype="uint8"), keras.Input((3,))
    head = keras.Model(vectors, layers.Dense(7, activation="relu")(vectors))
    means = layers.GlobalAveragePooling2D()(layers.Dense(3)(layers.Rescaling(1 / 255)(images)))
    tower = keras.Model(images, layers.Dense(4, use_bias=False)(head(means)))
    given: list[Any] = []
    convert_function = tf2onnx.convert.from_function

    def spy(function: Any, input_signature: Any, opset: int) -> Any:
        given.extend(input_signature[1:])
        return convert_function(function, input_signature=input_signature, opset=opset)

    monkeypatch.setattr("artsim.export.convert.LARGE_KERNEL", 21)
    monkeypatch.setattr(tf2onnx.convert, "from_function", spy)
    write(convert(tower), card(), tmp_path / "tower.onnx")
    assert [tuple(kernel.shape) for kernel in given] == [(3, 7), (7, 4)]  # not the one that takes maps
    exported = open_tower(tmp_path / "tower.onnx", "cpu")
    np.testing.assert_allclose(exported(pictures), embed(tower, pictures), atol=1e-5)


@pytest.mark.parametrize("bad", [np.nan, np.inf, 0.5])
def test_the_gate_refuses_any_difference(bad: float) -> None:
    source = np.eye(4, dtype=np.float32)
    export = source.copy()
    export[2, 2] = bad
    with pytest.raises(GateError):
        compare(source, export, "euclidean")
    with pytest.raises(GateError, match="shape"):
        compare(source, source[:, :3], "euclidean")


def test_the_gate_compares_distances_too() -> None:
    # Each value is within the tolerance of its source, the distance of the two is what is farthest apart.
    source = np.zeros((2, 1000), dtype=np.float32)
    export = source.copy()
    export[0] += 9e-6
    with pytest.raises(GateError, match="in a distance"):
        compare(source, export, "euclidean")


def test_a_failed_write_leaves_no_file(tmp_path: Path) -> None:
    with pytest.raises(OutputError):
        write(onnx.ModelProto(), card(), tmp_path / "nowhere" / "tower.onnx")
    assert list(tmp_path.iterdir()) == []


class Copy:
    """An object that refers to itself, as tf2onnx's copies of a graph do."""

    def __init__(self) -> None:
        self.itself = self


def test_copies_of_the_graph_are_freed_while_many_other_objects_live() -> None:
    others, copies = [[number] for number in range(400_000)], WeakSet[Copy]()  # as after a training
    in_use = deque[Copy](maxlen=3_000)  # a copy lives for a while, so a collection of young objects does not free it
    with collecting_often():
        for _ in range(20_000):
            in_use.append(Copy())
            copies.add(in_use[-1])
        assert len(copies) < 12_000
    assert len(others) == 400_000
