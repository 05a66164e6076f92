"""The entry points of MLproject: their parameters, the flags of their commands and the params of their runs agree."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import Any

import click
import pytest
import yaml
from mlflow.tracking import MlflowClient

from artsim.cli import main
from tests.command import ROOT, artsim_in_process
from tests.towers import write_paintings
from tests.tracking.runs import run_with_tower

ENTRIES: dict[str, Any] = yaml.safe_load((ROOT / "MLproject").read_text(encoding="utf-8"))["entry_points"]
NEEDED = {"checkpoints": "a folder", "pairs": "the pairs.csv", "model": "models:/artsim@champion", "run": "0123"}


def given(entry: str) -> dict[str, str]:
    """A value for each parameter: its default, or one of the above."""
    parameters = ENTRIES[entry]["parameters"].items()
    return {name: str(each["default"]) if isinstance(each, dict) else NEEDED[name] for name, each in parameters}


def command_line(entry: str) -> list[str]:
    """The command as MLflow writes it: it quotes the values."""
    values = {name: shlex.quote(value) for name, value in given(entry).items()}
    return shlex.split(ENTRIES[entry]["command"].format(**values))


def test_the_entry_points() -> None:
    assert list(ENTRIES) == ["main", "train", "sweep", "export", "score", "register"]
    assert ENTRIES["train"] == ENTRIES["main"]


@pytest.mark.parametrize("entry", ENTRIES)
def test_each_parameter_reaches_the_flag_of_its_name_with_its_value(entry: str) -> None:
    python, dash_m, package, name, *arguments = command_line(entry)
    assert [python, dash_m, package, name] == ["python", "-m", "artsim", "train" if entry == "main" else entry]
    command = main.artsim.get_command(click.Context(main.artsim), name)
    assert command is not None
    parsed = command.make_context(name, arguments).params
    assert set(re.findall(r"{(\w+)}", ENTRIES[entry]["command"])) == set(given(entry))
    defaults = {each.name: each.default for each in command.params}
    for parameter, value in given(entry).items():
        assert str(parsed[parameter]) == value or value == str(defaults[parameter])


def launched(monkeypatch: pytest.MonkeyPatch, entry: str, **parameters: str) -> tuple[int, str]:
    """Run an entry point here as `mlflow run` does: in a run that it made. Return the exit code and the run's ID.

    MLflow appends parameters that MLproject does not list, as flags with a value.
    """
    client, values = MlflowClient(), given(entry) | parameters
    run_id = client.create_run("0", run_name="bold-owl-42").info.run_id
    for name, value in values.items():
        client.log_param(run_id, name, value)
    monkeypatch.setenv("MLFLOW_RUN_ID", run_id)
    quoted = {name: shlex.quote(value) for name, value in values.items()}
    others = [word for name in values.keys() - given(entry) for word in (f"--{name}", values[name])]
    code = artsim_in_process(*shlex.split(ENTRIES[entry]["command"].format(**quoted))[3:], *others)
    monkeypatch.delenv("MLFLOW_RUN_ID", raising=False)
    return code, run_id


def params_of(entry: str) -> set[str]:
    command = main.artsim.get_command(click.Context(main.artsim), entry)
    assert command is not None
    return {str(parameter.name) for parameter in command.params}


def test_a_scoring_is_an_evaluation_run_linked_to_its_model_and_its_pairs(
    working_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained, model_id = run_with_tower(working_folder)
    names = [f"{number}.png" for number in range(6)]
    write_paintings(working_folder, *names)
    rows = [f"{first},{second},{int(first < second)}" for first in names for second in names if first != second]
    Path("pairs.csv").write_text("image1,image2,sameArtist\n" + "\n".join(rows) + "\n")
    code, run_id = launched(
        monkeypatch, "score", pairs="pairs.csv", model=f"runs:/{trained}", output=str(working_folder / "scores.csv"),
        evidence="True", quiet="False",
    )  # fmt: skip
    client = MlflowClient()
    run = client.get_run(run_id)
    assert (code, run.info.status, run.info.run_name) == (0, "FINISHED", "score-pairs")
    assert set(run.data.params) == params_of("score")
    assert run.data.params["model"] == f"runs:/{trained}"
    assert (run.data.params["evidence"], run.data.params["same_work"]) == ("True", "False")
    assert "log10_lr" in Path("scores.csv").read_text().splitlines()[0]
    assert run.inputs is not None
    assert [each.model_id for each in run.inputs.model_inputs] == [model_id]
    (dataset,) = (each.dataset for each in run.inputs.dataset_inputs)
    assert json.loads(dataset.source)["uri"] == str(working_folder / "pairs.csv")
    assert run.data.metrics["pairs/pairs"] == len(rows)
    metrics = {metric.key: metric for metric in client.get_logged_model(model_id).metrics or []}
    assert metrics["pairs/auc"].dataset_digest == dataset.digest
    assert [item.path for item in client.list_artifacts(run_id)] == ["summary.json"]


def test_a_registration_leaves_its_params_and_its_result(working_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trained, _ = run_with_tower(working_folder)
    code, run_id = launched(monkeypatch, "register", run=trained)
    run = MlflowClient().get_run(run_id)
    assert (code, run.info.status) == (0, "FINISHED")
    assert set(run.data.params) == params_of("register")
    assert "is artsim@champion now" in run.data.tags["mlflow.note.content"]


@pytest.mark.parametrize(
    ("entry", "wrong", "reason"),
    [
        ("train", {"seed": "seven"}, "UsageError: Invalid value for '--seed': 'seven' is not a valid integer"),
        ("train", {"max_bad_images": "few"}, "UsageError: Invalid value for '--max-bad-images'"),
        ("score", {"pairs": "nothing.csv", "model": "nothing.onnx"}, "InputError: nothing.csv"),
        ("export", {"checkpoints": "nothing"}, "ModelError: nothing"),
    ],
)
def test_a_command_that_fails_before_its_run_begins_leaves_the_reason(
    working_folder: Path, monkeypatch: pytest.MonkeyPatch, entry: str, wrong: dict[str, str], reason: str
) -> None:
    code, run_id = launched(monkeypatch, entry, **wrong)
    assert code in (2, 3, 5)
    assert MlflowClient().get_run(run_id).data.tags["artsim.failure"].startswith(reason)
