"""The labelled pairs on which the registry gate compares two towers, and the towers' distances of them.

They are pairs of works that neither tower was fitted on. Works are compared by content: a file may have another name in
another collection. A refitted tower was fitted on its validation works too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from artsim.collection.digests import fitted_digests, read_works
from artsim.errors import InputError
from artsim.export.run_record import RunRecord
from artsim.image_names import ImageNames
from artsim.messages import Progress
from artsim.model_names import load
from artsim.scoring.adaptation import adapter_of
from artsim.scoring.distance import pair_distances
from artsim.scoring.embed_images import embed_named
from artsim.tables.image_index import ImageNumbering
from artsim.tables.labels import UNLABELLED
from artsim.tables.pairs_file import image_folder, open_pairs


@dataclass(frozen=True)
class GatePairs:
    """N labelled pairs as rows of M works; `sha256s` and `artists` (M,) are None where they are not known."""

    paths: Sequence[Path | None]  # (M,)
    first: NDArray[np.int64]  # (N,)
    second: NDArray[np.int64]  # (N,)
    same: NDArray[np.uint8]  # (N,) 1 for the same artist
    sha256s: Sequence[str] | None = None
    artists: NDArray[np.int64] | None = None

    def only(self, good: NDArray[np.bool_]) -> GatePairs:
        """The pairs of works that are `good`, (M,)."""
        kept = good[self.first] & good[self.second]
        return replace(self, first=self.first[kept], second=self.second[kept], same=self.same[kept])


def pairs_of_file(source: str, data_dir: str | None) -> GatePairs:
    """The labelled pairs of a pairs file.

    Raises:
        InputError: it cannot be read, or has no labels.
    """
    numbers = ImageNumbering(image_folder(source, data_dir))
    rows, labels = [np.empty((2, 0), np.int64)], [np.empty(0, np.uint8)]
    with open_pairs(source) as pairs:
        if not pairs.labelled:
            raise InputError(f"{source}: it has no column sameArtist, which the gate needs. Name a file with labels.")
        for block in pairs.blocks():
            rows.append(numbers.of(block))
            labels.append(np.asarray(block.same, dtype=np.uint8))
    (first, second), same = np.concatenate(rows, axis=1), np.concatenate(labels)
    known = same != UNLABELLED
    return GatePairs([Path(path) for path in numbers.paths], first[known], second[known], same[known])


@dataclass(frozen=True)
class RunFiles:
    """The files of a run that say what its tower was fitted on, and its validation pairs."""

    works: Path
    record: Path
    pairs: Path
    is_refit: bool

    def fitted(self) -> set[str]:
        """The digests of the works that the tower was fitted on."""
        return fitted_digests(read_works(self.works), refit=self.is_refit)

    def judged(self) -> pd.DataFrame:
        """The validation pairs: the digest, path and artist of both works, and the label."""
        works, record = read_works(self.works), RunRecord.read(self.record.parent)
        lookup = ImageNames(Path(record.data_dir))
        works["path"] = pd.Series([lookup.path(name) for name in works["filename"]], dtype=object)
        pairs = pd.read_csv(self.pairs, dtype={"image1": str, "image2": str}, keep_default_na=False)
        for number in (1, 2):
            of_image = works.add_suffix(str(number))
            pairs = pairs.merge(of_image, left_on=f"image{number}", right_on=f"filename{number}")
        return pairs


def unfitted_pairs(candidate: RunFiles, champion: RunFiles) -> GatePairs:
    """The validation pairs of both runs whose works neither tower was fitted on; there may be none."""
    fitted = candidate.fitted() | champion.fitted()
    table = pd.concat([candidate.judged(), champion.judged()], ignore_index=True)
    table = table[~table["sha2561"].isin(fitted) & ~table["sha2562"].isin(fitted)]
    low, high = (table[["sha2561", "sha2562"]].agg(which, axis=1) for which in ("min", "max"))
    table = table[~pd.DataFrame({"low": low, "high": high}).duplicated()]
    stacked = [table[[f"{name}1", f"{name}2"]].to_numpy().T.ravel() for name in ("sha256", "path", "artist")]
    sha256s, where, rows = np.unique(stacked[0].astype(str), return_index=True, return_inverse=True)
    first, second = rows.reshape(2, -1)
    artists = np.unique(stacked[2][where].astype(str), return_inverse=True)[1]
    same = table["sameArtist"].to_numpy(dtype=np.uint8)
    return GatePairs(list(stacked[1][where]), first, second, same, sha256s.tolist(), artists)


def with_distances(
    pairs: GatePairs, towers: Sequence[Path], progress: Progress
) -> tuple[GatePairs, list[NDArray[np.float32]]]:
    """The pairs of readable works that are still what the runs have seen, and each tower's distances (N,) of them.

    Distances do not adapt to a cohort, so that they depend on nothing but the pair.
    """
    paths = {str(number): path for number, path in enumerate(pairs.paths)}
    good = np.ones(len(paths), dtype=bool)
    opened = []
    for tower in towers:
        scorer = load(tower)
        embedded = embed_named(scorer, paths, progress=partial(_of_stage, progress))
        good &= embedded.status == 0
        if pairs.sha256s is not None:
            good &= np.array([found == seen for found, seen in zip(embedded.sha256s, pairs.sha256s, strict=True)], bool)
        opened.append((scorer.card.distance, embedded.adapted(adapter_of(scorer.card, None))))
    kept = pairs.only(good)
    return kept, [pair_distances(each.vectors, kept.first, kept.second, name, each.factor) for name, each in opened]


def _of_stage(progress: Progress, _: str, done: int, total: int) -> None:
    progress("comparing", done, total)
