"""Files of weights in Keras's formats: .weights.h5, and .h5 from before Keras 3."""

from __future__ import annotations

import warnings
from pathlib import Path

import keras

from artsim.errors import ModelError
from artsim.files import check_regular
from artsim.training.networks.hdf5_files import stored_arrays


def load_weights(network: keras.Model, name: str, path: Path) -> None:
    """Fill every variable of a network from a file.

    Raises:
        ModelError: the file does not exist, is damaged, or has weights of another network.
    """
    try:
        check_regular(path)
    except (OSError, ValueError) as error:
        problem = "a folder, not a" if path.is_dir() else "not a regular" if path.exists() else "no such"
        raise ModelError(f"{path}: {problem} file of weights for {name}. Name one with --weights.") from error
    if path.suffix not in (".h5", ".hdf5"):
        raise ModelError(f"{path}: weights of {name} are read from files that end in .weights.h5 or .h5.")
    try:
        arrays = stored_arrays(path, path.stat().st_size)
    except (OSError, ValueError) as error:
        raise ModelError(
            f"{path}: not an HDF5 file that is complete in itself, or damaged ({reason(error)}). Download it again."
        ) from error
    stored = sum("seed_generator" not in array for array in arrays)  # without the states of random generators
    # Keras 3.15.1 ignores arrays that the network lacks, so it takes a larger network's file for a smaller network.
    # No upstream issue found (searched keras-team/keras in 2026-11).
    if path.name.endswith(".weights.h5") and stored != len(network.weights):
        raise ModelError(
            f"{path}: weights of another network: {stored} arrays, {name} has {len(network.weights)}. Name another "
            "file with --weights."
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", UserWarning)  # Keras warns of layers that it could not fill
            network.load_weights(path)
    except Exception as error:  # Keras and h5py raise many types
        raise ModelError(
            f"{path}: weights of another network than {name} ({reason(error)}). Name another file with --weights."
        ) from error


def reason(error: Exception) -> str:
    """The first line of an error of a library, to stand in parentheses."""
    return (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".:")
