"""A budget of memory that threads share: how much the images that are decoded at one time may take together.

An image waits until its estimate is free. Images are served in the order in which they ask, so that a large one is not
kept waiting by small ones. An image with a larger estimate than the whole budget is decoded alone.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

BUDGET_BYTES = 2 * 1024**3  # a setting: a photograph of 25 million pixels takes some 0.2 GB


class Budget(Protocol):
    """Something that grants memory for the time of a block."""

    def reserved(self, size: int) -> AbstractContextManager[None]:
        """Wait until `size` bytes are free, and take them until the end of the block."""


class MemoryBudget:
    """A number of bytes that threads take and give back."""

    def __init__(self, total: int = BUDGET_BYTES) -> None:
        self.total = total
        self._free = total
        self._waiting: deque[object] = deque()
        self._changed = threading.Condition()

    @contextmanager
    def reserved(self, size: int) -> Iterator[None]:
        """Wait until `size` bytes are free, and take them until the end of the block."""
        share = min(size, self.total)
        self._take(share)
        try:
            yield
        finally:
            with self._changed:
                self._free += share
                self._changed.notify_all()

    @property
    def waiting(self) -> int:
        """The number of threads that wait."""
        return len(self._waiting)

    def _take(self, share: int) -> None:
        ticket = object()
        with self._changed:
            self._waiting.append(ticket)
            try:
                self._changed.wait_for(lambda: self._waiting[0] is ticket and self._free >= share)
                self._free -= share
            finally:  # also after Ctrl-C, which a wait lets through
                self._waiting.remove(ticket)
                self._changed.notify_all()


DECODING = MemoryBudget()  # of this process
