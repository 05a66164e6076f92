"""Images are decoded in worker processes: with the same pixels, and a decoder that crashes costs one image."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from PIL import Image

import artsim
from artsim import decoders, images
from artsim.decoders import Decoders, Pass
from artsim.errors import ImageError, UnreadableImageError
from artsim.memory_budget import MemoryBudget
from artsim.prefetch import prefetch_images
from artsim.scoring import embed_images
from artsim.scoring.status import STATUSES
from tests.command import ROOT
from tests.images.makers import painting, saved
from tests.scoring.embedded import embed_files
from tests.towers import write_paintings, write_tower

# A worker whose decoders crash, or never end, on images of certain widths.
FAULTY = """
import ctypes, sys
sys.path[:] = {path!r}
from PIL import ImageFile
load = ImageFile.ImageFile.load
def odd(picture):
    if picture.width == 7:
        ctypes.string_at(0)
    if picture.width == 9:
        while True:
            pass
    return load(picture)
ImageFile.ImageFile.load = odd
from artsim.decode_worker import serve
serve()
"""


@pytest.fixture
def pool() -> Iterator[Decoders]:
    made = Decoders()
    yield made
    made.close()


@pytest.fixture
def faulty(monkeypatch: pytest.MonkeyPatch, pool: Decoders) -> Decoders:
    monkeypatch.setattr(decoders, "_START", FAULTY)
    monkeypatch.setattr(decoders, "SECONDS", 1.0)
    return pool


def write(folder: Path, *widths: int) -> list[str]:
    """Images of these widths; 7 crashes a faulty worker, 9 keeps it busy for ever."""
    for width in widths:
        saved(Image.fromarray(painting(width, 8)), folder / f"{width}.png")
    return [f"{width}.png" for width in widths]


def assert_same(pool: Decoders, path: str | Path, **options: int) -> None:
    """The pool gives the pixels, or the error, that `load` gives in this process."""
    found, expected = (outcome(load, path, **options) for load in (pool.load, images.load))
    assert type(found) is type(expected)
    np.testing.assert_array_equal(found, expected)


def outcome(load: Callable[..., Any], path: str | Path, **options: int) -> Any:
    """The pixels, or the class and message of the error."""
    try:
        return load(path, 16, **options)
    except ImageError as error:
        return type(error).__name__, str(error)


def test_a_worker_gives_the_same_pixels_and_errors(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pool: Decoders
) -> None:
    picture = Image.fromarray(painting(60, 40))
    for name in ("a.jpg", "b.png", "c.tif", "d.webp", "quo\"ted'.png", "two\nlines.png", "\U0001f3a8.png"):
        assert_same(pool, saved(picture, tmp_path / name))
    assert_same(pool, tmp_path / "a.jpg", max_pixels=10)
    (tmp_path / "bad\n'.png").write_text("no picture")
    monkeypatch.chdir(tmp_path)
    for odd in ("a.jpg", "bad\n'.png", "none.png", "", ".", "nul\0.png", "x" * 300, os.fsdecode(b"\xff.png")):
        assert_same(pool, odd)
    (tmp_path / "below").mkdir()
    monkeypatch.chdir(tmp_path / "below")
    assert_same(pool, "../b.png")


def test_a_crash_and_an_endless_decoder_cost_one_image_each(tmp_path: Path, faulty: Decoders) -> None:
    for name, reason in (("7.png", r"crashed \(SIGSEGV\)"), ("9.png", "took longer than 1 s")):
        write(tmp_path, 8, int(name[0]))
        with pytest.raises(UnreadableImageError, match=rf"{name}: its decoder {reason}|{name}: it {reason}"):
            faulty.load(tmp_path / name, 16)
        assert faulty.load(tmp_path / "8.png", 16).shape == (16, 16, 3)


def test_the_other_images_of_a_run_are_embedded(
    tmp_path: Path, faulty: Decoders, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = write(tmp_path, 8, 7, 10, 9, 11, 12)
    scorer = artsim.load(write_tower(tmp_path / "tower.onnx"), "cpu")
    monkeypatch.setattr(embed_images, "DECODERS", faulty)
    embedded = embed_files(scorer, names, tmp_path)
    assert [STATUSES[status] for status in embedded.status] == ["ok", "unreadable", "ok", "unreadable", "ok", "ok"]
    assert ["crashed" in embedded.reasons[0], "took longer" in embedded.reasons[1]] == [True, True]
    good = [names[position] for position in (0, 2, 4, 5)]
    np.testing.assert_array_equal(embedded.vectors[[0, 2, 4, 5]], scorer.embed([tmp_path / name for name in good]))


@pytest.mark.timeout(300)
def test_a_stopped_pass_ends_while_a_decoder_is_endless(tmp_path: Path, pool: Decoders) -> None:
    """Nobody waits for the time limit after Ctrl-C."""
    owner, names = Pass(), write(tmp_path, 8, 9)
    paths = [tmp_path / name for name in names]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(decoders, "_START", FAULTY)
        patch.setattr(decoders, "SECONDS", 10_000.0)  # longer than a test may take
        coming = prefetch_images(paths, lambda path: pool.load(path, 16, owner=owner), 8, stop=lambda: pool.stop(owner))
        next(coming)
        coming.close()  # type: ignore[attr-defined]  # a generator


SCRIPT = """
import sys
from artsim import decoders
if len(sys.argv) > 1:
    decoders._START = {faulty!r}
