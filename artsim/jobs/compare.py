"""`artsim compare`: which of several lists of scores of the same pairs is better."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from artsim import images
from artsim.collection.artists import Qualified
from artsim.collection.columns import Columns
from artsim.collection.works import Reading, read_works
from artsim.errors import InputError, UsageError
from artsim.evaluation.comparison import Agreement, SetComparison, agreement, compare_sets
from artsim.evaluation.matching import Matched, ScoreList, match
from artsim.evaluation.report.compared import ComparedPage, render_comparison
from artsim.evaluation.report.paintings import Paintings
from artsim.evaluation.verdicts import Verdict, letters, verdict_of, without_labels
from artsim.jobs.score import ScoreOptions, score_pairs
from artsim.jobs.steps.score_lists import Source, common_sets, find_source, list_of_file, list_of_run
from artsim.messages import Progress, Say, no_progress, say_nothing
from artsim.overwrites import Named, check_overwrites
from artsim.scoring.cohort_use import NONE
from artsim.scoring.device import Device
from artsim.tables.labels import UNLABELLED
from artsim.tables.output import check_place, open_output
from artsim.tables.pairs_file import image_folder


@dataclass(frozen=True)
class CompareOptions:
    """The options of `artsim compare`, as its help describes them."""

    sources: Sequence[str]
    report: str | None = None
    pairs: str | None = None
    data_dir: str | None = None
    works: str | None = None
    columns: Columns | None = None
    qualified: Qualified = "drop"
    prior: float | None = None
    device: Device = "auto"
    batch_size: int | None = None
    max_pixels: int = images.MAX_PIXELS
    threads: int | None = None
    command: str = ""

    def check_files(self) -> None:
        """Check that the report has a file of its own, at a place that can be written.

        Raises:
            UsageError: it is an input or a picture.
            OutputError: see `check_place`.
        """
        inputs: dict[str, Named] = {f"SCORES {number}": name for number, name in enumerate(self.sources, start=1)}
        check_overwrites({**inputs, "--pairs": self.pairs, "--works": self.works}, {"--report": self.report})
        if self.report is not None:
            check_place(self.report)


@dataclass(frozen=True)
class Comparison:
    """The result: the names of the lists, the matched pairs, and each set of labelled pairs with its verdicts.

    `verdicts` has one row for each set, or the only one of pairs without labels; a verdict for each later list.
    """

    names: list[str]
    letters: list[str]
    matched: Matched
    sets: list[SetComparison]
    agreement: list[Agreement]
    verdicts: list[list[Verdict]]


def compare(options: CompareOptions, progress: Progress = no_progress, say: Say = say_nothing) -> Comparison:
    """Compare lists of scores with the first of them, and write the report if there is one.

    Raises:
        UsageError: fewer than two lists, or an output that is an input.
        InputError: a list cannot be used, or the lists have no pair in common.
        ModelError, DeviceError, TrackingError: see `score_pairs`.
        OutputError: the report cannot be written.
    """
    if len(options.sources) < 2:
        raise UsageError("a comparison needs at least two files of scores or runs. Name another one.")
    options.check_files()
    sources = [find_source(text) for text in options.sources]
    sets = common_sets(sources) if options.pairs is None else None
    lists = [_only(_read(each, options, progress, say), sets) for each in sources]
    matched = match(_with_works(lists, options, say))
    if not len(matched):
        raise InputError(
            f"{lists[0].name} and {lists[-1].name} have no scored pair in common. Pairs are matched by the names of "
            "both images. Compare scores of the same pairs."
        )
    found = compare_sets(matched)
    shown = letters(len(lists))
    overall = agreement(matched)
    verdicts = [[verdict_of(each, other, shown) for other in range(len(lists) - 1)] for each in found]
    if not verdicts:
        pairs = len(matched)
        verdicts = [
            [without_labels(each, pairs, shown[0], name) for each, name in zip(overall, shown[1:], strict=True)]
        ]
    result = Comparison([each.name for each in lists], shown, matched, found, overall, verdicts)
    if options.report is not None:
        _write_report(options.report, result, options, progress, say)
    return result


def _read(source: Source, options: CompareOptions, progress: Progress, say: Say) -> ScoreList:
    if source.run is None:
        return list_of_file(source.text, image_folder(source.text, options.data_dir), source.name, options.prior)
    if options.pairs is None:
        return list_of_run(source, options.data_dir, options.prior)
    say(f"Scoring {options.pairs} with the tower of {source.name} …")
    with TemporaryDirectory(prefix="artsim-") as scratch:
        output = str(Path(scratch, "scores.parquet"))
        model = f"runs:/{source.run.id}" + (f"/{source.model}" if source.model else "")
        score = ScoreOptions(
            model=model,
            pairs=options.pairs,
            output=output,
            data_dir=options.data_dir,
            device=options.device,
            prior=options.prior,
            batch_size=options.batch_size,
            max_pixels=options.max_pixels,
            threads=options.threads,
            cohort=NONE,  # so that a score depends on nothing but its pair
        )
        score_pairs(score, progress, say)
        return list_of_file(output, image_folder(options.pairs, options.data_dir), source.name, options.prior)


def _only(scores: ScoreList, sets: Sequence[str] | None) -> ScoreList:
    """The pairs of the validation sets that the runs share."""
    if sets is None or scores.splits is None:
        return scores
    rows = np.flatnonzero(np.isin(scores.splits, sets))
    return replace(scores, pairs=scores.pairs.only(rows), splits=scores.splits[rows])


def _with_works(lists: Sequence[ScoreList], options: CompareOptions, say: Say) -> list[ScoreList]:
    """The lists with the artists of the table of works, and labels by them where a list has none."""
    if options.works is None:
        return list(lists)
    reading = Reading(say, options.columns or Columns(), options.qualified)
    works = read_works(options.works, reading).table
    found = []
    for each in lists:
        paintings = Paintings.of(each.pairs.names, works)
        if not (paintings.artist >= 0).any():
            say(f"{options.works}: none of the works of {each.name} is in it. Files must have the same names.")
        artists = [paintings.artists[number] if number >= 0 else "" for number in paintings.artist.tolist()]
        has_labels = bool((each.pairs.same != UNLABELLED).any())
        pairs = each.pairs if has_labels else each.pairs.with_labels(paintings.labels(each.pairs))
        found.append(replace(each, pairs=pairs, artists=artists))
    return found


def _write_report(path: str, result: Comparison, options: CompareOptions, progress: Progress, say: Say) -> None:
    page = ComparedPage(result.names, result.letters, result.matched, result.sets, result.verdicts, options.command)
    text = render_comparison(page, progress, say, options.max_pixels)
    with open_output(path) as file:
        file.write(text.encode(errors="backslashreplace"))
