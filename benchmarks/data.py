"""The data of the benchmarks, in the folder that ARTSIM_DATA names."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def data(*parts: str) -> Path:
    """A file or folder of the benchmark data; ends the program, saying what is missing, where it isn't there."""
    root = os.environ.get("ARTSIM_DATA")
    if not root:
        sys.exit("Set ARTSIM_DATA to the folder that holds seed-sample/, gallery/ and paintings/.")
    path = Path(root, *parts)
    if not path.exists():
        sys.exit(f"{path} is not there; ARTSIM_DATA should name the folder that holds {parts[0]}/.")
    return path


def verdict(met: bool, expectation: str) -> int:
    """Say whether an expectation was met, and return the program's exit code: 0 or 1."""
    print(f"expected {expectation}: {'met' if met else 'NOT MET'}")
    return 0 if met else 1
