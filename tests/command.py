"""Commands as a user types them: in this process, or as one of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from artsim.cli.main import artsim, run

ROOT = Path(__file__).parents[1]

# A run of seconds: eight painters with six works, at 32 px.
SMALL = ["--image-size", "32", "--embedding-size", "16", "--batch-size", "16", "--epochs", "2"]


def artsim_in_process(*arguments: str) -> int:
    """Run `artsim ...` here and return its exit code."""
    return run(lambda: artsim.main(list(arguments), prog_name="artsim", standalone_mode=False))


def artsim_process(*arguments: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run `artsim ...` as a process of its own, with no terminal."""
    return subprocess.run(
        [sys.executable, "-m", "artsim", *arguments],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=500,
    )
