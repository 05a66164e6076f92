"""Each recipe once from the collection to a score. The run of compact, the default, is in test_train.py."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from mlflow.tracking import MlflowClient

import artsim
from artsim.scoring.contract import Card
from tests.command import artsim_in_process, eagerly

# Pretrained networks take 64 px or more. The works and steps are as few as a recipe can do with.
WORKS = ["--num-of-artists", "6", "--num-of-images-per-artist", "4", "--works-per-artist", "2"]
SMALL = [*WORKS, "--batch-size", "4", "--image-size", "64", "--embedding-size", "16", "--epochs", "1"]
TUNED = ["--weights", "none", "--tune-epochs", "1", "--refit", "False"]


def check_rules(card: Card) -> None:
    """A card whose photographs are described by as many numbers as an embedding has."""
    assert card.contract == 2
    assert card.photographs is not None
    assert card.photographs.training.is_sound
    assert card.photographs.correction.is_sound
    assert card.photographs.training.width == 16


def check_stages(folder: Path, *, is_tuned: bool) -> None:
    """The run has the loss and the pace of the tuning, by epoch, and says that it is done."""
    client = MlflowClient(f"sqlite:///{folder}/mlflow.db")
    (run,) = client.search_runs(["0"])
    assert run.data.tags["artsim.stage"] == "done"
    for name in ("tuning/loss", "tuning/images_per_second"):
        logged = client.get_metric_history(run.info.run_id, name)
        assert [metric.step for metric in logged] == ([1] if is_tuned else [])


@eagerly
@pytest.mark.parametrize(
    ("recipe", "distance", "arguments"),
    [
        ("classic", "rms", ["--batch-size", "8"]),
        ("readout", "euclidean", ["--weights", "none"]),
        ("transfer", "euclidean", TUNED),
        ("strong", "euclidean", ["--tower", "mobilenet", *TUNED]),
    ],
)
def test_a_recipe_trains_exports_and_scores(
    recipe: str, distance: str, arguments: list[str], working_folder: Path, demo_csv: Path
) -> None:
    command = ["train", "--recipe", recipe, "--data-file-path", str(demo_csv), *SMALL, *arguments, "--quiet"]
    assert artsim_in_process(*command) == 0
    (tower,) = Path("Checkpoints").glob("*/tower.onnx")
    scorer = artsim.load(tower)
    card = scorer.card
    assert (card.recipe, card.distance, card.image_size) == (recipe, distance, 64)
    assert card.refit == (recipe == "readout")
    if recipe == "classic":  # has no readout, so nothing of it adapts, and an older artsim can read it
        assert (card.contract, card.cohort, card.photographs) == (1, None, None)
    else:
        check_rules(card)
    check_stages(working_folder, is_tuned="--tune-epochs" in arguments)
    first, second = sorted((demo_csv.parent / "train").iterdir())[:2]
    score = scorer.score(first, second)
    assert score.distance == pytest.approx(scorer.score(second, first).distance)
    assert 0 < score.distance < np.inf
    assert 0 < score.probability < 1
