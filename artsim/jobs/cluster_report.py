"""The report of clusters: their works as rows of pictures, within a bound for all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from artsim._version import __version__
from artsim.evaluation.report.choice import MOST_PICTURES
from artsim.evaluation.report.cluster_page import ClustersPage, DrawnCluster, DrawnWork, render_clusters
from artsim.evaluation.report.numbers import percent, short
from artsim.evaluation.report.pictures import make_sheet
from artsim.image_names import ImageNames
from artsim.jobs.cluster import Clustering, ClusterOptions
from artsim.messages import Progress
from artsim.scoring.clusters import ALONE
from artsim.tables.output import open_output

MOST_IN_ROW = 36  # pictures of one cluster


def write_cluster_report(options: ClusterOptions, found: Clustering, progress: Progress, command: str = "") -> None:
    """Write the page to `options.report`.

    Raises:
        OutputError: it can't be written.
    """
    assert options.report is not None  # noqa: S101 - the caller asks for it
    page = _Drawing(options, found).page(progress, command)
    with open_output(options.report) as file:
        file.write(render_clusters(page).encode(errors="backslashreplace"))


class _Drawing:
    """Chooses the works that get a picture, and collects their files."""

    def __init__(self, options: ClusterOptions, found: Clustering) -> None:
        self._options, self._found, self._probability = options, found, found.own_probability()
        folder = found.gallery.folder or (None if options.data_dir is None else Path(options.data_dir))
        self._files = None if folder is None else ImageNames(folder)
        self._paths: list[str] = []

    def page(self, progress: Progress, command: str) -> ClustersPage:
        """Draw all clusters, then the works alone."""
        found, clusters = self._found, self._found.clusters
        rows: list[list[int]] = [[] for _ in range(len(clusters.works) + 1)]
        for row in found.order():
            rows[clusters.number[row]].append(row)  # ALONE is the last place
        probabilities = found.criterion.probability(clusters.distance).tolist()
        drawn = [self._drawn(own, percent(each)) for own, each in zip(rows, probabilities, strict=False)]
        alone = self._drawn(rows[ALONE], "", most=MOST_PICTURES)
        sheet = make_sheet(self._paths, partial(progress, "pictures"), self._options.max_pixels)
        agreement = "" if found.agreement is None else found.agreement.text
        name = Path(self._options.source).name or self._options.source
        return ClustersPage(
            name, drawn, alone, agreement, percent(found.criterion.prior), sheet, list(self._origin(command))
        )

    def _drawn(self, rows: Sequence[int], probability: str, most: int = MOST_IN_ROW) -> DrawnCluster:
        free = min(most, MOST_PICTURES - len(self._paths))
        names = self._found.gallery.names
        artists = ", ".join(f"{artist} {works:,}" for artist, works in self._found.artists_of(rows))
        pictured = [self._work(row) for row in rows[:free]]
        return DrawnCluster(len(rows), probability, artists, pictured, [names[row] for row in rows[free:]])

    def _work(self, row: int) -> DrawnWork:
        found, gallery = self._found, self._found.gallery
        name, copy = gallery.names[row], found.copies[row]
        path = None if self._files is None else self._files.path(name)
        self._paths.append("" if path is None else str(path))
        is_alone = found.clusters.number[row] == ALONE
        return DrawnWork(
            len(self._paths) - 1,
            name,
            gallery.artists[row] or "",
            "" if is_alone else percent(float(self._probability[row])),
            "" if copy is None else gallery.names[copy],
        )

    def _origin(self, command: str) -> Iterator[tuple[str, str]]:
        options, found = self._options, self._found
        yield "Collection", options.source
        yield "Tower", options.model
        yield "Cohort", found.use.note
        yield "Cut", f"mean distance {short(found.cut)}"
        yield "Prior", f"{found.criterion.prior:g}"
        if command:
            yield "Command", command
        yield "Report by", f"artsim {__version__}"
