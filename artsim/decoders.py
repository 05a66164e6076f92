"""Images decoded in worker processes, so that an image that crashes a decoder, or never ends, costs one image.

A thread that wants an image takes an idle worker, or starts one. So there are as many workers as threads that decode at
one time. Workers stay for the next images. They are plain subprocesses with pipes, so a script needs no main guard.
"""

from __future__ import annotations

import atexit
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from typing import IO, Any, cast

import numpy as np
from numpy.typing import NDArray

from artsim import errors, images
from artsim.errors import ArtsimError, ImageError, UnreadableImageError
from artsim.memory_budget import DECODING, Budget

# Settings. A photograph takes less than a second, and QOI, whose decoder is slowest, a second for a million pixels.
SECONDS = 60.0  # for an image, and further seconds
SECONDS_PER_BYTE = 1 / 20_000_000  # for each byte of memory that decoding takes
START_SECONDS = 120.0  # for a worker to start
_WATCHED_EVERY = 0.2  # seconds
# `-I` keeps the working folder off the path, in which a stranger's numpy.py may lie. The path is then the parent's.
_START = "import sys; sys.path[:] = {path!r}; from artsim.decode_worker import serve; serve()"


@dataclass(eq=False)
class Pass:
    """A run over many images, which can be stopped."""

    is_stopped: bool = False


@dataclass(eq=False)
class _Worker:
    process: subprocess.Popen[bytes]
    owner: Pass | None = None
    is_ready: bool = False
    seconds: float = SECONDS
    deadline: float = float("inf")
    is_late: bool = False
    budget: Budget = field(default=DECODING)

    @property
    def _requests(self) -> IO[bytes]:
        return cast("IO[bytes]", self.process.stdin)

    @property
    def _replies(self) -> IO[bytes]:
        return cast("IO[bytes]", self.process.stdout)

    def load(self, path: str, size: int, max_pixels: int) -> NDArray[np.uint8]:
        """Ask for an image. Raises ImageError, or _LostError if the process ended."""
        if not self.is_ready:
            self._allow(START_SECONDS)
            self._receive()
            self.is_ready = True
        with ExitStack() as granted:
            self._allow(SECONDS)
            request = {"path": path, "folder": _working_folder(), "size": size, "max_pixels": max_pixels}
            reply = self._ask(json.dumps(request))
            if "bytes" in reply:
                self.deadline = float("inf")  # waiting for memory is not the image's fault
                granted.enter_context(self.budget.reserved(reply["bytes"]))
                self._allow(SECONDS + SECONDS_PER_BYTE * reply["bytes"])
                reply = self._ask("")
            if "error" in reply:
                self.deadline = float("inf")
                raise cast("type[ImageError]", getattr(errors, reply["error"]))(reply["message"])
            pixels = self._replies.read(size * size * 3)
            self.deadline = float("inf")
            if len(pixels) < size * size * 3:
                raise _LostError
            return np.frombuffer(bytearray(pixels), np.uint8).reshape(size, size, 3)

    def _allow(self, seconds: float) -> None:
        self.seconds = seconds
        self.deadline = time.monotonic() + seconds

    def _ask(self, line: str) -> dict[str, Any]:
        try:
            self._requests.write(line.encode() + b"\n")
            self._requests.flush()
        except (OSError, ValueError) as error:  # a closed pipe
            raise _LostError from error
        return self._receive()

    def _receive(self) -> dict[str, Any]:
        try:
            return cast("dict[str, Any]", json.loads(self._replies.readline()))
        except (OSError, ValueError) as error:  # a closed pipe, or half a line
            raise _LostError from error

    def end(self) -> str:
        """End the process, and say why it ended if it did so by itself."""
        with suppress(OSError):
            self.process.kill()
        code = self.process.wait()
        for pipe in (self._requests, self._replies):
            with suppress(OSError):
                pipe.close()
        if self.is_late:
            return f"it took longer than {self.seconds:.0f} s to decode"
        with suppress(ValueError):
            return f"its decoder crashed ({signal.Signals(-code).name})"
        return f"its decoder crashed (exit code {code})"


