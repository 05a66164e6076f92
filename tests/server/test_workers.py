"""The bounded threads of the page."""

from __future__ import annotations

import asyncio
import threading

import pytest

from artsim.server.refused import BusyError, LateError
from artsim.server.workers import Workers


def test_a_result_and_an_error_come_back_and_each_job_ends_once() -> None:
    ended: list[str] = []

    async def ask() -> None:
        workers = Workers()
        assert await workers.run(lambda: 7, at_end=lambda: ended.append("result")) == 7
        with pytest.raises(ZeroDivisionError):
            await workers.run(lambda: 1 // 0, at_end=lambda: ended.append("error"))

    asyncio.run(ask())
    assert ended == ["result", "error"]


def test_more_jobs_than_the_bound_are_refused_until_one_ends() -> None:
    gate = threading.Event()
    ended: list[int] = []

    async def ask() -> None:
        workers = Workers(running=1, waiting=1)
        first = [asyncio.create_task(workers.run(gate.wait, at_end=lambda: ended.append(1))) for _ in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(BusyError, match="busy with 2 other requests"):
            await workers.run(lambda: 1, at_end=lambda: ended.append(2))
        assert ended == [2]
        gate.set()
        assert await asyncio.gather(*first) == [True, True]
        assert await workers.run(lambda: 3) == 3

    asyncio.run(ask())
    assert ended == [2, 1, 1]


def test_a_late_job_counts_until_its_thread_ends() -> None:
    gate, ended = threading.Event(), threading.Event()

    async def ask() -> None:
        workers = Workers(running=1, waiting=0, seconds=0.05)
        with pytest.raises(LateError, match="Try smaller pictures"):
            await workers.run(gate.wait, at_end=ended.set)
        assert not ended.is_set()
        with pytest.raises(BusyError):
            await workers.run(lambda: 1)
        gate.set()
        await asyncio.to_thread(ended.wait, 60)

    asyncio.run(ask())
    assert ended.is_set()


def test_a_late_job_that_still_waits_never_runs() -> None:
    gate = threading.Event()
    ran: list[int] = []

    async def ask() -> None:
        workers = Workers(running=1, waiting=1, seconds=0.05)
        first = asyncio.create_task(workers.run(gate.wait))
        await asyncio.sleep(0)
        with pytest.raises(LateError):
            await workers.run(lambda: ran.append(1))
        gate.set()
        await asyncio.gather(first, return_exceptions=True)
        workers.close()
        with pytest.raises(BusyError, match="closed"):
            await workers.run(lambda: ran.append(2))

    asyncio.run(ask())
    assert ran == []


def test_closing_answers_those_who_wait() -> None:
    gate = threading.Event()

    async def ask() -> None:
        workers = Workers(running=1, waiting=1)
        first = asyncio.create_task(workers.run(gate.wait))
        second = asyncio.create_task(workers.run(lambda: 2))
        await asyncio.sleep(0)
        workers.close()
        with pytest.raises(BusyError, match="closed"):
            await second
        gate.set()
        assert await first

    asyncio.run(ask())
