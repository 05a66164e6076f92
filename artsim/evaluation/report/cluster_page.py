"""The page about clusters: a row of pictures for each, and the works alone at the end. It has no script."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from artsim._version import __version__
from artsim.evaluation.report.answers import places_of
from artsim.evaluation.report.page import style_of, templates
from artsim.evaluation.report.pictures import Sheet


@dataclass(frozen=True)
class DrawnWork:
    """A work: its place on the sheet, its name and artist, its probability as text, and the work it is a copy of."""

    picture: int
    name: str
    artist: str
    probability: str
    copy_of: str = ""


@dataclass(frozen=True)
class DrawnCluster:
    """A cluster of so many works; `more` are the names of those without a picture."""

    works: int
    probability: str
    artists: str
    drawn: Sequence[DrawnWork]
    more: Sequence[str]


@dataclass(frozen=True)
class ClustersPage:
    """All clusters, and the works alone; `prior` is a share as text, `origin` has names and texts."""

    collection: str
    clusters: Sequence[DrawnCluster]
    alone: DrawnCluster
    agreement: str
    prior: str
    sheet: Sheet
    origin: Sequence[tuple[str, str]]

    @property
    def clustered(self) -> int:
        """The number of works in clusters."""
        return sum(cluster.works for cluster in self.clusters)


def render_clusters(page: ClustersPage) -> str:
    """The page as HTML. The same clusters give the same text."""
    environment = templates()
    style = style_of(environment, "style.css") + places_of(page.sheet)
    template = environment.get_template("clusters.html.j2")
    return template.render(page=page, version=__version__, style=style, sheet=page.sheet)
