"""Checkpoints on their way to the store while a training runs, so that a machine that is lost does not lose them."""

from __future__ import annotations

import time
from collections.abc import Collection
from pathlib import Path

from artsim.errors import TrackingError
from artsim.messages import Say
from artsim.tracking.run import Run

# Settings: files are logged at most every ten seconds, and for at most a twentieth of the time.
LEAST_PAUSE, PAUSE = 10.0, 20


class CheckpointUploads:
    """Logs the files of a folder that have changed, now and then; towers also as models of their epochs."""

    def __init__(self, run: Run, folder: Path, name: str, leave_out: Collection[str], say: Say) -> None:
        """The files of `folder` become artifacts under `name`, except those with a name in `leave_out`."""
        self._run = run
        self._folder = folder
        self._name = name
        self._leave_out = leave_out
        self._say = say
        self._epochs: dict[str, int] = {}  # of the towers in the folder
        self._models: dict[str, int] = {}  # epochs of the models that are logged
        self._next = 0.0

    def __call__(self) -> None:
        """Log what has changed, unless files were logged a short time ago.

        A store that cannot be reached is told, and tried again the next time: the files are safe in the folder.
        """
        started = time.monotonic()
        if started < self._next:
            return
        try:
            self._run.log_changed_files(self._folder, self._name, self._leave_out)
            self.log_models()
        except TrackingError as error:
            self._say(f"Checkpoints are not logged now, and are tried again later. {error}")
        ended = time.monotonic()
        self._next = ended + max(LEAST_PAUSE, PAUSE * (ended - started))

    def has_saved(self, name: str, epoch: int) -> None:
        """Note that a tower in the folder is now that of an epoch."""
        self._epochs[name] = epoch

    def log_models(self) -> None:
        """Log each tower in the folder as the model of its epoch, in place of the model of an earlier epoch."""
        for name, epoch in self._epochs.items():
            if self._models.get(name) != epoch:
                self._run.log_checkpoint(f"checkpoint-{Path(name).stem}", epoch, f"{self._name}/{name}")
                self._models[name] = epoch
