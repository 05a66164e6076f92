"""Training on a pretrained network, frozen or tuned: its features, then a readout, a trained head, or both.

A first fit on the training works is evaluated on the held-out works; its metrics are the tower's. If the recipe refits,
the head is then fitted again on all works, because heads get better with more artists.

The calibration of a refitted tower comes from cross-validation folds of artists. The first fold has the unseen artists,
embedded by the first fit. Each other fold has some of the training artists, embedded by one more fit without them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from functools import partial
from itertools import chain
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from artsim.collection.pairs import some_of_each
from artsim.scoring.familiarity import MOST_OTHERS, EmbeddedFold, TrainingEmbeddings
from artsim.shifted_views import photographers_of
from artsim.training.data.batches import LabelledImages, feature_dataset, steps_per_epoch
from artsim.training.loop.epochs import run_epochs, write_graph
from artsim.training.loop.evaluator import EvaluationCallback, Evaluator, embed, restore_evaluation
from artsim.training.loop.hooks import FitHooks
from artsim.training.loop.journal import Arrays
from artsim.training.loop.losses import build_objective
from artsim.training.loop.plan import Plan, Stage
from artsim.training.loop.stages import Stages
from artsim.training.loop.tuning import FeatureExtractor, tuning_stage
from artsim.training.monitor import Monitor
from artsim.training.networks.checkpoints import BEST, REFIT, load_tower, save_tower
from artsim.training.networks.features import LabelledFeatures
from artsim.training.networks.heads import (
    COMPONENTS,
    build_head,
    build_readout,
    build_trained_head,
    widths,
    with_head,
)
from artsim.training.networks.readout import fit_projection
from artsim.training.networks.rows import rows_of
from artsim.training.recipes import Recipe

ARTIST_FOLDS = 5  # for the calibration of a refitted tower; a setting
UNSEEN_FOLD = 0  # the fold of the artists that are not trained on
MIN_ARTISTS_TO_FOLD = 4  # with fewer there are no folds; a setting


def fit_pretrained(
    recipe: Recipe, network: keras.Model, train: LabelledImages, validation: LabelledImages, hooks: FitHooks, seed: int
) -> Monitor:
    """Train the recipe's tower. The arguments are those of `fit`, and `network` is not None."""
    labels = np.concatenate([train.labels, validation.labels])
    fold_of = artist_folds(labels, train.labels, seed)
    photographers = photographers_of(fold_of + 1)  # those of group 0 show the validation's shifted twin
    fits = [(len(train.labels), "train")]
    if recipe.refit:
        fits += [(int(np.sum(fold_of != fold)), "calibration") for fold in _trained_folds(fold_of, labels)]
        fits.append((len(labels), "refit"))
    stages = Stages.of(hooks, plan_fits(recipe, fits, len(labels)))
    pixels = [train.pixels, validation.pixels]
    extractor = FeatureExtractor(recipe, network, pixels, labels, photographers, stages, seed)
    folds = _Folds(recipe, extractor, fold_of, photographers, stages, seed)
    monitor = Monitor(recipe.monitor, recipe.patience)
    readout_width, unseen = _first_fit(folds, len(train.labels), monitor)
    if recipe.refit:
        hooks.calibrate(chain(unseen, folds.of_trained_artists()), readout_width)
        _refit(folds)
    return monitor


def plan_fits(recipe: Recipe, fits: Sequence[tuple[int, str]], works: int) -> Plan:
    """The plan of some fits.

    Args:
        recipe: says which stages a fit has.
        fits: number of works that each fit is trained on, and the group of its metrics.
        works: number of all works, whose features are computed.
    """
    stages = [Stage("features", 0, len(fits), 2 * works)]
    for number, (trained_on, group) in enumerate(fits, start=1):
        if recipe.tune_epochs:
            stages.append(tuning_stage(recipe, number, len(fits), trained_on))
            stages.append(Stage("features", number, len(fits), 2 * works))
        if recipe.has_epochs:
            units = recipe.epochs * steps_per_epoch(recipe, trained_on, pairs=0)
            stages.append(Stage("training", number, len(fits), units, recipe.epochs, group))
    return Plan(stages)


