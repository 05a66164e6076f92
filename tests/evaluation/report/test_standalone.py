"""Figures as files of SVG: complete documents, with every name as text."""

from __future__ import annotations

from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pytest

from artsim.evaluation.report.confusion import confusion_of
from artsim.evaluation.report.curves import figures_of
from artsim.evaluation.report.standalone import confusion_svg, figure_svg
from tests.evaluation.report.made_pairs import CRITERION, made_pairs

HOSTILE = "</title><script>alert(1)</script>&\u202e"


def elements(text: str) -> list[ElementTree.Element]:
    return list(ElementTree.fromstring(text.encode()).iter())  # noqa: S314 - written here


@pytest.mark.parametrize("number", range(4))
def test_a_figure_is_a_document_with_its_title_legend_and_style(number: int) -> None:
    pairs, _ = made_pairs()
    figure = figures_of(pairs, [("some pairs", np.arange(len(pairs)))], CRITERION)[number]
    found = elements(figure_svg(figure))
    texts = [each.text for each in found if each.tag.endswith("}text")]
    assert figure.title in texts
    assert {key.text for key in figure.keys} <= set(texts)
    drawn = {each.get("d") for each in found if each.tag.endswith("}path")}
    assert {shape.path for shape in figure.shapes} <= drawn
    assert any("prefers-color-scheme: dark" in (each.text or "") for each in found if each.tag.endswith("}style"))


def test_the_matrix_has_a_cell_for_each_two_artists_with_pairs() -> None:
    pairs, paintings = made_pairs(artists=3)
    names = ["Ada", HOSTILE, "A name that is far too long for the margin of a figure"]
    paintings = replace(paintings, artists=names)
    confusion = confusion_of(pairs, paintings)
    assert confusion is not None
    text = confusion_svg(confusion)
    found = elements(text)
    cells = [each for each in found if each.tag.endswith("}g")]
    assert len(cells) == int((confusion.pairs > 0).sum())
    places = {(each.get("x"), each.get("y")) for cell in cells for each in cell if (each.get("class") or "") != "own"}
    assert len(places) >= len(cells)
    assert "<script" not in text
    assert "\u202e" not in text
    assert "A name that is far too long…" in text
