"""The files of the page: its templates filled in once, when it starts. The style begins with that of the reports."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from artsim._version import __version__
from artsim.escaping import one_line
from artsim.evaluation.report.page import source_of, style_of, templates
from artsim.images import suffixes
from artsim.jobs.ui import Ui
from artsim.messages import FEW
from artsim.server.examples import EXAMPLES
from artsim.server.uploads import MEGABYTE
from artsim.towers import BASE


@dataclass(frozen=True)
class PageFile:
    """One of the files of the page."""

    content: str
    media_type: str


def page_files(ui: Ui, upload_bytes: int) -> dict[str, PageFile]:
    """The files by their paths."""
    environment = _templates()
    style = str(style_of(templates(), "style.css")) + source_of(environment, "ui.css")
    return {
        "/": PageFile(environment.get_template("ui.html.j2").render(_context(ui, upload_bytes)), "text/html"),
        "/page/style.css": PageFile(style, "text/css"),
        "/page/script.js": PageFile(source_of(environment, "ui.js"), "text/javascript"),
        "/page/icon.svg": PageFile(source_of(environment, "icon.svg"), "image/svg+xml"),
    }


def _templates() -> Environment:
    """The templates of the page; they escape every text, as those of the reports do."""
    return Environment(
        loader=PackageLoader(__package__ or "", "templates"), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip


def _context(ui: Ui, upload_bytes: int) -> dict[str, Any]:
    options, gallery = ui.options, ui.gallery
    opened = None if gallery is None else gallery.opened
    return {
        "version": __version__,
        "accept": ",".join(["image/*", *sorted(suffixes())]),
        "most_bytes": upload_bytes,
        "most_megabytes": upload_bytes // MEGABYTE,
        "gallery": None if opened is None else one_line(Path(options.among or "").name),
        "has_pictures": gallery is not None and bool(gallery.paths),
        "notes": [] if opened is None else _without_folder(opened.notes, opened.gallery.folder),
        "bad": [] if opened is None else _without_folder(opened.gallery.bad, opened.gallery.folder),
        "few": FEW,
        "examples": EXAMPLES if gallery is None else (),
        "model": "the tower that comes with artsim"
        if options.model == str(BASE)
        else one_line(Path(options.model).name),
    }


def _without_folder(texts: Sequence[str], folder: Path | None) -> list[str]:
    """Messages about files without the folder of the gallery: whoever sees the page need not learn of it."""
    shown = texts if folder is None else [text.replace(f"{folder}{os.sep}", "") for text in texts]
    return [one_line(text.strip()) for text in shown]
