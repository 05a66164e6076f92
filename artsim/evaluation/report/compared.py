"""The page of a comparison: the verdict, the metrics of all lists with their differences, and the pairs that flipped.

It has no script. Its pictures lie on one sheet, as in the other reports.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import roc_curve

from artsim._version import __version__
from artsim.evaluation.comparison import COMPARED, RESAMPLES, SetComparison
from artsim.evaluation.intervals import Difference
from artsim.evaluation.matching import Matched
from artsim.evaluation.report.answers import places_of
from artsim.evaluation.report.curves import POINTS
from artsim.evaluation.report.figures import Figure, Key, Shape, Shares
from artsim.evaluation.report.numbers import percent, short
from artsim.evaluation.report.page import style_of, templates
from artsim.evaluation.report.pictures import make_sheet
from artsim.evaluation.verdicts import Verdict, interval_of, signed
from artsim.messages import Progress, Say, counted
from artsim.tables.labels import UNLABELLED

MOST_CARDS = 24  # of one kind of flipped pairs
MOST_PICTURES = 600
PICTURE = 132  # px on the page
SAID = {
    (1, 1): "same artist, found",
    (1, 0): "same artist, missed",
    (0, 0): "different artists, told apart",
    (0, 1): "different artists, taken for one",
    (UNLABELLED, 1): "predicted to be by one artist",
    (UNLABELLED, 0): "predicted to be by different artists",
}


@dataclass(frozen=True)
class ComparedPage:
    """All that the page shows; see `jobs.compare.Comparison`."""

    names: Sequence[str]
    letters: Sequence[str]
    matched: Matched
    sets: Sequence[SetComparison]
    verdicts: Sequence[Sequence[Verdict]]
    command: str = ""


@dataclass(frozen=True)
class MetricRow:
    """A metric of the first list and another one; `low` to `high` is its interval on a bar from -1 to 1, 0: equal."""

    name: str
    note: str
    values: tuple[str, str]
    difference: str
    interval: str
    better: str
    bar: tuple[float, float, float] | None


@dataclass(frozen=True)
class Score:
    """What one list says of a pair; `is_right` is None without a label."""

    letter: str
    said: str
    is_right: bool | None
    probability: str
    distance: str


@dataclass(frozen=True)
class Card:
    """A flipped pair: numbers of both pictures on the sheet, and the scores."""

    pictures: tuple[int, int]
    names: tuple[str, str]
    artists: tuple[str, str]
    scores: tuple[Score, Score]


@dataclass(frozen=True)
class CardGroup:
    """Flipped pairs of one kind; `count` of all of them."""

    title: str
    anchor: str
    text: str
    cards: Sequence[Card]
    count: int


def render_comparison(page: ComparedPage, progress: Progress, say: Say, max_pixels: int) -> str:
    """The page as HTML. The same comparison gives the same text."""
    cards = _Cards(page.matched, page.letters)
    groups = list(_groups(page, cards))
    sheet = make_sheet(cards.paths, partial(progress, "pictures"), max_pixels)
    if missing := sheet.boxes.count(None):
        say(f"{missing:,} of {counted(len(cards.paths), 'picture')} can't be read. Name their folder by --data-dir.")
    environment = templates()
    return environment.get_template("compare.html.j2").render(
        version=__version__,
        style=style_of(environment, "style.css", "compare.css") + places_of(sheet, PICTURE),
        sheet=sheet,
        page=page,
        others=list(range(len(page.letters) - 1)),
        tables=[
            [list(metric_rows(each, page.letters, other)) for other in range(len(page.letters) - 1)]
            for each in page.sets
        ],
        figures=[_roc(page, number) for number, each in enumerate(page.sets) if each.metrics],
        groups=groups,
        counts=_counts(page),
        drawn=sorted({each.drawn for each in page.sets}),
        resamples=RESAMPLES,
        origin=_origin(page),
    )


def metric_rows(found: SetComparison, letters: Sequence[str], other: int) -> Iterator[MetricRow]:
    """The rows of the compared metrics, for the first list and another one; none where there is too little to judge."""
    if not found.differences or not found.is_useful(other):
        return
    differences = found.differences[other]
    nothing = float("nan")
    finite = [abs(bound) for each in differences.values() for bound in (each.low, each.high) if math.isfinite(bound)]
    reach = max([1e-9, *finite])
    for name, (words, is_more) in COMPARED.items():
        values = found.metrics[0][name], found.metrics[other + 1][name]
        difference = differences.get(name, Difference(values[1] - values[0], nothing, nothing))
        bar = None
        if math.isfinite(difference.low):
            bar = (difference.low / reach, difference.value / reach, difference.high / reach)
        two = letters[0], letters[other + 1]
        better = _better(difference, two, is_more=is_more) if bar is not None else "–"
        yield MetricRow(
            words,
            "" if is_more else "lower is better",
            (f"{values[0]:.3f}", f"{values[1]:.3f}"),
            signed(difference.value),
            interval_of(difference),
            better,
            bar,
        )


def _better(difference: Difference, letters: tuple[str, str], *, is_more: bool) -> str:
    """Which list is better by a metric; "not shown" if the interval holds 0."""
    if not (difference.low > 0 or difference.high < 0):
        return "not shown"
    return letters[1] if (difference.low > 0) == is_more else letters[0]


class _Cards:
    """Makes cards, and numbers their pictures as long as these are not too many."""

    def __init__(self, matched: Matched, letters: Sequence[str]) -> None:
        self._matched, self._letters = matched, letters
        self._picture: dict[int, int] = {}

    @property
    def paths(self) -> list[str]:
        """The files of the pictures, by number."""
        return [self._matched.paths[image] for image in self._picture]

    def of(self, rows: NDArray[np.int64], other: int) -> list[Card]:
        """The cards of the first of some pairs, with the scores of the first list and another one."""
        cards: list[Card] = []
        for row in rows.tolist():
            images = int(self._matched.first[row]), int(self._matched.second[row])
            if len(cards) == MOST_CARDS or len(self._picture | dict.fromkeys(images)) > MOST_PICTURES:
                break
            cards.append(self._card(row, images, other))
        return cards

    def _card(self, row: int, images: tuple[int, int], other: int) -> Card:
        matched = self._matched
        one, two = (self._picture.setdefault(image, len(self._picture)) for image in images)
        return Card(
            (one, two),
            (matched.names[images[0]], matched.names[images[1]]),
            (matched.artists[images[0]], matched.artists[images[1]]),
            (self._score(row, 0), self._score(row, other + 1)),
        )

    def _score(self, row: int, number: int) -> Score:
        matched, label = self._matched, int(self._matched.same[row])
        prediction = int(matched.prediction[number, row])
        return Score(
            self._letters[number],
            SAID[label, prediction],
            None if label == UNLABELLED else label == prediction,
            percent(float(matched.probability[number, row])),
            short(float(matched.distance[number, row])),
        )


def _groups(page: ComparedPage, cards: _Cards) -> Iterator[CardGroup]:
    """The groups of flipped pairs of each set, or of all pairs without labels."""
    several = len(page.sets) > 1
    for other, letter in enumerate(page.letters[1:]):
        first = page.letters[0]
        for number, found in enumerate(page.sets):
            flips = found.flips[other]
            of_set = f"{found.label}. " if several else ""
            text = f"{of_set}The pairs whose probability changed most come first."
            for kind, rows in (("other", flips.only_other), ("first", flips.only_first)):
                right, wrong = (letter, first) if kind == "other" else (first, letter)
                title = f"Right by {right}, wrong by {wrong}"
                yield CardGroup(title, f"{kind}-{other}-{number}", text, cards.of(rows, other), len(rows))
        if not page.sets:
            rows = _otherwise(page.matched, other)
            text = "The pairs whose probability changed most come first."
            title = f"Predicted otherwise by {first} and {letter}"
            yield CardGroup(title, f"flipped-{other}", text, cards.of(rows, other), len(rows))


def _otherwise(matched: Matched, other: int) -> NDArray[np.int64]:
    rows = np.flatnonzero(matched.prediction[0] != matched.prediction[other + 1])
    change = np.abs(matched.probability[0, rows] - matched.probability[other + 1, rows])
    return rows[np.argsort(-change, kind="stable")]


def _roc(page: ComparedPage, number: int) -> Figure:
    found, axes = page.sets[number], Shares()
    grid = np.linspace(0, 1, POINTS) ** 2  # more points on the left, where curves are steep
    same = page.matched.same[found.rows]
    shapes, keys = [Shape(axes.diagonal, "guide")], []
    for place, (letter, name) in enumerate(zip(page.letters, page.names, strict=True)):
        false, true, _ = roc_curve(same, -page.matched.distance[place, found.rows])
        style = f"curve set{place % 5}"
        shapes.append(Shape(axes.scale.line([0, *grid], [0, *np.interp(grid, false, true)]), style))
        keys.append(Key(style, f"{letter} {name}"))
    return Figure(
        f"roc{number}",
        found.label,
        "ROC curves: the share of same-artist pairs found, over the share of different-artist pairs accepted.",
        "The ROC curves, over all thresholds. The dashed line is chance. A curve nearer to the upper left is better.",
        "different-artist pairs accepted",
        "same-artist pairs found",
        *axes.ticks,
        shapes,
        keys=keys,
    )


def _counts(page: ComparedPage) -> str:
    matched = page.matched
    works = len(np.unique([matched.first, matched.second]))
    text = f"{counted(len(matched), 'pair')} of {counted(works, 'painting')} are in all lists."
    return " ".join([text, *left_out(page.letters, matched)])


def left_out(letters: Sequence[str], matched: Matched) -> list[str]:
    """A sentence for each reason why pairs are not compared."""
    found, out = [], matched.left_out
    for letter, alone, repeated in zip(letters, out.only_in, out.repeated, strict=True):
        if alone:
            found.append(f"{letter} has {counted(alone, 'pair')} that not all lists have.")
        if repeated:
            found.append(f"{letter} has {counted(repeated, 'row')} with a pair that came before.")
    if out.unscored:
        found.append(f"{counted(out.unscored, 'pair')} without a score in one of the lists.")
    if out.contradicted:
        found.append(f"{counted(out.contradicted, 'pair')} with different labels in two lists.")
    return [f"Left out: {each}" for each in found]


def _origin(page: ComparedPage) -> list[tuple[str, str]]:
    lists = zip(page.letters, page.names, page.matched.criteria, strict=True)
    found = [
        (letter, f"{name}; threshold {short(criterion.threshold)}, prior {criterion.prior:g}")
        for letter, name, criterion in lists
    ]
    found.append(("Report by", f"artsim {__version__}"))
    return [*found, *([("Command", page.command)] if page.command else [])]
