"""`artsim.nearest`: the answers of the command, as objects."""

from __future__ import annotations

import csv
import io
import logging
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any, overload

from artsim.collection.artists import Qualified
from artsim.collection.columns import Columns
from artsim.errors import BadImagesError, InputError, UsageError
from artsim.jobs.nearest import NearestOptions, find_nearest, place_of
from artsim.jobs.steps.ranking import QueryResult
from artsim.messages import Progress, first_few
from artsim.progress_bars import shown
from artsim.scoring.image_lists import Errors, check_errors
from artsim.scoring.scorer import Scorer
from artsim.towers import BASE

if TYPE_CHECKING:
    import pandas as pd

_LOG = logging.getLogger("artsim")


@dataclass(frozen=True)
class Nearest(QueryResult):
    """The works and the artists of a gallery that are nearest to a query, the nearest first; `artsim.nearest` makes it.

    `query` is its file. `unlike` says that it is farther from its nearest work than 99 % of the gallery's works are
    from theirs, `unfamiliar` that its photograph is unlike those that the tower was trained on. `itself` has the works
    with the same content, which are left out. `problem` says why a bad query has no answer; it is empty for others.

    >>> found = artsim.nearest("a.jpg", "paintings", model="tower.onnx")
    >>> [(work.rank, work.artist, work.image) for work in found.works]
    [(1, 'Hals', 'Hals/b.jpg'), (2, 'Vermeer', 'Vermeer/c.jpg')]
    >>> found.itself
    ['Hals/a.jpg']
    """

    problem: str = ""

    def to_frame(self) -> pd.DataFrame:
        """The works as a table, with the columns that `artsim nearest -o works.csv` writes."""
        rows = ({"query": self.query, "unlike": self.unlike, **asdict(work)} for work in self.works)
        return _frame(rows, ["query", "rank", "distance", "probability", "artist", "image", "unlike", "copy"])

    def artists_frame(self) -> pd.DataFrame:
        """The artists as a table. Its columns are those of `artsim nearest --artists`, `share` by that name only."""
        rows = ({"query": self.query, **asdict(artist)} for artist in self.artists)
        return _frame(rows, ["query", "rank", "distance", "artist", "works", "share"])


def _frame(rows: Iterable[Mapping[str, object]], columns: list[str]) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame(list(rows), columns=columns)


@overload
def nearest(  # type: ignore[overload-overlap]  # a str is a Sequence[str], too
    query: str | os.PathLike[str],
    among: str | os.PathLike[str],
    *,
    model: str | os.PathLike[str] | Scorer = BASE,
    k: int = 10,
    data_dir: str | os.PathLike[str] | None = None,
    columns: Mapping[str, str] | None = None,
    qualified: Qualified = "drop",
    prior: float | None = None,
    cohort: str | os.PathLike[str] | None = None,
    with_itself: bool = False,
    errors: Errors = "raise",
    progress: bool | Progress = False,
) -> Nearest: ...


@overload
def nearest(
    query: Sequence[str | os.PathLike[str]],
    among: str | os.PathLike[str],
    *,
    model: str | os.PathLike[str] | Scorer = BASE,
    k: int = 10,
    data_dir: str | os.PathLike[str] | None = None,
    columns: Mapping[str, str] | None = None,
    qualified: Qualified = "drop",
    prior: float | None = None,
    cohort: str | os.PathLike[str] | None = None,
    with_itself: bool = False,
    errors: Errors = "raise",
    progress: bool | Progress = False,
) -> list[Nearest]: ...


