"""What validation says of embeddings: the metrics there are, and that they mean what their names say."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from artsim.collection.selection import Selection
from artsim.evaluation.intervals import auc_interval, mean_interval
from artsim.evaluation.rules import fit_rules
from artsim.evaluation.validation import Validation
from artsim.scoring.familiarity import EmbeddedFold
from artsim.shifted_views import photographers_of
from artsim.training.monitor import MEAN_AUC, MonitorName
from tests.towers import card, described

UNSEEN = "efghij"


def works(style: dict[str, str] | None) -> pd.DataFrame:
    """Four artists trained on and six held out, with six works each; `style` by artist, "" for the others."""
    artists = [artist for artist in "abcd" + UNSEEN for _ in range(6)]
    split = ["train", "train", *["val_seen"] * 4] * 4 + ["val_unseen"] * 36
    table = pd.DataFrame({"filename": [f"{number}.jpg" for number in range(60)], "artist": artists, "split": split})
    return table if style is None else table.assign(style=[style.get(artist, "") for artist in artists])


def evaluated(
    table: pd.DataFrame, place: dict[str, float], *, intervals: bool = False, noise: float = 0.1
) -> dict[str, float]:
    """The metrics of embeddings that put each artist's works around one place on a line."""
    validation = Validation(Selection(table, Path(), "test"), "euclidean", None, seed=0)
    rng = np.random.default_rng(0)
    middle = np.array([place[artist] for artist in validation.works["artist"]])
    embeddings: NDArray[np.float32] = (middle + rng.normal(scale=noise, size=len(middle))).astype(np.float32)[:, None]
    return validation.evaluate(embeddings, intervals=intervals).metrics


APART = {artist: float(number) for number, artist in enumerate("abcd" + UNSEEN)}


def test_every_metric_that_can_be_monitored_is_there() -> None:
    found = evaluated(works(dict.fromkeys("abcd" + UNSEEN, "Baroque")), APART)
    assert set(get_args(MonitorName)) - {"val_seen/loss", MEAN_AUC} <= set(found)


def test_within_a_style_only_its_artists_are_compared() -> None:
    # e and f share a style and a place, so nobody could tell them apart; all others are well apart.
    found = evaluated(works({"e": "Baroque, Realism", "f": "realism", "g": "Pop"}), APART | {"f": APART["e"]})
    assert found["val_unseen/auc"] > 0.9
    assert found["val_unseen/same_style_auc"] < 0.75
    assert found["val_unseen/same_style_precision_at_1"] < 0.9 < found["val_unseen/precision_at_1"] + 0.2
    assert not any(name.startswith("val_seen/same_style") for name in found)


@pytest.mark.parametrize("style", [None, {}, {"e": "Pop", "f": "Baroque"}])
def test_where_no_style_is_shared_nothing_is_said_of_styles(style: dict[str, str] | None) -> None:
    found = evaluated(works(style), APART, intervals=True)
    assert "val_unseen/map_at_r_low" in found
    assert not any("style" in name for name in found)


def test_intervals_hold_their_metrics_and_are_taken_only_where_asked() -> None:
    table = works(dict.fromkeys("abcd" + UNSEEN, "Baroque"))
    found = evaluated(table, APART, intervals=True, noise=0.5)
    bounded = [name.removesuffix("_low") for name in found if name.endswith("_low")]
    assert len(bounded) == 2 * 6
    for name in bounded:
        assert found[f"{name}_low"] <= found[name] <= found[f"{name}_high"]
        assert found[f"{name}_low"] < found[f"{name}_high"]
    plain = evaluated(table, APART, noise=0.5)
    assert plain == {name: value for name, value in found.items() if not name.endswith(("_low", "_high"))}


def test_intervals_resample_unseen_artists_and_the_works_of_seen_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    """One unseen artist is easy, so draws of artists move the metrics more than draws of works."""
    place = APART | dict.fromkeys("fghij", 9.0)
    found = evaluated(works(None), place, intervals=True)
    monkeypatch.setattr("artsim.evaluation.validation.auc_interval", lambda *a: auc_interval(*a[:4]))
    monkeypatch.setattr("artsim.evaluation.validation.mean_interval", lambda values, _: mean_interval(values))
    of_works = evaluated(works(None), place, intervals=True)
    for name in ("auc", "precision_at_1"):
        wide, narrow = (each[f"val_unseen/{name}_high"] - each[f"val_unseen/{name}_low"] for each in (found, of_works))
        assert wide > 1.2 * narrow
        for end in ("low", "high"):
            assert found[f"val_seen/{name}_{end}"] == of_works[f"val_seen/{name}_{end}"]


