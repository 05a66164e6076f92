"""The rules of a tower on made folds, whose views share a direction as the photographs of a foreign collection do."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from artsim.evaluation.rules import OWN_WORKS, TowerRules, fit_rules
from artsim.scoring.cohort import MIN_COHORT
from artsim.scoring.distance import pair_distances
from artsim.scoring.familiarity import Correction, EmbeddedFold, TrainingEmbeddings

WIDTH = 24
Vectors = NDArray[np.float32]


def unit(vectors: NDArray[np.float64]) -> Vectors:
    unit_vectors: NDArray[np.float64] = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return unit_vectors.astype(np.float32)


def hands_and_works(rng: np.random.Generator, artists: int, works: int) -> tuple[NDArray[np.int64], Vectors]:
    """Artists (N,) and their works' values (N, D); the last values vary little."""
    number = np.repeat(np.arange(artists), works)
    hands = rng.normal(size=(artists, WIDTH))
    values = hands[number] + 0.8 * rng.normal(size=(len(number), WIDTH))
    values[:, WIDTH // 2 :] *= 0.1
    return number, values.astype(np.float32)


def made_fold(seed: int, shift: float, artists: int = 10, works: int = 6) -> EmbeddedFold:
    """A fold, and views to which each of three photographers adds a direction of little variance."""
    rng = np.random.default_rng(seed)

    def photographed(values: Vectors, photographers: NDArray[np.int64]) -> Vectors:
        directions = np.zeros((photographers.max() + 1, WIDTH))
        directions[:, WIDTH // 2 :] = shift * rng.normal(size=(len(directions), WIDTH - WIDTH // 2))
        return unit(values.astype(np.float64) + directions[photographers])

    known = hands_and_works(rng, 40, 10)[1]
    training = TrainingEmbeddings.of(unit(known.astype(np.float64)), photographed(known, np.arange(len(known)) % 8))
    number, values = hands_and_works(rng, artists, works)
    photographers = np.arange(len(number)) % 3
    views = photographed(values, photographers)
    embeddings = unit(values.astype(np.float64))
    return EmbeddedFold.of(number, embeddings, photographers, views, training, embeddings[:0], number[:0])


def predicted_same(folds: list[EmbeddedFold], rules: TowerRules, correction: Correction) -> float:
    """The share of all pairs of views by one photographer that are predicted to be by the same artist."""
    predicted = []
    for fold in folds:
        factor = correction.factors(fold.view_unfamiliarity, fold.view_remoteness).astype(np.float32)
        first, second = np.triu_indices(len(fold.artists), k=1)
        by_one = fold.photographers[first] == fold.photographers[second]
        distances = pair_distances(fold.views, first[by_one], second[by_one], "euclidean", factor)
        predicted.append(distances < rules.plain.threshold)
    return float(np.concatenate(predicted).mean())


def fitted(folds: list[EmbeddedFold], adapted_width: int = WIDTH) -> TowerRules:
    rules = fit_rules(folds, "euclidean", seed=0, adapted_width=adapted_width)
    assert rules is not None
    return rules


def correction_of(rules: TowerRules) -> Correction:
    assert rules.correction is not None
    return rules.correction


def test_the_correction_sets_apart_views_that_share_a_direction() -> None:
    """Of the pairs, 9 % are by the same artist."""
    rules = fitted([made_fold(seed, shift=1.2) for seed in range(3)], adapted_width=0)
    others = [made_fold(seed, shift=1.2) for seed in range(10, 13)]  # not those that the rules were fitted on
    fitted_correction = correction_of(rules)
    none = replace(fitted_correction, slope=0.0)
    alike, apart = (predicted_same(others, rules, correction) for correction in (none, fitted_correction))
    assert fitted_correction.slope > 0.3
    assert alike > 0.7
    assert apart < alike / 2


def test_views_that_equal_the_works_need_no_correction() -> None:
    folds = [made_fold(seed, shift=0.0) for seed in range(3)]
    assert correction_of(fitted(folds)).slope < 0.05


def test_most_works_are_familiar_and_views_by_other_photographers_are_not() -> None:
    folds = [made_fold(seed, shift=0.8) for seed in range(3)]
    familiar = correction_of(fitted(folds)).familiar
    assert np.mean([fold.unfamiliarity <= familiar for fold in folds]) == pytest.approx(0.95, abs=0.01)
    assert np.mean([fold.view_unfamiliarity > familiar for fold in folds]) > 0.9


def test_folds_without_pairs_of_views_by_one_photographer_leave_distances_as_they_are() -> None:
    folds = [replace(fold, photographers=np.arange(60)) for fold in (made_fold(seed, shift=0.8) for seed in range(2))]
    assert correction_of(fitted(folds)).slope == 0


def test_the_same_folds_give_the_same_rules() -> None:
    folds = [made_fold(seed, shift=0.5) for seed in range(2)]
    assert fitted(folds) == fitted([made_fold(seed, shift=0.5) for seed in range(2)])


def test_adapted_distances_have_a_rule_of_their_own() -> None:
    rules = fitted([made_fold(0, shift=0.8)])
    assert rules.adapted is not None
    assert rules.adapted.calibration.slope < 0
    assert rules.adapted.threshold != rules.plain.threshold


def test_there_is_no_rule_for_adapted_distances_if_nothing_adapts_or_collections_are_small() -> None:
    assert fitted([made_fold(0, shift=0.8)], adapted_width=0).adapted is None
    small = [made_fold(seed, shift=0.8, artists=(MIN_COHORT - 1) // OWN_WORKS) for seed in range(4)]
    assert fitted(small).adapted is None
    larger = made_fold(9, shift=0.8, artists=(MIN_COHORT - 1) // OWN_WORKS + 1)
    assert fitted([*small, larger]).adapted is not None


def test_beside_a_trained_head_one_rule_is_for_collections_with_few_and_with_many_works_by_an_artist(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rng = np.random.default_rng(1)
    folds = []
    for seed in range(3):
        artists, values = hands_and_works(rng, artists=8, works=20)
        others = unit(values.astype(np.float64))
        folds.append(replace(made_fold(seed, shift=0.8), others=others, other_artists=artists))

    def threshold(known: tuple[int, ...]) -> float:
        monkeypatch.setattr("artsim.evaluation.rules.KNOWN_BY_TRAINED_HEAD", known)
        adapted = fitted(folds, adapted_width=WIDTH // 2).adapted
        assert adapted is not None
        return adapted.threshold

    few, both, many = (threshold(known) for known in ((2,), (2, 20), (20,)))
    assert many < both < few
    monkeypatch.undo()
    adapted = fitted(folds, adapted_width=WIDTH // 2).adapted
    assert adapted is not None
    assert adapted.threshold == both
