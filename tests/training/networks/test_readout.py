from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from artsim.training.networks.readout import (
    FULL_SHARE,
    SHRINKAGE,
    compressed,
    fit_projection,
    fit_whitening,
    weights_of,
    works_to_project,
)


def works(count: int, width: int, seed: int = 0) -> NDArray[np.float32]:
    rng = np.random.default_rng(seed)
    return (rng.normal(size=(count, 4)) @ rng.normal(size=(4, width)) + 0.1 * rng.normal(size=(count, width))).astype(
        np.float32
    )


def by_one(features: NDArray[np.float32]) -> NDArray[np.int64]:
    """Labels (N,) of works (N, F) by one artist, of which each counts alike."""
    return np.zeros(len(features), np.int64)


@settings(max_examples=30)
@given(st.integers(3, 40), st.integers(3, 40), st.integers(1, 60), st.integers(0, 5))
def test_coordinates_are_uncorrelated_and_in_order_of_variance(
    count: int, width: int, components: int, seed: int
) -> None:
    features = works(count, width, seed) * 50 + 7
    projection = fit_projection(features, by_one(features), components)
    coordinates = projection(features).astype(np.float64)
    assert coordinates.shape[1] <= min(components, count, width)
    np.testing.assert_allclose(coordinates.mean(axis=0), 0, atol=1e-3)
    assert np.mean(coordinates**2) == pytest.approx(1, rel=1e-3)
    covariance = coordinates.T @ coordinates / count
    variance = np.diag(covariance)
    np.testing.assert_allclose(covariance, np.diag(variance), atol=1e-3 * variance.max())
    assert (np.diff(variance) <= 1e-3 * variance.max()).all()


def test_more_works_than_features_give_the_same_coordinates_as_fewer() -> None:
    features = works(30, 30)
    few, many = (fit_projection(some, by_one(some), 4)(some) for some in (features[:, :29], features))
    assert few.shape == many.shape == (30, 4)  # the one by the Gram matrix of features, the other by that of works
    np.testing.assert_allclose(np.abs(np.sum(few * many, axis=0)) / 30, np.mean(many**2, axis=0), rtol=0.05)


def test_a_constant_feature_has_no_effect() -> None:
    features = works(20, 6)
    constant = np.concatenate([features, np.full((20, 1), 3.0, np.float32)], axis=1)
    projection = fit_projection(constant, by_one(constant), 4)
    other = constant + np.array([0, 0, 0, 0, 0, 0, 1000], np.float32)
    np.testing.assert_allclose(projection(other), projection(constant), atol=1e-3)


@given(st.integers(0, 5), st.floats(0.01, 100))
def test_the_readout_does_not_depend_on_the_scale_of_features(seed: int, unit: float) -> None:
    features = works(20, 8, seed)
    one, other = (
        fit_projection(scaled, by_one(scaled), 4)(scaled) for scaled in (features, np.float32(unit) * features)
    )
    np.testing.assert_allclose(np.abs(np.sum(one * other, axis=0)) / 20, np.mean(one**2, axis=0), rtol=1e-2)


@given(st.lists(st.integers(1, 60), min_size=1, max_size=20), st.integers(0, 5))
def test_artists_with_many_works_have_equal_weight(counts: list[int], seed: int) -> None:
    labels = np.random.default_rng(seed).permutation(np.repeat(np.arange(len(counts)), counts))
    weights = weights_of(labels)
    assert weights.mean() == pytest.approx(1)
    share = np.bincount(labels, weights) / np.minimum(counts, FULL_SHARE)
    np.testing.assert_allclose(share, share[0])


def test_more_copies_of_an_artists_works_change_nothing() -> None:
    features, labels = works(2 * FULL_SHARE, 8), np.repeat(np.arange(2), FULL_SHARE)
    rows = np.concatenate([np.arange(2 * FULL_SHARE), *[np.arange(FULL_SHARE)] * 3])
    likeness = []
    for some in (slice(None), rows):
        projection = fit_projection(features[some], labels[some], 4)
        readout = projection.then(fit_whitening(projection(features[some]), labels[some], 4))(features)
        readout /= np.linalg.norm(readout, axis=1, keepdims=True)
        likeness.append(readout @ readout.T)
    np.testing.assert_allclose(likeness[0], likeness[1], atol=1e-3)


@given(st.lists(st.integers(1, 60), min_size=1, max_size=60))
def test_the_works_to_project_are_bounded_and_shared_alike(counts: list[int]) -> None:
    labels = np.random.default_rng(0).permutation(np.repeat(np.arange(len(counts)), counts))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("artsim.training.networks.readout.PROJECTION_WORKS", 40)
        rows = works_to_project(labels)
    assert len(set(rows)) == len(rows) <= 40
    if len(labels) <= 40:
        np.testing.assert_array_equal(rows, np.arange(len(labels)))
    else:
        taken = np.bincount(labels[rows], minlength=len(counts))
        share = taken.max()
        np.testing.assert_array_equal(taken[taken > 0], np.minimum(counts, share)[taken > 0])
        assert np.minimum(counts, share + 1).sum() > 40  # no larger share would fit


def test_compression_is_odd_and_turns_ratios_into_differences() -> None:
    features = np.array([[0.0, 1e-3, 10.0, 100.0, -100.0]], np.float32)
    zero, little, ten, hundred, negative = compressed(features, np.full(5, 10, np.float32))[0]
    assert zero == 0
    assert little == pytest.approx(0.01, rel=0.01)
    assert hundred - ten == pytest.approx(np.log(10), rel=0.01)
    assert negative == -hundred


