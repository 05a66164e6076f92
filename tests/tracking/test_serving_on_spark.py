"""The logged model as a function of Spark's, over a table of paths. Its name has 'spark': one cluster at a time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import mlflow
import pandas as pd
import pytest
from mlflow.models import Model
from pyspark.sql import SparkSession

import artsim
from artsim.tracking.model_folder import save_model_folder
from tests.towers import write_paintings, write_tower

pytestmark = pytest.mark.slow


@pytest.fixture
def session(monkeypatch: pytest.MonkeyPatch) -> Iterator[SparkSession]:
    monkeypatch.setenv("SPARK_LOCAL_IP", "127.0.0.1")
    session = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false").getOrCreate()
    yield session
    session.stop()


@pytest.mark.filterwarnings("ignore")  # of pyspark, as its session starts and ends
def test_spark_udf_scores_a_table_of_paths(session: SparkSession, tmp_path: Path) -> None:
    names = [f"{number}.png" for number in range(6)]
    write_paintings(tmp_path / "pictures", *names)
    tower = write_tower(tmp_path / "tower.onnx")
    save_model_folder(tmp_path / "model", tower, Model(), {})
    pairs = pd.DataFrame({"image1": [*names, "../tower.onnx"], "image2": [*names[1:], names[0], names[0]]})
    config = {"data_dir": str(tmp_path / "pictures")}
    score = mlflow.pyfunc.spark_udf(session, str(tmp_path / "model"), env_manager="local", model_config=config)
    frame = session.createDataFrame(pairs).repartition(2)
    rows = frame.select("image1", "image2", score("image1", "image2").alias("score")).collect()
    scores = {(row.image1, row.image2): row.score for row in rows}
    assert len(scores) == len(pairs)
    bad = scores["../tower.onnx", names[0]]
    assert (bad.distance, bad.prediction, bad.status) == (None, None, "image1: missing")
    scorer = artsim.load(tower, "cpu")
    for first, second in zip(names, [*names[1:], names[0]], strict=True):
        expected = scorer.score(*(tmp_path / "pictures" / name for name in (first, second)))
        found = scores[first, second]
        assert found.status == "ok"
        assert found.distance == pytest.approx(expected.distance, abs=1e-6)
        assert found.prediction == expected.prediction
