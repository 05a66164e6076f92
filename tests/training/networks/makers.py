"""Small networks and pictures for the tests of backbones."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

SIZE = 64
APPLICATIONS = keras.applications


def pixels(size: int) -> NDArray[np.float32]:
    return np.random.default_rng(0).integers(0, 256, (2, size, size, 3)).astype(np.float32)


def shaken(network: keras.Model) -> keras.Model:
    """No variable is as its initialiser leaves it, so one that is not loaded is noticed."""
    generator = np.random.default_rng(1)
    for weight in network.weights:
        shape = tuple(weight.shape)
        change = generator.uniform(0.0, 0.1, shape) if weight.ndim == 1 else 0.01 * generator.normal(size=shape)
        weight.assign(np.asarray(weight) + change)
    return network


def mobilenet(**settings: Any) -> keras.Model:
    given = {"include_top": False, "weights": None, "input_shape": (SIZE, SIZE, 3)}
    return APPLICATIONS.MobileNet(**{**given, **settings})


def outputs(network: keras.Model, wanted: list[Any], images: NDArray[np.float32]) -> list[NDArray[np.float32]]:
    return list(keras.Model(network.inputs[0], wanted).predict_on_batch(images))


def assert_close(found: list[NDArray[np.float32]], expected: list[NDArray[np.float32]]) -> None:
    assert [each.shape for each in found] == [each.shape for each in expected]
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-5 * np.abs(other).max())
