"""The scores of a run's validation pairs as a file of scores, with the split and the artists of each pair."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from artsim.scoring.scores import OK

SCORES_FILE = "validation_scores.parquet"
SPLIT_COLUMN, ARTIST_COLUMNS = "split", ("artist1", "artist2")


def write_validation_scores(scores: pd.DataFrame, works: pd.DataFrame, path: Path) -> None:
    """Write the scores of all validation pairs, with those of the shifted twin.

    Args:
        scores: `image1,image2,sameArtist,split`, and the scores.
        works: `filename,artist` of the validation works.
        path: of the parquet file.
    """
    artist = works.set_index("filename")["artist"]
    table = scores.assign(status=OK)
    for number, column in enumerate(ARTIST_COLUMNS, start=1):
        table[column] = table[f"image{number}"].map(artist)
    texts = ["image1", "image2", "status", SPLIT_COLUMN, *ARTIST_COLUMNS]
    table[texts] = table[texts].astype("category")
    table.to_parquet(path, index=False, compression="zstd")
