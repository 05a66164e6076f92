"""The report of a search: each query beside the works that were found, and the artists ranked."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from artsim._version import __version__
from artsim.evaluation.report.answers import Answer, AnswersPage, RankedArtist, RankedWork, render_answers
from artsim.evaluation.report.choice import MOST_PICTURES
from artsim.evaluation.report.numbers import percent, short
from artsim.evaluation.report.pictures import make_sheet
from artsim.jobs.nearest import NearestOptions
from artsim.jobs.steps.ranking import QueryResult
from artsim.messages import Progress
from artsim.tables.output import open_output

Remarks = Callable[[QueryResult], Sequence[str]]


@dataclass
class NearestReport:
    """Collects the results of queries, and writes their page; those beyond the bound of pictures are counted."""

    options: NearestOptions
    output: str
    remarks: Remarks
    command: str = ""
    results: list[QueryResult] = field(default_factory=list)
    left_out: int = 0
    _pictures: dict[Path | str, int] = field(default_factory=dict)  # by file, the place on the sheet

    def add(self, result: QueryResult) -> None:
        """Add the result of a query, unless the sheet is full."""
        shown = sum(1 + len(each.works) for each in self.results)
        if shown + 1 + len(result.works) > MOST_PICTURES:
            self.left_out += 1
        else:
            self.results.append(result)

    def write(self, path_of: Callable[[str], Path | None], progress: Progress, validated: str = "") -> None:
        """Write the page; `path_of` gives the file of a work of the gallery, None if it has none.

        `validated` says how often the tower's validation queries were answered right.

        Raises:
            OutputError: the output can't be written.
        """
        answers = [self._answer(result, path_of) for result in self.results]
        paths = [str(path) if isinstance(path, Path) else "" for path in self._pictures]
        sheet = make_sheet(paths, partial(progress, "pictures"), self.options.max_pixels)
        page = AnswersPage(
            Path(self.options.among).name, answers, self.left_out, sheet, list(self._origin()), validated
        )
        with open_output(self.output) as file:
            file.write(render_answers(page).encode(errors="backslashreplace"))

    def _answer(self, result: QueryResult, path_of: Callable[[str], Path | None]) -> Answer:
        works = [
            RankedWork(
                self._place(path_of(work.image) or work.image),
                work.image,
                work.artist or "",
                percent(float(work.probability)),
                short(float(work.distance)),
                bool(work.copy),
            )
            for work in result.works
        ]
        artists = [
            RankedArtist(each.artist, float(each.share), percent(float(each.share)), each.works)
            for each in result.artists
        ]
        place = self._place(Path(result.query))
        return Answer(place, Path(result.query).name, self.remarks(result), works, artists)

    def _place(self, picture: Path | str) -> int:
        return self._pictures.setdefault(picture, len(self._pictures))

    def _origin(self) -> Iterator[tuple[str, str]]:
        yield "Gallery", self.options.among
        yield "Tower", self.options.model
        yield "Prior", "that of the tower" if self.options.prior is None else f"{self.options.prior:g}"
        yield "Cohort", self.options.cohort or "the gallery, if the tower can adapt"
        if self.command:
            yield "Command", self.command
        yield "Report by", f"artsim {__version__}"
