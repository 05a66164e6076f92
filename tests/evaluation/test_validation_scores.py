"""The scores of validation pairs as a file: a file of scores, with the split and the artists of each pair."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from artsim.evaluation.validation_scores import write_validation_scores
from artsim.tables.scores_file import read_scores


def test_it_is_a_file_of_scores_with_split_and_artists(tmp_path: Path) -> None:
    works = pd.DataFrame({"filename": ["a.png", "b.png", "c.png"], "artist": ["ann", "ann", "bob"]})
    scores = pd.DataFrame(
        {
            "image1": ["a.png", "a.png"], "image2": ["b.png", "c.png"], "sameArtist": np.array([1, 0], np.uint8),
            "split": ["val_seen", "val_shifted"], "distance": np.array([0.25, 0.75], np.float32),
            "probability": np.array([0.9, 0.1], np.float32), "prediction": np.array([1, 0], np.int8),
        }
    )  # fmt: skip
    path = tmp_path / "scores.parquet"
    write_validation_scores(scores, works, path)
    found = read_scores(str(path), tmp_path)
    assert found.names == ["a.png", "b.png", "c.png"]
    assert found.distance.tolist() == [0.25, 0.75]
    assert found.same.tolist() == [1, 0]
    table = pd.read_parquet(path)
    assert list(table["artist2"]) == ["ann", "bob"]
    assert list(table["split"]) == ["val_seen", "val_shifted"]
