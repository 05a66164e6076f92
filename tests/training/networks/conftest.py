"""A small MobileNet and a file of its weights."""

from __future__ import annotations

from pathlib import Path

import keras
import pytest

from tests.training.networks.makers import mobilenet, shaken


@pytest.fixture(scope="module")
def network() -> keras.Model:
    return shaken(mobilenet())


@pytest.fixture(scope="module")
def weights(network: keras.Model, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """MobileNet's weights as Keras saves them today, and beside them as it did before version 3."""
    path = tmp_path_factory.mktemp("weights") / "mobilenet.weights.h5"
    network.save_weights(path)
    network.save(path.with_name("mobilenet.h5"))
    return path
