"""The page about queries: each query beside the nearest works, and the artists ranked. It has no script."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from artsim._version import __version__
from artsim.evaluation.report.page import style_of, templates
from artsim.evaluation.report.pictures import Sheet

SHOWN = 160  # pixels of a picture on the page


@dataclass(frozen=True)
class RankedWork:
    """A work of the gallery: its place on the sheet, its name and artist, and its scores as text."""

    picture: int
    name: str
    artist: str
    probability: str
    distance: str
    is_copy: bool


@dataclass(frozen=True)
class RankedArtist:
    """An artist of the gallery, with the share from 0 to 1 and as text."""

    name: str
    share: float
    percent: str
    works: int


@dataclass(frozen=True)
class Answer:
    """What was found for one query; `remarks` are sentences about it."""

    picture: int
    name: str
    remarks: Sequence[str]
    works: Sequence[RankedWork]
    artists: Sequence[RankedArtist]


@dataclass(frozen=True)
class AnswersPage:
    """All answers that are shown; `left_out` counts the others, `validated` says how often such answers are right."""

    gallery: str
    answers: Sequence[Answer]
    left_out: int
    sheet: Sheet
    origin: Sequence[tuple[str, str]]
    validated: str = ""


def render_answers(page: AnswersPage) -> str:
    """The page as HTML. The same answers give the same text."""
    environment = templates()
    style = style_of(environment, "style.css") + places_of(page.sheet)
    template = environment.get_template("answers.html.j2")
    return template.render(page=page, version=__version__, style=style, sheet=page.sheet)


def places_of(sheet: Sheet, shown: int = SHOWN) -> Markup:
    """A class of CSS for each picture, with its size on the page, `shown` px at most, and its place on the sheet."""
    rules = []
    for number, box in enumerate(sheet.boxes):
        if box is not None:
            left, top, width, height = box
            scale = shown / max(width, height)
            size = f"{sheet.columns * sheet.cell * scale:.2f}px {sheet.rows * sheet.cell * scale:.2f}px"
            rules.append(
                f".p{number}{{width:{width * scale:.2f}px;height:{height * scale:.2f}px;background-size:{size};"
                f"background-position:{-left * scale:.2f}px {-top * scale:.2f}px}}"
            )
    return Markup("\n" + "\n".join(rules))  # noqa: S704 - numbers
