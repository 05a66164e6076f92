"""Unfamiliarity and the factors of distances: what must hold for any embeddings, and which cards are refused."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

import artsim
from artsim.errors import ModelError
from artsim.scoring.contract import Card
from artsim.scoring.familiarity import MOST_EXCESS, MOST_SLOPE, Correction, PhotographRule, TrainingEmbeddings
from tests.command import artsim_in_process
from tests.towers import SIZE, WIDTH, described, familiar_card, write_paintings, write_tower

Vectors = NDArray[np.float32]
Measure = Callable[[TrainingEmbeddings, Vectors], NDArray[np.float64]]
SEEDS = st.integers(0, 2**32 - 1)


def gaussian(seed: int, count: int, width: int = WIDTH) -> Vectors:
    """Embeddings that vary less and less from the first value to the last, around a mean that is not 0."""
    deviation = np.random.default_rng(seed).normal(size=(count, width)) * np.linspace(1, 0.1, width)
    return (2 + deviation).astype(np.float32)


def rule(slope: float = 2.0) -> PhotographRule:
    return PhotographRule(described(gaussian(0, 400)), Correction(familiar=1.8, foreign=3.0, onset=1.0, slope=slope))


@pytest.mark.parametrize("width", [1, 2, WIDTH, 60])
@pytest.mark.parametrize("measure", [TrainingEmbeddings.unfamiliarity, TrainingEmbeddings.remoteness])
def test_both_measures_are_1_on_average_for_photographs_like_those_described(measure: Measure, width: int) -> None:
    training = described(gaussian(0, 2000, width))
    assert measure(training, gaussian(0, 2000, width)).mean() == pytest.approx(1, abs=0.01)
    assert measure(training, gaussian(1, 2000, width)).mean() == pytest.approx(1, abs=0.1)


def test_photographs_are_unfamiliar_where_views_differ_and_not_where_works_do() -> None:
    """Views differ along the last 10 of 60 values. Other works may differ along the first 40."""
    works = gaussian(0, 2000, 60)
    shift = np.zeros(60, np.float32)
    shift[50:] = 0.5
    deviation = np.random.default_rng(99).normal(size=works.shape).astype(np.float32)
    training = TrainingEmbeddings.of(works, works + shift * deviation)
    unlike = np.where(np.arange(60) < 40, 3.0, 0.0).astype(np.float32)
    others = gaussian(1, 500, 60)
    assert training.unfamiliarity(others + unlike).mean() < 2
    assert training.remoteness(others + unlike).mean() > 10
    assert training.unfamiliarity(others + shift).mean() > 5


def test_remoteness_is_the_mahalanobis_distance_where_all_directions_but_one_have_their_variance() -> None:
    works, others = gaussian(0, 400), gaussian(1, 50)
    deviation = others - works.mean(axis=0)
    inverse = np.linalg.inv(np.cov(works.T))
    wanted = np.einsum("nd,de,ne->n", deviation, inverse, deviation) / WIDTH
    np.testing.assert_allclose(described(works).remoteness(others), wanted, rtol=1e-3)


def test_a_shift_counts_more_where_training_photographs_vary_less() -> None:
    training, works = described(gaussian(0, 400)), gaussian(1, 100)
    plain = training.remoteness(works)
    shifted = []
    for axis in (0, WIDTH - 1):
        moved = works.copy()
        moved[:, axis] += 0.5
        shifted.append(training.remoteness(moved) - plain)
    assert shifted[1].mean() > 10 * abs(shifted[0].mean())
    assert shifted[1].mean() > 2


@given(SEEDS, st.integers(1, 100), st.sampled_from([3, WIDTH, 70]))
def test_a_photograph_has_the_same_bytes_alone_and_in_any_batch_and_order(seed: int, count: int, width: int) -> None:
    training, works = described(gaussian(0, 300, width)), gaussian(seed, count, width)
    order = np.random.default_rng(seed).permutation(count)
    for measure in (training.unfamiliarity, training.remoteness):
        found = measure(works)
        assert measure(works[order]).tobytes() == found[order].tobytes()
        for row in {0, count // 2, count - 1}:
            assert measure(works[row : row + 1]).tobytes() == found[row : row + 1].tobytes()


def test_values_that_are_always_0_do_not_count() -> None:
    """A readout of few works fills an embedding with zeros."""
    works, others = (np.pad(gaussian(seed, 200), ((0, 0), (0, 2 * WIDTH))) for seed in (0, 1))
    wanted = described(gaussian(0, 200)).remoteness(gaussian(1, 200))
    np.testing.assert_allclose(described(works).remoteness(others) * 3, wanted, rtol=0.02)


@pytest.mark.parametrize("scale", [1e-3, 1e3])
def test_the_size_of_embeddings_does_not_matter(scale: float) -> None:
    works, others, factor = gaussian(0, 400), gaussian(1, 50), np.float32(scale)
    views = works + gaussian(2, 400)
    plain, scaled = TrainingEmbeddings.of(works, views), TrainingEmbeddings.of(factor * works, factor * views)
    for measure in (TrainingEmbeddings.unfamiliarity, TrainingEmbeddings.remoteness):
        np.testing.assert_allclose(measure(scaled, factor * others), measure(plain, others), rtol=1e-3)


def test_equal_embeddings_are_described_too() -> None:
    works = np.ones((5, WIDTH), np.float32)
    for views in (works, 2 * works, np.random.default_rng(0).normal(size=works.shape).astype(np.float32)):
        training = TrainingEmbeddings.of(works, views)
        assert training.is_sound
        assert (training.unfamiliarity(works) == 0).all()
        assert (training.remoteness(works) == 0).all()


@given(SEEDS, st.floats(0, MOST_SLOPE))
def test_factors_are_1_for_familiar_photographs_and_bounded_for_others(seed: int, slope: float) -> None:
    fitted = rule(slope)
    works = gaussian(seed, 60) + np.random.default_rng(seed).choice([0, 0.3, 1000], 60)[:, None].astype(np.float32)
    factors, limits = fitted.factors(works), fitted.correction
    unfamiliarity, remoteness = fitted.training.unfamiliarity(works), fitted.training.remoteness(works)
    most = np.float32(1 + slope * MOST_EXCESS)
    assert (factors[unfamiliarity <= limits.familiar] == 1).all()
    assert (factors[remoteness <= limits.onset] == 1).all()
    assert (factors >= 1).all()
    assert (factors <= most).all()
    np.testing.assert_array_equal(fitted.are_unfamiliar(works), unfamiliarity > limits.familiar)
    assert (factors[(unfamiliarity >= limits.foreign) & (remoteness >= limits.onset + MOST_EXCESS)] == most).all()
    vectors, same_factors = fitted.adapt(works)
    assert vectors is works
    assert same_factors.tobytes() == factors.tobytes()


def test_a_card_with_the_rule_follows_contract_2_and_comes_back_from_its_json() -> None:
    text = familiar_card().to_json()
    read = Card.from_json(text)
    assert read == familiar_card()
    assert read.contract == 2
    works = gaussian(3, 20)
    wanted, found = (each.photographs for each in (familiar_card(), read))
    assert wanted is not None
    assert found is not None
    assert found.factors(works).tobytes() == wanted.factors(works).tobytes()


@pytest.fixture
def paintings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    names = [f"{letter}.png" for letter in "abcdefghijklmn"]
    write_paintings(tmp_path, *names)
    monkeypatch.chdir(tmp_path)
    return names


def test_scores_without_a_cohort_depend_on_the_two_pictures_alone(tmp_path: Path, paintings: list[str]) -> None:
    write_tower(tmp_path / "tower.onnx", familiar_card())
    pairs = [f"{one},{other}" for one in paintings for other in paintings]
    one = f"{paintings[3]},{paintings[11]}"
    found = []
    for lines in (pairs, pairs[::-1], [one]):
        Path("pairs.csv").write_text("\n".join(["image1,image2", *lines, ""]))
        command = ["score", "--model", "tower.onnx", "--cohort", "none", "pairs.csv", "-o", "scores.csv", "--quiet"]
        assert artsim_in_process(*command) == 0
        rows = Path("scores.csv").read_text().splitlines()
        found.append(next(row for row in rows if row.startswith(one)))
    assert found[0] == found[1] == found[2]


def test_unfamiliar_pictures_are_further_apart_and_each_stays_0_from_itself(
    tmp_path: Path, paintings: list[str]
) -> None:
    plain = artsim.load(write_tower(tmp_path / "plain.onnx"))
    adapted = artsim.load(write_tower(tmp_path / "tower.onnx", familiar_card()))
    assert adapted.score(paintings, paintings).distance.tolist() == [0] * len(paintings)
    photographs = adapted.card.photographs
    assert photographs is not None
    factors = photographs.factors(adapted.embed(paintings))
    assert factors.max() > 1
    assert factors.min() == 1
    first, second = paintings[:-1], paintings[1:]
    before, after = (scorer.score(first, second).distance for scorer in (plain, adapted))
    np.testing.assert_allclose(after, before * factors[:-1] * factors[1:], rtol=1e-6)


def packed(*values: float) -> str:
    return base64.b64encode(np.array(values, "<f4").tobytes()).decode()


HOSTILE: dict[str, dict[str, Any]] = {
    "not base64": {"training": {"mean": "§%&"}},
    "base64 of no whole numbers": {"training": {"mean": "AAAAAAA="}},
    "an array, not text": {"training": {"mean": [0.0] * WIDTH}},
    "too few directions": {"training": {"directions": packed(*[1.0] + [0.0] * (WIDTH - 1))}},
    "too few variances": {"training": {"variances": packed(1.0)}},
    "directions that are long": {"training": {"directions": packed(*[3e38] * (WIDTH * (WIDTH - 1)))}},
    "a mean of NaN": {"training": {"mean": packed(*[float("nan")] * WIDTH)}},
    "an infinite mean": {"training": {"mean": packed(*[float("inf")] * WIDTH)}},
    "a variance of 0": {"training": {"variances": packed(*[0.0] * (WIDTH - 1))}},
    "a negative variance": {"training": {"variances": packed(*[-1.0] * (WIDTH - 1))}},
    "a rest of NaN": {"training": {"rest": float("nan")}},
    "an infinite rest": {"training": {"rest": float("inf")}},
    "a rest of 0": {"training": {"rest": 0.0}},
    "a rest that is no number": {"training": {"rest": "much"}},
    "no description": {"training": None},
    "too few view directions": {"training": {"view_directions": packed(*[1.0] * (WIDTH - 1))}},
    "no view directions": {"training": {"view_directions": ""}},
    "a view direction of NaN": {"training": {"view_directions": packed(*[float("nan")] * WIDTH)}},
    "no correction": {"correction": None},
    "a familiar of NaN": {"correction": {"familiar": float("nan")}},
    "a familiar of 0": {"correction": {"familiar": 0.0}},
    "an infinite familiar": {"correction": {"familiar": float("inf")}},
    "a foreign as small as familiar": {"correction": {"foreign": 0.5}},
    "limits whose ratio is infinite": {"correction": {"familiar": 1e-310, "foreign": 1.0}},
    "an infinite foreign": {"correction": {"foreign": float("inf")}},
    "an onset of NaN": {"correction": {"onset": float("nan")}},
    "an infinite onset": {"correction": {"onset": -float("inf")}},
    "a negative slope": {"correction": {"slope": -0.1}},
    "a slope of NaN": {"correction": {"slope": float("nan")}},
    "an infinite slope": {"correction": {"slope": float("inf")}},
    "a slope that makes distances infinite": {"correction": {"slope": 1e300}},
    "a width other than the graph's": {"training": {"mean": packed(*[0.0] * 4), "directions": "", "variances": ""}},
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_card_with_a_damaged_rule_exits_5(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fields = json.loads(familiar_card().to_json())
    for part, change in HOSTILE[name].items():
        rule = fields["photographs"]
        rule[part] = rule[part] | change if isinstance(change, dict) else change
    path = write_tower(tmp_path / "tower.onnx", json.dumps(fields))
    with pytest.raises(ModelError, match="Export"):
        artsim.load(path)
    assert artsim_in_process("info", str(path)) == 5
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert len(error) < 500  # not the arrays


def test_a_rule_that_is_no_object_or_lacks_a_field_is_refused() -> None:
    fields = json.loads(familiar_card().to_json())
    for change in (3, {}, {key: value for key, value in fields["photographs"].items() if key != "correction"}):
        with pytest.raises(ModelError, match="metadata"):
            Card.from_json(json.dumps(fields | {"photographs": change}))


def test_the_card_is_shown_without_its_arrays(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write_tower(tmp_path / "tower.onnx", familiar_card(), size=SIZE)
    assert artsim_in_process("info", str(path), "--json") == 0
    shown = json.loads(capsys.readouterr().out)["photographs"]
    assert shown == {"correction": {"familiar": 0.5, "foreign": 1.0, "onset": 0.4, "slope": 2.0}}
