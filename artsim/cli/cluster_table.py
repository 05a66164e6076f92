"""The table of `artsim cluster` on a terminal: a line for each cluster."""

from __future__ import annotations

from rich import box
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from artsim.escaping import one_line
from artsim.evaluation.report.numbers import percent
from artsim.jobs.cluster import Clustering
from artsim.messages import first_few
from artsim.scoring.clusters import members_of

MOST_ROWS = 40


def print_clusters(found: Clustering) -> None:
    """Print the largest clusters to standard output."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    knows_artists = found.agreement is not None
    for name in ("cluster", "works", "probability"):
        table.add_column(name, justify="right")
    table.add_column("artists" if knows_artists else "such as", overflow="fold")
    probabilities = found.criterion.probability(found.clusters.distance).tolist()
    members = members_of(found.clusters)
    for number, (rows, probability) in enumerate(zip(members[:MOST_ROWS], probabilities, strict=False), start=1):
        names = [found.gallery.names[row] for row in rows.tolist()]
        artists = first_few([f"{artist} {works:,}" for artist, works in found.artists_of(rows.tolist())])
        cells = [f"{number:,}", f"{len(rows):,}", percent(probability), artists if knows_artists else first_few(names)]
        table.add_row(*(Text(one_line(cell)) for cell in cells))
    console = Console(highlight=False)
    console.print(Padding(table, (0, 0, 0, 2), expand=False))
    if len(members) > MOST_ROWS:
        console.print(f"  … and {len(members) - MOST_ROWS:,} smaller clusters. -o FILE writes all works.")
    console.print()
