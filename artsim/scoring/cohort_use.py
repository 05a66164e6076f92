"""Which cohort a run uses, and what it says about it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from artsim.messages import counted
from artsim.scoring.cohort import MIN_COHORT, Cohort, ReadVectors, TowerOfCohort, build_cohort, check_works
from artsim.scoring.contract import Card

SELF, NONE = "self", "none"  # names of cohorts that are no files
LEAST_OWN = 3  # works; a pair needs a third work


@dataclass(frozen=True)
class CohortUse:
    """The cohort of a run, None where distances are not adapted; `note` says so to the user."""

    source: str
    cohort: Cohort | None
    note: str

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
            "adapted": True,
            "threshold_is_adapted": True,
        }

    def counting(self, sha256s: Iterable[str], place: str) -> CohortUse:
        """The same, with the number of the cohort's works that are among the scored files, if there are any."""
        if self.cohort is None or self.source == SELF:
            return self
        both = len(set(self.cohort.sha256s).intersection(sha256s))
        return replace(self, note=f"{self.note}; {both:,} of them in {place} too") if both else self


def no_cohort(card: Card) -> CohortUse:
    """Say why distances are not adapted where the user chose none, or the tower cannot."""
    if card.cohort is None:
        return CohortUse(
            NONE, None, "none: this tower can't adapt to a cohort. Train it again with this version of artsim"
        )
    return CohortUse(NONE, None, "none: a score depends on its two images only")


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
