from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from artsim.errors import InputError
from artsim.tables.labels import UNLABELLED
from artsim.tables.scores_file import read_scores

HEADER = "image1,image2,sameArtist,distance,probability,prediction,status"
ROWS = ["a.jpg,b.jpg,1,0.25,0.75,1,ok", "a.jpg,./b.jpg,,0.5,0.5,0,ok", 'a.jpg,"c,d.jpg",0,,,,image2: missing']


def write(folder: Path, header: str = HEADER, rows: list[str] = ROWS) -> str:
    path = folder / "scores.csv"
    path.write_text("\n".join([header, *rows]) + "\n")
    return str(path)


def test_all_rows_are_read(tmp_path: Path) -> None:
    pairs = read_scores(write(tmp_path), tmp_path)
    assert pairs.names == ["a.jpg", "b.jpg", "c,d.jpg"]  # two names of one file are one image
    assert pairs.first.tolist() == [0, 0, 0]
    assert pairs.second.tolist() == [1, 1, 2]
    assert pairs.distance[:2].tolist() == [0.25, 0.5]
    assert np.isnan(pairs.distance[2])
    assert pairs.prediction.tolist() == [1, 0, 0]
    assert pairs.same.tolist() == [1, UNLABELLED, 0]
    assert pairs.scored.tolist() == [True, True, False]
    assert pairs.labelled.tolist() == [True, False, False]


@pytest.mark.parametrize(
    ("header", "rows", "message"),
    [
        ("image1,image2", ["a,b"], "not a file of scores: it needs the columns image1,image2,distance"),
        ("index,sameArtist", ["0,0.5"], "without --format kaggle"),
        (HEADER, [], "there are no rows below the header"),
        (HEADER, ["a,b,1,near,0.5,1,ok"], "the column distance has a cell between the rows 1 and 1 that is no number"),
        (HEADER, ["a,b,7,0.5,0.5,1,ok"], "sameArtist should be 0 or 1"),
    ],
)
def test_what_is_no_file_of_scores_is_refused(tmp_path: Path, header: str, rows: list[str], message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_scores(write(tmp_path, header, rows), tmp_path)
