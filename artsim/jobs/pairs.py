"""Write a pairs file: read the works, plan the pairs, write them in blocks."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from artsim.collection.artists import Qualified
from artsim.collection.columns import Columns, check_use
from artsim.collection.folders import find_folder
from artsim.collection.pairing import BLOCK_PAIRS, Indices, Spans, balanced_sample, each_with_all, within_groups
from artsim.collection.queries import read_queries
from artsim.collection.works import Reading, Works, numbered, read_works
from artsim.errors import InputError, UsageError
from artsim.files import is_stream
from artsim.messages import Progress, Say, counted
from artsim.overwrites import check_overwrites
from artsim.tables.output import check_output
from artsim.tables.pairs_writer import open_pairs_writer


@dataclass(frozen=True)
class PairsOptions:
    """The options of `artsim pairs`, as its help describes them."""

    source: str
    output: str = "-"
    within: str | None = None
    queries: Sequence[str] = ()
    sample: int | None = None
    seed: int = 0
    columns: Columns | None = None
    qualified: Qualified = "drop"


@dataclass(frozen=True)
class Plan:
    """Pairs to write: `pairs` of them, in blocks of numbers of works; `description` is for the user.

    `labelled`: the pairs have a label where the artists of both works are known.
    """

    names: list[str]
    artists: Sequence[str | None]
    pairs: int
    blocks: Iterator[tuple[Indices, Indices]]
    description: str
    labelled: bool

    @property
    def without_artist(self) -> int:
        """The number of works whose artist is unknown."""
        return self.artists.count(None)


def make_pairs(options: PairsOptions, say: Say, progress: Progress) -> None:
    """Report the number of pairs and write them.

    Raises:
        UsageError: more than one way to pair, an unknown suffix of the output, or an output that is an input.
        InputError: no works, no such column, or too few pairs.
        OutputError: the pairs can't be written.
    """
    if sum((options.within is not None, bool(options.queries), options.sample is not None)) > 1:
        raise UsageError("--within, --queries and --sample are three ways to pair. Choose one.")
    check_overwrites({"FOLDER_OR_CSV": options.source, "--queries": options.queries}, {"--output": options.output})
    check_output(options.output)
    check_use(options.columns, [options.source, *options.queries])
    reading = Reading(say, options.columns or Columns(), options.qualified)
    plan = _plan(options, read_works(options.source, reading), reading)
    if not plan.pairs:
        raise InputError(f"{options.source}: no pair can be made of {plan.description}. List at least two works.")
    say(f"{counted(plan.pairs, 'pair')} of {plan.description}{_said_of_labels(plan)}")
    write_pairs(plan, options.output, progress)
    if not is_stream(options.output):
        say(f"score them with: {_score_command(options.output, _folder_of(options.source, plan.names))}")


def _score_command(pairs: str, folder: Path | None) -> str:
    """The command line that scores a file of pairs; `folder` has the images, None: it is not known."""
    place = "FOLDER_OF_THE_IMAGES" if folder is None else str(folder)
    is_beside = folder is not None and folder.resolve() == Path(pairs).parent.resolve()
    return shlex.join(["artsim-score", pairs, *([] if is_beside else ["--data-dir", place]), "-o", "scores.csv"])


def _folder_of(source: str, names: Sequence[str]) -> Path | None:
    """The folder of the works' files, if it is found."""
    if os.path.isdir(source):  # noqa: PTH112 - Path's raises for a name too long
        return Path(source)
    try:
        return find_folder(Path(source), None, names)
    except InputError:
        return None


def write_pairs(plan: Plan, output: str, progress: Progress) -> None:
    """Write all pairs of a plan."""
    label = numbered(plan.artists)
    done = 0
    progress("pairs", done, plan.pairs)
    with open_pairs_writer(output, plan.names, plan.labelled) as table:
        for first, second in plan.blocks:
            same = _labels(label[first], label[second]) if plan.labelled else None
            table.write(first, second, same)
            done += len(first)
            progress("pairs", done, plan.pairs)


def _labels(first: Indices, second: Indices) -> Indices:
    """(B,) 1 for the same artist, 0 for two artists, -1 where one is unknown; of the artists' numbers (B,)."""
    known = (first >= 0) & (second >= 0)
    return np.where(known, first == second, -1).astype(np.int64)


def _said_of_labels(plan: Plan) -> str:
    if not plan.labelled:
        return ", without sameArtist"
    if not plan.without_artist:
        return ""
    return f". sameArtist is empty for {counted(plan.without_artist, 'work')} without an artist"


def _plan(options: PairsOptions, works: Works, reading: Reading) -> Plan:
    say = reading.say
    if options.queries:
        return _queries_plan(works, read_queries(options.queries, works, reading))
    if options.sample is not None:
        return _sample_plan(works, options.sample, options.seed, say)
    if options.within is not None:
        return _within_plan(works, options.within, say)
    everything = within_groups(np.zeros(len(works.names), dtype=np.int64))
    return _spans_plan(works, everything, counted(len(works.names), "work"))


def _spans_plan(works: Works, spans: Spans, description: str) -> Plan:
    known = len(works.names) - works.without_artist
    return Plan(works.names, works.artists, spans.total, spans.blocks(), description, labelled=known > 1)


def _within_plan(works: Works, column: str, say: Say) -> Plan:
    labels = works.labels(column)
    without = int((labels < 0).sum())
    if without:
        say(f"{counted(without, 'work')} of {len(labels):,} without {column}: in no pair")
    works_in, values = counted(len(labels) - without, "work"), counted(int(labels.max()) + 1, "value")
    return _spans_plan(works, within_groups(labels), f"{works_in} within {values} of {column}")


def _queries_plan(works: Works, queries: Works) -> Plan:
    place = {name: number for number, name in enumerate(works.names)}
    names, artists = works.names, works.artists
    for name, artist in zip(queries.names, queries.artists, strict=True):
        if name not in place:
            place[name] = len(names)
            names.append(name)
            artists.append(artist)
    asked = np.array([place[name] for name in queries.names], dtype=np.int64)
    spans = each_with_all(asked, len(works.names))
    description = f"{len(asked):,} {'query' if len(asked) == 1 else 'queries'} with {counted(len(works.names), 'work')}"
    is_labelled = any(queries.artists) and works.without_artist < len(works.names)
    return Plan(names, artists, spans.total, spans.blocks(), description, is_labelled)


def _sample_plan(works: Works, count: int, seed: int, say: Say) -> Plan:
    labels = numbered(works.artists)
    known = int((labels >= 0).sum())
    if not known:
        raise InputError(
            f"{works.source}: --sample needs the works' artists, and no artist is known. List works with artists."
        )
    if known < len(labels):
        say(f"{counted(len(labels) - known, 'work')} of {len(labels):,} without artist: in no pair")
    try:
        first, second, _ = balanced_sample(labels, count, seed)
    except InputError as error:
        raise InputError(f"{works.source}: {error}") from error
    blocks = ((first[start : start + BLOCK_PAIRS], second[start : start + BLOCK_PAIRS])
              for start in range(0, count, BLOCK_PAIRS))  # fmt: skip
    description = f"{counted(known, 'work')}, half of the pairs by one artist"
    named = [artist or "" for artist in works.artists]  # works without an artist are in no pair
    return Plan(works.names, named, count, blocks, description, labelled=True)
