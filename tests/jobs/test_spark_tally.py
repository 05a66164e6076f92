"""Results of a cluster, read back by the driver."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from artsim.errors import ArtsimError, UsageError
from artsim.jobs.score import ScoreOptions
from artsim.jobs.score_spark import score_on_spark
from artsim.scoring.spark.results import read_distances, scored_labels
from artsim.scoring.spark.staging import StagedPairs, stage_pairs
from artsim.tables.pairs_file import open_pairs


@pytest.fixture
def staged(tmp_path: Path) -> StagedPairs:
    (tmp_path / "a").touch()  # without any image, the pairs are refused
    (tmp_path / "pairs.csv").write_text("image1,image2,sameArtist\na,b,1\na,c,0\nb,c,1\nc,d,0\n")
    with open_pairs(str(tmp_path / "pairs.csv")) as pairs:
        return stage_pairs(pairs, tmp_path, tmp_path)


def write_scores(folder: Path, *parts: Mapping[int, float | None]) -> None:
    """Write the distances of numbered rows, a file for each part."""
    (folder / "scores").mkdir()
    for number, part in enumerate(parts):
        table = pa.table({"row": list(part), "distance": pa.array(list(part.values()), pa.float32())})
        parquet.write_table(table, folder / "scores" / f"{number}.parquet")


def test_distances_are_those_of_their_rows_in_whatever_order_they_came(staged: StagedPairs, tmp_path: Path) -> None:
    write_scores(tmp_path, {3: 0.3, 0: 0.5}, {}, {2: None, 1: 0.25})
    distances = read_distances(tmp_path / "scores", staged.rows)
    np.testing.assert_array_equal(distances, np.array([0.5, 0.25, np.nan, 0.3], dtype=np.float32))
    ((distance, same, first, second),) = scored_labels(staged, distances)
    assert distance.tolist() == [0.5, 0.25, float(np.float32(0.3))]
    assert same.tolist() == [1, 0, 0]
    images = parquet.read_table(staged.images)["name"].to_pylist()
    assert [Path(images[number]).name for number in first] == ["a", "a", "c"]
    assert [Path(images[number]).name for number in second] == ["b", "c", "d"]


@pytest.mark.parametrize("rows", [[0, 1, 2], [0, 1, 2, 3, 3], [0, 1, 2, 2]])
def test_a_row_that_is_lost_or_comes_twice_is_an_error(staged: StagedPairs, tmp_path: Path, rows: list[int]) -> None:
    write_scores(tmp_path, dict.fromkeys(rows[:3], 0.5), *({row: 0.5} for row in rows[3:]))
    with pytest.raises(ArtsimError, match=f"{len(rows)} rows came back for 4 pairs"):
        read_distances(tmp_path / "scores", staged.rows)


@pytest.mark.parametrize("given", [{"format": "csv"}, {"embeddings": "kept.parquet"}])
def test_options_of_one_machine_are_refused(given: dict[str, Any]) -> None:
    (name,) = given
    with pytest.raises(UsageError, match=f"--{name} is for --engine local"):
        score_on_spark(ScoreOptions("tower.onnx", "pairs.csv", "scores.parquet", **given))
