"""The main job as a whole: one small run on the embedded collection, and what it leaves."""

from __future__ import annotations

import json
import shlex
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

import artsim
from artsim.evaluation.report.numbers import Estimate
from artsim.scoring.contract import Card
from tests.command import artsim_in_process
from tests.jobs.trained import Job

SCORES = ("validation_scores.json", "validation_scores.parquet")
METRICS = (
    "auc", "average_precision", "eer", "tar_at_far_1pct", "tar_at_far_10pct", "cllr_min", "balanced_accuracy",
    "accuracy", "precision_at_1", "map_at_r",
)  # fmt: skip


def test_the_run_is_finished_and_named_by_recipe_and_size(job: Job) -> None:
    assert job.run.info.status == "FINISHED"
    auc = Estimate.of(job.run.data.metrics, "val_unseen/auc")
    assert auc is not None
    changes = "image_size=32 embedding_size=16 batch_size=16 epochs=2"
    assert job.run.info.run_name == f"AUC {auc.text} compact-8x6-seed0 {changes}"
    assert job.checkpoints.name == f"compact-8x6-seed0-{job.run.info.run_id[:8]}"
    note = job.run.data.tags["mlflow.note.content"]
    assert note.startswith(f"**AUC {auc.with_interval}** on works by artists never seen.\n")
    assert "MAP@R" in note
    assert "| AUC of one cue alone | width | height | JPEG quality | border colour | mean colour |" in note
    assert "Warning" not in note
    assert "precision@1" in job.stdout


def test_every_flag_is_a_param_with_the_used_value(job: Job) -> None:
    from artsim.cli.train import train

    params = job.run.data.params
    assert set(params) == {parameter.name for parameter in train.params} - {"collection"}
    assert params["num_of_artists"] == "8"
    assert params["learning_rate"] == "0.002"  # the recipe's
    assert params["image_size"] == "32"


@pytest.mark.parametrize("name", ["train/loss", "val_seen/loss", "train/learning_rate", "train/images_per_second"])
def test_every_epoch_has_its_metrics(job: Job, name: str) -> None:
    assert [metric.step for metric in job.client.get_metric_history(job.run.info.run_id, name)] == [1, 2]


@pytest.mark.parametrize("part", ["val_seen", "val_unseen"])
def test_metrics_of_each_epoch_and_then_of_the_exported_tower(job: Job, part: str) -> None:
    for metric_name in METRICS:
        history = job.client.get_metric_history(job.run.info.run_id, f"{part}/{metric_name}")
        assert [metric.step for metric in history] == [1, 2, 3]
        assert all(0 <= metric.value <= 1 for metric in history)


def test_cllr_is_measured_where_artists_are_enough_to_calibrate_without_them(job: Job) -> None:
    history = job.client.get_metric_history(job.run.info.run_id, "val_seen/cllr")
    assert [metric.step for metric in history] == [1, 2, 3]
    least = job.run.data.metrics["val_seen/cllr_min"]
    assert 0 <= least <= history[-1].value
    assert "val_unseen/cllr" not in job.run.data.metrics  # of two artists


@pytest.mark.parametrize(
    "name", ["train/best_epoch", "export/threshold", "export/max_distance_difference", "val_unseen/auc_low"]
)
def test_what_does_not_change_by_epoch_is_logged_once(job: Job, name: str) -> None:
    assert len(job.client.get_metric_history(job.run.info.run_id, name)) == 1


@pytest.mark.parametrize("part", ["val_seen", "val_unseen"])
@pytest.mark.parametrize("cue", ["width", "height", "jpeg_quality", "border_colour", "mean_colour"])
def test_the_auc_of_each_cue_of_the_photographs_is_logged_once(job: Job, part: str, cue: str) -> None:
    (logged,) = job.client.get_metric_history(job.run.info.run_id, f"{part}/shortcut_{cue}_auc")
    assert logged.step == 3
    assert 0 <= logged.value <= 1
    assert cue != "jpeg_quality" or logged.value == 0.5  # the collection's files all have one quality
    assert f"{logged.value:.1f}" in job.run.data.tags["mlflow.note.content"]


def test_system_metrics_are_logged(job: Job) -> None:
    assert any(name.startswith("system/") for name in job.run.data.metrics)


def test_the_run_has_the_selection_and_each_validation_set_as_datasets(job: Job) -> None:
    assert job.run.inputs is not None
    datasets = {each.dataset.name: each.dataset for each in job.run.inputs.dataset_inputs}
    assert set(datasets) == {"selection", "val_seen", "val_unseen", "val_shifted"}
    assert len({dataset.digest for dataset in datasets.values()}) == 4
    assert job.run.data.tags["artsim.selection_sha256"].startswith(datasets["selection"].digest)
    sources = {Path(json.loads(dataset.source)["uri"]) for dataset in datasets.values()}
    assert sources == {job.checkpoints / "selection.csv"}


