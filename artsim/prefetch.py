"""Prefetching: work done in threads before its results are asked for, in order and in bounded number."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import islice
from typing import TypeVar

from artsim.errors import ImageError
from artsim.machine import core_count

Item = TypeVar("Item")
Result = TypeVar("Result")


# The same as `Executor.map(buffersize=…)` of Python 3.14.
def prefetch_map(
    function: Callable[[Item], Result], items: Iterable[Item], depth: int, stop: Callable[[], None] | None = None
) -> Iterator[Result]:
    """Apply a function to items in threads, `depth` items ahead of the consumer; results come in order.

    Threads pay where the function releases Python's lock for most of its time. If the consumer ends early, the calls
    that run are waited for; `stop` is called first and may make them end soon.
    """
    pool = ThreadPoolExecutor(core_count())
    coming = iter(items)
    try:
        waiting = deque(pool.submit(function, item) for item in islice(coming, depth))
        while waiting:
            result = waiting.popleft().result()
            waiting.extend(pool.submit(function, item) for item in islice(coming, 1))
            yield result
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
        if stop is not None:
            stop()
        pool.shutdown(wait=True)


def prefetch_images(
    sources: Iterable[Item],
    load: Callable[[Item], Result],
    depth: int,
    stop: Callable[[], None] | None = None,
) -> Iterator[Result | ImageError]:
    """Load images in threads, `depth` of them ahead of the consumer, in order; a bad image gives its error."""
    return prefetch_map(partial(_load_or_error, load), sources, depth, stop)


def _load_or_error(load: Callable[[Item], Result], source: Item) -> Result | ImageError:
    try:
        return load(source)
    except ImageError as error:
        return error