def test_a_tower_that_tells_all_apart_is_sure_and_right() -> None:
    found = evaluated(works(None), APART, noise=0.01)
    for part in ("val_seen", "val_unseen"):
        assert found[f"{part}/precision_at_1"] == found[f"{part}/map_at_r"] == 1
        assert found[f"{part}/calibration_error"] < 0.05
        assert found[f"{part}/brier_skill"] > 0.9
        assert found[f"{part}/cllr_min"] <= found[f"{part}/cllr"] < 0.1


def test_probabilities_of_two_unseen_artists_cant_be_judged_but_those_of_seen_ones_can() -> None:
    table = works(None)
    found = evaluated(table[~table["artist"].isin(list("ghij"))].reset_index(drop=True), APART)
    assert {"val_seen/calibration_error", "val_seen/cllr", "val_unseen/auc", "val_unseen/cllr_min"} <= set(found)
    assert not {"val_unseen/calibration_error", "val_unseen/cllr"} & set(found)


def test_a_calibration_by_folds_reads_pairs_within_folds_alone() -> None:
    rng = np.random.default_rng(0)
    artists = np.repeat(np.arange(6), 8)
    hands = rng.normal(size=(6, 4))
    works = (hands[artists] + 0.3 * rng.normal(size=(48, 4))).astype(np.float32)
    # Another tower turned and moved its embeddings: distances within a fold are what they were, between folds not.
    turn, _ = np.linalg.qr(rng.normal(size=(4, 4)))
    folds = [
        fold(works[:24], artists[:24]),
        fold((works[24:] @ turn + 100).astype(np.float32), artists[24:]),
    ]
    found = fit_rules(folds, "euclidean", seed=0, adapted_width=4)
    assert found is not None
    calibration, threshold = found.plain.calibration, found.plain.threshold
    assert calibration.slope < 0
    assert -calibration.intercept / calibration.slope == pytest.approx(threshold)
    first, second = np.triu_indices(24, k=1)
    for each in folds:
        near = np.linalg.norm(each.embeddings[first] - each.embeddings[second], axis=1) < threshold
        same = each.artists[first] == each.artists[second]
        assert near[same].mean() > 0.85
        assert near[~same].mean() < 0.15


def test_folds_without_pairs_of_both_kinds_give_no_rules() -> None:
    alone = fold(np.zeros((3, 2), np.float32), np.array([0, 1, 2]))
    assert fit_rules([alone], "euclidean", seed=0, adapted_width=2) is None
    assert fit_rules([], "euclidean", seed=0, adapted_width=2) is None


def validation_of(table: pd.DataFrame) -> Validation:
    return Validation(Selection(table, Path(), "test"), "euclidean", None, seed=0)


def placed(validation: Validation, noise: float = 0.1) -> NDArray[np.float32]:
    """Embeddings (V, 2) that put each artist's works around one place on a line."""
    rng = np.random.default_rng(0)
    middle = np.array([[APART[artist], 0.0] for artist in validation.works["artist"]])
    return (middle + rng.normal(scale=noise, size=middle.shape)).astype(np.float32)


def test_the_fold_has_the_works_by_unseen_artists_with_their_views() -> None:
    validation = validation_of(works(None))
    embeddings = placed(validation)
    training = described(embeddings)
    found = validation.fold(embeddings, -embeddings, training)
    unseen = (validation.works["split"] == "val_unseen").to_numpy()
    np.testing.assert_array_equal(found.embeddings, embeddings[unseen])
    np.testing.assert_array_equal(found.views, -embeddings[unseen])
    np.testing.assert_array_equal(found.view_unfamiliarity, training.unfamiliarity(-embeddings[unseen]))
    np.testing.assert_array_equal(found.remoteness, training.remoteness(embeddings[unseen]))
    assert len(set(zip(found.artists, validation.works["artist"][unseen], strict=True))) == len(UNSEEN)
    np.testing.assert_array_equal(found.photographers, validation.photographers[unseen])


@pytest.mark.parametrize("unseen", ["", "e"])
def test_the_fold_has_works_by_seen_artists_where_unseen_ones_give_no_pairs(unseen: str) -> None:
    table = works(None)
    validation = validation_of(table[table["artist"].isin(list("abcd" + unseen))].reset_index(drop=True))
    embeddings = placed(validation)
    found = validation.fold(embeddings, embeddings, described(embeddings))
    assert len(found.artists) == (validation.works["split"] == "val_seen").sum() == 16
    shifted = validation.evaluate_shifted(embeddings, None, validation.evaluate(embeddings).rule, seed=0)
    assert shifted["val_shifted/auc"] > 0.9


