"""A run's folder of checkpoints, for tests of the export."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from artsim.collection.selection import TRAIN, VAL_SEEN, VAL_UNSEEN, Selection
from artsim.export.run_record import SELECTION_FILE, RunRecord
from tests.export.made_towers import SIZE, save_colours


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory: pytest.TempPathFactory, demo_csv: Path) -> Path:
    """What a run leaves, with a tower that was not trained; works 0 to 2 of artists 0 to 4 are its training works."""
    folder = tmp_path_factory.mktemp("checkpoints")
    table = pd.read_csv(demo_csv)[["filename", "artist"]]
    artist = table.groupby("artist", sort=False).ngroup()
    work = table.groupby("artist").cumcount()
    table.insert(2, "split", np.select([artist > 4, work > 2], [VAL_UNSEEN, VAL_SEEN], TRAIN))
    Selection(table, demo_csv.parent / "train", str(demo_csv)).write(folder / SELECTION_FILE)
    RunRecord("compact", SIZE, "euclidean", None, 0, None, str(demo_csv.parent / "train")).write(folder)
    save_colours(folder / "best.keras", channels=128)  # so many that fewer bits make a smaller file
    return folder
