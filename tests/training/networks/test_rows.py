from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from artsim.large_arrays import is_on_disk, new_array
from artsim.training.networks.readout import fit_projection
from artsim.training.networks.rows import blocks_of, rows_of


@pytest.fixture(params=["in memory", "on disk"])
def features(request: pytest.FixtureRequest) -> NDArray[np.float32]:
    array: NDArray[np.float32] = new_array((40, 6), np.float32, "features", 0 if request.param == "on disk" else None)
    array[:] = np.random.default_rng(0).normal(size=array.shape)
    assert is_on_disk(array) == (request.param == "on disk")
    return array


def test_rows_of_rows_are_those_of_the_features(features: NDArray[np.float32]) -> None:
    some = rows_of(features, np.array([7, 3, 30, 3]))
    again = rows_of(some, np.array([2, 0]))
    assert (len(some), some.shape, again.shape) == (4, (4, 6), (2, 6))
    np.testing.assert_array_equal(some[1:3], features[[3, 30]])
    np.testing.assert_array_equal(again[:], features[[30, 7]])


def test_blocks_are_all_rows_in_order(features: NDArray[np.float32], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("artsim.training.networks.rows.BLOCK", 16)
    for whole in (features, rows_of(features, np.arange(40))):
        blocks = [(part, block.copy()) for part, block in blocks_of(whole)]
        assert [len(block) for _, block in blocks] == [16, 16, 8]
        for part, block in blocks:
            np.testing.assert_array_equal(block, features[part])


def test_a_projection_of_rows_is_that_of_their_copy(
    features: NDArray[np.float32], monkeypatch: pytest.MonkeyPatch
) -> None:
    rows, labels = np.arange(3, 33), np.arange(30) % 3
    copied, before = features[rows], features.copy()
    expected = fit_projection(copied, labels, 4)
    monkeypatch.setattr("artsim.training.networks.rows.BLOCK", 7)
    found = fit_projection(rows_of(features, rows), labels, 4)
    np.testing.assert_array_equal(found.kernel, expected.kernel)
    np.testing.assert_allclose(found(rows_of(features, rows)), expected(copied), atol=1e-5)
    np.testing.assert_array_equal(features, before)
