"""Files of artsim 0.1 are still read.

`tests/data/tower-0.1.onnx` and `tests/data/embeddings-0.1.parquet` were made by the code of artsim 0.1: the tower by
`write_tower` of tests/towers.py, the embeddings by `artsim embed works` with that tower. `works` had two folders, Anna
with a.png and b.png and Berta with c.png and d.png, all made by `write_paintings`. Do not make these files again with
later code.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import artsim
from artsim.scoring.contract import Calibration
from artsim.scoring.embed_images import open_store
from artsim.scoring.search import SearchIndex
from tests.command import ROOT
from tests.scoring.embedded import embed_files
from tests.towers import SIZE, WIDTH, write_paintings

TOWER = ROOT / "tests" / "data" / "tower-0.1.onnx"
STORE = ROOT / "tests" / "data" / "embeddings-0.1.parquet"
NAMES = ["Anna/a.png", "Anna/b.png", "Berta/c.png", "Berta/d.png"]


@pytest.fixture
def works(tmp_path: Path) -> Path:
    for name in NAMES:
        write_paintings((tmp_path / name).parent, Path(name).name)
    return tmp_path


@pytest.fixture
def scorer() -> artsim.Scorer:
    return artsim.load(TOWER, "cpu")


def test_an_old_card_has_its_values_and_todays_metric_names(scorer: artsim.Scorer) -> None:
    card = scorer.card
    assert (card.artsim_version, card.recipe, card.image_size, card.distance) == ("0.1.0", "test", SIZE, "rms")
    assert (card.threshold, card.calibration) == (0.3, Calibration(slope=-8.0, intercept=2.0, prior=0.5))
    assert card.validation == {"val_seen/auc": 0.75, "val_unseen/auc": 0.7, "val_unseen/same_style_auc": 0.65}


def test_an_old_store_is_what_its_tower_gives_today(scorer: artsim.Scorer, works: Path) -> None:
    store = open_store(STORE, scorer)
    assert store is not None
    assert (store.names, store.artists) == (NAMES, ["Anna", "Anna", "Berta", "Berta"])
    assert store.card == scorer.card
    assert store.vectors.shape == (4, WIDTH)
    np.testing.assert_allclose(store.vectors, scorer.embed([works / name for name in NAMES]), rtol=1e-5)


def test_an_old_store_is_reused(scorer: artsim.Scorer, tmp_path: Path) -> None:
    store = open_store(STORE, scorer)
    assert store is not None
    # No such files: the embeddings can only come from the store.
    embedded = embed_files(scorer, NAMES, tmp_path, store, tmp_path / "store.parquet")
    assert (embedded.embedded, embedded.reasons, embedded.sha256s) == (0, [], store.sha256s)
    np.testing.assert_array_equal(embedded.vectors, store.vectors)


def test_an_old_store_is_searched(scorer: artsim.Scorer, works: Path) -> None:
    store = open_store(STORE, scorer)
    assert store is not None
    index = SearchIndex(store.vectors, np.array([0, 0, 1, 1]), store.card.distance)
    (found,) = index.search(scorer.embed(works / "Berta" / "c.png"), k=4)
    assert found.works[0] == NAMES.index("Berta/c.png")
    assert found.distance[0] < 1e-4 < found.distance[1]
    assert sorted(found.artists.tolist()) == [0, 1]
