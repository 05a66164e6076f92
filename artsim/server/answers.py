"""The answers of the page as values of JSON. Every name in them is one line, without control characters."""

from __future__ import annotations

from typing import Any

from artsim.escaping import one_line
from artsim.evaluation.report.numbers import percent, short
from artsim.jobs.pair import OPINION, PairAnswer
from artsim.jobs.steps.ranking import QueryResult, remarks
from artsim.jobs.ui import UiGallery


def pair_answer(answer: PairAnswer) -> dict[str, Any]:
    """The score of two pictures, in the words of `artsim pair`."""
    return {
        "conclusion": answer.conclusion(),
        "rows": [[name, one_line(text)] for name, text in answer.rows()],
        "opinion": OPINION,
        "same_work": answer.is_same_work,
        "distance": answer.distance,
        "threshold": answer.threshold,
        "probability": answer.probability,
        "prior": answer.prior,
        "log10_lr": answer.log10_lr,
        "shown": {"probability": percent(answer.probability), "prior": percent(answer.prior)},
    }


def nearest_answer(result: QueryResult, gallery: UiGallery) -> dict[str, Any]:
    """The nearest works and artists of one picture."""
    return {
        "query": result.query,
        "remarks": [f"{remark[:1].upper()}{remark[1:]}." for remark in map(one_line, remarks(result))],
        "unlike": result.unlike,
        "unfamiliar": result.unfamiliar,
        "validated": gallery.validated,
        "works": [
            {
                "rank": work.rank,
                "image": one_line(work.image),
                "artist": None if work.artist is None else one_line(work.artist),
                "copy": work.copy,
                "picture": gallery.numbers.get(work.image),
                "distance": work.distance.item(),
                "probability": work.probability.item(),
                "shown": {
                    "distance": short(work.distance.item()),
                    "probability": percent(work.probability.item()),
                },
            }
            for work in result.works
        ],
        "artists": [
            {
                "rank": artist.rank,
                "artist": one_line(artist.artist),
                "works": artist.works,
                "distance": artist.distance.item(),
                "share": artist.share.item(),
                "shown": {"distance": short(artist.distance.item()), "share": percent(artist.share.item())},
            }
            for artist in result.artists
        ],
    }
