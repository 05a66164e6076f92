"""Tuning of a pretrained network on training works, at a low rate, before its features are computed.

The network sees crops of the works and of their shifted views, in batches of P artists x K works: see `crops`. The
loss is supervised contrastive. Between network and loss is the readout of the frozen features. It is not trained, nor
are the network's lower half and its batch norms.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property, partial
from tempfile import gettempdir

import keras
import numpy as np
from numpy.typing import NDArray

from artsim.errors import OutputError
from artsim.large_arrays import new_array
from artsim.shifted_views import ShiftedViews
from artsim.training.data.batches import steps_per_epoch
from artsim.training.devices import mixed_precision
from artsim.training.loop.crops import Crops, MapCrops, WorkCrops, copied, tuning_settings
from artsim.training.loop.epochs import run_epochs
from artsim.training.loop.feature_cache import digest_of
from artsim.training.loop.journal import CROPS, FROZEN_FEATURES, MOST_LOCAL_BYTES, TUNED_FEATURES, Arrays
from artsim.training.loop.losses import SupCon
from artsim.training.loop.plan import Stage
from artsim.training.loop.stages import Stages
from artsim.training.networks.features import LabelledFeatures, compute_features
from artsim.training.networks.halves import LowerOutputs, freeze_lower_half, split
from artsim.training.networks.heads import COMPONENTS, build_readout
from artsim.training.networks.readout import fit_projection
from artsim.training.recipes import Recipe

TUNING_TEMPERATURE = 0.1  # of the loss; a setting. Trained heads use less (SUPCON_TEMPERATURE)
TUNING_READOUT_WIDTH = 256  # of the readout between network and loss; a setting


def tuning_stage(recipe: Recipe, fit: int, fits: int, works: int) -> Stage:
    """The stage that tunes a network on a number of works."""
    steps = steps_per_epoch(tuning_settings(recipe), works, pairs=0)
    return Stage("tuning", fit, fits, recipe.tune_epochs * steps, recipe.tune_epochs, "tuning")


def tune_network(
    recipe: Recipe,
    network: keras.Model,
    crops: Crops,
    frozen: LabelledFeatures,
    stages: Stages,
    fit: int,
    seed: int,
) -> keras.Model:
    """A tuned copy of a network.

    Args:
        recipe: its `tune_epochs` and `tune_rate` are used.
        network: from `build_features`.
        crops: of N works.
        frozen: the works' features (N, F) by the network, with labels (N,) from 0.
        stages: of the training; its plan has the `tuning_stage` of this fit.
        fit: number of the fit.
        seed: of batches and crops.

    Raises:
        GateError: the loss is not finite.
    """
    keras.utils.set_random_seed(seed)
    settings = tuning_settings(recipe)
    with mixed_precision(recipe.mixed_precision == "on"):
        on_crops = crops.network(network)
    freeze_lower_half(on_crops)
    projection = fit_projection(frozen.features, frozen.labels, COMPONENTS)
    width = min(TUNING_READOUT_WIDTH, projection.kernel.shape[1])
    readout = build_readout(projection, frozen, width, recipe)
    objective = SupCon(crops.embedder(on_crops, readout), TUNING_TEMPERATURE)
    artists = int(frozen.labels.max()) + 1
    batches = partial(crops.batches, frozen.labels, seed)
    run_epochs(settings, objective, batches, artists, stages, stages.plan.stage("tuning", fit), rate_flag="--tune-rate")
    return copied(on_crops, recipe, recipe.image_size)


class FeatureExtractor:
    """Features of all works by a network, frozen or tuned on some of them."""

    def __init__(
        self,
        recipe: Recipe,
        network: keras.Model,
        pixels: Sequence[NDArray[np.uint8]],
        labels: NDArray[np.int64],
        photographers: NDArray[np.int64],
        stages: Stages,
        seed: int,
    ) -> None:
        """`pixels` has the works in parts uint8 (n, S, S, 3), in the order of `labels`, int64 (N,).

        `photographers` (N,) are those of the works' shifted views.
        """
        self.recipe = recipe
        self.network = network
        self.pixels = pixels
        self.labels = labels
        self.photographers = photographers
        ends = np.cumsum([len(part) for part in pixels])
        self.views = [
            ShiftedViews(part, seeds) for part, seeds in zip(pixels, np.split(photographers, ends[:-1]), strict=True)
        ]
        self.stages = stages
        self.seed = seed

    @cached_property
    def frozen(self) -> LabelledFeatures:
        """The features of all works by the network as it was given; those that trainings share, if there are any.

        Tuning on crops of maps needs all maps. They are computed with these features, which are then not shared.
        """
        shared = self.stages.hooks.features
        if shared is None or self._tunes_on_maps:
            return self._features(self.network, fit=0)
        kept = shared.get(self._digest(), lambda: self._as_arrays(self._features(self.network, fit=0, keep=False)))
        return LabelledFeatures(kept["features"], self.labels, kept["views"])

    def _digest(self) -> str:
        """The digest of everything that the features of the frozen network depend on."""
        texts = (self.recipe.tower, f"{self.recipe.enlarge}", self.recipe.feature_maps)
        return digest_of(texts, [*self.pixels, self.photographers, *self.network.get_weights()])

    @staticmethod
    def _as_arrays(features: LabelledFeatures) -> Arrays:
        return {"features": features.features[:], "views": features.views[:]}

    def tuned_on(self, rows: NDArray[np.int64], fit: int) -> tuple[keras.Model, LabelledFeatures]:
        """The network, tuned on the works in these rows if the recipe tunes, and its features of all works (N, F)."""
        if self.recipe.tune_epochs == 0:
            return self.network, self.frozen
        network = self._tuned(rows, fit)
        return network, self._features(network, fit)

    def _tuned(self, rows: NDArray[np.int64], fit: int) -> keras.Model:
        """The tuned network of a fit: the one that was kept, or a new one."""
        kept = self.stages.journal.read(f"tuned-{fit}")
        if kept is not None:
            network = copied(self.network, self.recipe, self.recipe.image_size)
            network.set_weights([kept[str(number)] for number in range(len(kept))])
            return network
        frozen = self.frozen.subset(rows)  # with them, the outputs of the lower half are complete
        network = tune_network(self.recipe, self.network, self._crops(rows), frozen, self.stages, fit, self.seed)
        weights = {str(number): array for number, array in enumerate(network.get_weights())}
        self.stages.journal.write(f"tuned-{fit}", weights)
        self.stages.journal.remove(f"epoch-tuning-{fit}")
        self.stages.hooks.saved()
        return network

    def _crops(self, rows: NDArray[np.int64]) -> Crops:
        """What a network is tuned on, of the works in these rows."""
        if self._tunes_on_maps:
            return MapCrops(self.recipe, self._lower_outputs, rows)
        paintings = [painting for part in self.pixels for painting in part]
        return WorkCrops(self.recipe, [paintings[row] for row in rows])

    def _features(self, network: keras.Model, fit: int, *, keep: bool = True) -> LabelledFeatures:
        """Features of all works and their views: those that were kept, or new ones, which the journal may keep."""
        name = TUNED_FEATURES if fit else FROZEN_FEATURES
        in_journal = keep and (fit > 0 or not self._tunes_on_maps)
        kept = self.stages.journal.read(name) if in_journal else None
        if kept is not None and int(kept["fit"]) == fit:
            return LabelledFeatures(kept["features"], self.labels, kept["views"])
        stage = self.stages.begin("features", fit)
        halves = split(network, self.recipe) if self._lower_outputs else None
        of_works, of_views = ((halves.upper, outputs) for outputs in self._lower_outputs) if halves else (None, None)
        features = self._computed(network, of_works, self.pixels, stage.title, 0)
        views = self._computed(network, of_views, self.views, f"{stage.title} of views", len(features))
        if in_journal and features.nbytes + views.nbytes <= MOST_LOCAL_BYTES:
            self.stages.journal.write(name, {"fit": np.array(fit), "features": features, "views": views})
        return LabelledFeatures(features, self.labels, views)

    @cached_property
    def _tunes_on_maps(self) -> bool:
        """Whether tuning sees crops of maps. A run that is resumed goes on as it began.

        Raises:
            OutputError: it began so, and there is no room for the maps now.
        """
        if self.recipe.tune_epochs == 0:
            return False
        may = self.recipe.augment == "none" and bool(self._lower_outputs)
        began = self.stages.journal.read(CROPS)
        if began is None:
            self.stages.journal.write(CROPS, {"of_maps": np.array(may)})
            return may
        if began["of_maps"] and not may:
            raise OutputError(
                f"{gettempdir()}: this run began with the maps of the network's lower half, and there is no room for "
                "them now. Free some space, or name another folder in TMPDIR; then resume the run."
            )
        return bool(began["of_maps"])

    @cached_property
    def _lower_outputs(self) -> tuple[LowerOutputs, ...]:
        """What all fits share, of works and of views. Empty if the recipe does not tune, or if it is too large."""
        halves = split(self.network, self.recipe) if self.recipe.tune_epochs else None
        if halves is None:
            return ()
        if not LowerOutputs.can_be_kept(halves, 2 * len(self.labels)):
            self.stages.hooks.say(
                f"{gettempdir()}: no room for the maps of the network's lower half (docs/training.md, Memory). Each "
                "fit runs the whole network, which takes longer."
            )
            return ()
        return LowerOutputs(halves, len(self.labels)), LowerOutputs(halves, len(self.labels))

    def _computed(
        self,
        network: keras.Model,
        shared: tuple[keras.Model, LowerOutputs] | None,
        parts: Sequence[NDArray[np.uint8] | ShiftedViews],
        title: str,
        before: int,
    ) -> NDArray[np.float32]:
        """Features (N, F) of all parts.

        Args:
            network: the whole network.
            shared: its upper half, and what its lower half gives; None: the whole network runs.
            parts: of the paintings.
            title: of the stage.
            before: number of paintings done earlier in the stage.
        """
        features = new_array((len(self.labels), network.output_shape[1]), np.float32, "features")
        first = 0
        for part in parts:
            progress = partial(self.stages.progress, title, before=before + first)
            of_part = features[first : first + len(part)]
            if shared is None:
                compute_features(network, part, progress, of_part)
            else:
                upper, outputs = shared
                outputs.fill(upper, part, first, progress, of_part)
            first += len(part)
        return features
