"""The threads that answer requests: a few at a time, a few that wait, and a time limit for each.

A thread cannot be stopped. A request that is too late gets its answer, and its thread still counts until it ends. The
decoders and the tower have time limits of their own, so it does end.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

from artsim.server.refused import BusyError, LateError

RUNNING = 2  # requests at one time; more would share the same cores
WAITING = 6
CLOSED = "the page is being closed."
SECONDS = 120.0  # for a request, with the time that it waits; a scan of 500 million pixels takes about 30

T = TypeVar("T")


class Workers:
    """A bounded pool of threads."""

    def __init__(self, running: int = RUNNING, waiting: int = WAITING, seconds: float = SECONDS) -> None:
        self._seconds = seconds
        self._most = running + waiting
        self._count = 0
        self._lock = threading.Lock()
        self._reading: set[asyncio.Task[Any]] = set()
        self._is_closed = False
        self._pool = ThreadPoolExecutor(running, thread_name_prefix="artsim ui")

    async def run(self, job: Callable[[], T], at_end: Callable[[], object] = lambda: None) -> T:
        """Run a job in a thread; `at_end` is called once the job has ended, or will never run.

        Raises:
            BusyError: there are too many jobs already, or the page ends.
            LateError: the job takes too long.
        """
        future = self._submit(job, at_end)
        waited = asyncio.wrap_future(future)
        waited.add_done_callback(lambda done: done.cancelled() or done.exception())  # nobody may wait for it any more
        done, _ = await asyncio.wait({waited}, timeout=self._seconds)
        if not done:
            future.cancel()
            raise LateError(f"this took longer than {self._seconds:.0f} s, and is given up. Try smaller pictures.")
        if waited.cancelled():
            raise BusyError(CLOSED)
        return waited.result()

    async def unless_closed(self, reading: Coroutine[Any, Any, T]) -> T:
        """Wait for something that a browser sends, and no longer than the page is open.

        Raises:
            BusyError: the page ends.
        """
        task = asyncio.ensure_future(reading)
        self._reading.add(task)
        try:
            return await task
        except asyncio.CancelledError:
            if self._is_closed:
                raise BusyError(CLOSED) from None
            raise
        finally:
            self._reading.discard(task)

    def close(self) -> None:
        """Start no more jobs, and end what waits. Called in the thread of the event loop."""
        self._is_closed = True
        for task in self._reading:
            task.cancel()
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _submit(self, job: Callable[[], T], at_end: Callable[[], object]) -> Future[T]:
        with self._lock:
            is_free = self._count < self._most
            self._count += is_free
        if not is_free:
            at_end()
            raise BusyError(f"artsim is busy with {self._most} other requests. Try again in a moment.")
        try:
            future = self._pool.submit(job)
        except RuntimeError as error:  # after `close`
            self._end(at_end)
            raise BusyError(CLOSED) from error
        future.add_done_callback(lambda _: self._end(at_end))
        return future

    def _end(self, at_end: Callable[[], object]) -> None:
        at_end()
        with self._lock:
            self._count -= 1
