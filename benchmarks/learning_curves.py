"""The effect of more artists and more works, for heads on the features of a frozen MobileNet.

    ARTSIM_DATA=... python -m benchmarks.learning_curves --weights FILE

The heads of `readout` and `transfer` are fitted on 6, 10, 14 and 18 of the artists that are not held out, and on 5 to
160 works of each of 18. A row has the mean AUC over the splits, on more works by the same artists and on held-out
artists.

Expected: on held-out artists both curves rise from 6 artists to 10, and from 10 to all. (The readout gains nothing from
14 to 18 of them.) Measured: docs/experiments.md.
"""

from __future__ import annotations

import sys

import numpy as np
from numpy.typing import NDArray

from artsim.training.recipes import RECIPES
from benchmarks import frozen
from benchmarks.data import verdict

ARTISTS = (6, 10, 14, 18)
WORKS = (5, 10, 20, 40, 80, 160)


def main() -> int:
    """Fit on more and more artists, then on more and more works."""
    parser = frozen.arguments_parser(__doc__)
    parser.add_argument("--splits", type=int, default=5)
    parser.add_argument("--recipes", nargs="+", default=["readout", "transfer"])
    arguments = parser.parse_args()
    network, works = frozen.network_and_works(arguments)
    splits = list(frozen.splits(works.labels, arguments.splits))

    def mean(artists: int, number: int, name: str) -> NDArray[np.float64]:
        rows = []
        for split in splits:
            known = _some(split.known, works.labels, artists, number)
            seen = split.seen[np.isin(works.labels[split.seen], works.labels[known])]
            head = frozen.fitted(RECIPES[name], network, works, known)
            rows.append(frozen.aucs(head, works, frozen.Split(known, seen, split.unseen)))
        return np.asarray(np.mean(rows, axis=0))

    curves = {name: [mean(artists, max(WORKS), name) for artists in ARTISTS] for name in arguments.recipes}
    for name, curve in curves.items():
        for artists, (seen, unseen) in zip(ARTISTS, curve, strict=True):
            print(f"{name:<9} {artists:>3} artists, all their works   seen {seen:.3f}  unseen {unseen:.3f}", flush=True)
        for number in WORKS:
            seen, unseen = mean(max(ARTISTS), number, name)
            print(
                f"{name:<9} 18 artists, {number:>3} works of each    seen {seen:.3f}  unseen {unseen:.3f}", flush=True
            )
    rising = all(curve[-1][1] > curve[1][1] > curve[0][1] for curve in curves.values())
    return verdict(rising, "AUC on unseen artists to rise with the artists")


def _some(rows: NDArray[np.int64], labels: NDArray[np.int64], artists: int, number: int) -> NDArray[np.int64]:
    """The rows of some artists with a limited number of works each; larger samples include smaller ones."""
    rng = np.random.default_rng(0)
    chosen = rng.permutation(np.unique(labels[rows]))[:artists]
    return np.concatenate([rng.permutation(rows[labels[rows] == artist])[:number] for artist in chosen])


if __name__ == "__main__":
    sys.exit(main())
