"""What a report does not say: its population, its prior, unfamiliar photographs, its labels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from artsim.evaluation.report.numbers import percent
from artsim.evaluation.report.paintings import Paintings
from artsim.messages import counted
from artsim.scoring.scores import Criterion
from artsim.tables.scores_file import ScoredPairs

FEW_ARTISTS = 30  # below which a sample of artists is called small; a setting


def limits_of(
    pairs: ScoredPairs,
    paintings: Paintings,
    criterion: Criterion,
    unfamiliar: NDArray[np.bool_] | None,
    *,
    is_prior_known: bool,
) -> list[tuple[str, str]]:
    """Names and texts. `unfamiliar` (P,) is of the drawn paintings; None: not known."""
    found = [("Other artists", _population(pairs, paintings))]
    found.append(("Other shares", _prior(pairs, criterion, is_prior_known)))
    found.append(("Other photographs", _photographs(unfamiliar)))
    if pairs.labelled.any():
        found.append(
            (
                "Wrong labels",
                "A label is an attribution. A wrong attribution counts as an error of the scores. Two photographs of "
                "one painting count as a right answer, and say nothing about the artist.",
            )
        )
    found.append(
        (
            "A single pair",
            "A probability is no attribution. Pupils, copies and shared subjects can be as near as works by one hand. "
            "Look at the surest wrong pairs.",
        )
    )
    return found


def _population(pairs: ScoredPairs, paintings: Paintings) -> str:
    if not pairs.labelled.any():
        return "Without labels, nothing here says how often the scores are right, for any artist."
    count = len(np.unique(paintings.artist[paintings.artist >= 0]))
    if not count:
        return "The artists are not known here. On other artists, periods and subjects, the AUC may be another one."
    size = "a small sample. " if count < FEW_ARTISTS else "a sample. "
    return (
        f"These are {counted(len(pairs.names), 'painting')} by {counted(count, 'artist')}: {size}"
        "On other artists, periods and subjects, the AUC may lie outside its interval."
    )


def _prior(pairs: ScoredPairs, criterion: Criterion, is_known: bool) -> str:
    text = f"Probabilities assume that {percent(criterion.prior)} of the pairs are by the same artist."
    if not is_known:
        text = (
            f"The prior of these scores is not known, and {percent(criterion.prior)} is assumed. Name the summary of "
            "the run by --summary to read it."
        )
    labelled = pairs.labelled
    if labelled.any():
        text += f" Of the labelled pairs here, {percent(float((pairs.same[labelled] == 1).mean()))} are."
    return f"{text} Where the share is another one, score with --prior."


def _photographs(unfamiliar: NDArray[np.bool_] | None) -> str:
    if unfamiliar is None:
        return (
            "It is not known which photographs are unlike those that the tower was trained on. On such photographs, "
            "the AUC is lower and probabilities can be wrong."
        )
    count = int(np.count_nonzero(unfamiliar))
    verb = "is" if count == 1 else "are"
    return (
        f"{count:,} of the {len(unfamiliar):,} drawn photographs {verb} unlike those that the tower was trained on; "
        "5 % is usual. On such photographs, the AUC is lower, and without a cohort probabilities can be wrong."
    )
