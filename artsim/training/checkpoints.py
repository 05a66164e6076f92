"""Towers on disk, in Keras's own format, each written whole or not at all."""

from __future__ import annotations

import tempfile
from pathlib import Path

import keras

from artsim.errors import ModelError, OutputError

# What a saved tower is made of must be registered before one is read back.
from artsim.training import towers  # noqa: F401 - imported for that alone

BEST = "best.keras"
LAST = "last.keras"


def save_tower(tower: keras.Model, path: Path) -> None:
    """Write a tower to `path`.

    Raises:
        OutputError: it can't be written.
    """
    try:
        with tempfile.TemporaryDirectory(prefix=".saving-", dir=path.parent) as folder:
            part = Path(folder) / path.name
            tower.save(part)
            part.replace(path)
    except OSError as error:
        raise OutputError(f"{path}: the checkpoint can't be written ({error.strerror or error}).") from error


def load_tower(path: Path) -> keras.Model:
    """Read a tower back.

    Raises:
        ModelError: not there, or not a tower that artsim saved.
    """
    if not path.is_file():
        raise ModelError(f"{path}: no such checkpoint.")
    try:
        tower = keras.saving.load_model(path, compile=False)
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise ModelError(f"{path}: not a checkpoint of artsim ({str(error).splitlines()[0]}).") from error
    return tower