def test_the_fold_has_some_works_of_each_seen_artist_as_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("artsim.evaluation.validation.MOST_OTHERS", 3)
    validation = validation_of(works(None))
    embeddings = placed(validation)
    found = validation.fold(embeddings, embeddings, described(embeddings))
    seen = (validation.works["split"] == "val_seen").to_numpy()
    of_artist = np.unique(found.other_artists, return_counts=True)[1]
    assert (of_artist == 3).all()
    assert len(of_artist) == validation.works["artist"][seen].nunique()
    assert {tuple(other) for other in found.others} <= {tuple(work) for work in embeddings[seen]}


@given(st.integers(3, 30), st.integers(16, 40))
def test_a_photographer_shows_several_works_of_most_artists(works_per_artist: int, artists: int) -> None:
    artist = np.repeat(np.arange(artists), works_per_artist)
    photographers = photographers_of(np.zeros(len(artist), dtype=np.int64))
    shown = np.unique(np.stack([artist, photographers]), axis=1, return_counts=True)
    several = np.unique(shown[0][0][shown[1] > 1])
    assert len(several) > 0.7 * artists
    assert np.ptp(np.bincount(photographers)) <= 1


def test_few_works_have_few_photographers_so_that_each_shows_pairs() -> None:
    counts = []
    for artists in ("abcdefgh", "abcd" + UNSEEN):
        table = works(None)
        validation = validation_of(table[table["artist"].isin(list(artists))].reset_index(drop=True))
        counts.append(len(set(validation.photographers)))
        embeddings = placed(validation)
        assert validation.evaluate_shifted(embeddings, None, validation.evaluate(embeddings).rule, seed=0)
    assert counts == [4, 6]  # of 24 and 36 works by unseen artists


def test_pairs_of_the_shifted_twin_are_by_one_photographer() -> None:
    """Photographers who add their own value: by one of them the artists are well apart, across them they are not."""
    validation = validation_of(works(None))
    embeddings = placed(validation)
    views = embeddings.copy()
    views[:, 1] += 100 * validation.photographers
    rule = validation.evaluate(embeddings).rule
    found = validation.evaluate_shifted(views, None, rule, seed=0)
    assert found["val_shifted/auc"] > 0.95
    assert found["val_shifted/auc_low"] <= found["val_shifted/auc"] <= found["val_shifted/auc_high"]
    assert found["val_shifted/predicted_same"] == pytest.approx(0.5, abs=0.1)  # as many as are
    assert {name.split("/")[0] for name in found} == {"val_shifted"}


def test_the_rule_is_applied_to_distances_with_factors() -> None:
    validation = validation_of(works(None))
    embeddings = placed(validation)
    rule = validation.evaluate(embeddings).rule
    alike = (0.01 * embeddings).astype(np.float32)  # views whose distances are too small
    plain = validation.evaluate_shifted(alike, None, rule, seed=0)
    factors = np.full(len(alike), 10, np.float32)  # of both works of a pair: 100
    corrected = validation.evaluate_shifted(alike, factors, rule, seed=0)
    assert plain["val_shifted/predicted_same"] == 1
    assert corrected["val_shifted/predicted_same"] == pytest.approx(0.5, abs=0.1)
    assert corrected["val_shifted/cllr"] < plain["val_shifted/cllr"]


def test_factors_of_works_enter_the_metrics_and_the_scores() -> None:
    validation = validation_of(works(None))
    embeddings = placed(validation, noise=1.0)
    factors = np.where(np.arange(len(embeddings)) % 2, np.float32(3), np.float32(1))
    plain, changed = (validation.evaluate(embeddings, each).metrics for each in (None, factors))
    assert changed["val_unseen/auc"] != plain["val_unseen/auc"]
    assert changed["val_unseen/map_at_r"] == plain["val_unseen/map_at_r"]  # of embeddings as they are
    one, other = (validation.scores(embeddings, card(distance="euclidean"), each) for each in (None, factors))
    wanted = one["distance"] * factors[validation.first] * factors[validation.second]
    np.testing.assert_allclose(other["distance"], wanted, rtol=1e-6)


def fold(embeddings: NDArray[np.float32], artists: NDArray[np.int64]) -> EmbeddedFold:
    """A fold whose views are the works themselves, by one photographer."""
    photographers = np.zeros(len(artists), dtype=np.int64)
    return EmbeddedFold.of(
        artists, embeddings, photographers, embeddings, described(embeddings), embeddings[:0], artists[:0]
    )
