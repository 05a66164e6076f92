"""What this process may use of its machine: CPU cores and memory, by affinity, cgroups, or the user's choice.

Python and the libraries count the cores of the machine. In a container that may use two cores of 64, they would start
64 threads that wait for each other. Python's `os.process_cpu_count` knows affinities, but no quotas.
"""

from __future__ import annotations

import errno
import math
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from artsim.errors import DeviceError

if sys.platform != "win32":
    import resource

_ROOT = Path("/")
FREE_MEMORY = "Close other programs, or raise the limit of the container or of `ulimit -v`."
# How libraries in C and C++ say that memory ran out: the loader of libraries, onnxruntime, TensorFlow.
_SHORT = (
    "failed to map segment", "cannot allocate memory", "bad_alloc", "oom when allocating", "can't start new thread",
)  # fmt: skip
_chosen: int | None = None


def use_threads(count: int | None) -> None:
    """Let this process use so many threads for decoding and for the tower; None: as many as there are cores."""
    global _chosen
    _chosen = count


def core_count() -> int:
    """The number of cores that this process may use, or the number of threads that the user has chosen."""
    if _chosen is not None:
        return _chosen
    machine = os.cpu_count() or 1
    affinity = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else machine
    return min(affinity, machine, cgroup_cores() or machine)


def core_limit() -> int | None:
    """The same, or None if this process may use all cores of the machine."""
    count = core_count()
    return count if _chosen is not None or count < (os.cpu_count() or 1) else None


def memory_limit() -> int | None:
    """The bytes of memory that this process may use: those of the machine or of its cgroup; None: unknown."""
    limits = [limit for limit in (_physical_memory(), cgroup_memory()) if limit is not None]
    return min(limits, default=None)


def check_address_space(needed: int, what: str) -> None:
    """Check that `ulimit -v` leaves so many bytes. With less, libraries in C hang or crash while they are loaded.

    Raises:
        DeviceError: it leaves fewer.
    """
    if sys.platform == "win32":
        return
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    if limit not in (resource.RLIM_INFINITY, -1) and limit < needed:
        have, need = limit / 2**30, needed / 2**30
        raise DeviceError(f"{what} needs {need:g} GiB of address space, and `ulimit -v` allows {have:.2g}. Raise it.")


def is_short_of_memory(error: BaseException) -> bool:
    """Whether an error of Python, of a library or of its loading means that memory ran out."""
    if isinstance(error, MemoryError) or getattr(error, "errno", None) == errno.ENOMEM:
        return True
    text = str(error).lower()
    return any(phrase in text for phrase in _SHORT)


def cgroup_cores(root: Path = _ROOT) -> int | None:
    """The cores that the CPU quotas of this process's cgroups allow, rounded up; None: no quota.

    `cpu.max` holds a quota and a period in microseconds, or `max`. In version 1, these are two files, and -1 is no
    quota.
    """
    quotas = [_read(folder / "cpu.max").partition(" ")[::2] for folder in _cgroups("", root)]
    for folder in _cgroups("cpu", root):
        quotas += [(_read(folder / "cpu.cfs_quota_us"), _read(folder / "cpu.cfs_period_us"))]
    given = [cores for quota, period in quotas if (cores := _ratio(quota, period)) is not None]
    return max(1, math.ceil(min(given))) if given else None


def cgroup_memory(root: Path = _ROOT) -> int | None:
    """The bytes of memory that this process's cgroups allow; None: no limit."""
    texts = [_read(folder / "memory.max") for folder in _cgroups("", root)]
    texts += [_read(folder / "memory.limit_in_bytes") for folder in _cgroups("memory", root)]
    return min((int(text) for text in texts if text.isdecimal()), default=None)


def _cgroups(controller: str, root: Path) -> Iterator[Path]:
    """The folders of this process's cgroup and of its parents, whose limits hold too.

    A line of /proc/self/cgroup is `number:controllers:path`. In version 2 there are no controllers. In a container, the
    path may be that of the host. Then only the mounted root exists.
    """
    mounts = root / "sys/fs/cgroup"
    for line in _read(root / "proc/self/cgroup").splitlines():
        controllers, _, path = line.partition(":")[2].partition(":")
        if controller not in controllers.split(","):
            continue
        parts = [part for part in path.split("/") if part not in ("", "..")]
        for base in {mounts / controllers, mounts / controller}:
            yield from (base.joinpath(*parts[:length]) for length in range(len(parts), -1, -1))


def _ratio(quota: str, period: str) -> float | None:
    try:
        cores = int(quota) / int(period)
    except (ValueError, ZeroDivisionError):  # `max`, or no such file
        return None
    return cores if cores > 0 else None


def _physical_memory() -> int | None:
    try:
        size = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):  # not on Windows
        return None
    return size if size > 0 else None


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, ValueError):
        return ""
