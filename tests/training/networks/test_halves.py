"""The halves of a pretrained network; it has random weights and small images."""

from __future__ import annotations

import shutil
from types import SimpleNamespace

import keras
import numpy as np
import pytest
from numpy.typing import NDArray

from artsim.training.networks.features import build_features, compute_features
from artsim.training.networks.halves import Halves, LowerOutputs, split, split_graph, tuned_layers, weighted_layers
from artsim.training.recipes import Recipe, TowerName, recipe_of
from tests.training.networks.makers import SIZE, shaken

PAINTINGS = 11  # a full batch, and some more
FLAT = pytest.param("efficientnet-lite0", id="layers in one graph")
NESTED = pytest.param("mobilenet", id="a network inside")


class Paintings:
    """Paintings with black bars, which count how often they are read."""

    def __init__(self) -> None:
        self.pixels = np.random.default_rng(0).integers(1, 256, (PAINTINGS, SIZE, SIZE, 3)).astype(np.uint8)
        self.pixels[:, : SIZE // 8] = 0
        self.reads = 0

    def __len__(self) -> int:
        return PAINTINGS

    def __getitem__(self, rows: slice) -> NDArray[np.uint8]:
        self.reads += 1
        return self.pixels[rows]


def recipe_with(tower: TowerName, **settings: object) -> Recipe:
    return recipe_of("transfer", {"tower": tower, "weights": "none", "enlarge": 1.0, **settings})


def halves_of(network: keras.Model, recipe: Recipe) -> Halves:
    halves = split(network, recipe)
    assert halves is not None
    return halves


def features_by(outputs: LowerOutputs, upper: keras.Model, paintings: Paintings, width: int) -> NDArray[np.float32]:
    features = np.empty((PAINTINGS, width), np.float32)
    outputs.fill(upper, paintings, 0, lambda *_: None, features)  # type: ignore[arg-type]
    return features


def assert_alike(found: NDArray[np.float32], expected: NDArray[np.float32]) -> None:
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5 * np.abs(expected).max())


@pytest.mark.parametrize(
    ("tower", "settings"),
    [
        pytest.param("efficientnet-lite0", {"enlarge": 1.5, "feature_maps": "half"}, id="enlarged, half of the maps"),
        pytest.param("efficientnet-lite2", {}, marks=pytest.mark.slow),
        pytest.param("efficientnetv2-b0", {}, marks=pytest.mark.slow),
        pytest.param("convnext-tiny", {}, marks=pytest.mark.slow),
    ],
)
def test_both_halves_give_the_features_of_the_whole_network(tower: TowerName, settings: dict[str, object]) -> None:
    recipe, paintings = recipe_with(tower, **settings), Paintings()
    network = shaken(build_features(recipe, SIZE, "none"))
    halves = halves_of(network, recipe)
    expected = compute_features(network, paintings.pixels, lambda *_: None)
    found = features_by(LowerOutputs(halves, PAINTINGS), halves.upper, paintings, expected.shape[1])
    assert_alike(found, expected)


@pytest.mark.parametrize("tower", [FLAT, NESTED])
def test_a_network_tuned_later_reads_no_painting_again(tower: TowerName) -> None:
    recipe, paintings = recipe_with(tower), Paintings()
    network, tuned = (shaken(build_features(recipe, SIZE, "none")) for _ in range(2))
    tuned.set_weights(network.get_weights())
    for layer in tuned_layers(tuned):
        layer.set_weights([1.5 * weights for weights in layer.get_weights()])
    width = network.output_shape[1]
    outputs = LowerOutputs(halves_of(network, recipe), PAINTINGS)
    frozen = features_by(outputs, halves_of(network, recipe).upper, paintings, width)
    assert paintings.reads == 2
    found = features_by(outputs, halves_of(tuned, recipe).upper, paintings, width)
    assert paintings.reads == 2
    assert_alike(found, compute_features(tuned, paintings.pixels, lambda *_: None))
    assert np.abs(found - frozen).max() > 0.1 * np.abs(frozen).max()


@pytest.mark.parametrize("tower", [FLAT, NESTED, pytest.param("convnext-tiny", marks=pytest.mark.slow)])
def test_the_lower_half_has_no_tuned_layer_and_most_of_the_others(tower: TowerName) -> None:
    recipe = recipe_with(tower)
    network = build_features(recipe, SIZE, "none")
    lower = {id(layer) for layer in weighted_layers(halves_of(network, recipe).lower)}
    assert not lower & {id(layer) for layer in tuned_layers(network)}
    assert len(lower) > 0.4 * len(weighted_layers(network))


def test_paintings_are_counted_over_their_parts() -> None:
    recipe, paintings = recipe_with("mobilenet"), Paintings()
    network = shaken(build_features(recipe, SIZE, "none"))
    halves = halves_of(network, recipe)
    outputs, features = (
        LowerOutputs(halves, PAINTINGS),
        np.empty((PAINTINGS, network.output_shape[1]), np.float32),
    )
    told: list[tuple[int, int]] = []
    for part in (slice(0, 3), slice(3, PAINTINGS)):
        outputs.fill(halves.upper, paintings.pixels[part], part.start, lambda *at: told.append(at), features[part])
    assert told == [(0, 3), (3, 3), (0, 8), (8, 8)]
    assert_alike(features, compute_features(network, paintings.pixels, lambda *_: None))


def test_what_is_kept_leaves_half_of_the_disk_free(monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = recipe_with("mobilenet")
    halves = halves_of(build_features(recipe, SIZE, "none"), recipe)
    needed = 4 * sum(int(np.prod(output.shape[1:])) for output in halves.lower.outputs)
    for free, fits in ((2 * needed, False), (2 * needed + 1, True)):
        monkeypatch.setattr(shutil, "disk_usage", lambda _, free=free: SimpleNamespace(free=free))
        assert LowerOutputs.can_be_kept(halves, 1) == fits
    monkeypatch.setattr("artsim.training.networks.halves.MOST_KEPT_BYTES", needed - 1)
    assert not LowerOutputs.can_be_kept(halves, 1)


@pytest.mark.slow
def test_dinov2_has_no_halves() -> None:
    recipe = recipe_with("dinov2-small", image_size=56)
    assert split(build_features(recipe, 56, "none"), recipe) is None


def test_a_joint_lies_before_a_network_inside_that_has_tuned_layers() -> None:
    """ConvNeXt's stages begin with such networks."""
    images = keras.Input((8, 8, 3))
    maps, x = [], images
    for number in range(2):
        x = keras.layers.Conv2D(4, 3, padding="same", name=f"flat_{number}")(x)
        maps.append(x)
    inside = keras.Sequential([keras.layers.Conv2D(4, 3, padding="same") for _ in range(2)], name="inside")
    maps.append(inside(x))
    found = split_graph(keras.Model(images, maps), maps)
    assert found is not None
    below, above = found
    assert [layer.name for layer in weighted_layers(below)] == ["flat_0", "flat_1"]
    assert above.layers[-1].name == "inside"
