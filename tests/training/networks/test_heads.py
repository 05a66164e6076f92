"""Heads on features: a readout, a trained head, and both side by side."""

from __future__ import annotations

from dataclasses import replace

import keras
import numpy as np
import pytest
from numpy.typing import NDArray

from artsim.training.networks.features import LabelledFeatures
from artsim.training.networks.heads import build_head, build_readout, build_trained_head, side_by_side, widths
from artsim.training.networks.readout import fit_projection
from artsim.training.recipes import RECIPES

WORKS, FEATURES, COMPONENTS = 24, 40, 12
RECIPE = replace(RECIPES["transfer"], readout_share=0.3)


@pytest.fixture(scope="module")
def works() -> LabelledFeatures:
    features, views = np.random.default_rng(0).normal(size=(2, WORKS, FEATURES)).astype(np.float32)
    return LabelledFeatures(features, np.repeat(np.arange(4), 6), views)


def squared_distance(head: keras.Model, features: NDArray[np.float32]) -> float:
    return float(np.sum(np.diff(head.predict_on_batch(features), axis=0) ** 2))


def test_both_heads_on_one_projection_are_each_as_alone(works: LabelledFeatures) -> None:
    projection = fit_projection(works.features, works.labels, COMPONENTS)
    readout = build_readout(projection, works, 9, RECIPE)
    trained = build_trained_head(COMPONENTS, 3)
    both = build_head(projection, works, 9, trained, RECIPE).predict_on_batch(works.features)
    assert both.shape == (WORKS, 12)
    alone = build_head(projection, works, 0, trained, RECIPE)
    for part, head, share in ((both[:, :9], readout, 0.3), (both[:, 9:], alone, 0.7)):
        expected = head.predict_on_batch(works.features)
        np.testing.assert_allclose(part, np.sqrt(share) * expected, atol=1e-5)


def test_the_squared_distance_of_two_heads_is_a_weighted_mean() -> None:
    def head(columns: slice) -> keras.Model:
        features = keras.Input((6,))
        return keras.Model(features, keras.layers.UnitNormalization()(features[:, columns]))

    one, other = head(slice(0, 3)), head(slice(3, 6))
    features = np.random.default_rng(0).normal(size=(2, 6)).astype(np.float32)
    squared = [squared_distance(each, features) for each in (one, other, side_by_side(one, other, 0.3))]
    assert squared[2] == pytest.approx(0.3 * squared[0] + 0.7 * squared[1], rel=1e-5)


@pytest.mark.parametrize(
    ("recipe", "components", "expected"),
    [("transfer", 512, (512, 256)), ("transfer", 90, (90, 678)), ("compact", 512, (64, 64)), ("readout", 90, (90, 0))],
)
def test_a_readout_is_at_most_as_wide_as_its_components(
    recipe: str, components: int, expected: tuple[int, int]
) -> None:
    assert widths(RECIPES[recipe], components) == expected
