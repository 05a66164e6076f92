"""Fit a tower on a frozen pretrained network: its features once, then a closed-form head, trained ones, or both.

The works held out say how good the recipe is. Where the recipe says so, the head is then fitted anew on all works,
theirs too: the more artists a head has met, the better it tells others apart. The figures stay those of the first fit.
How a distance is to be read comes from as many fits as there are folds of artists, each on the other folds: a few
artists held out once are too few to say it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import keras
import numpy as np
from numpy.typing import NDArray

from artsim.training.batches import Works, feature_dataset, steps_per_epoch
from artsim.training.checkpoints import REFIT, save_tower
from artsim.training.epochs import run_epochs, write_graph
from artsim.training.features import compute
from artsim.training.heads import build_readout, build_trained_head, on_features, side_by_side, widths, with_head
from artsim.training.judge import EpochEnd, Judge, embed
from artsim.training.losses import build_objective
from artsim.training.monitor import Monitor
from artsim.training.oversight import Fold, Oversight
from artsim.training.readout import fit_projection
from artsim.training.recipes import Recipe

COMPONENTS = 512  # principal axes of the features that heads see
FOLDS = 5  # of artists, for the calibration of a tower that is refitted


@dataclass(frozen=True)
class Seen:
    """What the network sees of N works: features float32 (N, F), and labels (N,), one number an artist."""

    features: NDArray[np.float32]
    labels: NDArray[np.int64]


def fit_pretrained(
    recipe: Recipe, network: keras.Model, train: Works, validation: Works, oversight: Oversight, seed: int
) -> Monitor:
    """Fit the head that a recipe asks for; arguments as `fit` has them."""
    known, held = (
        Seen(compute(network, works.pixels, partial(oversight.progress, "features")), works.labels)
        for works in (train, validation)
    )
    monitor = Monitor(recipe.monitor, recipe.patience)
    HeadFit(recipe, network, known, oversight, seed).run(held, monitor)
    if recipe.refit:
        both = Seen(np.concatenate([known.features, held.features]), np.concatenate([known.labels, held.labels]))
        oversight.say("fitting the head without some of the artists, in turn, to calibrate it …")
        oversight.calibrate(_folds(recipe, network, both, oversight, seed))
        oversight.say("fitting the head anew, with the works held out …")
        tower = HeadFit(recipe, network, both, oversight, seed).run()
        save_tower(tower, oversight.outputs.checkpoint_dir / REFIT)
    return monitor


def _folds(recipe: Recipe, network: keras.Model, works: Seen, oversight: Oversight, seed: int) -> Iterator[Fold]:
    """What a head fitted on the other artists says of each fold of artists; none where there are too few of them."""
    artists = np.random.default_rng(seed).permutation(np.unique(works.labels))
    number = min(FOLDS, len(artists) // 2)
    for left_out in np.array_split(artists, number) if number > 1 else []:
        asked = np.isin(works.labels, left_out)
        _, labels = np.unique(works.labels[~asked], return_inverse=True)
        fit = HeadFit(recipe, network, Seen(works.features[~asked], labels), oversight, seed)
        fit.run()
        yield embed(fit.head, works.features[asked]), works.labels[asked]


class HeadFit:
    """One head on the features of known works: what has a closed form at once, the rest by `run`.

    `head` takes features (N, F) and `tower` paintings; both are one set of weights.
    """

    def __init__(self, recipe: Recipe, network: keras.Model, known: Seen, oversight: Oversight, seed: int) -> None:
        keras.utils.set_random_seed(seed)
        self.recipe = recipe
        self.oversight = oversight
        self.seed = seed
        self.known = known
        self.projection = fit_projection(known.features, COMPONENTS)
        components = self.projection.kernel.shape[1]
        readout_width, trained_width = widths(recipe, components)
        self.trained = build_trained_head(components, trained_width) if trained_width else None
        readout = build_readout(self.projection, known.features, known.labels, readout_width) if readout_width else None
        trained = on_features(self.projection, self.trained) if self.trained is not None else None
        self.head = side_by_side(readout, trained, recipe.readout_share)
        self.tower = with_head(network, self.head, recipe.tower)

    def run(self, held: Seen | None = None, monitor: Monitor | None = None) -> keras.Model:
        """Train what has no closed form, and return the tower; where works are held out, it is judged by them."""
        judge = None
        if held is not None and monitor is not None:
            write_graph(self.tower, self.oversight.outputs.summaries_dir / "graph")
            judge = Judge(self.tower, lambda: embed(self.head, held.features), self.oversight, monitor)
        if self.trained is not None:
            self._train(self.trained, judge, held)
        elif judge is not None:
            judge(judge.embed(), {})
        return self.tower

    def _train(self, trained: keras.Model, judge: Judge | None, held: Seen | None) -> None:
        known = self.known
        artists = int(known.labels.max()) + 1
        objective = build_objective(self.recipe.loss, trained, artists)
        dataset = feature_dataset(self.projection(known.features), known.labels, self.recipe, self.seed)
        steps = steps_per_epoch(self.recipe, len(known.labels), pairs=0)
        epoch_end = None
        if judge is not None and held is not None:
            coordinates = self.projection(held.features)
            epoch_end = EpochEnd(judge, objective, held.labels, artists, lambda: embed(trained, coordinates))
        run_epochs(self.recipe, objective, dataset, steps, artists, self.oversight, epoch_end)