def _first_fit(folds: _Folds, trained_on: int, monitor: Monitor) -> tuple[int, list[EmbeddedFold]]:
    """The fit on the training works, the first of all, evaluated on the others.

    Returns:
        the width of its readout, and the fold of unseen artists, if there are any.
    """
    kept = folds.stages.result(1)
    if kept is not None:
        restore_evaluation(json.loads(str(kept["evaluation"])), monitor, folds.stages.hooks)
        return int(kept["readout_width"]), [_unpacked(kept)] if "artists" in kept else []
    extractor, unseen = folds.extractor, folds.fold_of == UNSEEN_FOLD
    train_rows, held_out_rows = np.split(np.arange(len(extractor.labels)), [trained_on])
    network, features = extractor.tuned_on(train_rows, fit=1)
    held_out = LabelledFeatures.without_views(
        rows_of(features.features, held_out_rows), extractor.labels[held_out_rows]
    )
    trainer = HeadTrainer(folds.recipe, network, features.subset(train_rows), folds.stages, 1, folds.seed)
    evaluator = trainer.evaluator(held_out, monitor)
    trainer.fit(evaluator, held_out)
    embedded = [trainer.embedded(features, unseen, folds.photographers)] if unseen.any() else []
    if not folds.recipe.refit:
        if folds.recipe.has_epochs:  # the best epoch is exported, and training ended with the last
            trainer.tower.set_weights(load_tower(folds.stages.hooks.outputs.checkpoint_dir / BEST).get_weights())
        trainer.describe()
    result = {"evaluation": np.array(json.dumps(evaluator.state)), "readout_width": np.array(trainer.readout_width)}
    folds.stages.keep_result(1, result | (_packed(embedded[0]) if embedded else {}))
    return trainer.readout_width, embedded


def _refit(folds: _Folds) -> None:
    """The last fit, on all works. Its tower is exported."""
    stages, fit = folds.stages, folds.stages.plan.fits
    if stages.result(fit) is not None:
        return
    network, features = folds.extractor.tuned_on(np.arange(len(folds.extractor.labels)), fit)
    trainer = HeadTrainer(folds.recipe, network, features, stages, fit, folds.seed)
    save_tower(trainer.fit(), stages.hooks.outputs.checkpoint_dir / REFIT)
    trainer.describe()
    stages.keep_result(fit, {"is_done": np.array(True)})


def _packed(fold: EmbeddedFold) -> dict[str, NDArray[Any]]:
    return {field.name: getattr(fold, field.name) for field in fields(EmbeddedFold)}


def _unpacked(arrays: Arrays) -> EmbeddedFold:
    return EmbeddedFold(**{field.name: arrays[field.name] for field in fields(EmbeddedFold)})


