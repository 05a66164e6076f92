"""What the tests share: an environment of their own, a small collection, one real run."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from artsim.demo import write_demo

settings.register_profile("artsim", deadline=None)  # a busy machine is no defect
settings.load_profile("artsim")


@pytest.fixture(autouse=True, scope="session")
def _scrubbed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No setting of the user's reaches the tests, and no cache of theirs is written to."""
    patch = pytest.MonkeyPatch()
    for name in list(os.environ):
        if name.startswith(("MLFLOW_", "TF_", "KERAS_", "CUDA_")):
            patch.delenv(name)
    patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
    patch.setenv("COLUMNS", "120")
    yield
    patch.undo()


@pytest.fixture(scope="session")
def demo_csv(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight painters of the embedded collection, six works each; their images lie in `train` beside it."""
    return write_demo(tmp_path_factory.mktemp("demo"), artists=8, works=6)
