"""What `artsim compare` prints: the verdicts with tables of metrics, the table of runs, and both as JSON."""

from __future__ import annotations

import json
import math
import sys
from dataclasses import asdict
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from artsim.escaping import one_line
from artsim.evaluation.comparison import RESAMPLES, SetComparison
from artsim.evaluation.report.compared import left_out, metric_rows
from artsim.jobs.compare import Comparison
from artsim.jobs.run_table import RunGroup, RunRow, RunTable
from artsim.messages import counted

PIPE_WIDTH = 160
Column = tuple[str, bool]  # its title, and whether it holds numbers


def print_comparison(result: Comparison) -> None:
    """Print a comparison to standard output."""
    console = _console()
    for letter, name in zip(result.letters, result.names, strict=True):
        _say(console, f"{letter}  {name}", "bold")
    for line in [f"{counted(len(result.matched), 'pair')} in all lists.", *left_out(result.letters, result.matched)]:
        _say(console, line)
    for number, verdicts in enumerate(result.verdicts):
        console.print()
        if result.sets:
            _say(console, _described(result.sets[number]), "bold")
        for verdict in verdicts:
            _say(console, verdict.sentence, "green" if verdict.outcome in ("first", "other") else "yellow")
        for other in range(len(verdicts)) if result.sets else ():
            _print_metrics(console, result, number, other)


def _described(found: SetComparison) -> str:
    by = "" if found.artists is None else f" by {counted(found.artists, 'artist')}"
    pairs = f"{counted(len(found.rows), 'pair')}, {found.same:,} by the same artist"
    return f"{found.label}: {pairs}, of {counted(found.works, 'painting')}{by}"


def _print_metrics(console: Console, result: Comparison, number: int, other: int) -> None:
    found, letters = result.sets[number], (result.letters[0], result.letters[other + 1])
    rows = list(metric_rows(found, result.letters, other))
    if rows:
        columns = ((letters[0], True), (letters[1], True), ("difference", True), ("95 % interval", False))
        table = _table(("", False), *columns, ("better", False))
        for row in rows:
            name = f"{row.name} ({row.note})" if row.note else row.name
            _add(table, name, *row.values, row.difference, row.interval, row.better)
        console.print(table)
    flips, alike = found.flips[other], found.agreement[other]
    text = (
        f"Right by {letters[0]} only: {len(flips.only_first):,}; by {letters[1]} only: {len(flips.only_other):,}; by "
        f"both: {flips.both:,}; by neither: {flips.neither:,}."
    )
    if not math.isnan(alike.rank_correlation):
        text += f" Rank correlation of the distances: {alike.rank_correlation:.2f}."
    if rows:
        text += f" Intervals: {RESAMPLES:,} resamples of {found.drawn}."
    _say(console, text)


def comparison_json(result: Comparison) -> str:
    """The comparison as JSON; a number that is not defined is null."""
    out = result.matched.left_out
    pairs = {"compared": len(result.matched), **asdict(out)}
    lists = [{"letter": letter, "name": name} for letter, name in zip(result.letters, result.names, strict=True)]
    sets = [_set_fields(result, number) for number in range(len(result.sets))]
    unlabelled = [asdict(each) for each in result.verdicts[0]] if not result.sets else []
    agreement = [asdict(each) for each in result.agreement]
    return _json({"lists": lists, "pairs": pairs, "agreement": agreement, "verdicts": unlabelled, "sets": sets})


def _set_fields(result: Comparison, number: int) -> dict[str, Any]:
    found = result.sets[number]
    others = [
        {
            **asdict(result.verdicts[number][other]),
            "letter": letter,
            "differences": {name: asdict(each) for name, each in found.differences[other].items()}
            if found.differences
            else {},
            "right_by_first_only": len(found.flips[other].only_first),
            "right_by_this_only": len(found.flips[other].only_other),
            "right_by_both": found.flips[other].both,
            "right_by_neither": found.flips[other].neither,
            **asdict(found.agreement[other]),
        }
        for other, letter in enumerate(result.letters[1:])
    ]
    counts = {"pairs": len(found.rows), "same": found.same, "works": found.works, "artists": found.artists}
    return {"set": found.label, **counts, "resampled": found.drawn, "metrics": found.metrics, "against_first": others}


def print_runs(table: RunTable) -> None:
    """Print the runs of an experiment to standard output, those with the same validation sets together."""
    console = _console()
    _say(console, f"Experiment {table.experiment}: {counted(table.count, 'training run')}", "bold")
    for group in table.groups:
        console.print()
        if len(table.groups) > 1:
            _say(console, _group_title(group), "bold")
        columns = ("", "run", "recipe", "data", "unseen AUC", "seen AUC", "minutes")
        shown = _table(*((name, name == "minutes") for name in columns))
        for row in group.rows:
            minutes = "" if row.minutes is None else f"{row.minutes:.1f}"
            name = row.name if row.is_finished else f"{row.name} ({row.status.lower()})"
            aucs = ("–" if auc is None else auc.with_interval for auc in (row.unseen, row.seen))
            cells = (row.recipe, row.data, *aucs, minutes)
            shown.add_row(row.mark, Text(f"{one_line(name)}\n{row.id}"), *(Text(one_line(cell)) for cell in cells))
        console.print(shown)
    for line in table.legend:
        _say(console, line)


def _group_title(group: RunGroup) -> str:
    return f"Validation set {group.digest}" if group.digest else "No validation set logged"


def runs_json(table: RunTable) -> str:
    """The runs as JSON."""
    rows = [{"validation_set": group.digest, **_row_fields(row)} for group in table.groups for row in group.rows]
    return _json({"experiment": table.experiment, "runs": rows})


def _row_fields(row: RunRow) -> dict[str, Any]:
    return asdict(row)


def _json(value: Any) -> str:
    return json.dumps(_finite(value), indent=2, ensure_ascii=False)


def _finite(value: Any) -> Any:
    """The same value with null for numbers that JSON does not have."""
    if isinstance(value, dict):
        return {key: _finite(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _console() -> Console:
    """Standard output; a pipe or a file is as wide as the tables need."""
    return Console(highlight=False, width=None if sys.stdout.isatty() else PIPE_WIDTH)


def _say(console: Console, text: str, style: str = "") -> None:
    console.print(Text(one_line(text), style=style), soft_wrap=True)


def _table(*columns: Column) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for title, is_number in columns:
        table.add_column(title, justify="right" if is_number else "left", overflow="fold")
    return table


def _add(table: Table, *cells: str) -> None:
    # Text, because rich reads brackets in a string as markup.
    table.add_row(*(Text(one_line(cell)) for cell in cells))
