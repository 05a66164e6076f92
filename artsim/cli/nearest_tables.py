"""The tables of `artsim nearest` on a terminal: the nearest works and the ranked artists of each query."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from rich import box
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from artsim.jobs.nearest import QueryResult
from artsim.messages import first_few


def print_result(answer: QueryResult) -> None:
    """Print a result to standard output, artists first if there are any."""
    console = Console(highlight=False)
    console.print(Text(answer.query, style="bold"), soft_wrap=True)
    for remark in remarks(answer):
        console.print(Text(f"  {remark}", style="yellow"), soft_wrap=True)
    for table in ([_artists_table(answer)] if answer.artists else []) + [_works_table(answer)]:
        console.print()
        console.print(Padding(table, (0, 0, 0, 2), expand=False))
    console.print()


def remarks(answer: QueryResult) -> list[str]:
    """Remarks on a query that matter for its result."""
    found = []
    if answer.itself:
        ranked = any(work.image in answer.itself for work in answer.works)
        found.append(f"is in the gallery{'' if ranked else ' and left out'}: {first_few(answer.itself)}")
    if answer.unlike:
        found.append(
            "unlike: an outlier, farther from its nearest work than 99 % of the gallery's works are from theirs"
        )
    return found


def _artists_table(answer: QueryResult) -> Table:
    table = _table(("artist", "left"), ("probability", "right"), ("distance", "right"), ("works", "right"))
    for artist in answer.artists:
        _add(table, artist.rank, artist.artist, artist.probability, artist.distance, f"{artist.works:,}")
    return table


def _works_table(answer: QueryResult) -> Table:
    known = any(work.artist is not None for work in answer.works)
    artist: list[tuple[str, str]] = [("artist", "left")] if known else []
    table = _table(("work", "left"), ("probability", "right"), ("distance", "right"), *artist)
    for work in answer.works:
        cells = [work.artist or "unknown"] if known else []
        _add(table, work.rank, work.image, work.probability, work.distance, *cells)
    return table


def _table(*columns: tuple[str, str]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    table.add_column("", justify="right")
    for name, justify in columns:
        table.add_column(name, justify="right" if justify == "right" else "left", overflow="fold")
    return table


def _add(table: Table, rank: int, name: str, probability: np.float32, distance: np.float32, *cells: str) -> None:
    numbers: Sequence[str] = (f"{probability:.3f}", f"{distance:.3f}")
    # As Text, for names may hold brackets, which are markup to rich.
    table.add_row(*(Text(cell) for cell in (str(rank), name, *numbers, *cells)))
