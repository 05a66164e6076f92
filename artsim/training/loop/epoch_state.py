"""The state of a training after an epoch: weights, optimiser, random state of dropout, and the best epoch so far."""

from __future__ import annotations

import json
import time
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from artsim.training.loop.evaluator import Evaluator
from artsim.training.loop.plan import Stage
from artsim.training.loop.stages import Stages

PAUSE = 20  # a state is kept at most for a twentieth of the time, except after the best epoch so far; a setting


class EpochKeeper(keras.callbacks.Callback):
    """Keeps the state of a compiled model after its epochs, and restores it when the run is resumed."""

    def __init__(self, model: keras.Model, stages: Stages, stage: Stage, evaluator: Evaluator | None) -> None:
        """`evaluator` is None for a stage that has no evaluation."""
        super().__init__()
        model.optimizer.build(model.trainable_variables)
        self._variables = [*model.variables, *model.optimizer.variables]
        self._stages = stages
        self._stage = stage
        self._evaluator = evaluator
        self._name = f"epoch-{stage.key}"
        self._next = 0.0  # the time from which a state may be kept again

    def restore(self) -> int:
        """Restore the state that was kept last, if there is one, and return the number of complete epochs."""
        state = self._stages.journal.read(self._name)
        if state is None:
            return 0
        for number, variable in enumerate(self._variables):
            variable.assign(state[f"variable-{number}"])
        if self._evaluator is not None:
            self._evaluator.restore(json.loads(str(state["evaluation"])))
        epochs = int(state["epoch"])
        self._stages.hooks.say(f"{self._stage.title}: resumed after epoch {epochs} of {self._stage.epochs}.")
        return epochs

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        evaluator = self._evaluator
        is_best = evaluator is not None and evaluator.monitor.best_epoch == epoch + 1
        if is_best or epoch + 1 == self._stage.epochs or time.monotonic() >= self._next:
            started = time.monotonic()
            self._stages.journal.write(self._name, self._state(epoch + 1))
            ended = time.monotonic()
            self._next = ended + PAUSE * (ended - started)
        self._stages.hooks.saved()

    def _state(self, epochs: int) -> dict[str, NDArray[Any]]:
        arrays = (keras.ops.convert_to_numpy(variable) for variable in self._variables)
        state = {f"variable-{number}": array for number, array in enumerate(arrays)}
        if self._evaluator is not None:
            state["evaluation"] = np.array(json.dumps(self._evaluator.state))
        return {**state, "epoch": np.array(epochs)}