def test_whitening_makes_the_covariance_within_artists_the_identity() -> None:
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(200), 10)
    scatter = rng.normal(size=(2000, 3)) * [10, 1, 0.1]
    coordinates = (rng.normal(size=(200, 3))[labels] + scatter).astype(np.float32)
    kernel = fit_whitening(coordinates, labels, 3)
    white = coordinates @ kernel
    within = np.cov((white - np.stack([white[labels == one].mean(axis=0) for one in labels])).T)
    # Of a variance v, the shrinkage towards the mean m leaves v / ((1 - s) v + s m).
    variance = np.array([100, 1, 0.01])
    expected = variance / ((1 - SHRINKAGE) * variance + SHRINKAGE * variance.mean())
    np.testing.assert_allclose(np.diag(within), expected, rtol=0.2)


def test_the_readout_finds_the_direction_in_which_artists_differ() -> None:
    rng = np.random.default_rng(1)
    labels = np.repeat(np.arange(8), 20)
    hands = rng.normal(size=8)
    # What varies most varies within an artist: it hides the hand until it is whitened.
    loud, quiet = 10 * rng.normal(size=160), hands[labels] + 0.1 * rng.normal(size=160)
    coordinates = np.stack([loud, quiet], axis=1).astype(np.float32)
    kernel = fit_whitening(coordinates, labels, 2)
    gain = np.linalg.norm(kernel, axis=1)
    assert gain[1] > 1.3 * gain[0]


def test_a_narrower_readout_takes_the_leading_coordinates() -> None:
    coordinates, labels = works(40, 6), np.repeat(np.arange(8), 5)
    kernel = fit_whitening(coordinates, labels, 4)
    assert kernel.shape == (6, 4)
    np.testing.assert_array_equal(kernel[4:], 0)
    np.testing.assert_allclose(kernel[:4], fit_whitening(coordinates[:, :4], labels, 4), rtol=1e-5)


def labelled(seed: int, artists: int = 4, width: int = 8) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Coordinates (N, K) of eight works by each of some artists."""
    rng = np.random.default_rng(seed)
    labels = np.repeat(np.arange(artists), 8)
    return (rng.normal(size=(artists, width))[labels] + rng.normal(size=(len(labels), width))).astype(
        np.float32
    ), labels


def along_means(values: NDArray[np.float64], means: NDArray[np.float64]) -> NDArray[np.float64]:
    """The part of values (N, D) that lies in the space of the differences of means (A, D)."""
    space = np.linalg.qr((means[1:] - means[0]).T)[0]
    return np.asarray(values @ space @ space.T)


@given(st.integers(0, 20), st.floats(1, 5))
def test_stretching_multiplies_distances_along_the_artists_means_and_leaves_the_others(
    seed: int, stretch: float
) -> None:
    coordinates, labels = labelled(seed)
    plain, stretched = (
        (coordinates @ fit_whitening(coordinates, labels, 8, stretch=factor)).astype(np.float64)
        for factor in (1.0, stretch)
    )
    means = np.stack([plain[labels == one].mean(axis=0) for one in range(4)])
    along = along_means(plain, means)
    np.testing.assert_allclose(along_means(stretched, means), stretch * along, atol=1e-3)
    np.testing.assert_allclose(stretched - along_means(stretched, means), plain - along, atol=1e-3)


def test_with_more_artists_than_directions_stretching_changes_the_scale_only() -> None:
    coordinates, labels = labelled(0, artists=9)
    plain = fit_whitening(coordinates, labels, 8)
    np.testing.assert_allclose(fit_whitening(coordinates, labels, 8, stretch=2.0), 2 * plain, rtol=1e-4, atol=1e-5)


def test_one_artist_has_no_means_to_stretch() -> None:
    coordinates, labels = labelled(0, artists=1)
    plain = fit_whitening(coordinates, labels, 8)
    np.testing.assert_array_equal(fit_whitening(coordinates, labels, 8, stretch=2.0), plain)


@given(st.integers(0, 7), st.floats(0.1, 5))
def test_a_direction_in_which_views_differ_counts_less(direction: int, weight: float) -> None:
    coordinates, labels = labelled(3)
    shift = np.zeros(8, np.float32)
    shift[direction] = 20
    views = coordinates + np.random.default_rng(4).normal(size=(len(labels), 1)).astype(np.float32) * shift
    plain = fit_whitening(coordinates, labels, 8)
    wary = fit_whitening(coordinates, labels, 8, views=views, view_weight=weight)
    share = np.linalg.norm(wary, axis=1) / np.linalg.norm(plain, axis=1)
    assert share.argmin() == direction
    assert share[direction] < 0.7 * np.delete(share, direction).min()


def test_an_offset_that_all_views_share_counts_less_too() -> None:
    coordinates, labels = labelled(3)
    views = coordinates + np.eye(8, dtype=np.float32)[2] * 20
    plain, wary = (fit_whitening(coordinates, labels, 8, views=views, view_weight=weight) for weight in (0.0, 1.0))
    share = np.linalg.norm(wary, axis=1) / np.linalg.norm(plain, axis=1)
    assert share.argmin() == 2


def test_without_weight_views_have_no_effect_and_without_a_factor_nothing_is_stretched() -> None:
    coordinates, labels = labelled(5)
    plain = fit_whitening(coordinates, labels, 8)
    unused = fit_whitening(coordinates, labels, 8, views=coordinates[::-1], view_weight=0.0, stretch=1.0)
    np.testing.assert_allclose(unused, plain, rtol=1e-5, atol=1e-6)
    same = fit_whitening(coordinates, labels, 8, views=coordinates, view_weight=3.0)
    np.testing.assert_allclose(same, plain, rtol=1e-4, atol=1e-5)
