"""The cores and the memory that a process may use: affinity, quotas of both versions of cgroups, the user's choice."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from artsim import machine
from artsim.machine import cgroup_cores, cgroup_memory, core_count, core_limit, use_threads

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
