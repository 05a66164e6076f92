"""Features of a network that enlarges its input."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest
from PIL import Image

from artsim.demo.painting import paint
from artsim.training.networks.features import build_features
from artsim.training.networks.towers import Enlarge, PictureMask
from artsim.training.recipes import recipe_of

SIDE, LARGE = 64, 96


@pytest.fixture(scope="module")
def networks() -> tuple[keras.Model, keras.Model]:
    """One that enlarges its input by 1.5, and one with the same weights for images of this size."""
    flags = {"tower": "efficientnet-lite0", "weights": "none"}
    keras.utils.set_random_seed(0)
    enlarging = build_features(recipe_of("readout", {**flags, "enlarge": LARGE / SIDE}), SIDE, "none")
    plain = build_features(recipe_of("readout", {**flags, "enlarge": 1.0}), LARGE, "none")
    plain.set_weights(enlarging.get_weights())
    return enlarging, plain


def test_it_gives_the_features_of_the_enlarged_picture(networks: tuple[keras.Model, keras.Model]) -> None:
    small = paint(0, 0).resize((SIDE, SIDE))
    large = small.resize((LARGE, LARGE), Image.Resampling.BILINEAR)
    pictures = (np.asarray(picture)[None] for picture in (small, large))
    one, other = (network.predict_on_batch(each) for network, each in zip(networks, pictures, strict=True))
    np.testing.assert_allclose(one, other, rtol=0.05, atol=0.02)


def test_the_mask_of_letterbox_bars_grows_with_the_picture() -> None:
    picture = np.full((1, SIDE, SIDE, 3), 128, np.uint8)
    picture[:, : SIDE // 2] = 0
    mask = np.asarray(Enlarge(LARGE)(PictureMask()(picture)))[0, :, :, 0]
    assert mask.shape == (LARGE, LARGE)
    assert not mask[: LARGE // 2 - 1].any()
    assert (mask[LARGE // 2 + 1 :] == 1).all()


@pytest.mark.parametrize("side", [50, 75])
def test_it_can_be_saved_and_gives_the_same(side: int, tmp_path: Path) -> None:
    recipe = recipe_of("readout", {"tower": "efficientnet-lite0", "weights": "none", "enlarge": 1.3})
    network, picture = build_features(recipe, side, "none"), np.asarray(paint(0, 0).resize((side, side)))[None]
    network.save(tmp_path / "network.keras")
    again = keras.saving.load_model(tmp_path / "network.keras")
    np.testing.assert_array_equal(again.predict_on_batch(picture), network.predict_on_batch(picture))
