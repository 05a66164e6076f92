from __future__ import annotations

import keras
import numpy as np
import pytest
from numpy.typing import NDArray

from artsim.training.networks.towers import build_tower
from artsim.training.recipes import RECIPES


def noise(count: int, size: int) -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, (count, size, size, 3), dtype=np.uint8)


def test_compact_gives_embeddings_of_length_one() -> None:
    keras.utils.set_random_seed(0)
    tower = build_tower("compact", 64, 32)
    embeddings = tower.predict_on_batch(noise(3, 64))
    assert embeddings.shape == (3, 32)
    np.testing.assert_allclose(np.linalg.norm(embeddings, axis=1), 1.0, rtol=1e-5)


def test_the_default_recipes_tower_is_small() -> None:
    recipe = RECIPES["compact"]
    tower = build_tower(recipe.tower, recipe.image_size, recipe.embedding_size)
    assert tower.count_params() < 3_000_000
    assert tower.input.dtype == "uint8"
    assert tower.output_shape == (None, 128)


def test_classic_has_the_published_layers() -> None:
    recipe = RECIPES["classic"]
    tower = build_tower(recipe.tower, recipe.image_size, recipe.embedding_size)
    convolutions = [layer for layer in tower.layers if isinstance(layer, keras.layers.Conv2D)]
    kernels = [(layer.kernel_size[0], layer.filters) for layer in convolutions]
    assert kernels == [(11, 16), *[(9, 32)] * 3, *[(7, 64)] * 3, *[(5, 128)] * 3, *[(4, 256)] * 2]
    assert {layer.padding for layer in convolutions} == {"same"}
    assert {layer.strides for layer in convolutions} == {(1, 1)}
    order = [
        type(layer).__name__
        for layer in tower.layers
        if "Conv" in type(layer).__name__ or "Pool" in type(layer).__name__
    ]
    pooled_after = [order[: place + 1].count("Conv2D") for place, name in enumerate(order) if name == "MaxPooling2D"]
    assert pooled_after == [1, 4, 7, 10, 11, 12]
    dense = [layer for layer in tower.layers if isinstance(layer, keras.layers.Dense)]
    assert [(layer.units, layer.activation.__name__) for layer in dense] == [(4096, "relu")] * 2
    assert tower.output_shape == (None, 4096)


def test_classic_is_initialised_as_published() -> None:
    keras.utils.set_random_seed(0)
    tower = build_tower("classic", 64, 4096)
    third = [layer for layer in tower.layers if isinstance(layer, keras.layers.Conv2D)][5]
    kernel, bias = third.get_weights()
    assert (kernel.mean(), kernel.std()) == pytest.approx((0.0, 0.01), abs=2e-4)
    assert (bias.mean(), bias.std()) == pytest.approx((0.5, 0.01), abs=5e-3)


@pytest.mark.parametrize("name", ["classic", "compact"])
def test_every_weight_is_trained_on(name: str) -> None:
    """The old program's moving averages never moved, and its second tower never learned."""
    tower = build_tower(name, 64, 16)  # type: ignore[arg-type]  # pytest's parameters are plain text
    target = keras.layers.Dense(2)(tower.output)
    model = keras.Model(tower.input, target)
    model.compile(keras.optimizers.SGD(0.01), keras.losses.MeanSquaredError(), jit_compile=False)
    before = [weight.numpy().copy() for weight in tower.weights]
    model.train_on_batch(noise(4, 64), np.array([[0.0, 9.0]] * 4))
    still = [
        weight.path
        for weight, old in zip(tower.weights, before, strict=True)
        if weight.dtype == "float32" and "seed" not in weight.path and (weight.numpy() == old).all()
    ]
    assert still == []
