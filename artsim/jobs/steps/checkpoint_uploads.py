"""Checkpoints on their way to the store while a training runs, so that a machine that is lost does not lose them."""

from __future__ import annotations

import time
from collections.abc import Collection
from pathlib import Path

from artsim.errors import TrackingError
from artsim.messages import Say
from artsim.tracking.run import Run

# Settings: files are logged at most once a minute, and for at most a twentieth of the time.
LEAST_PAUSE, PAUSE = 60.0, 20


class CheckpointUploads:
    """Logs the files of a folder that have changed, now and then."""

    def __init__(self, run: Run, folder: Path, name: str, leave_out: Collection[str], say: Say) -> None:
        """The files of `folder` become artifacts under `name`, except those with a name in `leave_out`."""
        self._run = run
        self._folder = folder
        self._name = name
        self._leave_out = leave_out
        self._say = say
        self._logged: dict[Path, tuple[int, int]] = {}  # time of change and size
        self._next = 0.0

    def __call__(self) -> None:
        """Log what has changed, unless files were logged a short time ago.

        A store that cannot be reached is told, and tried again the next time: the files are safe in the folder.
        """
        started = time.monotonic()
        if started < self._next:
            return
        try:
            self._log()
        except TrackingError as error:
            self._say(f"Checkpoints are not logged now, and are tried again later. {error}")
        ended = time.monotonic()
        self._next = ended + max(LEAST_PAUSE, PAUSE * (ended - started))

    def _log(self) -> None:
        for path in sorted(self._folder.rglob("*")):
            if not path.is_file() or path.name in self._leave_out:
                continue
            status = path.stat()
            state = (status.st_mtime_ns, status.st_size)
            if self._logged.get(path) != state:
                place = path.parent.relative_to(self._folder)
                self._run.log_file(path, self._name if place == Path() else f"{self._name}/{place.as_posix()}")
                self._logged[path] = state
