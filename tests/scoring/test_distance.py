"""Distances in float32, held to float64."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from artsim.scoring.contract import DistanceName
from artsim.scoring.distance import pair_distances

NAMES = st.sampled_from(["rms", "euclidean"])


@given(
    name=NAMES,
    width=st.integers(1, 4096),
    seed=st.integers(0, 2**32 - 1),
    scale=st.floats(-3, 3),
    closeness=st.floats(-4, 0),
)
def test_within_1e_6_of_float64(name: DistanceName, width: int, seed: int, scale: float, closeness: float) -> None:
    rng = np.random.default_rng(seed)
    one = (10**scale * rng.normal(size=width)).astype(np.float32)
    other = (one + 10 ** (scale + closeness) * rng.normal(size=width)).astype(np.float32)
    got = pair_distances(np.stack([one, other]), np.array([0]), np.array([1]), name)
    squares = (one.astype(np.float64) - other.astype(np.float64)) ** 2
    wanted = np.sqrt(squares.mean() if name == "rms" else squares.sum())
    assert got.dtype == np.float32
    assert abs(got[0] - wanted) <= 1e-6 * max(1.0, wanted)


@given(name=NAMES, width=st.integers(1, 600), seed=st.integers(0, 2**32 - 1))
def test_an_image_and_itself_are_exactly_0_apart(name: DistanceName, width: int, seed: int) -> None:
    embeddings = np.random.default_rng(seed).normal(size=(3, width)).astype(np.float32)
    rows = np.array([0, 1, 2])
    assert pair_distances(embeddings, rows, rows, name).tolist() == [0, 0, 0]


def test_the_order_of_a_pair_does_not_matter() -> None:
    embeddings = np.random.default_rng(0).normal(size=(9, 33)).astype(np.float32)
    first, second = np.arange(8), np.arange(1, 9)
    assert np.array_equal(
        pair_distances(embeddings, first, second, "rms"), pair_distances(embeddings, second, first, "rms")
    )


@pytest.mark.parametrize("row", [-1, 3])
def test_a_row_that_is_not_there_is_refused(row: int) -> None:
    embeddings = np.zeros((3, 8), dtype=np.float32)
    with pytest.raises(IndexError):
        pair_distances(embeddings, np.array([0, row]), np.array([0, 0]), "rms")


def test_no_pairs_have_no_distances() -> None:
    nothing = np.empty(0, dtype=np.int64)
    assert pair_distances(np.empty((0, 8), dtype=np.float32), nothing, nothing, "rms").shape == (0,)


@given(st.integers(0, 2**32 - 1), st.sampled_from(["rms", "euclidean"]))
def test_a_distance_is_multiplied_by_the_factors_of_both(seed: int, name: DistanceName) -> None:
    rng = np.random.default_rng(seed)
    embeddings, factor = rng.normal(size=(6, 5)).astype(np.float32), rng.uniform(0.1, 9, 6).astype(np.float32)
    first, second = rng.integers(0, 6, (2, 20))
    plain = pair_distances(embeddings, first, second, name)
    adapted = pair_distances(embeddings, first, second, name, factor)
    np.testing.assert_allclose(adapted, plain.astype(float) * factor[first] * factor[second], rtol=1e-6)
    assert np.array_equal(adapted, pair_distances(embeddings, second, first, name, factor))
    ones = np.ones(6, dtype=np.float32)
    assert pair_distances(embeddings, first, second, name, ones).tobytes() == plain.tobytes()


def test_arrays_of_any_kind_are_taken() -> None:
    embeddings = np.random.default_rng(0).normal(size=(6, 8))
    wanted = pair_distances(embeddings.astype(np.float32), np.array([0, 2]), np.array([1, 3]), "rms")
    fixed = embeddings.astype(np.float32)
    fixed.flags.writeable = False
    for other in (fixed, np.asfortranarray(embeddings.astype(np.float32)), embeddings):
        got = pair_distances(other, np.array([0, 2], dtype=np.int32), np.arange(4)[1::2], "rms")  # type: ignore[arg-type]
        assert np.array_equal(got, wanted)
