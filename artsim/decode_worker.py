"""The worker process of `decoders`: it reads one image after another, and may crash.

    worker -> parent   {"ready": true}                              once
    parent -> worker   {"path": …, "folder": …, "size": …, "max_pixels": …}      a line of JSON for each image
    worker -> parent   {"bytes": n}                                 the memory that decoding takes; not for a bad image
    parent -> worker   an empty line                                the memory is granted
    worker -> parent   {"shape": […]} and the pixels, or {"error": …, "message": …}

The end of its input ends the worker, so it does not outlive its parent by more than one image.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from artsim import images
from artsim.errors import ImageError

HARD_LIMIT = 20 * 60  # seconds for an image; only for a worker whose parent was killed and can't end it


class _ParentsBudget:
    """The parent's budget of memory, asked through the pipes."""

    def __init__(self, requests: IO[bytes], replies: IO[bytes]) -> None:
        self._requests = requests
        self._replies = replies

    @contextmanager
    def reserved(self, size: int) -> Iterator[None]:
        """Wait until the parent grants the memory. The reply about the image gives it back."""
        _send(self._replies, {"bytes": size})
        if not self._requests.readline():  # the parent is gone
            os._exit(0)
        _alarm(HARD_LIMIT)  # anew, as waiting is no decoding
        yield


def serve() -> None:
    """Read requests until the input ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all processes; the parent ends this one
    _be_killed_first()
    requests = os.fdopen(os.dup(0), "rb")
    replies = os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1):  # what libraries print there is no reply
        os.dup2(nothing, stream)
    budget = _ParentsBudget(requests, replies)
    _send(replies, {"ready": True})
    for line in requests:
        _alarm(HARD_LIMIT)
        _answer(json.loads(line), budget, replies)
        _alarm(0)


def _answer(request: dict[str, Any], budget: _ParentsBudget, replies: IO[bytes]) -> None:
    try:
        if request["folder"] is not None:
            os.chdir(request["folder"])
        pixels = images.load(request["path"], request["size"], max_pixels=request["max_pixels"], budget=budget)
    except ImageError as error:
        _send(replies, {"error": type(error).__name__, "message": str(error)})
    else:
        _send(replies, {"shape": pixels.shape}, pixels.tobytes())


def _alarm(seconds: int) -> None:
    """Have the system end this process after so many seconds, whatever a decoder does; 0: not any more."""
    if hasattr(signal, "alarm"):  # not on Windows
        signal.alarm(seconds)


def _send(replies: IO[bytes], reply: dict[str, Any], content: bytes = b"") -> None:
    replies.write(json.dumps(reply).encode() + b"\n" + content)
    replies.flush()


def _be_killed_first() -> None:
    """Where memory runs out, Linux shall end this process and not its parent."""
    if sys.platform == "linux":
        with suppress(OSError):
            Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")
