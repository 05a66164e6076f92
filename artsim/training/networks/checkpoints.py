"""Checkpoints: towers on disk in Keras's own format, each written whole or not at all.

They are sealed archives. Checkpoints of artsim 0.1 have no seal; their parts have the checksums of zip.
"""

from __future__ import annotations

import io
import shutil
import tempfile
import zipfile
from pathlib import Path
from typing import IO

import keras

from artsim.errors import ModelError
from artsim.files import open_regular, writing

# Registers artsim's layers with Keras, which must know them before it reads a tower.
from artsim.training.networks import towers  # noqa: F401 - imported only for this
from artsim.training.networks.backbones import require_keras_hub
from artsim.training.networks.hdf5_files import stored_arrays
from artsim.training.networks.sealed_archives import has_seal, seal
from artsim.training.networks.weight_files import reason

BEST = "best.keras"
LAST = "last.keras"
REFIT = "refit.keras"  # fitted on all works, the validation works included

CONFIG, WEIGHTS = "config.json", "model.weights.h5"
PARTS = frozenset({"metadata.json", CONFIG, WEIGHTS})


def save_tower(tower: keras.Model, *paths: Path) -> None:
    """Write a tower to each path; they are in one folder.

    Raises:
        OutputError: a file cannot be written.
    """
    folder = paths[-1].parent
    with writing(paths[-1]), tempfile.TemporaryDirectory(prefix=".saving-", dir=folder) as name:
        saved = Path(name, "saved.keras")
        tower.save(saved)
        seal(saved)
        *others, last = paths
        for path in others:
            with writing(path):
                shutil.copyfile(saved, Path(name, path.name)).replace(path)
        saved.replace(last)


def load_tower(path: Path) -> keras.Model:
    """Read a tower that `save_tower` wrote.

    Raises:
        ModelError: the file does not exist, or is not a tower that artsim saved.
        UsageError: the tower has layers of keras-hub, which is not installed.
    """
    try:
        needs_keras_hub = _check_archive(path)
    except FileNotFoundError as error:
        raise ModelError(f"{path}: no such checkpoint. Name a --checkpoint-dir of artsim train.") from error
    except Exception as error:  # zip and HDF5 raise many types
        raise _not_ours(path, error) from error
    if needs_keras_hub:
        require_keras_hub(str(path))
    try:
        return keras.saving.load_model(path, compile=False, safe_mode=True)
    except Exception as error:  # a file can be wrong in so many ways that Keras lists no errors
        raise _not_ours(path, error) from error


def _not_ours(path: Path, error: Exception) -> ModelError:
    return ModelError(
        f"{path}: not a checkpoint of artsim, or damaged ({reason(error)}). Name a --checkpoint-dir of artsim train, "
        "or another checkpoint in it."
    )


def _check_archive(path: Path) -> bool:
    """Check the parts of a checkpoint before Keras sees them; return whether it needs keras-hub.

    Keras 3.15.1 imports a layer's module by itself. If the module is missing, its error does not say what to install.
    No upstream issue found (searched keras-team/keras in 2026-11).

    Raises:
        OSError, ValueError, zipfile.BadZipFile: it is no archive of these parts, or damaged.
    """
    with open_regular(path) as file, zipfile.ZipFile(file) as archive:
        entries = archive.infolist()
        names = sorted(entry.filename for entry in entries)
        if names != sorted(PARTS):
            raise ValueError(f"it has the parts {', '.join(names)[:200]} in place of {', '.join(sorted(PARTS))}")
        size = file.seek(0, io.SEEK_END)
        # Keras compresses nothing. So no part is larger than the file, and no two parts share bytes.
        if any(entry.compress_type != zipfile.ZIP_STORED for entry in entries):
            raise ValueError("its parts are compressed, which Keras does not do")
        if sum(entry.file_size for entry in entries) > size:
            raise ValueError("its parts claim to be larger than the file")
        _check_seal(file, archive)
        with archive.open(WEIGHTS) as weights:
            stored_arrays(weights, size)
        return b"keras_hub" in archive.read(CONFIG)


def _check_seal(file: IO[bytes], archive: zipfile.ZipFile) -> None:
    """Compare the digest; in an archive without one, compare the checksum of each part."""
    if has_seal(file):
        return
    if archive.comment:
        raise ValueError("its comment is not one of artsim")
    if (part := archive.testzip()) is not None:
        raise ValueError(f"the checksum of its part {part} is wrong")
