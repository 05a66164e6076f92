"""Fit a tower on a frozen pretrained network: its features once, then a closed-form head, trained ones, or both.

The works held out say how good the recipe is. Where the recipe says so, the head is then fitted anew on all works,
theirs too: the more artists a head has met, the better it tells others apart. The figures stay those of the first fit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import keras
import numpy as np
from numpy.typing import NDArray

from artsim.training.batches import Works, feature_dataset, steps_per_epoch
from artsim.training.checkpoints import REFIT, save_tower
from artsim.training.epochs import run_epochs, write_graph
from artsim.training.features import build_features, compute
from artsim.training.heads import beside, build_readout, build_trained_head, on_features, widths, with_head
from artsim.training.judge import EpochEnd, Judge, Pace, embed
from artsim.training.losses import build_objective
from artsim.training.monitor import Monitor
from artsim.training.oversight import Oversight
from artsim.training.readout import Projection, fit_projection
from artsim.training.recipes import BackboneName, Recipe

COMPONENTS = 512  # principal axes of the features that heads see


@dataclass(frozen=True)
class Seen:
    """What the network sees of N works: features float32 (N, F), and labels (N,), one number an artist."""

    features: NDArray[np.float32]
    labels: NDArray[np.int64]


def fit_pretrained(recipe: Recipe, train: Works, validation: Works, oversight: Oversight, seed: int) -> Monitor:
    """Fit the head that a recipe asks for; arguments as `fit` has them."""
    network = build_features(cast(BackboneName, recipe.tower), recipe.image_size, recipe.weights)
    known, held = (
        Seen(compute(network, works.pixels, lambda *at: oversight.progress("features", *at)), works.labels)
        for works in (train, validation)
    )
    head = Head(recipe, known)
    tower = with_head(network, head.model, recipe.tower)
    write_graph(tower, oversight.outputs.summaries_dir / "graph")
    monitor = Monitor(recipe.monitor, recipe.patience)
    judge = Judge(tower, lambda: embed(head.model, held.features), oversight, monitor)
    if head.trained is None:
        judge(judge.embed(), {})
    else:
        head.train(known, oversight, seed, judge, held)
    if recipe.refit:
        oversight.say("fitting the head anew, with the works held out …")
        _refit(recipe, network, known, held, oversight, seed)
    return monitor


def _refit(recipe: Recipe, network: keras.Model, known: Seen, held: Seen, oversight: Oversight, seed: int) -> None:
    everything = Seen(*(np.concatenate(both) for both in zip(_arrays(known), _arrays(held), strict=True)))
    keras.utils.set_random_seed(seed)
    head = Head(recipe, everything)
    if head.trained is not None:
        head.train(everything, oversight, seed)
    save_tower(with_head(network, head.model, recipe.tower), oversight.outputs.checkpoint_dir / REFIT)


def _arrays(seen: Seen) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    return seen.features, seen.labels


class Head:
    """A recipe's head on features (N, F): `model` is all of it, `trained` the part that is still to be trained."""

    def __init__(self, recipe: Recipe, known: Seen) -> None:
        """Fit what has a closed form."""
        self.recipe = recipe
        self.projection: Projection = fit_projection(known.features, COMPONENTS)
        components = self.projection.kernel.shape[1]
        readout_width, trained_width = widths(recipe, components)
        self.trained = build_trained_head(components, trained_width, recipe.heads) if trained_width else None
        parts = []
        if readout_width:
            coordinates = self.projection(known.features)
            parts.append(build_readout(self.projection, coordinates, known.labels, readout_width))
        if self.trained is not None:
            parts.append(on_features(self.projection, self.trained))
        self.model: keras.Model = beside(*parts, recipe.readout_share) if len(parts) == 2 else parts[0]

    def train(
        self, known: Seen, oversight: Oversight, seed: int, judge: Judge | None = None, held: Seen | None = None
    ) -> None:
        """Train the part that has no closed form; after each epoch the judge looks at the works held out."""
        artists = int(known.labels.max()) + 1
        objective = build_objective(self.recipe.loss, self.trained, artists, self.recipe.heads)
        works = Works(self.projection(known.features), known.labels)
        steps = steps_per_epoch(self.recipe, len(works.labels), pairs=0)

        def epoch_end(pace: Pace) -> EpochEnd:
            coordinates = self.projection(held.features)
            return EpochEnd(judge, objective, pace, held.labels, artists, lambda: embed(self.trained, coordinates))

        dataset = feature_dataset(works, self.recipe, seed)
        run_epochs(self.recipe, objective, dataset, steps, artists, oversight, epoch_end if judge else None)
