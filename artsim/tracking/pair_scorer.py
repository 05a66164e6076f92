"""The pair scorer as MLflow serves it: a table of pairs -> distance, probability, prediction and status.

    image1, image2 (N rows)  ->  distance, probability float; prediction 1 or 0; status text

MLflow loads it from the model's folder, where artsim's package lies too. It needs no TensorFlow. A picture that cannot
be used leaves its row without scores. Scores depend on nothing but the two pictures: there is no cohort.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from mlflow.exceptions import MlflowException
from mlflow.pyfunc.model import PythonModel

from artsim.errors import UsageError
from artsim.images import MAX_PIXELS
from artsim.scoring.pair_requests import ScoredRequest, score_request
from artsim.scoring.scorer import Scorer, load

TOWER = "tower"  # the name of the artifact
# Settings at load: `mlflow.pyfunc.load_model(…, model_config={"data_dir": "/pictures"})`, or as JSON in
# MLFLOW_PYFUNC_INFERENCE_CONFIG. An empty text or 0 stands for artsim's own default.
DEFAULT_CONFIG: dict[str, str | int] = {
    "data_dir": "", "device": "auto", "batch_size": 0, "threads": 0, "max_pixels": MAX_PIXELS,
}  # fmt: skip


class PairScorer(PythonModel):
    """Scores pairs with the tower of the model's folder."""

    def load_context(self, context: Any) -> None:
        """Open the tower, with the settings of `DEFAULT_CONFIG`.

        Raises:
            ModelError, DeviceError, UsageError: see `artsim.load`.
        """
        config = DEFAULT_CONFIG | dict(context.model_config or {})
        self._folder = Path(str(config["data_dir"])) if config["data_dir"] else None
        self._scorer: Scorer = load(
            context.artifacts[TOWER],
            str(config["device"]),  # type: ignore[arg-type]  # load checks it
            batch_size=int(config["batch_size"]) or None,
            threads=int(config["threads"]) or None,
            max_pixels=int(config["max_pixels"]),
        )

    # With another type hint of `model_input`, MLflow would infer a signature from it.
    def predict(
        self,
        context: Any,  # noqa: ARG002 - MLflow's
        model_input: pd.DataFrame,
        params: Mapping[str, Any] | None = None,
    ) -> pd.DataFrame:
        """Score a table with the columns `image1` and `image2`; see `score_request` for its cells.

        Raises:
            MlflowException: `threshold` or `prior` in `params` has an invalid value (HTTP 400).
        """
        given = params or {}
        first, second = (model_input[name].tolist() for name in ("image1", "image2"))
        rule = given.get("threshold"), given.get("prior")
        try:
            scored = score_request(self._scorer, first, second, self._folder, *rule)
        except UsageError as error:
            raise MlflowException.invalid_parameter_value(str(error)) from error
        return scores_table(scored, model_input.index)


def scores_table(scored: ScoredRequest, index: pd.Index[Any]) -> pd.DataFrame:
    """The columns of the answer. A missing score is None, as JSON has no NaN."""
    columns = {name: _with_gaps(values, scored.good) for name, values in scored.scores._asdict().items()}
    return pd.DataFrame({**columns, "status": np.array(scored.status, dtype=object)}, index=index)


def _with_gaps(values: np.ndarray[Any, Any], good: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    if good.all():
        return values
    column = values.astype(object)
    column[~good] = None
    return column
