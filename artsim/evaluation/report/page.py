"""The page of a report: its contents go into the templates, and every name in them is escaped there.

The page is one file. Its policy allows its own script, its own style and pictures inside it, and no request. It uses no
storage of the browser, so it works in a frame that allows scripts only.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from artsim._version import __version__
from artsim.escaping import one_line
from artsim.evaluation.report.confusion import confusion_of
from artsim.evaluation.report.contents import Report
from artsim.evaluation.report.curves import figures_of
from artsim.evaluation.report.data import OUTCOMES, page_data
from artsim.evaluation.report.groups import GroupTable, by_artist, by_label
from artsim.evaluation.report.numbers import percent
from artsim.messages import counted

VIEWS = {
    "wrong": "Surest wrong",
    "right": "Surest right",
    "threshold": "Nearest the threshold",
    "near": "Smallest distance",
    "far": "Largest distance",
}
UNLABELLED_VIEWS = ("near", "threshold", "far")
SECTIONS = {
    "metrics": "Metrics",
    "failures": "Where it fails",
    "pairs": "Pairs",
    "map": "Map",
    "made": "How it was made",
    "limits": "What it does not say",
}


def render(report: Report) -> str:
    """The page as HTML. The same report gives the same text."""
    environment = templates()
    context = {**_assets(environment), **_evidence(report), **_browser(report)}
    if not (context["tables"] or context["confusion"]):
        context["sections"] = {name: text for name, text in SECTIONS.items() if name != "failures"}
    return environment.get_template("report.html.j2").render(report=report, version=__version__, **context)


def templates() -> Environment:
    """The templates of all reports; they escape every text."""
    return Environment(
        loader=PackageLoader(__package__ or "", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_one_line,
    )


def _one_line(value: Any) -> Any:
    """Escape the control characters of texts from outside; the page's own markup stays."""
    return one_line(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _assets(environment: Environment) -> Mapping[str, Any]:
    """The style and the script of the package, and the digest by which the policy allows the script."""
    script = source_of(environment, "script.js")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    own = {"script": script, "script_digest": f"sha256-{digest}"}
    texts = {name: Markup(text) for name, text in own.items()}  # noqa: S704 - files of the package
    return {**texts, "style": style_of(environment, "style.css")}


def style_of(environment: Environment, *names: str) -> Markup:
    """The style of a page or a figure: the colours, those files of the package, and what figures need."""
    texts = (source_of(environment, name) for name in ("colours.css", *names, "chart.css"))
    return Markup("".join(texts))  # noqa: S704 - files of the package


def source_of(environment: Environment, name: str) -> str:
    """The text of a file beside the templates."""
    if environment.loader is None:
        raise RuntimeError("the environment has no loader")
    return environment.loader.get_source(environment, name)[0]


def _evidence(report: Report) -> dict[str, Any]:
    """What the pairs say: figures, groups, confusion."""
    return {
        "sections": SECTIONS,
        "counts": _counts(report),
        "unlabelled": _without_labels(report),
        "figures": figures_of(report.pairs, report.sets, report.criterion),
        "tables": _tables(report) if report.has_labels else [],
        "confusion": confusion_of(report.pairs, report.paintings),
    }


def _tables(report: Report) -> list[GroupTable]:
    """The groups that the table of works names."""
    paintings = report.paintings
    tables = [by_artist(report.pairs, paintings)] if paintings.artists else []
    for kind, labels in (("style", paintings.styles), ("genre", paintings.genres)):
        if any(labels):
            tables.append(by_label(kind, report.pairs, labels))
    return tables


def _browser(report: Report) -> dict[str, Any]:
    """The pair browser and the map."""
    rows = report.choice.rows
    known = {f"{one}{other}" for one, other in zip(report.pairs.same[rows], report.pairs.prediction[rows], strict=True)}
    drawn = report.paintings.artist[report.choice.pictures]
    return {
        "data": page_data(report),
        "drawn": _drawn(report),
        "views": [(name, VIEWS[name]) for name in (VIEWS if report.has_labels else UNLABELLED_VIEWS)],
        "outcomes": [(code, text) for code, text in OUTCOMES.items() if code in known],
        "shown_artists": [(number, report.paintings.artists[number]) for number in np.unique(drawn[drawn >= 0])],
        "map": report.map,
        "map_note": report.map_note,
    }


def _counts(report: Report) -> str:
    pairs, paintings = report.pairs, report.paintings
    text = f"{counted(len(pairs), 'pair')} of {counted(len(pairs.names), 'painting')}"
    if paintings.artists:
        text += f" by {counted(len(paintings.artists), 'artist')}"
    labelled, unscored = int(pairs.labelled.sum()), int((~pairs.scored).sum())
    same = int((pairs.same[pairs.labelled] == 1).sum())
    parts = [text, f"{same:,} of the labelled pairs are by the same artist" if labelled else "no labels"]
    if 0 < labelled < len(pairs) - unscored:
        parts.append(f"{labelled:,} have a label")
    if unscored:
        parts.append(f"{counted(unscored, 'pair')} without a score, because an image is missing or unreadable")
    return ". ".join(part[:1].upper() + part[1:] for part in parts) + "."


def _without_labels(report: Report) -> str:
    scored = report.pairs.scored
    if not scored.any():
        return "No pair has a score."
    accepted = float(report.pairs.prediction[scored].mean())
    prior = percent(report.criterion.prior)
    return f"{percent(accepted)} of them are predicted to be by the same artist. The assumed prior is {prior}."


def _drawn(report: Report) -> str:
    """How many pairs are drawn, and how they were chosen."""
    rows, scored = len(report.choice.rows), int(report.pairs.scored.sum())
    if rows == scored:
        return f"All {counted(scored, 'scored pair')} can be browsed." if scored != 1 else "There is one scored pair."
    return (
        f"{rows:,} of {scored:,} scored pairs can be browsed: the surest ones of each outcome, those nearest the "
        f"threshold, some of every two artists, and others at random. {scored - rows:,} are left out. All metrics are "
        "of all pairs."
    )
