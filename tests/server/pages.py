"""Pages of a tiny tower for tests, and requests to them."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from starlette.testclient import TestClient

from artsim.jobs.ui import Ui, UiOptions, open_ui
from artsim.messages import no_progress, say_nothing
from artsim.server.app import Limits, build_app
from artsim.server.uploads import MEGABYTE
from tests.command import ROOT

ADDRESS = "http://127.0.0.1:8765"
NAMES = [f"{number}.png" for number in range(12)]


def opened_ui(**options: Any) -> Ui:
    """The answers of a page for the tower `tower.onnx`."""
    return open_ui(UiOptions("tower.onnx", device="cpu", **options), say_nothing, no_progress)


def client(ui: Ui, limits: Limits | None = None) -> TestClient:
    """A client of a page, as if it listened at the default port."""
    return TestClient(build_app(ui, limits or Limits(MEGABYTE)), ADDRESS, raise_server_exceptions=False)


def files(**pictures: str | tuple[str, bytes]) -> dict[str, tuple[str, bytes]]:
    """The files of a form: paths, or names with contents."""
    return {
        field: (Path(given).name, Path(given).read_bytes()) if isinstance(given, str) else given
        for field, given in pictures.items()
    }


def noise(size: int) -> bytes:
    """A PNG of random pixels, which compression does not make smaller."""
    file = io.BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (size, size, 3), dtype=np.uint8)).save(file, "PNG")
    return file.getvalue()


@contextmanager
def running_page(*arguments: str, cwd: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """`artsim ui` as a process of its own at a free port, and the address that it prints; ended with the block."""
    command = [sys.executable, "-m", "artsim", "ui", "--port", "0", "--no-browser", "--device", "cpu", *arguments]
    # A shell that starts tests in the background lets their children ignore Ctrl-C, which conftest.py undoes.
    process = subprocess.Popen(
        command,
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        yield process, process.stdout.readline().strip()
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()
