"""Options of inference sessions, and the limits of what a tower may use: threads, memory, time."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache

import onnxruntime

from artsim.machine import core_limit, memory_limit

SILENT = 4  # log fatal errors only; the others are raised as exceptions
# A batch may take this long, for a graph can hold a loop without end. The slowest tower of artsim takes some tenths of
# a second for an image on one core.
SECONDS_PER_BATCH = 60.0
SECONDS_PER_IMAGE = 5.0
SECONDS_TO_OPEN = 120.0
# A tower's tensors may take this share of the memory. A graph of a few bytes can ask for any amount.
MEMORY_SHARE = 0.75


def session_options(threads: int | None = None) -> onnxruntime.SessionOptions:
    """Return the options of every session.

    By default onnxruntime takes one CPU thread for each physical core, or fewer if this process may use fewer cores.
    """
    options = onnxruntime.SessionOptions()
    threads = threads or core_limit()
    if threads is not None:
        options.intra_op_num_threads = threads
    options.log_severity_level = SILENT
    # Otherwise idle workers keep busy the cores that decode the next batch.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # By default the first bytes decide, and onnxruntime's own format would not be checked.
    options.add_session_config_entry("session.load_model_format", "ONNX")
    # No folder: a file that the check of a tower has missed would not be found.
    options.add_session_config_entry("session.model_external_initializers_file_folder_path", os.devnull)
    return options


def limit_memory(options: onnxruntime.SessionOptions) -> None:
    """Limit the memory of a session on the CPU, where that is possible.

    All sessions of this process have one limit together. It holds for the tensors of a run. It does not hold for
    constants that a graph computes while it is opened.
    """
    if _has_limited_arena():
        options.add_session_config_entry("session.use_env_allocators", "1")


@contextmanager
def ended_after(seconds: float, end: Callable[[], None]) -> Iterator[None]:
    """Call `end` if the block takes longer."""
    timer = threading.Timer(seconds, end)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


@cache
def _has_limited_arena() -> bool:
    """Register an arena of limited size, once in a process; False if that is not possible."""
    limit = memory_limit()
    if limit is None:
        return False
    place = onnxruntime.OrtMemoryInfo(
        "Cpu", onnxruntime.OrtAllocatorType.ORT_ARENA_ALLOCATOR, 0, onnxruntime.OrtMemType.DEFAULT
    )
    default = -1  # how the arena grows is left to onnxruntime
    arena = onnxruntime.OrtArenaCfg(int(MEMORY_SHARE * limit), default, default, default)
    try:
        onnxruntime.create_and_register_allocator(place, arena)
    except (RuntimeError, ValueError):  # the program that uses artsim has an arena of its own
        return False
    return True