def test_the_run_has_each_file_once(job: Job) -> None:
    names = {item.path for item in job.client.list_artifacts(job.run.info.run_id)}
    assert names == {"checkpoints", "summaries", "figures", "pairs.csv", "report.html", *SCORES}
    stored = [path.name for path in (job.folder / "mlruns").rglob("*") if path.is_file()]
    once = (
        "tower.onnx",
        "selection.csv",
        "pairs.csv",
        "report.html",
        "training_views.jpg",
        "best.keras",
        "last.keras",
        "checkpoint.json",
    )
    assert [stored.count(name) for name in once] == [1] * len(once)


def test_the_model_has_the_metrics_of_the_exported_tower_by_dataset(job: Job) -> None:
    model, step = job.model("tower")
    metrics = {metric.key: metric for metric in model.metrics or []}
    assert not [key for key in metrics if key.startswith("system/")]
    for part in ("val_seen", "val_unseen", "val_shifted"):
        assert metrics[f"{part}/auc"].value == job.run.data.metrics[f"{part}/auc"]
        assert (metrics[f"{part}/auc"].dataset_name, metrics[f"{part}/auc"].step) == (part, step)
    assert (metrics["export/threshold"].dataset_name, step) == (None, 3)
    assert model.params["learning_rate"] == "0.002"


def test_the_best_checkpoint_is_a_model_of_its_epoch(job: Job) -> None:
    model, step = job.model("checkpoint-best")
    assert step == int(job.run.data.metrics["train/best_epoch"])
    assert {metric.step for metric in model.metrics or []} == {step}
    assert {"val_unseen/auc", "train/loss"} <= {metric.key for metric in model.metrics or []}
    assert model.tags["artsim.checkpoint"] == f"runs:/{job.run.info.run_id}/checkpoints/best.keras"


