"""Fit a tower on a pretrained network, frozen or tuned: its features, then a closed-form head, a trained one, or both.

The works held out say how good the recipe is. Where the recipe says so, the head is then fitted anew on all works,
theirs too: the more artists a head has met, the better it tells others apart. The figures stay those of the first fit.
How a distance is to be read comes from folds of artists, each of whom a fit has not met: the first fit of the artists
held out from it, who are too few to say it alone, and further fits of the rest.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

import keras
import numpy as np
from numpy.typing import NDArray

from artsim.training.data.batches import LabelledImages, feature_dataset, steps_per_epoch
from artsim.training.loop.epochs import run_epochs, write_graph
from artsim.training.loop.evaluator import EvaluationCallback, Evaluator, embed
from artsim.training.loop.hooks import FitHooks, Fold
from artsim.training.loop.losses import build_objective
from artsim.training.loop.tuning import FeatureExtractor
from artsim.training.monitor import Monitor
from artsim.training.networks.checkpoints import REFIT, save_tower
from artsim.training.networks.features import LabelledFeatures
from artsim.training.networks.heads import (
    COMPONENTS,
    build_readout,
    build_trained_head,
    on_features,
    side_by_side,
    widths,
    with_head,
)
from artsim.training.networks.readout import fit_projection
from artsim.training.recipes import Recipe

FOLDS = 5  # of artists, for the calibration of a tower that is refitted
MIN_ARTISTS_TO_FOLD = 4


def fit_pretrained(
    recipe: Recipe, network: keras.Model, train: LabelledImages, validation: LabelledImages, hooks: FitHooks, seed: int
) -> Monitor:
    """Fit the head that a recipe asks for; arguments as `fit` has them."""
    labels = np.concatenate([train.labels, validation.labels])
    sight = FeatureExtractor(recipe, network, [train.pixels, validation.pixels], labels, hooks, seed)
    known, held = np.split(np.arange(len(labels)), [len(train.labels)])
    monitor = Monitor(recipe.monitor, recipe.patience)
    network, seen = sight.after(known)
    validated = LabelledFeatures(seen.features[held], labels[held])
    judged = HeadTrainer(recipe, network, seen.of(known), hooks, seed)
    judged.run(validated, monitor)
    if recipe.refit:
        hooks.say("fitting anew without some of the artists, in turn, to calibrate …")
        not_met = ~np.isin(labels, labels[known])
        first = [(embed(judged.head, seen.features[not_met]), labels[not_met])] if not_met.any() else []
        rest = _folds(recipe, sight, np.unique(labels[known]), FOLDS - len(first), hooks, seed)
        hooks.calibrate(chain(first, rest))
        hooks.say("fitting anew, with the works held out …")
        network, seen = sight.after(np.arange(len(labels)))
        tower = HeadTrainer(recipe, network, seen, hooks, seed).run()
        save_tower(tower, hooks.outputs.checkpoint_dir / REFIT)
    return monitor


def _folds(
    recipe: Recipe, sight: FeatureExtractor, artists: NDArray[np.int64], number: int, hooks: FitHooks, seed: int
) -> Iterator[Fold]:
    """What fits on all others say of some artists, a fold of them at a time; none where too few are there in all."""
    if len(np.unique(sight.labels)) < MIN_ARTISTS_TO_FOLD:
        return
    number = min(number, max(2, len(artists) // 2))  # of two artists or more, or there are no pairs to read
    for left_out in np.array_split(np.random.default_rng(seed).permutation(artists), number):
        asked = np.isin(sight.labels, left_out)
        others = np.flatnonzero(~asked)
        network, seen = sight.after(others)
        fit = HeadTrainer(recipe, network, seen.of(others), hooks, seed)
        fit.run()
        yield embed(fit.head, seen.features[asked]), sight.labels[asked]


class HeadTrainer:
    """One head on the features of known works: what has a closed form at once, the rest by `run`.

    `head` takes features (N, F) and `tower` paintings; both are one set of weights.
    """

    def __init__(
        self, recipe: Recipe, network: keras.Model, known: LabelledFeatures, hooks: FitHooks, seed: int
    ) -> None:
        keras.utils.set_random_seed(seed)
        self.recipe = recipe
        self.hooks = hooks
        self.seed = seed
        self.known = known
        self.projection = fit_projection(known.features, known.labels, COMPONENTS)
        components = self.projection.kernel.shape[1]
        self.readout_width, trained_width = widths(recipe, components)
        self.trained = build_trained_head(components, trained_width) if trained_width else None
        readout = None
        if self.readout_width:
            readout = build_readout(self.projection, known.features, known.labels, self.readout_width)
        trained = on_features(self.projection, self.trained) if self.trained is not None else None
        self.head = side_by_side(readout, trained, recipe.readout_share)
        self.tower = with_head(network, self.head, recipe.tower)

    def run(self, held: LabelledFeatures | None = None, monitor: Monitor | None = None) -> keras.Model:
        """Train what has no closed form, and return the tower; where works are held out, it is judged by them."""
        judge = None
        if held is not None and monitor is not None:
            write_graph(self.tower, self.hooks.outputs.summaries_dir / "graph")
            judge = Evaluator(self.tower, lambda: embed(self.head, held.features), self.hooks, monitor)
        if self.trained is not None:
            self._train(self.trained, judge, held)
        elif judge is not None:
            judge(judge.embed(), {})
        return self.tower

    def _train(self, trained: keras.Model, judge: Evaluator | None, held: LabelledFeatures | None) -> None:
        known = self.known
        artists = int(known.labels.max()) + 1
        objective = build_objective(self.recipe.loss, trained, artists)
        dataset = feature_dataset(self.projection(known.features), known.labels, self.recipe, self.seed)
        steps = steps_per_epoch(self.recipe, len(known.labels), pairs=0)
        evaluation = None
        if judge is not None and held is not None:
            evaluation = EvaluationCallback(judge, objective, held.labels, artists, self.readout_width)
        run_epochs(self.recipe, objective, dataset, steps, artists, self.hooks, evaluation)
