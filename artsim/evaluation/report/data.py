"""The data of the page's script: the drawn paintings and pairs as values of JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from artsim.escaping import one_line
from artsim.evaluation.report.contents import Report

# By label (2: unknown) and prediction.
OUTCOMES = {
    "11": "same artist, found",
    "10": "same artist, missed",
    "00": "different artists, told apart",
    "01": "different artists, taken for one",
    "21": "predicted to be by one artist",
    "20": "predicted to be by different artists",
}


def page_data(report: Report) -> Mapping[str, Any]:
    """All that the script needs. Paintings are numbered by their place among those that are drawn."""
    sheet = report.sheet
    return {
        "threshold": report.criterion.threshold,
        "artists": [one_line(name) for name in report.paintings.artists],
        "outcomes": list(OUTCOMES.items()),
        "sheet": {"width": sheet.columns * sheet.cell, "height": sheet.rows * sheet.cell},
        "pictures": _pictures(report),
        "pairs": _pairs(report),
    }


def _pictures(report: Report) -> list[dict[str, Any]]:
    paintings, places = report.paintings, report.map
    found = []
    for place, number in enumerate(report.choice.pictures.tolist()):
        found.append(
            {
                "name": one_line(paintings.names[number]),
                "artist": int(paintings.artist[number]),
                "title": one_line(paintings.titles[number]),
                "box": report.sheet.boxes[place],
                "place": None if places is None else places.of(place),
                "near": [] if places is None else places.neighbours[place].tolist(),
                "unfamiliar": report.unfamiliar is not None and bool(report.unfamiliar[place]),
            }
        )
    return found


def _pairs(report: Report) -> list[list[float]]:
    """First and second painting, distance, probability, label, prediction, and whether both show one painting."""
    pairs, rows = report.pairs, report.choice.rows
    place = np.zeros(len(pairs.names), np.int64)
    place[report.choice.pictures] = np.arange(len(report.choice.pictures))
    columns = (
        place[pairs.first[rows]].tolist(),
        place[pairs.second[rows]].tolist(),
        [float(f"{value:.5g}") for value in pairs.distance[rows].tolist()],
        [round(value, 4) for value in pairs.probability[rows].tolist()],
        pairs.same[rows].tolist(),
        pairs.prediction[rows].tolist(),
        pairs.same_work[rows].astype(int).tolist(),
    )
    return [list(values) for values in zip(*columns, strict=True)]
