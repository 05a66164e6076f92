"""A cohort adapts embeddings: what must hold for any embeddings, and which works it consists of."""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image
from sklearn.metrics import roc_auc_score

import artsim
from artsim.errors import InputError, ModelError, UsageError
from artsim.scoring import cohort as module
from artsim.scoring.cohort import EXPANDING, NEIGHBOURS_FACTOR, Cohort, TowerOfCohort, build_cohort
from artsim.scoring.contract import CohortRule
from artsim.scoring.distance import pair_distances
from tests.towers import COHORT_RULE, adaptable_card, write_paintings, write_tower

Vectors = NDArray[np.float32]
WIDTH = 8


def digests(count: int) -> list[str]:
    return [f"{number:064x}" for number in range(count)]


def cohort_of(vectors: Vectors, sha256s: Sequence[str] | None = None, rule: CohortRule = COHORT_RULE) -> Cohort:
    card = adaptable_card(cohort=rule, threshold=0.4)  # copies are closer than 0.1
    return build_cohort(
        TowerOfCohort(card, "tower.onnx", "f" * 64), sha256s or digests(len(vectors)), lambda rows: vectors[rows]
    )


def works(seed: int, count: int, shift: float = 0.0) -> Vectors:
    """Random embeddings with a common part."""
    vectors = np.random.default_rng(seed).normal(size=(count, WIDTH))
    vectors[:, 0] += shift
    return vectors.astype(np.float32)


def distances(cohort: Cohort, vectors: Vectors) -> Vectors:
    """All adapted distances (N, N)."""
    adapted, factor = cohort.adapt(vectors)
    first, second = (rows.ravel() for rows in np.indices((len(vectors), len(vectors))))
    return pair_distances(adapted, first, second, "rms", factor).reshape(len(vectors), -1)


@given(st.integers(0, 2**32 - 1), st.integers(2, 70), st.integers(1, 9))
def test_an_image_is_0_from_itself_and_a_pair_has_no_order(seed: int, count: int, scored: int) -> None:
    found = distances(cohort_of(works(seed, count)), works(seed + 1, scored))
    assert (np.diag(found) == 0).all()
    assert np.array_equal(found, found.T)
    assert np.isfinite(found).all()


@given(st.integers(0, 2**32 - 1), st.integers(2, 60))
def test_order_and_batches_do_not_matter(seed: int, count: int) -> None:
    vectors, sha256s = works(seed, count), digests(count)
    order = np.random.default_rng(seed).permutation(count)
    one, other = cohort_of(vectors, sha256s), cohort_of(vectors[order], [sha256s[row] for row in order])
    assert (one.sha256, one.vectors.tobytes()) == (other.sha256, other.vectors.tobytes())
    scored = works(seed + 1, 300)
    adapted, factor = one.adapt(scored)
    for rows in (np.arange(300)[::-1], np.array([7]), np.arange(250, 300)):
        part, part_factor = other.adapt(scored[rows])
        assert part.tobytes() == adapted[rows].tobytes()
        assert part_factor.tobytes() == factor[rows].tobytes()