def nearest(
    query: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    among: str | os.PathLike[str],
    *,
    model: str | os.PathLike[str] | Scorer = BASE,
    k: int = 10,
    data_dir: str | os.PathLike[str] | None = None,
    columns: Mapping[str, str] | None = None,
    qualified: Qualified = "drop",
    prior: float | None = None,
    cohort: str | os.PathLike[str] | None = None,
    with_itself: bool = False,
    errors: Errors = "raise",
    progress: bool | Progress = False,
) -> Nearest | list[Nearest]:
    """Find the works of a gallery that are nearest to a query, and rank their artists, as `artsim nearest` does.

    >>> [artist.artist for artist in artsim.nearest("a.jpg", "paintings", model="tower.onnx").artists]
    ['Hals', 'Vermeer']

    Args:
        query: an image file, or several.
        among: the gallery: a folder, a table with the column filename, or an embedding store of `artsim embed`. Many
            searches of one gallery are fast with a store.
        model: what `artsim.load` takes, or an opened scorer.
        k: the number of works, and of artists, for each query.
        data_dir: the folder of the images of a table; the default is the folder of the table.
        columns: the names of a table's columns where they differ, for example `{"filename": "File"}`.
        qualified: `keep` makes attributions such as 'workshop of Rubens' artists of their own.
        prior: the share of same-artist pairs that you expect; the default is the tower's.
        cohort: the works to which distances adapt: a folder, a table, an embedding store, `self` for the gallery, or
            `none`. The default is the gallery, if the tower can adapt and there are at least 10 works.
        with_itself: also rank works with the same content as the query.
        errors: `raise` raises an error for a bad image. `keep` leaves bad works out of the gallery, and gives a bad
            query a `problem` and no works.
        progress: True shows progress bars on standard error. A function gets the stage, how much is done, and how much
            there is.

    Raises:
        InputError: a query, or the whole gallery, cannot be used.
        BadImagesError: works of the gallery cannot be used.
        ModelError, DeviceError, UsageError, TrackingError: see `artsim.load` and `Scorer.score`.
    """
    check_errors(errors)
    if k < 1:
        raise UsageError(f"k is {k}; give 1 or more.")
    names = [os.fspath(query)] if isinstance(query, str | os.PathLike) else [os.fspath(each) for each in query]
    for name in names:
        if os.path.isdir(name):  # noqa: PTH112 - Path's raises for a name too long
            raise UsageError(f"{name!r} is a folder. Give artsim.images_in({name!r}), the list of its images.")
    if not names:
        return []
    options = NearestOptions(
        names, os.fspath(among), "" if isinstance(model, Scorer) else os.fspath(model), k,
        data_dir=None if data_dir is None else os.fspath(data_dir), prior=prior, with_itself=with_itself,
        cohort=None if cohort is None else os.fspath(cohort), columns=_columns(columns), qualified=qualified,
        needs_query=errors == "raise",
    )  # fmt: skip
    with shown(progress) as show:
        answers = _answers(options, errors, show, model if isinstance(model, Scorer) else None)
    found = [answers[place_of(name)] for name in names]
    return found[0] if isinstance(query, str | os.PathLike) else found


def _columns(named: Mapping[str, str] | None) -> Columns | None:
    if named is None:
        return None
    text = io.StringIO()
    csv.writer(text, lineterminator="").writerow([f"{name}={column}" for name, column in named.items()])
    try:
        return Columns.parse(text.getvalue())
    except ValueError as error:
        raise UsageError(f"columns: {error}.") from error


def _answers(options: NearestOptions, errors: Errors, show: Progress, scorer: Scorer | None) -> dict[str, Nearest]:
    """The answer of each query, by the place of its file."""
    answers: dict[str, Nearest] = {}

    def keep(result: QueryResult) -> None:
        values: dict[str, Any] = {field.name: getattr(result, field.name) for field in fields(QueryResult)}
        answers[place_of(result.query)] = Nearest(**values)

    bad = _bad_queries(options, errors, show, keep, scorer)
    without = {place_of(name): name for name in reversed(options.queries) if place_of(name) not in answers}
    for (place, name), reason in zip(reversed(without.items()), bad, strict=True):
        answers[place] = Nearest(name, [], [], [], None, None, reason)
    return answers


def _bad_queries(
    options: NearestOptions,
    errors: Errors,
    show: Progress,
    keep: Callable[[QueryResult], None],
    scorer: Scorer | None,
) -> list[str]:
    """Search; returns the reasons of bad queries, in their order. Raises for bad images if `errors` says so."""
    outcome = find_nearest(options, _LOG.info, show, keep, scorer)
    if errors == "raise" and outcome.bad_queries:
        raise InputError(f"{first_few(outcome.bad_queries, '; ')}. Give errors='keep' to search for the others.")
    if errors == "raise" and outcome.bad_works:
        raise BadImagesError(
            f"{options.among}: {len(outcome.bad_works):,} of {outcome.works:,} images can't be used: "
            f"{first_few(outcome.bad_works, '; ')}. Repair them, or give errors='keep' to search among the others."
        )
    return outcome.bad_queries