def test_an_export_becomes_a_further_model_of_the_run(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(job.folder)
    assert artsim_in_process("export", str(job.checkpoints), "--precision", "fp16-weights", "--max-auc-loss", "1") == 0
    model, step = job.model("tower-fp16-weights")
    metrics = {metric.key: metric for metric in model.metrics or []}
    assert metrics["export/bytes"].value < metrics["export/bytes_fp32"].value
    assert {"export/auc_loss", "export/images_per_second"} <= set(metrics)
    assert (metrics["val_unseen/auc"].dataset_name, step) == ("val_unseen", 3)
    (child,) = job.client.search_runs(["0"], f"tags.mlflow.parentRunId = '{job.run.info.run_id}'")
    assert (child.info.run_name, child.data.params["precision"]) == ("tower-fp16-weights", "fp16-weights")
    assert job.client.get_run(job.run.info.run_id).data.metrics == job.run.data.metrics  # those of the tower


def test_the_report_shows_the_works_of_each_split(job: Job) -> None:
    page = job.artifact("report.html").read_text(encoding="utf-8")
    for label in ("Artists never seen in training", "New works by the artists trained on", "Validation works as other"):
        assert label in page
    assert job.run.info.run_id in page
    assert "artsim train --recipe=compact --data-file-path=" in page
    pictures = json.loads(page.partition('id="data">')[2].partition("</script>")[0])["pictures"]
    assert all(each["box"] for each in pictures)
    assert {each["name"] for each in pictures} == set(
        pd.read_csv(job.artifact("checkpoints/selection.csv")).query("split != 'train'")["filename"]
    )


def test_tensorboard_has_the_metrics_and_the_graph(job: Job) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    tags = {}
    for part in ("train", "validation", "graph"):
        events = EventAccumulator(str(next((job.folder / "Log_files").iterdir()) / part))
        events.Reload()
        tags[part] = events.Tags()
    assert "epoch_unseen/auc" in tags["validation"]["tensors"]
    assert "epoch_train/loss" in tags["train"]["tensors"]
    assert tags["graph"]["graph"]


def test_selection_is_split_and_saved_where_asked(job: Job) -> None:
    table = pd.read_csv(job.artifact("checkpoints/selection.csv"))
    assert list(table.columns)[:3] == ["filename", "artist", "split"]
    assert set(table["split"]) == {"train", "val_seen", "val_unseen"}
    assert (job.folder / "selection.csv").read_bytes() == job.artifact("checkpoints/selection.csv").read_bytes()


def test_the_card_of_the_exported_tower_has_its_run_and_metrics(job: Job) -> None:
    scorer = artsim.load(job.tower)
    card: Card = scorer.card
    assert card.run_id == job.run.info.run_id
    assert card.selection_sha256 == job.run.data.tags["artsim.selection_sha256"]
    for name, value in card.validation.items():
        assert value == pytest.approx(job.run.data.metrics[name])
    assert 0 < job.run.data.metrics["export/max_embedding_difference"] < 1e-5
    assert 0 < job.run.data.metrics["export/max_distance_difference"] < 1e-5


def test_the_card_holds_the_rules_for_cohorts_and_unfamiliar_photographs(job: Job) -> None:
    card = artsim.load(job.tower).card
    assert card.contract == 2
    assert card.cohort is not None
    assert card.cohort.adapted_width == 8  # half of an embedding is the readout's
    assert card.photographs is not None
    assert card.photographs.training.width == 16


@pytest.mark.parametrize("name", ["auc", "eer", "balanced_accuracy", "predicted_same", "cllr", "cllr_min"])
def test_the_shifted_twin_has_metrics_in_the_run_its_description_and_its_report(job: Job, name: str) -> None:
    (logged,) = job.client.get_metric_history(job.run.info.run_id, f"val_shifted/{name}")
    assert logged.step == 3
    assert artsim.load(job.tower).card.validation[f"val_shifted/{name}"] == pytest.approx(logged.value)
    few = "too few to judge: 30 pairs by one artist, 30 by two; 95 % interval of the AUC"  # of three epochs
    shown = [job.stdout, job.run.data.tags["mlflow.note.content"]]
    for text in shown:
        (row,) = (line for line in text.splitlines() if "their shifted twin" in line)
        assert few in row


def test_the_validation_table_equals_scores_of_the_exported_tower(job: Job, demo_csv: Path) -> None:
    """From file to score by the public calls: the same as the run's own table."""
    scorer = artsim.load(job.tower)
    table = pd.read_json(job.artifact("validation_scores.json"), orient="split")
    paths = [[str(demo_csv.parent / "train" / name) for name in table[column]] for column in ("image1", "image2")]
    scores = scorer.score(*paths)
    np.testing.assert_allclose(scores.distance, table["distance"], atol=2e-6)
    np.testing.assert_allclose(scores.probability, table["probability"], atol=1e-4)


def test_the_scores_file_of_the_run_gives_its_metrics(job: Job) -> None:
    table = pd.read_parquet(job.artifact("validation_scores.parquet"))
    for split, rows in table.groupby(table["split"].astype(str)):
        auc = roc_auc_score(rows["sameArtist"], -rows["distance"])
        assert auc == pytest.approx(job.run.data.metrics[f"{split}/auc"])
    assert ((table["artist1"].astype(str) == table["artist2"].astype(str)) == table["sameArtist"]).all()
    assert set(table["split"]) == {"val_seen", "val_unseen", "val_shifted"}


def test_the_run_has_the_best_epoch_and_its_monitor(job: Job) -> None:
    best = int(job.run.data.metrics["train/best_epoch"])
    assert job.run.data.tags["artsim.training"] == f"2 of 2 epochs. Epoch {best} is the best by val_unseen/auc."


def test_the_commands_printed_at_the_end_work(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    steps = [line.strip() for line in job.stdout.splitlines() if line.startswith("  ")]
    assert "mlflow ui" in steps
    command = shlex.split(next(step for step in steps if step.startswith("artsim-score")))
    monkeypatch.chdir(job.folder)
    assert artsim_in_process("score", *command[1:], "--quiet", "--summary", "summary.json") == 0
    metrics = json.loads((job.folder / "summary.json").read_text())["metrics"]
    assert 0 <= metrics["auc"] <= 1


def test_the_best_checkpoint_is_exported_after_training_and_again(
    job: Job, demo_csv: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from artsim.training.loop.evaluator import embed
    from artsim.training.networks.checkpoints import load_tower

    monkeypatch.chdir(job.folder)
    checkpoints = shutil.copytree(job.artifact("checkpoints"), tmp_path / "checkpoints")
    (checkpoints / "last.keras").write_bytes(b"not read")  # the best epoch may be the last one
    assert artsim_in_process("export", str(checkpoints), "-o", str(tmp_path / "again.onnx")) == 0
    first, again = (artsim.load(path) for path in (job.tower, tmp_path / "again.onnx"))
    assert again.card.threshold == pytest.approx(first.card.threshold, rel=1e-5)
    assert again.card.selection_sha256 == first.card.selection_sha256
    assert again.card.validation == pytest.approx(dict(first.card.validation), abs=1e-6)
    images = [artsim.images.load(path, 32) for path in sorted((demo_csv.parent / "train").iterdir())[:4]]
    best = embed(load_tower(checkpoints / "best.keras"), np.stack(images))
    for scorer in (first, again):
        np.testing.assert_allclose(scorer.embed(images), best, atol=1e-5)


def test_the_time_left_and_the_stage_are_logged(job: Job) -> None:
    assert job.run.data.tags["artsim.stage"] == "done"
    history = job.client.get_metric_history(job.run.info.run_id, "progress/minutes_left")
    assert [metric.step for metric in history] == [1, 2]
    assert history[0].value > history[1].value == 0


def test_the_terminal_shows_the_epochs_and_no_library_messages(job: Job) -> None:
    epochs = [line for line in job.stderr.splitlines() if line.startswith("epoch ")]
    assert len(epochs) == 2
    assert all(word in epochs[0] for word in ("loss", "val loss", "seen AUC", "unseen AUC", "images/s", "left"))
    assert job.stderr.count("paintings decoded at") == 2  # those to train on and those to judge by
    for word in ("WARNING", "I0000", "oneDNN", "alembic", "INFO", "UserWarning"):
        assert word not in job.stderr
