"""The model's code, which MLflow copies into the model's folder and runs when it loads the model."""

from mlflow.models import set_model

from artsim.tracking.pair_scorer import PairScorer

set_model(PairScorer())
