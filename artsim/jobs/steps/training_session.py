"""What all trainings of a process share: the device, the decoded works, and the pretrained network as it was given."""

from __future__ import annotations

from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from artsim.collection.selection import TRAIN, Selection
from artsim.evaluation.validation import Validation, artist_numbers
from artsim.training.loop.hooks import FitHooks
from artsim.training.monitor import Monitor
from artsim.training.recipes import Recipe

if TYPE_CHECKING:
    from types import TracebackType

    import keras

    from artsim.jobs.steps.train_log import Feedback, TrainOptions
    from artsim.training.data.batches import LabelledImages


class TrainingSession:
    """Starts TensorFlow on a device. Decoded works are kept until the session ends, or until another size is needed."""

    def __init__(self, options: TrainOptions, selection: Selection, validation: Validation, feedback: Feedback) -> None:
        """Raises UsageError or DeviceError: as `use_devices`."""
        from artsim.training.runtime import start_tensorflow

        feedback.say("Starting TensorFlow …")
        start_tensorflow()
        from artsim.training.devices import use_devices

        self.device, self._scope = use_devices(options.device_id, options.distribution)
        self._selection = selection
        self._validation = validation
        self._feedback = feedback
        self._max_pixels = options.selection.max_pixels
        self._seed = options.seed
        self._decoded = ExitStack()
        self._sizes: tuple[int, int] | None = None
        self._network: tuple[tuple[object, ...], keras.Model | None] | None = None

    def __enter__(self) -> TrainingSession:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._decoded.close()

    def recipe(self, recipe: Recipe) -> Recipe:
        """The recipe for the device in use."""
        from artsim.training.devices import for_this_device

        return for_this_device(recipe)

    def fit(self, recipe: Recipe, hooks: FitHooks) -> Monitor:
        """Train a tower by a recipe, as `fit` of the training loop does.

        Raises:
            UsageError, ModelError: the network's weights or image size cannot be used. This comes before any decoding.
            GateError: the loss is not finite.
        """
        from artsim.training.loop.fit import fit

        train = self.works_for(recipe)
        with self._scope():
            return fit(recipe, self._prepared(recipe), train, self._held_out, hooks, self._seed)

    def works_for(self, recipe: Recipe) -> LabelledImages:
        """The training works, decoded for a recipe. Raises as `fit`, except GateError."""
        self._prepared(recipe)
        self._decode(recipe)
        return self._train

    @property
    def held_out(self) -> NDArray[np.uint8]:
        """The validation works (V, S, S, 3) at the size of the last fit."""
        return self._held_out.pixels

    def _prepared(self, recipe: Recipe) -> keras.Model | None:
        from artsim.training.loop.fit import prepare

        key = (recipe.tower, recipe.image_size, recipe.enlarge, recipe.weights, recipe.feature_maps)
        if self._network is None or self._network[0] != key:
            with self._scope():
                self._network = key, prepare(recipe, self._seed)
        return self._network[1]

    def _decode(self, recipe: Recipe) -> None:
        from artsim.training.data.batches import LabelledImages, source_size
        from artsim.training.data.pixels import decoded

        sizes = source_size(recipe), recipe.image_size
        if sizes == self._sizes:
            return
        self._decoded.close()  # before others take their room
        selection, validation, feedback = self._selection, self._validation, self._feedback
        works = selection.part(TRAIN)
        how = (self._max_pixels, partial(feedback.progress, "decoding"), feedback.say)
        pixels = self._decoded.enter_context(decoded(selection.paths(works), sizes[0], *how))
        held_out = self._decoded.enter_context(decoded(validation.paths, sizes[1], *how))
        self._train: LabelledImages = LabelledImages(pixels, artist_numbers(selection, works))
        self._held_out: LabelledImages = LabelledImages(held_out, artist_numbers(selection, validation.works))
        self._sizes = sizes
