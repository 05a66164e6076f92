"""Which cohort a run uses, and what it says about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from artsim.messages import counted
from artsim.scoring.cohort import (
    MAX_COHORT,
    MIN_COHORT,
    MOST_MISFIT,
    Cohort,
    ReadVectors,
    TowerOfCohort,
    build_cohort,
    check_works,
)
from artsim.scoring.contract import OTHER_TOWER, Card

SELF, NONE = "self", "none"  # names of cohorts that are no files
LEAST_OWN = 3  # works; a pair needs a third work


@dataclass(frozen=True)
class CohortUse:
    """The cohort of a run, None where distances are not adapted; `note` says so to the user."""

    source: str
    cohort: Cohort | None
    note: str
    misfit: float | None = None  # of the scored works, where the user names the cohort; see `Cohort.misfit`

    def record(self) -> dict[str, object] | None:
        """The cohort in a summary."""
        if self.cohort is None:
            return None
        return {
            "source": self.source,
            "works": self.cohort.works,
            "left_out_copies": self.cohort.left_out_copies,
            "sampled_from": self.cohort.sampled_from,
            "sha256": self.cohort.sha256,
            "misfit": self.misfit,
            "adapted": True,
            "threshold_is_adapted": True,
        }


def no_cohort(card: Card) -> CohortUse:
    """Say why distances are not adapted where the user chose none, or the tower cannot."""
    if card.cohort is None:
        return CohortUse(NONE, None, f"none: this tower can't adapt to a cohort. {OTHER_TOWER}")
    return CohortUse(NONE, None, "none: a score depends on its two images only")


def cohort_of_run(
    named: CohortUse | None,
    tower: TowerOfCohort,
    sha256s: Sequence[str],
    read: ReadVectors,
    place: str,
    *,
    chosen: bool,
) -> CohortUse:
    """The cohort that the user names, compared with the works of the run; or these works.

    Args:
        named: the cohort that the user names; None: the works of the run.
        tower: of the embeddings.
        sha256s: of the works of the run; see `build_cohort`.
        read: see `build_cohort`.
        place: where these works are, such as `the pairs`.
        chosen: whether the user chose the works of the run.

    Raises:
        InputError: the user chose these works, and there are fewer than LEAST_OWN.
    """
    if named is None:
        return own_cohort(tower, sha256s, read, place, chosen=chosen)
    return named if named.cohort is None else _compared(named, named.cohort, sha256s, read, place)


def _compared(use: CohortUse, cohort: Cohort, sha256s: Sequence[str], read: ReadVectors, place: str) -> CohortUse:
    """The same, and in its note how many of the works are the cohort's, and whether they are unlike the cohort."""
    row_of = {sha256: row for row, sha256 in enumerate(sha256s) if sha256}
    note = use.note
    if both := len(row_of.keys() & set(cohort.sha256s)):
        note += f"; {both:,} of them in {place} too"
    if len(row_of) < MIN_COHORT:  # too few to compare
        return replace(use, note=note)
    some = [row_of[sha256] for sha256 in sorted(row_of)[:MAX_COHORT]]
    misfit = cohort.misfit(read(np.array(some, dtype=np.int64)))
    if misfit > MOST_MISFIT:
        note += f"; the images of {place} are unlike these works, so probabilities may be too high"
    return replace(use, note=note, misfit=misfit)


def own_cohort(
    tower: TowerOfCohort, sha256s: Sequence[str], read: ReadVectors, place: str, *, chosen: bool
) -> CohortUse:
    """Use the works of a run itself.

    Args:
        tower: of the embeddings.
        sha256s: see `build_cohort`.
        read: see `build_cohort`.
        place: where the works are, such as `the pairs`.
        chosen: whether the user chose this cohort. As the default, it needs MIN_COHORT works to be used.

    Raises:
        InputError: the user chose it, and there are fewer than LEAST_OWN works.
    """
    cohort = build_cohort(tower, sha256s, read)
    if chosen:
        check_works(cohort, f"{place} (self)", LEAST_OWN)
    elif cohort.works < MIN_COHORT:
        works = counted(cohort.works, "different work")
        return CohortUse(NONE, None, f"none: {works} in {place}, and a cohort needs {MIN_COHORT}")
    return CohortUse(SELF, cohort, _note(cohort, f"{place} (self)", 0))


def named_cohort(cohort: Cohort, source: str, bad: int, names_note: str = "") -> CohortUse:
    """Use the works that the user names.

    Args:
        cohort: of these works.
        source: its name.
        bad: the number of bad images among them.
        names_note: a line about names that were found under another spelling.

    Raises:
        InputError: there are fewer than two works.
    """
    check_works(cohort, source)
    note = _note(cohort, source, bad)
    return CohortUse(source, cohort, f"{note}; {names_note}" if names_note else note)


def _note(cohort: Cohort, of: str, bad: int) -> str:
    is_sample = cohort.works + cohort.left_out_copies < cohort.sampled_from
    works = f"{cohort.works:,} of {cohort.sampled_from:,} works" if is_sample else counted(cohort.works, "work")
    parts = [f"{works} of {of}: distances adapted"]
    if cohort.left_out_copies:
        parts.append(f"{counted(cohort.left_out_copies, 'copy', 'copies')} left out")
    if bad:
        parts.append(f"{counted(bad, 'bad image')} left out")
    if cohort.works < MIN_COHORT:
        parts.append(f"with fewer than {MIN_COHORT} works the scores are not reliable")
    return "; ".join(parts)
