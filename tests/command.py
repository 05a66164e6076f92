"""Commands as a user types them: in this process, or as one of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import ParamSpec

import pytest

from artsim.cli.main import artsim, run

P = ParamSpec("P")
ROOT = Path(__file__).parents[1]

# A run of seconds: eight painters with six works, at 32 px. The default recipe depends on installed weights.
SMALL = ["--recipe", "compact", "--image-size", "32", "--embedding-size", "16", "--batch-size", "16", "--epochs", "2"]


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


def eagerly(test: Callable[P, None]) -> Callable[P, None]:
    """Run a fit's steps as they are written: to trace their graph takes longer than the few steps of a test.

    `tests/jobs/test_train.py` and the slow suite run them as graphs, as users do.
    """
    ignored = pytest.mark.filterwarnings("ignore:Even though the `tf.config:UserWarning")  # tf.data traces all the same
    return pytest.mark.usefixtures("eager")(ignored(test))
