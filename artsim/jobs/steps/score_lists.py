"""The lists of scores that are compared: files of scores, and those that runs of MLflow have logged."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from artsim.errors import InputError, UsageError
from artsim.evaluation.matching import ScoreList
from artsim.evaluation.report.rule import read_rule
from artsim.evaluation.validation_scores import ARTIST_COLUMNS, SCORES_FILE, SPLIT_COLUMN
from artsim.json_fields import FieldError, parse_object
from artsim.tables.arrow import as_texts
from artsim.tables.readers import open_reader
from artsim.tables.scores_file import ScoredPairs, read_scores

if TYPE_CHECKING:
    from artsim.tracking.run_list import TrackedRun

RUN_ID = re.compile(r"[0-9a-f]{32}")
RUN_SCHEME = "runs:/"


@dataclass(frozen=True)
class Source:
    """What is compared: a file, or a run of MLflow with the model of it that is meant ("" for its tower)."""

    text: str
    run: TrackedRun | None = None
    model: str = ""

    @property
    def name(self) -> str:
        """The name for the user."""
        if self.run is None:
            return self.text
        return f"{self.run.name} ({self.run.id[:8]}{'/' + self.model if self.model else ''})"


def is_run(text: str) -> bool:
    """Whether a text means a run, not a file."""
    return text.startswith(RUN_SCHEME) or (RUN_ID.fullmatch(text) is not None and not Path(text).exists())


def find_source(text: str) -> Source:
    """The file or the run that a text means.

    Raises:
        InputError: there is no such run.
        TrackingError: MLflow's store cannot be used.
    """
    if not is_run(text):
        return Source(text)
    from artsim.tracking.run_list import find_run

    run_id, _, model = text.removeprefix(RUN_SCHEME).partition("/")
    return Source(text, find_run(run_id), model)


def common_sets(sources: Sequence[Source]) -> list[str] | None:
    """The validation sets that the runs among the sources share; None if fewer than two sources are runs.

    Raises:
        InputError: the runs have no validation set in common.
    """
    runs = [source.run for source in sources if source.run is not None]
    if len(runs) < 2:
        return None
    sets = [{item for item in run.digests.items() if item[0].startswith("val_")} for run in runs]
    shared = sorted(name for name, _ in set.intersection(*sets))
    if not shared:
        raise InputError(
            "The runs have other validation sets (their datasets have other digests), so their own scores cannot be "
            "compared. Name labelled pairs that none of them has seen by --pairs FILE."
        )
    return shared


def list_of_file(path: str, folder: Path, name: str, prior: float | None) -> ScoreList:
    """Read a file of scores.

    Raises:
        InputError: see `read_scores`.
    """
    pairs = read_scores(path, folder)
    columns = _texts(path, [SPLIT_COLUMN, *ARTIST_COLUMNS])
    artists = None
    if set(ARTIST_COLUMNS) <= columns.keys():
        artists = _artists(pairs, [columns[column] for column in ARTIST_COLUMNS])
    splits = columns.get(SPLIT_COLUMN)
    if splits is not None and not np.char.startswith(splits, "val_").all():
        splits = None  # a column of the user's own
    return ScoreList(name, pairs, read_rule(pairs, None, prior=prior).criterion, splits, artists)


def list_of_run(source: Source, data_dir: str | None, prior: float | None) -> ScoreList:
    """Read the scores that a run has logged of its validation pairs.

    Raises:
        InputError: it has logged none.
        TrackingError: they cannot be downloaded.
    """
    from artsim.export.run_record import RECORD_FILE
    from artsim.tracking.registry import download_files
    from artsim.tracking.resumed import CHECKPOINTS

    assert source.run is not None  # noqa: S101 - the caller's
    if source.model:
        raise UsageError(
            f"{source.text}: only a run's tower has logged scores. Add --pairs FILE to score with a model."
        )
    with TemporaryDirectory(prefix="artsim-") as scratch:
        found = download_files(source.run.id, [SCORES_FILE], Path(scratch))
        if found is None:
            raise InputError(
                f"{source.text}: the run has no {SCORES_FILE}. It has not finished, or an earlier artsim trained it. "
                "Name pairs to score by --pairs FILE."
            )
        folder = None if data_dir is None else Path(data_dir)
        if folder is None:
            record = download_files(source.run.id, [f"{CHECKPOINTS}/{RECORD_FILE}"], Path(scratch))
            folder = Path("." if record is None else _data_dir(record[0]))
        return list_of_file(str(found[0]), folder, source.name, prior)


def _data_dir(record: Path) -> str:
    """The folder of the works of a run, by its record."""
    try:
        return parse_object(record.read_bytes()).text("data_dir")
    except (OSError, FieldError):
        return "."


def _texts(path: str, columns: Sequence[str]) -> dict[str, NDArray[np.str_]]:
    """Those of the columns that a table has, as texts (N,)."""
    reader = open_reader(Path(path), path)
    wanted = [name for name in columns if name in reader.schema.names]
    parts: dict[str, list[NDArray[np.str_]]] = {name: [] for name in wanted}
    for batch in reader.batches() if wanted else ():
        for name in wanted:
            parts[name].append(np.array(as_texts(batch.column(name)).to_pylist(), dtype=str))
    return {name: np.concatenate(own) for name, own in parts.items()}


def _artists(pairs: ScoredPairs, columns: Sequence[NDArray[np.str_]]) -> list[str]:
    """The artist of each image (M,), from those of both images of the pairs."""
    artists = [""] * len(pairs.names)
    for side, own in zip((pairs.first, pairs.second), columns, strict=True):
        images, rows = np.unique(side, return_index=True)
        for image, row in zip(images.tolist(), rows.tolist(), strict=True):
            artists[image] = str(own[row])
    return artists
