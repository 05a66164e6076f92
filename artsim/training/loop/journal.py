"""The journal of a training: what its stages have given so far, in sealed files of one folder.

A stage that is complete leaves its result here, and a stage in progress its state after an epoch. A run that was
killed reads them when it is resumed. Each file is written beside its place and then moved there. Its digest is checked
when it is read.

Keras's own callback `BackupAndRestore` does not serve here (Keras 3.15): it saves neither the random state of dropout
nor the best epoch so far, it overwrites its files in place, and it has no digest.
"""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from artsim.files import open_regular, replacing, writing
from artsim.messages import Say
from artsim.training.networks.sealed_archives import has_seal, seal

Arrays: TypeAlias = Mapping[str, NDArray[Any]]

FOLDER = "stages"  # in the folder of checkpoints
FROZEN_FEATURES, TUNED_FEATURES = "features-frozen", "features-tuned"
CROPS = "crops"  # what tuning sees
# Large, and soon computed again: they are not logged with the run.
LOCAL_FILES = (f"{FROZEN_FEATURES}.npz", f"{TUNED_FEATURES}.npz")
MOST_LOCAL_BYTES = 1 << 30  # larger features are computed again instead; a setting


class Journal:
    """Named arrays in a folder that is made when the first of them are written."""

    def __init__(self, folder: Path | None, say: Say) -> None:
        """`say` receives a line about each file that is damaged. Without a folder, nothing is kept."""
        self.folder = folder
        self._say = say

    def write(self, name: str, arrays: Arrays) -> None:
        """Keep arrays under a name, in place of those before.

        Raises:
            OutputError: the file cannot be written.
        """
        if self.folder is None:
            return
        path = self.folder / f"{name}.npz"
        with writing(path):
            path.parent.mkdir(exist_ok=True)
        with replacing(path, "wb") as file:
            np.savez(file, **arrays)  # type: ignore[arg-type]
            file.flush()
            seal(Path(file.name))

    def read(self, name: str) -> dict[str, NDArray[Any]] | None:
        """The arrays of a name; None if there are none, or if their file is damaged."""
        if self.folder is None:
            return None
        path = self.folder / f"{name}.npz"
        try:
            with open_regular(path) as file:
                if not has_seal(file):
                    raise ValueError("it has no SHA-256")
                file.seek(0)
                with np.load(file, allow_pickle=False) as arrays:
                    return dict(arrays)
        except FileNotFoundError:
            return None
        except (OSError, ValueError, zipfile.BadZipFile) as error:
            self._say(f"{path}: damaged ({error}). What it held is computed again.")
            return None

    def remove(self, *names: str) -> None:
        """Forget the arrays of some names."""
        for path in (self.folder / f"{name}.npz" for name in names) if self.folder else ():
            with writing(path):
                path.unlink(missing_ok=True)
