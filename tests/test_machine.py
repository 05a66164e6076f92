"""The cores and the memory that a process may use: affinity, quotas of both versions of cgroups, the user's choice."""

from __future__ import annotations

import errno
import os
import sys
from contextlib import nullcontext
from pathlib import Path

import pytest

from artsim import machine
from artsim.errors import DeviceError
from artsim.machine import (
    cgroup_cores,
    cgroup_memory,
    check_address_space,
    core_count,
    core_limit,
    is_short_of_memory,
    use_threads,
)

LOTS = 9223372036854771712  # what version 1 says for no limit of memory


def system(folder: Path, cgroup: str, files: dict[str, str]) -> Path:
    """The files of a system below a folder."""
    for name, text in {"proc/self/cgroup": cgroup, **files}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text + "\n")
    return folder


V2 = "sys/fs/cgroup"
CPU, MEMORY = "sys/fs/cgroup/cpu,cpuacct", "sys/fs/cgroup/memory"
V1_LINES = "4:memory:/docker/abc\n3:cpu,cpuacct:/docker/abc\n1:name=systemd:/"


@pytest.mark.parametrize(
    ("cgroup", "files", "cores", "memory"),
    [
        ("0::/", {f"{V2}/cpu.max": "200000 100000", f"{V2}/memory.max": "4096"}, 2, 4096),
        ("0::/", {f"{V2}/cpu.max": "150000 100000"}, 2, None),
        ("0::/", {f"{V2}/cpu.max": "1000 100000", f"{V2}/memory.max": "max"}, 1, None),
        ("0::/", {f"{V2}/cpu.max": "max 100000"}, None, None),
        ("0::/a/b", {f"{V2}/a/cpu.max": "300000 100000", f"{V2}/a/b/cpu.max": "max 100000"}, 3, None),
        ("0::/host/path", {f"{V2}/cpu.max": "100000 100000"}, 1, None),  # in a container
        ("0::/../x", {f"{V2}/cpu.max": "100000 100000"}, 1, None),
        (V1_LINES, {f"{CPU}/cpu.cfs_quota_us": "-1", f"{CPU}/cpu.cfs_period_us": "100000"}, None, None),
        (V1_LINES, {f"{CPU}/docker/abc/cpu.cfs_quota_us": "400000", f"{CPU}/docker/abc/cpu.cfs_period_us": "100000",
                    f"{MEMORY}/memory.limit_in_bytes": str(LOTS), f"{MEMORY}/docker/abc/memory.limit_in_bytes": "8192"},
         4, 8192),
        ("1:cpu:/", {f"{V2}/cpu/cpu.cfs_quota_us": "50000", f"{V2}/cpu/cpu.cfs_period_us": "0"}, None, None),
        ("nonsense", {f"{V2}/cpu.max": ""}, None, None),
        ("", {}, None, None),
    ],
)  # fmt: skip
def test_quotas_of_both_versions_are_read(
    tmp_path: Path, cgroup: str, files: dict[str, str], cores: int | None, memory: int | None
) -> None:
    root = system(tmp_path, cgroup, files)
    assert (cgroup_cores(root), cgroup_memory(root)) == (cores, memory)


def test_the_smallest_limit_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 64)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)))
    monkeypatch.setattr(machine, "cgroup_cores", lambda: None)
    assert (core_count(), core_limit()) == (8, 8)
    monkeypatch.setattr(machine, "cgroup_cores", lambda: 2)
    assert (core_count(), core_limit()) == (2, 2)


def test_without_limits_libraries_decide_and_systems_without_affinities_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 4)
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.delattr(os, "sysconf")
    monkeypatch.setattr(machine, "cgroup_cores", lambda: None)
    monkeypatch.setattr(machine, "cgroup_memory", lambda: None)
    assert (core_count(), core_limit(), machine.memory_limit()) == (4, None, None)


def test_the_users_choice_comes_first() -> None:
    try:
        use_threads(3)
        assert (core_count(), core_limit()) == (3, 3)
    finally:
        use_threads(None)


@pytest.mark.parametrize(
    ("error", "is_short"),
    [
        (MemoryError(), True),
        (OSError(errno.ENOMEM, "Cannot allocate memory", "x.png"), True),
        (ImportError("libarrow.so: failed to map segment from shared object"), True),
        (OSError("libscipy.so: cannot allocate memory in static TLS block"), True),
        (RuntimeError("Exception during initialization: std::bad_alloc"), True),
        (RuntimeError("can't start new thread"), True),
        (OSError(errno.ENOSPC, "No space left on device"), False),
        (ImportError("No module named 'tensorflow'"), False),
        (ValueError("memory"), False),
    ],
)
def test_errors_of_python_and_of_libraries_say_that_memory_ran_out(error: Exception, is_short: bool) -> None:
    assert is_short_of_memory(error) is is_short


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX limits")
def test_a_limit_of_address_space_is_compared_with_what_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    import resource

    for limit, is_enough in ((resource.RLIM_INFINITY, True), (2**30, True), (2**30 - 1, False)):
        monkeypatch.setattr(resource, "getrlimit", lambda _, limit=limit: (limit, limit))
        with (
            nullcontext() if is_enough else pytest.raises(DeviceError, match=r"needs 1 GiB of address space.*Raise it")
        ):
            check_address_space(2**30, "artsim")