def test_the_distances_are_those_of_the_definition() -> None:
    """The three steps written out with loops, in float64."""
    vectors, scored = works(0, 80, shift=2.0), works(1, 6, shift=2.0)
    width = COHORT_RULE.adapted_width
    mean = vectors[:, :width].astype(np.float64).mean(axis=0)

    def with_lead(lead: NDArray[np.float64], x: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.concatenate([lead * np.linalg.norm(x[:width]) / np.linalg.norm(lead), x[width:]])

    def centred(x: Vectors) -> NDArray[np.float64]:
        return with_lead(x[:width] - mean, x.astype(np.float64))

    def moved(x: Vectors) -> NDArray[np.float64]:
        own = centred(x)
        others = [centred(y) for y in vectors if not np.array_equal(x, y)]
        lead = own[:width].copy()
        for work in sorted(others, key=lambda other: float(np.linalg.norm(own - other)))[:EXPANDING]:
            cosine = own @ work / (np.linalg.norm(own) * np.linalg.norm(work))
            lead += max(float(cosine), 0.0) ** 2 * work[:width]
        return with_lead(lead, own)

    rows = [*vectors, *scored]
    places = [moved(x) for x in rows]
    count = len(vectors)

    def distance(one: int, other: int) -> float:
        return float(np.sqrt(np.mean((places[one] - places[other]) ** 2)))

    def near(row: int) -> float:
        apart = sorted(distance(row, work) for work in range(count) if work != row)
        return float(np.mean(apart[: round(NEIGHBOURS_FACTOR * np.sqrt(count))]))

    density = [near(row) for row in range(len(rows))]

    def relative(one: int, other: int) -> float:
        return distance(one, other) / float(np.sqrt(density[one] * density[other]))

    scale = np.mean([relative(one, other) for one, other in combinations(range(count), 2)])
    wanted = [[relative(x, y) / scale for y in range(count, len(rows))] for x in range(count, len(rows))]
    np.testing.assert_allclose(distances(cohort_of(vectors), scored), wanted, rtol=1e-5, atol=1e-6)


@given(st.integers(0, 2**32 - 1), st.integers(2, 60), st.floats(1, 10))
def test_works_of_the_cohort_are_1_apart_on_average(seed: int, count: int, size: float) -> None:
    cohort = cohort_of(works(seed, count) * np.float32(size))
    found = distances(cohort, cohort.vectors)
    assert found[np.triu_indices(cohort.works, k=1)].mean() == pytest.approx(1, rel=1e-5)


def test_expansion_moves_works_of_one_artist_together(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    rule = CohortRule(64, COHORT_RULE.calibration, 1.0)
    artists = np.repeat(np.arange(12), 4)
    vectors = (rng.normal(size=(12, 64))[artists] + 1.5 * rng.normal(size=(48, 64))).astype(np.float32)
    first, second = np.triu_indices(48, k=1)
    same = artists[first] == artists[second]
    expanded = distances(cohort_of(vectors, rule=rule), vectors)[first, second]
    monkeypatch.setattr(module, "EXPANDING", 0)
    centred = distances(cohort_of(vectors, rule=rule), vectors)[first, second]
    assert roc_auc_score(same, -expanded) > roc_auc_score(same, -centred) + 0.01


def test_a_direction_that_all_works_share_hardly_matters() -> None:
    """Embeddings of length 1, as a readout gives them, with a shared direction of half that length."""
    rule = CohortRule(64, COHORT_RULE.calibration, 1.0)
    own = np.random.default_rng(0).normal(size=(100, 64)) / 8
    own[:, 0] = 0
    shared = own.copy()
    shared[:, 0] = 2.0
    plain, moved = (each.astype(np.float32) for each in (own, shared))
    moved_distances = distances(cohort_of(moved, rule=rule), moved)
    plain_distances = distances(cohort_of(plain, rule=rule), plain)
    apart = ~np.eye(100, dtype=bool)
    ratio = moved_distances[apart] / plain_distances[apart]
    assert np.std(ratio) / np.mean(ratio) < 0.06
    assert np.corrcoef(moved_distances[apart], plain_distances[apart])[0, 1] > 0.9


def test_values_of_a_trained_head_stay_as_they_are() -> None:
    vectors = works(0, 20, shift=3.0)
    adapted, _ = cohort_of(vectors).adapt(vectors)
    lead = COHORT_RULE.adapted_width
    assert np.array_equal(adapted[:, lead:], vectors[:, lead:])
    before, after = (np.linalg.norm(each[:, :lead], axis=1) for each in (vectors, adapted))
    np.testing.assert_allclose(after, before, rtol=1e-5)


def test_an_embedding_that_is_the_mean_becomes_0() -> None:
    vectors = np.array([[1.0] * WIDTH, [-1.0] * WIDTH], dtype=np.float32)
    adapted, factor = cohort_of(vectors).adapt(np.zeros((1, WIDTH), dtype=np.float32))
    assert not adapted.any()
    assert np.isfinite(factor).all()


def test_works_of_another_collection_share_a_direction_that_a_cohort_leaves() -> None:
    cohort, scored = cohort_of(works(0, 300)), works(1, 300, shift=3.0)
    assert cohort.misfit(works(2, 300)) < 0.1
    assert cohort.misfit(scored) > 0.5
    assert cohort_of(works(3, 300, shift=3.0)).misfit(scored) < 0.1
    trained = scored.copy()
    trained[:, COHORT_RULE.adapted_width :] += 9.0  # this part does not adapt
    assert cohort.misfit(trained) == cohort.misfit(scored)


@given(st.integers(0, 2**32 - 1), st.integers(2, 30), st.integers(2, 30))
def test_a_misfit_is_a_share(seed: int, count: int, scored: int) -> None:
    cohort = cohort_of(works(seed, count))
    assert 0 <= cohort.misfit(works(seed + 1, scored, shift=2.0)) <= 1
    assert cohort.misfit(np.repeat(works(seed + 1, 1), scored, axis=0)) == pytest.approx(1, abs=1e-6)


def test_copies_count_as_one_work() -> None:
    vectors = works(0, 12)
    with_copies = np.concatenate([vectors, vectors + np.float32(0.001)])
    cohort = cohort_of(with_copies, [*digests(12), *(f"{number:064x}" for number in range(100, 112))])
    assert (cohort.works, cohort.left_out_copies, cohort.sampled_from) == (12, 12, 24)
    assert np.array_equal(cohort.vectors, vectors)
    both = distances(cohort, with_copies)
    assert np.allclose(both[:12, :12], both[12:, 12:], rtol=0.01, atol=0.01)


def test_one_file_twice_is_one_work_and_a_bad_image_is_none() -> None:
    vectors = works(0, 5)
    sha256s = digests(5)
    sha256s[3], sha256s[4] = "", sha256s[0]
    cohort = cohort_of(vectors, sha256s)
    assert cohort.sha256s == tuple(sha256s[:3])
    assert (cohort.left_out_copies, cohort.sampled_from) == (0, 3)


def test_of_many_works_those_with_the_smallest_digests_are_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_COHORT", 10)
    vectors = works(0, 40)
    vectors[35] = vectors[30]
    sha256s = digests(40)[::-1]  # the last file has the smallest
    cohort = cohort_of(vectors, sha256s)
    assert cohort.sha256s == tuple(sorted(sha256s)[:4] + sorted(sha256s)[4:9] + sorted(sha256s)[10:11])
    assert (cohort.works, cohort.left_out_copies, cohort.sampled_from) == (10, 1, 40)
    assert np.array_equal(cohort.vectors[:3], vectors[[39, 38, 37]])


def test_the_digest_names_all_that_decides() -> None:
    vectors = works(0, 12)
    card = adaptable_card()
    wider = adaptable_card(cohort=CohortRule(WIDTH, COHORT_RULE.calibration, 1.0))
    made = [
        build_cohort(TowerOfCohort(card, "t", "f" * 64), digests(12), lambda rows: vectors[rows]),
        build_cohort(TowerOfCohort(card, "t", "e" * 64), digests(12), lambda rows: vectors[rows]),
        build_cohort(TowerOfCohort(wider, "t", "f" * 64), digests(12), lambda rows: vectors[rows]),
        build_cohort(TowerOfCohort(card, "t", "f" * 64), digests(11), lambda rows: vectors[rows]),
    ]
    assert len({each.sha256 for each in made}) == 4


@pytest.fixture
def scorer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> artsim.Scorer:
    write_paintings(tmp_path, *(f"{number}.png" for number in range(12)))
    write_tower(tmp_path / "old.onnx")
    write_tower(tmp_path / "other.onnx", adaptable_card(recipe="other"))
    write_tower(tmp_path / "tower.onnx", adaptable_card())
    monkeypatch.chdir(tmp_path)
    return artsim.load("tower.onnx", "cpu")


NAMES = [f"{number}.png" for number in range(12)]


def test_a_score_is_that_of_the_adapted_distance_and_its_rule(scorer: artsim.Scorer) -> None:
    cohort = scorer.cohort(NAMES)
    scores = scorer.score(NAMES[:-1], NAMES[1:], cohort=cohort)
    np.testing.assert_array_equal(scores.distance, np.diag(distances(cohort, scorer.embed(NAMES)), 1))
    np.testing.assert_array_equal(scores.prediction, scores.distance < COHORT_RULE.threshold)
    slope, intercept = COHORT_RULE.calibration.slope, COHORT_RULE.calibration.intercept
    np.testing.assert_allclose(
        scores.probability, 1 / (1 + np.exp(-slope * scores.distance.astype(float) - intercept)), rtol=1e-5
    )
    assert scorer.score("0.png", "1.png") != scorer.score("0.png", "1.png", cohort=cohort)
    assert scorer.score("0.png", "0.png", cohort=cohort).distance == 0


def test_a_pickled_cohort_gives_the_same_scores(scorer: artsim.Scorer) -> None:
    cohort = scorer.cohort(NAMES)
    copy = pickle.loads(pickle.dumps(cohort))  # noqa: S301 - our own
    assert copy.sha256 == cohort.sha256
    assert scorer.score("0.png", "1.png", cohort=copy) == scorer.score("0.png", "1.png", cohort=cohort)
    assert "12 works" in repr(copy)


def test_arrays_and_pictures_are_works_too(scorer: artsim.Scorer) -> None:
    pixels = [np.asarray(Image.open(name)) for name in NAMES]
    wanted = scorer.cohort(NAMES)
    for images in (pixels, [Image.fromarray(each) for each in pixels], np.stack(pixels)):
        found = scorer.cohort(images)
        assert sorted(map(bytes, found.vectors)) == sorted(map(bytes, wanted.vectors))


def test_a_cohort_of_one_work_is_refused(scorer: artsim.Scorer) -> None:
    with pytest.raises(InputError, match=r"at least 2 different works, and 10 or more.* there is 1"):
        scorer.cohort(["0.png", "0.png"])


def test_a_tower_that_cannot_adapt_says_so(scorer: artsim.Scorer) -> None:
    with pytest.raises(ModelError, match=r"old\.onnx: this tower can't adapt.*Use another tower: base, or"):
        artsim.load("old.onnx", "cpu").cohort(NAMES)


def test_a_cohort_of_another_tower_is_refused(scorer: artsim.Scorer) -> None:
    other = artsim.load("other.onnx", "cpu")
    with pytest.raises(UsageError, match=f"{other.model_sha256}; this model has {scorer.model_sha256}"):
        scorer.score("0.png", "1.png", cohort=other.cohort(NAMES))