def artist_folds(labels: NDArray[np.int64], trained_on: NDArray[np.int64], seed: int) -> NDArray[np.int64]:
    """The fold (N,) of each work by its artist; UNSEEN_FOLD has the artists that are not trained on.

    The others form folds of two artists or more, as far as there are enough: a fold of one artist has no
    different-artist pairs.
    """
    artists = np.unique(trained_on)
    has_unseen = len(np.unique(labels)) > len(artists)
    number = min(ARTIST_FOLDS - has_unseen, max(2, len(artists) // 2))
    fold_of = np.full(len(labels), UNSEEN_FOLD)
    for fold, members in enumerate(np.array_split(np.random.default_rng(seed).permutation(artists), number)):
        fold_of[np.isin(labels, members)] = UNSEEN_FOLD + 1 + fold
    return fold_of


def _trained_folds(fold_of: NDArray[np.int64], labels: NDArray[np.int64]) -> NDArray[np.int64]:
    """The folds of artists trained on, (F,). There are none of too few artists."""
    folds = np.unique(fold_of[fold_of != UNSEEN_FOLD])
    return folds if len(np.unique(labels)) >= MIN_ARTISTS_TO_FOLD else folds[:0]


@dataclass(frozen=True)
class _Folds:
    """The folds of artists, and what a fit on the other folds needs. `fold_of` and `photographers` are (N,)."""

    recipe: Recipe
    extractor: FeatureExtractor
    fold_of: NDArray[np.int64]
    photographers: NDArray[np.int64]
    stages: Stages
    seed: int

    def of_trained_artists(self) -> Iterator[EmbeddedFold]:
        """Each fold of artists trained on, by a fit on all other works."""
        folds = _trained_folds(self.fold_of, self.extractor.labels)
        yield from (self._embedded(fold, number) for number, fold in enumerate(folds, start=2))

    def _embedded(self, fold: np.int64, number: int) -> EmbeddedFold:
        """A fold embedded by the fit with this number."""
        if (kept := self.stages.result(number)) is not None:
            return _unpacked(kept)
        others = np.flatnonzero(self.fold_of != fold)
        network, features = self.extractor.tuned_on(others, number)
        trainer = HeadTrainer(self.recipe, network, features.subset(others), self.stages, number, self.seed)
        trainer.fit()
        embedded = trainer.embedded(features, self.fold_of == fold, self.photographers)
        self.stages.keep_result(number, _packed(embedded))
        return embedded


class HeadTrainer:
    """Fits one head to the features of training works: the readout at once, the trained head by `fit`.

    `head` takes features (N, F) and `tower` paintings uint8 (N, S, S, 3). They share their weights.
    """

    def __init__(
        self,
        recipe: Recipe,
        network: keras.Model,
        train: LabelledFeatures,
        stages: Stages,
        number: int,
        seed: int,
    ) -> None:
        """`number` is that of the fit."""
        keras.utils.set_random_seed(seed)
        self.recipe = recipe
        self.stages = stages
        self.number = number
        self.seed = seed
        self.train = train
        self.projection = fit_projection(train.features, train.labels, COMPONENTS)
        components = self.projection.kernel.shape[1]
        self.readout_width, trained_width = widths(recipe, components)
        self.trained = build_trained_head(components, trained_width) if trained_width else None
        if self.trained is None:
            self.head = build_readout(self.projection, train, self.readout_width, recipe)
        else:
            self.head = build_head(self.projection, train, self.readout_width, self.trained, recipe)
        self.tower = with_head(network, self.head, recipe.tower)

    def embedded(
        self, features: LabelledFeatures, in_fold: NDArray[np.bool_], photographers: NDArray[np.int64]
    ) -> EmbeddedFold:
        """The works of a fold and their views by this trainer's head.

        Args:
            features: of all N works and their views, by this trainer's network.
            in_fold: (N,) whether a work is in the fold.
            photographers: (N,) of the views.
        """
        rows = features.subset(np.flatnonzero(in_fold))
        works, views = embed(self.head, rows.features), embed(self.head, rows.views)
        training, training_views = self._training_embeddings()
        others = some_of_each(self.train.labels, MOST_OTHERS, self.seed)
        described = TrainingEmbeddings.of(training, training_views)
        artists, other_artists = features.labels[in_fold], self.train.labels[others]
        return EmbeddedFold.of(
            artists, works, photographers[in_fold], views, described, training[others], other_artists
        )

    def describe(self) -> None:
        """Give the embeddings of the training works and their views to the hook, unless the tower has no readout."""
        if self.readout_width:
            self.stages.hooks.describe(*self._training_embeddings(), self.readout_width)

    def _training_embeddings(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """The embeddings of the training works and of their views, (N, D) each."""
        return embed(self.head, self.train.features), embed(self.head, self.train.views)

    def evaluator(self, held_out: LabelledFeatures, monitor: Monitor) -> Evaluator:
        """The evaluator of the tower on held-out works."""
        hooks = self.stages.hooks
        write_graph(self.tower, hooks.outputs.summaries_dir / "graph")
        return Evaluator(self.tower, lambda: embed(self.head, held_out.features), hooks, monitor)

    def fit(self, evaluator: Evaluator | None = None, held_out: LabelledFeatures | None = None) -> keras.Model:
        """Train the trained head, if there is one, and return the tower. `evaluator` is that of the held-out works."""
        if self.trained is not None:
            self._fit_trained(self.trained, evaluator, held_out)
        elif evaluator is not None:
            evaluator(evaluator.embed(), {})
            evaluator.save()
        return self.tower

    def _fit_trained(
        self, trained: keras.Model, evaluator: Evaluator | None, held_out: LabelledFeatures | None
    ) -> None:
        features, labels = self.train.features, self.train.labels
        artists = int(labels.max()) + 1
        objective = build_objective(self.recipe.loss, trained, artists)
        batches = partial(feature_dataset, self.projection(features), labels, self.recipe, self.seed)
        evaluation = None
        if evaluator is not None and held_out is not None:
            evaluation = EvaluationCallback(evaluator, objective, held_out.labels, artists, self.readout_width)
        stage = self.stages.plan.stage("training", self.number)
        run_epochs(self.recipe, objective, batches, artists, self.stages, stage, evaluation)
