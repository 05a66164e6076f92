"""What is kept after an epoch: the tower, and the state of the training for a run that is resumed.

The state has the weights, the optimiser, the random state of dropout, and the best epoch so far.
"""

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

# A pause is this many times as long as the saving before it, so that saving takes at most a twentieth of the time. The
# best epoch so far and the last one are saved at once. A setting
PAUSE = 20


class EpochKeeper(keras.callbacks.Callback):
    """Keeps the tower and the state of a compiled model after its epochs, and restores it when the run is resumed."""

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
        started, evaluator = time.monotonic(), self._evaluator
        must = epoch + 1 == self._stage.epochs
        if evaluator is not None:
            must |= evaluator.monitor.is_at_best or evaluator.monitor.is_over
        if must or started >= self._next:
            if evaluator is not None:
                evaluator.save()
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
