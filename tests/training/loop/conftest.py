"""Fixtures of this folder: small works and a network for tuning, and a fit that is recorded."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest
from numpy.typing import NDArray

from tests.training.fits import RecordedFit
from tests.training.loop.tuning_makers import painted, random_network


@pytest.fixture(scope="module")
def pixels() -> NDArray[np.uint8]:
    return painted()


@pytest.fixture(scope="module")
def network() -> keras.Model:
    return random_network()


@pytest.fixture
def fitted(tmp_path: Path) -> RecordedFit:
    return RecordedFit(tmp_path)
