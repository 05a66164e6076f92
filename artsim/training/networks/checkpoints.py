"""Towers on disk, in Keras's own format, each written whole or not at all."""

from __future__ import annotations

import tempfile
import zipfile
from pathlib import Path

import keras

from artsim.errors import ModelError
from artsim.files import writing

# What a saved tower is made of must be registered before one is read back.
from artsim.training.networks import towers  # noqa: F401 - imported for that alone
from artsim.training.networks.backbones import require_keras_hub

BEST = "best.keras"
LAST = "last.keras"
REFIT = "refit.keras"  # fitted on the validation works, too


def save_tower(tower: keras.Model, path: Path) -> None:
    """Write a tower to `path`.

    Raises:
        OutputError: it can't be written.
    """
    with writing(path), tempfile.TemporaryDirectory(prefix=".saving-", dir=path.parent) as folder:
        part = Path(folder) / path.name
        tower.save(part)
        part.replace(path)


def load_tower(path: Path) -> keras.Model:
    """Read a tower back.

    Raises:
        ModelError: not there, or not a tower that artsim saved.
        UsageError: it has layers of keras-hub, which is not installed.
    """
    if not path.is_file():
        raise ModelError(f"{path}: no such checkpoint.")
    if _has_layers_of_keras_hub(path):
        require_keras_hub(str(path))
    try:
        tower = keras.saving.load_model(path, compile=False)
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise ModelError(f"{path}: not a checkpoint of artsim ({str(error).splitlines()[0]}).") from error
    return tower


def _has_layers_of_keras_hub(path: Path) -> bool:
    """Keras imports their modules by itself, but says only that it can't read them where there are none."""
    try:
        with zipfile.ZipFile(path) as archive:
            return b"keras_hub" in archive.read("config.json")
    except (OSError, KeyError, zipfile.BadZipFile):  # not a checkpoint, which is said where it is read
        return False