def _working_folder() -> str | None:
    """The folder in which the worker finds relative names; None if it was deleted."""
    try:
        return os.getcwd()  # noqa: PTH109 - it is sent as text
    except OSError:
        return None


_FIRST_FOLDER = _working_folder() or ""


class _LostError(Exception):
    """The worker's process ended."""


class Decoders:
    """Worker processes that decode images; see the module."""

    def __init__(self, budget: Budget = DECODING) -> None:
        self._budget = budget
        self._lock = threading.Lock()
        self._idle: list[_Worker] = []
        self._busy: set[_Worker] = set()
        self._watch: threading.Thread | None = None

    def load(
        self, path: str | os.PathLike[str], size: int, *, max_pixels: int = images.MAX_PIXELS, owner: Pass | None = None
    ) -> NDArray[np.uint8]:
        """Read one file as `images.load` does, in a worker. `owner` is the pass that may be stopped.

        Raises:
            ImageError: see `images.load`; UnreadableImageError also if the decoder crashed or took too long.
            ArtsimError: no process can be started.
        """
        name = os.fsdecode(path)
        with self._worker(owner) as worker:
            try:
                return worker.load(name, size, max_pixels)
            except _LostError as error:
                raise UnreadableImageError(f"{name}: {self._end(worker)}") from error

    @contextmanager
    def _worker(self, owner: Pass | None) -> Iterator[_Worker]:
        with self._lock:
            worker = self._idle.pop() if self._idle else None
        worker = worker or self._started()
        worker.owner = owner
        with self._lock:
            self._busy.add(worker)
            if owner is not None and owner.is_stopped:
                worker.process.kill()
        try:
            yield worker
        except ImageError:
            raise
        except BaseException:  # Ctrl-C between two messages: what the worker sends next is of this image
            self._end(worker)
            raise
        finally:
            with self._lock:
                if worker in self._busy:
                    self._busy.discard(worker)
                    self._idle.append(worker)

    def _end(self, worker: _Worker) -> str:
        with self._lock:
            self._busy.discard(worker)
        return worker.end()

    def _started(self) -> _Worker:
        if self._watch is None:
            self._watch = threading.Thread(target=self._watch_time, name="watch decoders", daemon=True)
            self._watch.start()
        path = [folder or _FIRST_FOLDER for folder in sys.path]  # "" is the working folder, wherever that is now
        command = [sys.executable, "-I", "-c", _START.format(path=path)]
        try:
            process = subprocess.Popen(  # noqa: S603 - this Python
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
            )
        except OSError as error:
            raise ArtsimError(f"a process that decodes images can't be started ({error.strerror})") from error
        return _Worker(process, budget=self._budget)

    def _watch_time(self) -> None:
        while True:
            time.sleep(_WATCHED_EVERY)
            now = time.monotonic()
            with self._lock:
                late = [worker for worker in self._busy if worker.deadline < now]
            for worker in late:
                worker.is_late = True
                worker.process.kill()

    def stop(self, owner: Pass) -> None:
        """End the workers that decode for a pass; its images get an error from now on."""
        with self._lock:
            owner.is_stopped = True
            busy = [worker for worker in self._busy if worker.owner is owner]
        for worker in busy:
            worker.process.kill()

    def close(self) -> None:
        """End all workers."""
        with self._lock:
            workers = [*self._idle, *self._busy]
            self._idle, self._busy = [], set()
        for worker in workers:
            worker.end()

    def forget(self) -> None:
        """Leave the workers to another process: after a fork, they are the parent's."""
        self._lock = threading.Lock()  # another thread may have held it at the fork
        self._idle, self._busy, self._watch = [], set(), None


DECODERS = Decoders()  # of this process
atexit.register(DECODERS.close)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=DECODERS.forget)
