"""What a report knows beside the scores: the summary of the run, and the tower that may have made them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from artsim._version import __version__
from artsim.errors import InputError
from artsim.evaluation.report.numbers import short
from artsim.evaluation.report.rule import ReadRule
from artsim.evaluation.summary import Summary
from artsim.files import open_regular
from artsim.json_fields import MOST_BYTES, FieldError, parse_object
from artsim.scoring.contract import Card
from artsim.scoring.embed_images import EmbeddedImages

# Embeds images, by their names and files.
Embed: TypeAlias = Callable[[dict[str, Path | None]], EmbeddedImages]


@dataclass(frozen=True)
class Tower:
    """The tower of some scores: its file, digest and card, and the function that embeds with it."""

    name: str
    sha256: str
    card: Card
    embed: Embed


@dataclass(frozen=True)
class RunFacts:
    """What the summary of a scoring run says."""

    artsim_version: str
    model: str
    provider: str
    pairs: int
    threshold: float
    prior: float
    cohort: str

    @classmethod
    def of(cls, summary: Summary) -> RunFacts:
        """Of a run that has just ended."""
        return cls(
            summary.artsim_version,
            summary.model,
            summary.provider,
            summary.pairs,
            summary.threshold,
            summary.prior,
            summary.cohort_note,
        )


def read_facts(path: Path) -> RunFacts:
    """Read the summary that `artsim-score --summary` wrote.

    Raises:
        InputError: it is missing, or is no such summary.
    """
    try:
        with open_regular(path) as file:
            fields = parse_object(file.read(MOST_BYTES + 1))
        return RunFacts(
            fields.text("artsim_version"),
            fields.text("model"),
            fields.text("provider"),
            fields.integer("pairs", 0, 2**62),
            fields.number("threshold"),
            fields.number("prior", 1e-12, 1 - 1e-12),
            fields.text("cohort_note", default="not known"),
        )
    except OSError as error:
        raise InputError(f"{path}: the summary can't be read ({error.strerror or error}).") from error
    except ValueError as error:  # also a null byte in the name
        what = str(error) if isinstance(error, FieldError) else "its name is not possible"
        raise InputError(
            f"{path}: not the summary of a scoring run ({what}). Write one with artsim-score --summary."
        ) from error


def origin_of(scores: str, rule: ReadRule, tower: Tower | None, facts: RunFacts | None) -> list[tuple[str, str]]:
    """How the scores were made, as names and texts. What is not known is said to be so."""
    criterion = rule.criterion
    prior = f"{criterion.prior:g}" + ("" if rule.is_prior_known else " (assumed)")
    found = [("Scores", scores)]
    if tower is None:
        found.append(("Tower", "not known: name it by --model" if facts is None else facts.model))
    else:
        card = tower.card
        found += [
            ("Tower", f"{tower.name}, recipe {card.recipe}, artsim {card.artsim_version}"),
            ("SHA-256 of the tower", tower.sha256),
            ("MLflow run", card.run_id or "none"),
            ("SHA-256 of the selection", card.selection_sha256),
        ]
    found += [("Cohort", _cohort(rule, facts)), ("Threshold", short(criterion.threshold)), ("Prior", prior)]
    if facts is not None:
        found.append(("Scored with", f"artsim {facts.artsim_version}, {facts.provider}"))
    return [*found, ("Report by", f"artsim {__version__}")]


def _cohort(rule: ReadRule, facts: RunFacts | None) -> str:
    if facts is not None:
        return facts.cohort
    known = {True: "distances are adapted; the scores do not say to which works", False: "none", None: "not known"}
    return known[rule.adapted]
