"""Training from scratch, with a readout beside the tower's head if the recipe has one.

The readout takes the network's own pooled features. It is fitted again after each epoch, on some of the training works,
before the tower is evaluated. Later epochs overfit the head to the training artists; the readout of the same
features keeps improving on unseen ones (docs/experiments.md).
"""

from __future__ import annotations

from functools import partial

import keras
import numpy as np
from numpy.typing import NDArray

from artsim.collection.pairs import balanced_pairs
from artsim.images import load
from artsim.shifted_views import ShiftedViews, photographers_of
from artsim.training.data.batches import LabelledImages, pair_dataset, steps_per_epoch, work_dataset
from artsim.training.devices import mixed_precision
from artsim.training.loop.epochs import run_epochs, write_graph
from artsim.training.loop.evaluator import PAINTING_BATCH, EvaluationCallback, Evaluator, embed
from artsim.training.loop.hooks import FitHooks
from artsim.training.loop.losses import build_objective
from artsim.training.loop.plan import Plan, Stage
from artsim.training.loop.stages import Stages
from artsim.training.monitor import Monitor
from artsim.training.networks.checkpoints import BEST, load_tower
from artsim.training.networks.features import LabelledFeatures
from artsim.training.networks.heads import blank_readout, refit_readout, side_by_side, widths, with_head
from artsim.training.networks.towers import FEATURES, build_tower
from artsim.training.recipes import Recipe

READOUT_WORKS = 4096  # the most works that a readout is fitted on, with equal shares of the artists; a setting
READOUT_WORKS_PER_ARTIST = 40  # more works of one artist do not improve a readout (docs/experiments.md)


def fit_from_scratch(
    recipe: Recipe, train: LabelledImages, validation: LabelledImages, hooks: FitHooks, seed: int
) -> Monitor:
    """Train the recipe's tower. The arguments are those of `fit`."""
    artists = int(train.labels.max()) + 1
    readout_width, trained_width = widths(recipe)
    in_float32 = trained = build_tower(recipe.tower, recipe.image_size, trained_width)
    if recipe.mixed_precision == "on":
        with mixed_precision(True):
            trained = build_tower(recipe.tower, recipe.image_size, trained_width)
    objective = build_objective(recipe.loss, trained, artists)
    pairs = len(balanced_pairs(train.labels, seed)[2]) if objective.paired else 0
    steps = steps_per_epoch(recipe, len(train.labels), pairs)
    batches = partial(pair_dataset if objective.paired else work_dataset, train, recipe, seed)
    with_readout = TowerWithReadout(in_float32, recipe, readout_width, train, seed) if readout_width else None
    tower = in_float32 if with_readout is None else with_readout.tower
    write_graph(tower, hooks.outputs.summaries_dir / "graph")

    def embed_validation() -> NDArray[np.float32]:
        if in_float32 is not trained:
            in_float32.set_weights(trained.get_weights())
        if with_readout is not None:
            with_readout.refit()
        return embed(tower, validation.pixels)

    monitor = Monitor(recipe.monitor, recipe.patience)
    evaluator = Evaluator(tower, embed_validation, hooks, monitor)
    evaluation = EvaluationCallback(evaluator, objective, validation.labels, artists, readout_width)
    stage = Stage("training", 1, 1, recipe.epochs * steps, recipe.epochs, "train")
    run_epochs(recipe, objective, batches, artists, Stages.of(hooks, Plan([stage])), stage, evaluation)
    if with_readout is not None:
        best = load_tower(hooks.outputs.checkpoint_dir / BEST)
        embed_by_best = partial(_embed_works, best, train, with_readout.rows, recipe.image_size)
        # Of group 1: those of group 0 show the validation's shifted twin.
        photographers = photographers_of(np.ones(len(with_readout.rows), dtype=np.int64))
        hooks.describe(embed_by_best(), embed_by_best(photographers), readout_width)
    return monitor


def _embed_works(
    model: keras.Model,
    works: LabelledImages,
    rows: NDArray[np.int64],
    image_size: int,
    photographers: NDArray[np.int64] | None = None,
) -> NDArray[np.float32]:
    """The output of a model for the works in these rows, (R, D), or for views of them by photographers (R,).

    Works are decoded at `source_size`. `load` shrinks them to the tower's size by the preprocessing of validation and
    scoring. A cache of the shrunk works would take 200 MB at 128 px.
    """
    found = []
    for start in range(0, len(rows), PAINTING_BATCH):
        batch = slice(start, start + PAINTING_BATCH)
        images = np.stack([load(works.pixels[row], image_size) for row in rows[batch]])
        found.append(embed(model, images if photographers is None else ShiftedViews(images, photographers[batch])[:]))
    return np.concatenate(found)


class TowerWithReadout:
    """A tower in training with a readout beside its head: `tower`, (N, S, S, 3) -> (N, D), shares the weights of both.

    `refit` fits the readout to the network as it is.
    """

    def __init__(self, trained: keras.Model, recipe: Recipe, width: int, train: LabelledImages, seed: int) -> None:
        self.rows = works_to_fit_on(train.labels, seed)
        self.train, self.recipe = train, recipe
        features = trained.get_layer(FEATURES).output
        self.network = keras.Model(trained.input, features, name="network")
        self.readout = blank_readout(features.shape[-1], width)
        head = keras.Model(features, trained.output, name="trained_head")
        self.tower = with_head(self.network, side_by_side(self.readout, head, recipe.readout_share), recipe.tower)

    def refit(self) -> None:
        """Fit the readout to the network as it is now."""
        features = _embed_works(self.network, self.train, self.rows, self.recipe.image_size)
        works = LabelledFeatures.without_views(features, self.train.labels[self.rows])
        refit_readout(self.readout, works, self.recipe)


def works_to_fit_on(labels: NDArray[np.int64], seed: int) -> NDArray[np.int64]:
    """Rows of the works that a readout is fitted on, for labels (N,): as many of each artist, or all that there are."""
    rng = np.random.default_rng(seed)
    artists = np.unique(labels)
    share = min(READOUT_WORKS_PER_ARTIST, max(2, READOUT_WORKS // len(artists)))
    return np.concatenate([rng.permutation(np.flatnonzero(labels == artist))[:share] for artist in artists])