from artsim.cli.main import _start, artsim
sys.argv[1:] = ["embed", "images", "-o", "store.parquet", "--model", "tower.onnx", "--device", "cpu", "--quiet"]
_start(artsim, "artsim")
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_tower(tmp_path / "tower.onnx")
    (tmp_path / "images").mkdir()
    (tmp_path / "script.py").write_text(SCRIPT.format(faulty=FAULTY))
    return tmp_path


def started(folder: Path, *arguments: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "script.py", *arguments]
    return subprocess.Popen(command, cwd=folder, env=os.environ | {"PYTHONPATH": str(ROOT)})


def test_a_script_without_a_guard_decodes_and_a_file_of_a_strangers_folder_is_not_run(folder: Path) -> None:
    write_paintings(folder / "images", "a.png", "b.png")
    (folder / "images" / "numpy.py").write_text("raise SystemExit")
    code = "import os; from artsim.decoders import DECODERS as d; os.chdir('images'); print(d.load('a.png', 8).shape)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        check=True,
    )
    assert done.stdout == b"(8, 8, 3)\n"
    process = started(folder)
    assert process.wait() == 0
    assert (folder / "store.parquet").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_command_leaves_no_process(folder: Path, sign: signal.Signals) -> None:
    write(folder / "images", 8, 9)
    process = started(folder, "faulty")
    workers: list[psutil.Process] = []
    while not workers or not any(worker.cpu_times().user > 0.5 for worker in workers):
        assert process.poll() is None
        workers = psutil.Process(process.pid).children()
        time.sleep(0.05)
    process.send_signal(sign)
    assert process.wait(timeout=30) == 130
    assert psutil.wait_procs(workers, timeout=30)[1] == []


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signal")
def test_workers_end_with_a_parent_that_is_killed(folder: Path) -> None:
    code = "import sys, time; from artsim.decoders import DECODERS; DECODERS.load(sys.argv[1], 8); time.sleep(60)"
    write_paintings(folder, "a.png")
    command = [sys.executable, "-c", code, "a.png"]
    process = subprocess.Popen(command, cwd=folder, env=os.environ | {"PYTHONPATH": str(ROOT)})
    workers: list[psutil.Process] = []
    while not workers:
        workers = psutil.Process(process.pid).children()
        time.sleep(0.05)
    process.kill()
    process.wait()
    assert psutil.wait_procs(workers, timeout=30)[1] == []


def test_workers_wait_for_memory_that_others_have(tmp_path: Path) -> None:
    made = Decoders(budget := MemoryBudget(10_000_000))
    path = saved(Image.fromarray(painting(60, 40)), tmp_path / "a.png")
    try:
        with ThreadPoolExecutor(1) as threads:
            with budget.reserved(9_000_000):
                waiting = threads.submit(made.load, path, 16)
                with pytest.raises(TimeoutError):
                    waiting.result(timeout=3)
            assert waiting.result().shape == (16, 16, 3)
    finally:
        made.close()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_a_forked_process_has_workers_of_its_own(tmp_path: Path) -> None:
    write_paintings(tmp_path, "a.png")
    code = (
        "import os; from artsim.decoders import DECODERS as d\n"
        "first = d.load('a.png', 8).tobytes(); child = os.fork()\n"
        "same = d.load('a.png', 8).tobytes() == first\n"
        "d.close() if not child else None\n"
        "os._exit(not same) if not child else print(os.waitpid(child, 0)[1], same)"
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True, check=True, timeout=60,
    )  # fmt: skip
    assert done.stdout == b"0 True\n"
