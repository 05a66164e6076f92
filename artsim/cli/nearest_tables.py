"""The tables of `artsim nearest` on a terminal: the ranked artists and the nearest works of each query."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from rich import box
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from artsim.escaping import one_line
from artsim.evaluation.report.numbers import percent, short
from artsim.jobs.steps.ranking import QueryResult, remarks


def print_result(result: QueryResult) -> None:
    """Print the tables of a result to standard output, the artists first if they are known."""
    console = Console(highlight=False)
    console.print(Text(one_line(result.query), style="bold"), soft_wrap=True)
    for remark in remarks(result):
        console.print(Text(f"  {one_line(remark)}", style="yellow"), soft_wrap=True)
    for table in ([_artists_table(result)] if result.artists else []) + [_works_table(result)]:
        console.print()
        console.print(Padding(table, (0, 0, 0, 2), expand=False))
    console.print()


def print_note(text: str) -> None:
    """Print a sentence below the tables, with line breaks between words."""
    Console(highlight=False).print(Padding(Text(one_line(text)), (0, 0, 0, 2)))


def _artists_table(result: QueryResult) -> Table:
    table = _table(("artist", "left"), ("share", "right"), ("distance", "right"), ("works", "right"))
    for artist in result.artists:
        _add(table, artist.rank, artist.artist, artist.share, artist.distance, f"{artist.works:,}")
    return table


def _works_table(result: QueryResult) -> Table:
    known = any(work.artist is not None for work in result.works)
    artist: list[tuple[str, str]] = [("artist", "left")] if known else []
    table = _table(("work", "left"), ("probability", "right"), ("distance", "right"), *artist)
    for work in result.works:
        cells = [work.artist or "unknown"] if known else []
        _add(
            table,
            work.rank,
            f"{work.image} (copy)" if work.copy else work.image,
            work.probability,
            work.distance,
            *cells,
        )
    return table


def _table(*columns: tuple[str, str]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    table.add_column("", justify="right")
    for name, justify in columns:
        table.add_column(name, justify="right" if justify == "right" else "left", overflow="fold")
    return table


def _add(table: Table, rank: int, name: str, share: np.float32, distance: np.float32, *cells: str) -> None:
    # No more digits than the calibration is good for; files have them all.
    numbers: Sequence[str] = (percent(float(share)), short(float(distance)))
    # Text, because rich reads brackets in a string as markup.
    table.add_row(*(Text(one_line(cell)) for cell in (str(rank), name, *numbers, *cells)))
