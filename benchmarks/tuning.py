"""A tuned pretrained network compared with a frozen one, on validation works only.

    ARTSIM_DATA=... python -m benchmarks.tuning --weights FILE [--splits 0 1] [--epochs 4] [--augment none]

Each split gives rows for the heads of `readout` and `transfer` on the frozen and on the tuned network. A row has the
AUC on more works by the same artists, and on held-out artists. A split takes ten minutes on 2 cores with other load.

Expected: with a little tuning, both heads are better on both kinds of artist. Measured: docs/experiments.md.
"""

from __future__ import annotations

from benchmarks import with_tensorflow  # noqa: F401 - it starts TensorFlow, so it comes first

# isort: split

import sys
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from artsim.images import MAX_PIXELS
from artsim.shifted_views import photographers_of
from artsim.training.data.augmentation import LEVELS
from artsim.training.data.pixels import decoded
from artsim.training.loop.pretrained import ARTIST_FOLDS
from artsim.training.loop.tuning import FeatureExtractor
from artsim.training.recipes import RECIPES
from benchmarks import frozen
from benchmarks.data import data, verdict


def main() -> int:
    """Evaluate both networks on some of the splits."""
    parser = frozen.arguments_parser(__doc__)
    parser.add_argument("--splits", type=int, nargs="+", default=[0, 1], choices=range(ARTIST_FOLDS))
    parser.add_argument("--epochs", type=int, default=RECIPES["transfer"].tune_epochs)
    parser.add_argument("--rate", type=float, default=RECIPES["transfer"].tune_rate)
    parser.add_argument("--augment", choices=list(LEVELS), default=RECIPES["transfer"].augment)
    parser.add_argument("--mixed-precision", choices=["on", "off"], default="off")
    arguments = parser.parse_args()
    network, works = frozen.network_and_works(arguments)
    recipe = replace(
        RECIPES["transfer"],
        image_size=arguments.image_size,
        tune_epochs=arguments.epochs,
        tune_rate=arguments.rate,
        augment=arguments.augment,
        mixed_precision=arguments.mixed_precision,
    )
    paths = [data("paintings", "train") / name for name in pd.read_csv(data("paintings", "train_info.csv"))["filename"]]
    told: Any = partial(print, end="\r")
    found: dict[tuple[str, str], list[tuple[float, float]]] = {}
    with decoded(paths, arguments.image_size, MAX_PIXELS, told, print) as pixels:
        photographers = photographers_of(works.labels)
        splits = list(frozen.splits(works.labels, ARTIST_FOLDS))
        stages = frozen.unattended(recipe, len(works.labels), len(splits))
        extractor = FeatureExtractor(recipe, network, [pixels], works.labels, photographers, stages, seed=0)
        for number in arguments.splits:
            split = splits[number]
            for state, seen in (("frozen", works), ("tuned", extractor.tuned_on(split.known, number + 1)[1])):
                for name in ("readout", "transfer"):
                    head = frozen.fitted(RECIPES[name], network, seen, split.known)
                    found.setdefault((state, name), []).append(frozen.aucs(head, seen, split))
                    print(f"{state:<7} {name:<9} seen %.4f  unseen %.4f" % found[state, name][-1], flush=True)
    means = {key: np.mean(rows, axis=0) for key, rows in found.items()}
    for (state, name), (seen_auc, unseen_auc) in means.items():
        print(f"mean: {state:<7} {name:<9} seen {seen_auc:.4f}  unseen {unseen_auc:.4f}")
    better = [means["tuned", name] > means["frozen", name] for name in ("readout", "transfer")]
    return verdict(bool(np.all(better)), "both heads on the tuned network to be better on both kinds of artist")


if __name__ == "__main__":
    sys.exit(main())
