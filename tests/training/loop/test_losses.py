from __future__ import annotations

import keras
import numpy as np
import pytest
from numpy.typing import NDArray

from artsim.training.loop.losses import (
    SOFTMAX_SCALE,
    SUPCON_TEMPERATURE,
    Proxies,
    RmsDistance,
    SupConLoss,
    build_objective,
    contrastive,
)
from artsim.training.networks.towers import build_tower


def unit(rows: list[list[float]]) -> NDArray[np.float32]:
    vectors = np.array(rows, dtype=np.float32)
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), dtype=np.float32)


def test_the_contrastive_loss_equals_its_formula() -> None:
    same = np.array([1, 0, 0])
    distance = np.array([0.3, 0.2, 0.9], dtype=np.float32)
    assert float(contrastive(same, distance)) == pytest.approx((0.3**2 + 0.3**2 + 0.0) / 3)


def test_the_rms_distance_includes_its_epsilon() -> None:
    first, second = np.array([[1.0, 3.0]], dtype=np.float32), np.array([[1.0, 1.0]], dtype=np.float32)
    assert float(RmsDistance()(first, second)[0]) == pytest.approx(np.sqrt(2 + 1e-6))
    assert float(RmsDistance()(first, first)[0]) == pytest.approx(1e-3)


@pytest.mark.parametrize("temperature", [SUPCON_TEMPERATURE, 0.2])
def test_the_supcon_loss_equals_its_formula(temperature: float) -> None:
    vectors = unit([[1, 0], [1, 1], [0, 1], [-1, 0]])
    labels = np.array([0, 0, 1, 2])
    logits = vectors @ vectors.T / temperature

    def share(anchor: int, positive: int) -> float:
        others = [logits[anchor, other] for other in range(4) if other != anchor]
        return float(logits[anchor, positive] - np.log(np.sum(np.exp(others))))

    # The works 2 and 3 have no other by their artist, so they count for nothing.
    expected = -(share(0, 1) + share(1, 0)) / 2
    loss = SupConLoss(temperature, reduction="sum")
    assert float(loss(labels, vectors)) == pytest.approx(expected, rel=1e-5)
    assert float(SupConLoss.from_config(loss.get_config())(labels, vectors)) == pytest.approx(expected, rel=1e-5)


def test_supcon_of_a_batch_without_positives_is_zero() -> None:
    assert float(SupConLoss(reduction="sum")(np.array([0, 1]), unit([[1, 0], [0, 1]]))) == 0.0


def test_proxies_are_scaled_cosines() -> None:
    layer = Proxies(3)
    embeddings = unit([[1, 2], [3, -1], [0, 1], [-2, 1]])
    logits = np.asarray(layer(embeddings))
    proxies = np.asarray(layer.proxies)
    expected = SOFTMAX_SCALE * embeddings @ (proxies / np.linalg.norm(proxies, axis=0))
    np.testing.assert_allclose(logits, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", ["softmax", "supcon"])
def test_losses_fall_where_artists_come_together(name: str) -> None:
    objective = build_objective(name, build_tower("compact", 32, 2), artists=2)  # type: ignore[arg-type]
    labels = np.array([0, 0, 1, 1])
    apart, together = unit([[1, 0], [0, 1], [1, 0.1], [0.1, 1]]), unit([[1, 0], [1, 0.1], [0, 1], [0.1, 1]])
    if name == "softmax":
        objective.validation_loss(apart, labels)  # builds the proxies
        objective.model.get_layer("proxies").set_weights([np.eye(2)])
    assert objective.validation_loss(together, labels) < objective.validation_loss(apart, labels)


def test_contrastive_objective_runs_one_tower_on_both_works() -> None:
    tower = build_tower("compact", 32, 8)
    objective = build_objective("contrastive", tower, artists=2)
    assert objective.paired
    assert objective.model.count_params() == tower.count_params()
    pictures = np.random.default_rng(0).integers(0, 256, (2, 2, 32, 32, 3), dtype=np.uint8)
    distance = objective.model.predict_on_batch([pictures[0], pictures[1]])
    swapped = objective.model.predict_on_batch([pictures[1], pictures[0]])
    np.testing.assert_allclose(distance, swapped, rtol=1e-6)
    # One pair of a kind among three works by two artists, both at distance sqrt(1/2): 1/2 for the same, 0 beyond 1/2.
    vectors = np.array([[0, 0], [1, 0], [0, 1]], dtype=np.float32)
    assert objective.validation_loss(vectors, np.array([0, 0, 1])) == pytest.approx(0.25)
    assert np.isnan(objective.validation_loss(vectors, np.array([0, 1, 2])))


def test_a_saved_objective_layer_is_read_back(tmp_path: object) -> None:
    config = keras.saving.serialize_keras_object(Proxies(7, name="proxies"))
    assert keras.saving.deserialize_keras_object(config).artists == 7
