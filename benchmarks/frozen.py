"""Shared parts of the benchmarks on a frozen pretrained network: features computed once, splits, and AUCs of a head.

Each split holds out some of the 22 artists with all their works, and a fifth of the works of the others. Over all
splits each artist is held out once. AUCs are computed over all pairs of the held-out works.
"""

from __future__ import annotations

from benchmarks import with_tensorflow  # noqa: F401 - it starts TensorFlow, so it comes first

# isort: split

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from artsim.images import MAX_PIXELS
from artsim.messages import say_nothing
from artsim.training.loop.evaluator import embed
from artsim.training.loop.hooks import FitHooks, Outputs
from artsim.training.loop.journal import Journal
from artsim.training.loop.pretrained import HeadTrainer, plan_fits
from artsim.training.loop.stages import Stages
from artsim.training.networks.features import LabelledFeatures
from artsim.training.networks.rows import rows_of
from artsim.training.recipes import Recipe, recipe_of
from benchmarks.data import data

HELD_OUT_WORKS = 0.2


@dataclass(frozen=True)
class Split:
    """Rows to fit on, and rows to evaluate on: more works by the same artists, and works by other artists."""

    known: NDArray[np.int64]
    seen: NDArray[np.int64]
    unseen: NDArray[np.int64]


def arguments_parser(description: str | None) -> argparse.ArgumentParser:
    """The flags: the weights, and the file that stores the features between runs."""
    parser = argparse.ArgumentParser(description=(description or "").partition("\n")[0])
    parser.add_argument("--weights", required=True, help="of MobileNet: a file")
    parser.add_argument("--image-size", type=int, default=384)
    parser.add_argument(
        "--features", type=Path, default=Path("features.npz"), help="file that stores the features between runs"
    )
    return parser


def network_and_works(arguments: argparse.Namespace) -> tuple[keras.Model, LabelledFeatures]:
    """The frozen network, and its features of paintings/train_info.csv."""
    from artsim.training.data.pixels import decoded
    from artsim.training.networks.features import build_features, compute_features

    recipe = recipe_of("readout", {"tower": "mobilenet", "image_size": arguments.image_size})
    network = build_features(recipe, arguments.image_size, arguments.weights)
    table = pd.read_csv(data("paintings", "train_info.csv"))
    labels: NDArray[np.int64] = np.unique(table["artist"].to_numpy(str), return_inverse=True)[1]
    if not arguments.features.exists():
        paths = [data("paintings", "train") / name for name in table["filename"]]
        told: Any = partial(print, end="\r")
        with decoded(paths, arguments.image_size, MAX_PIXELS, told, print) as pixels:
            np.savez(arguments.features, features=compute_features(network, pixels, told))
    return network, LabelledFeatures.without_views(np.load(arguments.features)["features"], labels)


def splits(labels: NDArray[np.int64], number: int, seed: int = 0) -> Iterator[Split]:
    """The splits, the same for the same seed."""
    rng = np.random.default_rng(seed)
    artists = np.unique(labels)
    for held_out in np.array_split(rng.permutation(artists), number):
        is_unseen = np.isin(labels, held_out)
        is_seen = np.zeros(len(labels), dtype=bool)
        for artist in np.setdiff1d(artists, held_out):
            works = np.flatnonzero(labels == artist)
            is_seen[rng.choice(works, max(2, round(HELD_OUT_WORKS * len(works))), replace=False)] = True
        yield Split(*(np.flatnonzero(rows) for rows in (~is_unseen & ~is_seen, is_seen, is_unseen)))


def fitted(
    recipe: Recipe, network: keras.Model, works: LabelledFeatures, rows: NDArray[np.int64], seed: int = 0
) -> keras.Model:
    """A recipe's head on features, fitted on some of the works."""
    trainer = HeadTrainer(recipe, network, works.subset(rows), unattended(recipe, len(rows)), 1, seed)
    trainer.fit()
    return trainer.head


def unattended(recipe: Recipe, works: int, fits: int = 1) -> Stages:
    """The stages of fits on so many works, with hooks that do nothing."""
    hooks = FitHooks(
        Outputs(Path(), Path()),
        lambda _: {},
        report=lambda *_: None,
        calibrate=lambda *_: None,
        describe=lambda *_: None,
        say=lambda _: None,
        progress=lambda *_: None,
    )
    return Stages(hooks, plan_fits(recipe, fits * [(works, "train")], works), Journal(None, say_nothing))


def aucs(head: keras.Model, works: LabelledFeatures, split: Split) -> tuple[float, float]:
    """AUC over all pairs of seen, and of unseen works."""
    seen, unseen = (
        auc(embed(head, rows_of(works.features, rows)), works.labels[rows]) for rows in (split.seen, split.unseen)
    )
    return seen, unseen


def auc(embeddings: NDArray[np.float32], labels: NDArray[np.int64]) -> float:
    """Over all pairs of works with embeddings (N, D) of length 1."""
    first, second = np.triu_indices(len(labels), k=1)
    likeness = embeddings @ embeddings.T
    return float(roc_auc_score(labels[first] == labels[second], likeness[first, second]))
