"""Figures of a report as files of SVG of their own, which MLflow's page shows."""

from __future__ import annotations

from artsim.evaluation.report.confusion import Confusion, confusion_of
from artsim.evaluation.report.contents import Report
from artsim.evaluation.report.curves import figures_of
from artsim.evaluation.report.figures import Figure
from artsim.evaluation.report.page import style_of, templates

DRAWN = ("roc", "distances")  # figures that say most
CELL = 26  # px of a cell of the matrix
LONGEST_NAME = 28  # letters of an artist's name beside the matrix
LETTER = 6.2  # px of a letter, about


def standalone_figures(report: Report) -> dict[str, str]:
    """The figures by file name: ROC curve and distances, and who is taken for whom if artists are known."""
    figures = {each.name: each for each in figures_of(report.pairs, report.sets, report.criterion)}
    found = {f"{name}.svg": figure_svg(figures[name]) for name in DRAWN if name in figures}
    confusion = confusion_of(report.pairs, report.paintings)
    return found if confusion is None else {**found, "confusion_of_artists.svg": confusion_svg(confusion)}


def figure_svg(figure: Figure) -> str:
    """A figure with its title, legend and style."""
    environment = templates()
    template = environment.get_template("figure.svg.j2")
    return template.render(figure=figure, style=style_of(environment))


def confusion_svg(confusion: Confusion) -> str:
    """The matrix of artists as a figure."""
    environment = templates()
    names = [name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1]}…" for name in confusion.names]
    margin = round(LETTER * max(map(len, names))) + 16
    template = environment.get_template("confusion.svg.j2")
    style = style_of(environment)
    return template.render(confusion=confusion, names=names, margin=margin, cell=CELL, style=style)
