"""Weights in HDF5 files from others: complete in themselves, or refused before Keras reads them."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import h5py
import keras
import numpy as np
import pytest

from artsim.errors import ModelError
from artsim.training.networks.weight_files import load_weights
from tests.training.networks.hostile_hdf5 import CHANGES, OTHER, first_array
from tests.training.networks.makers import mobilenet


@pytest.mark.parametrize("name", ["mobilenet.weights.h5", "mobilenet.h5"])
@pytest.mark.parametrize("case", [case for case in CHANGES if case != "much from little"])  # MobileNet has more
def test_weights_that_refer_to_another_file_are_refused(
    tmp_path: Path, weights: Path, network: keras.Model, name: str, case: str
) -> None:
    change, reason = CHANGES[case]
    path = Path(shutil.copy(weights.with_name(name), tmp_path))
    with h5py.File(tmp_path / OTHER, "w") as other:
        other["secret"] = np.ones((1, 1, 1024, 1024), np.float32)
    with h5py.File(path, "r+") as file:
        change(file, first_array(file))
    before = [np.asarray(weight) for weight in network.weights]
    with pytest.raises(ModelError, match=f"^{path}: not an HDF5 file that is complete in itself.*{reason}"):
        load_weights(network, "mobilenet", path)
    for weight, value in zip(network.weights, before, strict=True):
        np.testing.assert_array_equal(weight, value)


def test_what_is_no_regular_file_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.weights.h5")
    with pytest.raises(ModelError, match="not a regular file of weights for mobilenet"):
        load_weights(mobilenet(), "mobilenet", tmp_path / "pipe.weights.h5")
