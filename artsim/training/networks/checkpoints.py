"""Checkpoints: towers on disk in Keras's own format, each written whole or not at all."""

from __future__ import annotations

import tempfile
import zipfile
from pathlib import Path

import keras

from artsim.errors import ModelError
from artsim.files import writing

# Registers artsim's layers with Keras, which must know them before it reads a tower.
from artsim.training.networks import towers  # noqa: F401 - imported only for this
from artsim.training.networks.backbones import require_keras_hub

BEST = "best.keras"
LAST = "last.keras"
REFIT = "refit.keras"  # fitted on all works, the validation works included


def save_tower(tower: keras.Model, path: Path) -> None:
    """Write a tower to `path`.

    Raises:
        OutputError: the file cannot be written.
    """
    with writing(path), tempfile.TemporaryDirectory(prefix=".saving-", dir=path.parent) as folder:
        part = Path(folder) / path.name
        tower.save(part)
        part.replace(path)


def load_tower(path: Path) -> keras.Model:
    """Read a tower that `save_tower` wrote.

    Raises:
        ModelError: the file does not exist, or is not a tower that artsim saved.
        UsageError: the tower has layers of keras-hub, which is not installed.
    """
    if not path.is_file():
        raise ModelError(f"{path}: no such checkpoint. Name a --checkpoint-dir of artsim train.")
    if _has_layers_of_keras_hub(path):
        require_keras_hub(str(path))
    try:
        tower = keras.saving.load_model(path, compile=False)
    except (OSError, ValueError, TypeError, KeyError) as error:
        reason = str(error).splitlines()[0]
        raise ModelError(f"{path}: not a checkpoint of artsim ({reason}). Name a --checkpoint-dir of it.") from error
    return tower


def _has_layers_of_keras_hub(path: Path) -> bool:
    """Whether a checkpoint needs keras-hub.

    Keras 3.15.1 imports a layer's module by itself. If the module is missing, its error does not say what to install.
    No upstream issue found (searched keras-team/keras in 2026-11).
    """
    try:
        with zipfile.ZipFile(path) as archive:
            return b"keras_hub" in archive.read("config.json")
    except (OSError, KeyError, zipfile.BadZipFile):  # not a checkpoint: load_tower reports it
        return False
