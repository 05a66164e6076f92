"""Threads share a budget of memory: together they never take more, and nobody waits for ever."""

from __future__ import annotations

import os
import struct
import subprocess
import sys
import threading
import time
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from artsim.memory_budget import MemoryBudget
from tests.command import ROOT


@given(sizes=st.lists(st.integers(1, 250), min_size=1, max_size=30))
@settings(max_examples=20)
def test_threads_never_take_more_together_than_the_budget(sizes: list[int]) -> None:
    budget, lock = MemoryBudget(100), threading.Lock()
    taken, most = [0], [0]

    def decode(size: int) -> None:
        share = min(size, 100)  # one that is larger than the whole budget runs alone
        with budget.reserved(size):
            with lock:
                taken[0] += share
                most[0] = max(most[0], taken[0])
            with lock:
                taken[0] -= share

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(decode, sizes))
    assert 0 < most[0] <= 100
    with budget.reserved(100):  # all was given back
        pass


def test_a_large_image_is_not_kept_waiting_by_small_ones() -> None:
    budget = MemoryBudget(100)
    order: list[int] = []

    def decode(size: int) -> None:
        with budget.reserved(size):
            order.append(size)

    with ThreadPoolExecutor(2) as threads, budget.reserved(50):
        large = threads.submit(decode, 100)
        while not budget.waiting:
            time.sleep(0.01)
        small = threads.submit(decode, 10)
        with pytest.raises(TimeoutError):
            small.result(timeout=0.2)
        assert not large.done()
    assert order == [100, 10]


def test_an_error_gives_the_memory_back() -> None:
    budget = MemoryBudget(10)
    with pytest.raises(KeyError), budget.reserved(10):
        raise KeyError
    with budget.reserved(10):
        pass


DECODE = """
import re, sys
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from artsim.images import load
from artsim.memory_budget import MemoryBudget
def peak():
    return int(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1]) // 1024
before = peak()
with ThreadPoolExecutor(6) as threads:
    list(threads.map(partial(load, size=16, budget=MemoryBudget(100_000_000)), [sys.argv[1]] * 6))
print(peak() - before)
"""

PEAK_OF_ONE = """
import re, sys
from pathlib import Path
from artsim.errors import ImageError
from artsim.images import load
def peak():
    return int(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1]) // 1024
before = peak()
try:
    load(sys.argv[1], 8)
except ImageError as error:
    assert "bomb.png" in str(error)
print(peak() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the peak of memory is read from /proc")
def test_six_threads_take_no_more_memory_than_one_large_image(tmp_path: Path) -> None:
    """Each takes some 260 MB, and so each is decoded alone; together they would take 1.5 GB."""
    Image.new("RGB", (4000, 4000)).save(tmp_path / "flat.webp", method=0, quality=10)
    done = subprocess.run(
        [sys.executable, "-c", DECODE, str(tmp_path / "flat.webp")], env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert int(done.stdout) < 900


def chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


@pytest.mark.skipif(sys.platform != "linux", reason="the peak of memory is read from /proc")
@pytest.mark.parametrize("name", [b"iCCP", b"zTXt", b"iTXt"])
def test_a_bomb_in_the_metadata_of_a_png_is_not_unpacked(tmp_path: Path, name: bytes) -> None:
    """1 MB that unpacks to 1 GB: the picture is read without it, or refused."""
    packer = zlib.compressobj(9)
    bomb = b"".join(packer.compress(bytes(2**20)) for _ in range(1024)) + packer.flush()
    start = {b"iCCP": b"a\0\0", b"zTXt": b"a\0\0", b"iTXt": b"a\0\1\0\0\0"}[name]
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 2, 2, 8, 0, 0, 0, 0))
    pixels = chunk(b"IDAT", zlib.compress(b"\0\1\2\0\3\4")) + chunk(b"IEND", b"")
    path = tmp_path / "bomb.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + header + chunk(name, start + bomb) + pixels)
    command = [sys.executable, "-c", PEAK_OF_ONE, str(path)]
    done = subprocess.run(command, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, check=True)
    assert int(done.stdout) < 150
