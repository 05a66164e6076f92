"""A study: its budget, its processes, and trials that are killed."""

from __future__ import annotations

from pathlib import Path

import pytest

from artsim.errors import InputError
from artsim.sweeps.study import FILE, PrunedError, Study, Trial
from artsim.training.search_space import Choices, Range, Space

SPACE: Space = {
    "readout_shift": Range(0.0, 2.0),
    "embedding_size": Range(64, 1024, log=True),
    "loss": Choices(("softmax", "supcon")),
}


def opened(folder: Path, seed: int = 0, space: Space = SPACE) -> Study:
    return Study(folder, space, seed)


def asked(study: Study, budget: int = 100, process: str = "here") -> Trial:
    trial = study.ask(budget, process, lambda name: name == "dead")
    assert trial is not None
    return trial


def tried(study: Study, budget: int = 100) -> dict[str, object]:
    """The values of a trial that ends with one of them as its value."""
    trial = asked(study, budget)
    study.end(float(trial.values["readout_shift"]), 0.1)
    return dict(trial.values)


def test_the_budget_counts_all_trials_but_those_that_were_killed(tmp_path: Path) -> None:
    study = opened(tmp_path)
    tried(study)
    asked(study)
    study.end(None, 0.1)
    asked(study)
    study.end(None, 0.1, "it diverged")
    asked(study)
    study.give_up()
    assert [each.state for each in study.trials()] == ["complete", "pruned", "failed", "killed", "waiting"]
    assert asked(study, budget=4).number == 4
    assert study.ask(4, "here", lambda _: None) is None
    assert study.trials()[2].reason == "it diverged"


def test_the_first_trial_has_the_given_values(tmp_path: Path) -> None:
    study = opened(tmp_path)
    study.begin({"readout_shift": 0.5, "loss": "supcon"})
    study.begin({"readout_shift": 0.7})
    assert {"readout_shift": 0.5, "loss": "supcon"}.items() <= tried(study).items()
    assert tried(study)["readout_shift"] != 0.7


def test_values_are_in_the_space_and_depend_on_the_seed(tmp_path: Path) -> None:
    found = []
    for number, seed in enumerate((0, 0, 1)):
        folder = tmp_path / str(number)
        folder.mkdir()
        study = opened(folder, seed)
        found.append([tried(study) for _ in range(4)])
    assert found[0] == found[1] != found[2]
    for values in found[0]:
        assert all(values[name] in SPACE[name] for name in SPACE)
        assert isinstance(values["embedding_size"], int)


def test_a_study_that_is_opened_again_goes_on_with_the_same_values(tmp_path: Path) -> None:
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    whole.mkdir()
    parts.mkdir()
    study = opened(whole)
    expected = [tried(study) for _ in range(3)]
    assert [tried(opened(parts)) for _ in range(3)] == expected
    best = opened(parts).best
    assert best is not None
    assert best.value == max(float(str(values["readout_shift"])) for values in expected)


def test_the_trial_of_a_process_that_has_ended_is_tried_again(tmp_path: Path) -> None:
    lost = asked(opened(tmp_path), process="dead")
    alive = opened(tmp_path)
    assert [each.number for each in alive.others_at_work("here", lambda _: False)] == [0]
    again = asked(alive)
    assert again.values == lost.values
    assert [each.state for each in alive.trials()] == ["killed", "running"]
    assert alive.others_at_work("here", lambda _: False) == []


def test_processes_share_a_budget(tmp_path: Path) -> None:
    one, other = opened(tmp_path), opened(tmp_path)
    assert [asked(one, 2).number, asked(other, 2, "there").number] == [0, 1]
    assert other.ask(2, "there", lambda _: False) is None
    assert [each.number for each in one.others_at_work("here", lambda _: False)] == [1]


def test_a_trial_below_the_median_is_pruned(tmp_path: Path) -> None:
    study = opened(tmp_path)
    for _ in range(6):
        asked(study)
        for epoch in (1, 2, 3):
            study.report(0.8, epoch)
        study.end(0.8, 0.1)
    asked(study)
    study.report(0.5, 1)
    with pytest.raises(PrunedError, match="epoch 2"):
        study.report(0.5, 2)


def test_attributes_are_those_of_all_processes(tmp_path: Path) -> None:
    one, other = opened(tmp_path), opened(tmp_path)
    assert one.get("parent") is None
    one.set("parent", "0123")
    assert other.get("parent") == "0123"


def test_a_damaged_file_is_told(tmp_path: Path) -> None:
    tried(opened(tmp_path))
    with (tmp_path / FILE).open("a") as file:
        file.write("{\n{}\n")
    with pytest.raises(InputError, match=r"study\.log: damaged .* --study NAME"):
        opened(tmp_path)
