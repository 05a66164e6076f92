"""The files beside a run's checkpoints: they come back as written, and folders of artsim 0.1 are still exported."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import artsim
from artsim.errors import ModelError
from artsim.evaluation.rules import TowerRules
from artsim.export.run_record import (
    CALIBRATION_FILE,
    EMBEDDINGS_FILE,
    EmbeddingsRecord,
    RunRecord,
    read_rules,
    write_rules,
)
from artsim.scoring.contract import Calibration, DecisionRule
from artsim.scoring.familiarity import Correction
from tests.command import artsim_in_process
from tests.export.made_towers import save_colours
from tests.towers import described

PLAIN = DecisionRule(Calibration(-4.0, 3.0), 0.75)
CORRECTION = Correction(familiar=1.2, foreign=9.0, onset=0.9, slope=0.4)
RULES = TowerRules(PLAIN, CORRECTION, adapted=DecisionRule(Calibration(-3.0, 3.0), 1.0))
OLD = {"slope": -4.0, "intercept": 3.0, "prior": 0.5, "threshold": 0.75}  # what artsim 0.1 wrote


@pytest.mark.parametrize("rules", [RULES, replace(RULES, adapted=None), replace(RULES, correction=None)])
def test_rules_come_back_as_written(rules: TowerRules, tmp_path: Path) -> None:
    write_rules(tmp_path, rules)
    assert read_rules(tmp_path) == rules


def test_no_rules_leave_no_file_and_read_as_none(tmp_path: Path) -> None:
    write_rules(tmp_path, None)
    assert list(tmp_path.iterdir()) == []
    assert read_rules(tmp_path) is None


def test_the_calibration_of_artsim_0_1_has_no_correction_and_no_rule_for_adapted_distances(tmp_path: Path) -> None:
    (tmp_path / CALIBRATION_FILE).write_text(json.dumps(OLD))
    rules = read_rules(tmp_path)
    assert rules is not None
    assert (rules.plain, rules.correction, rules.adapted) == (PLAIN, None, None)
    write_rules(tmp_path, rules)
    assert "Infinity" not in (tmp_path / CALIBRATION_FILE).read_text()


def record() -> EmbeddingsRecord:
    embeddings = np.random.default_rng(0).normal(size=(40, 6)).astype(np.float32)
    return EmbeddingsRecord(described(embeddings), readout_width=4)


def test_the_description_of_training_embeddings_comes_back_as_written(tmp_path: Path) -> None:
    assert EmbeddingsRecord.read(tmp_path) is None
    record().write(tmp_path)
    assert EmbeddingsRecord.read(tmp_path) == record()


@pytest.mark.parametrize(
    "change",
    [
        {"training": {}},
        {"training": 3},
        {"training": asdict(replace(record().training, mean="§"))},
        {"readout_width": "x"},
    ],
    ids=["no fields", "no object", "not base64", "no number"],
)
def test_a_damaged_description_is_refused(change: dict[str, object], tmp_path: Path) -> None:
    (tmp_path / EMBEDDINGS_FILE).write_text(json.dumps(asdict(record()) | change))
    with pytest.raises(ModelError, match=rf"{EMBEDDINGS_FILE}: not a record of `artsim train`.*Train the tower again"):
        EmbeddingsRecord.read(tmp_path)


@pytest.mark.parametrize(
    ("correction", "error"),
    [
        (replace(CORRECTION, slope=1e6), "correction.slope is 1000000.0"),
        (replace(CORRECTION, foreign=1.0), "'correction'"),
    ],
    ids=["a steep slope", "limits out of order"],
)
def test_a_correction_that_makes_no_sense_is_refused(correction: Correction, error: str, tmp_path: Path) -> None:
    write_rules(tmp_path, replace(RULES, correction=correction))
    with pytest.raises(ModelError, match=f"{CALIBRATION_FILE}: not a calibration of `artsim train` \\({error}"):
        read_rules(tmp_path)


DEEP = '{"training":' * 100_000
RECORDS: dict[str, tuple[str, Callable[[Path], object], dict[str, Any]]] = {
    "checkpoint.json": (
        "no checkpoints of `artsim train`",
        RunRecord.read,
        asdict(RunRecord("compact", 32, "euclidean", None, 0, None, "works")),
    ),
    CALIBRATION_FILE: ("not a calibration", read_rules, OLD | {"correction": asdict(CORRECTION)}),
    EMBEDDINGS_FILE: ("not a record", EmbeddingsRecord.read, asdict(record())),
}
WRONG_FIELDS: list[tuple[str, str, Any]] = [
    ("checkpoint.json", "image_size", "large"),
    ("checkpoint.json", "image_size", 10**9),
    ("checkpoint.json", "distance", "cosine"),
    ("checkpoint.json", "threshold", float("nan")),
    ("checkpoint.json", "seed", True),
    ("checkpoint.json", "data_dir", 3),
    ("checkpoint.json", "recipe", None),
    (CALIBRATION_FILE, "slope", "steep"),
    (CALIBRATION_FILE, "intercept", float("inf")),
    (CALIBRATION_FILE, "prior", 2),
    (CALIBRATION_FILE, "threshold", None),
    (CALIBRATION_FILE, "correction", [1.0]),
    (CALIBRATION_FILE, "adapted", 3),
    (EMBEDDINGS_FILE, "readout_width", 4.5),
    (EMBEDDINGS_FILE, "training", None),
]


@pytest.mark.parametrize(("file", "field", "value"), WRONG_FIELDS)
def test_a_field_of_a_record_that_makes_no_sense_is_named(tmp_path: Path, file: str, field: str, value: Any) -> None:
    message, read, fields = RECORDS[file]
    (tmp_path / file).write_text(json.dumps(fields))
    read(tmp_path)  # as it is, it is good
    (tmp_path / file).write_text(json.dumps(fields | {field: value}))
    with pytest.raises(ModelError, match=rf"{message}.*\({field} is"):
        read(tmp_path)


@pytest.mark.parametrize("content", [DEEP.encode(), b"[]", b"", b"\xff\xfe", b'{"seed": ' + b"9" * 10_000 + b"}"])
@pytest.mark.parametrize("file", RECORDS)
def test_a_record_that_is_no_object_is_refused(tmp_path: Path, file: str, content: bytes) -> None:
    message, read, _ = RECORDS[file]
    (tmp_path / file).write_bytes(content)
    with pytest.raises(ModelError, match=message):
        read(tmp_path)


@pytest.mark.parametrize("file", RECORDS)
def test_a_record_that_is_a_pipe_is_refused_and_not_waited_for(tmp_path: Path, file: str) -> None:
    message, read, _ = RECORDS[file]
    os.mkfifo(tmp_path / file)
    with pytest.raises(ModelError, match=f"{message}.*not a regular file"):
        read(tmp_path)


def test_a_folder_of_artsim_0_1_is_exported_as_contract_1(checkpoints: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(checkpoints, tmp_path / "old")
    assert artsim_in_process("export", str(folder), "-o", str(tmp_path / "best.onnx")) == 0
    save_colours(folder / "refit.keras", channels=16, seed=1)
    (folder / CALIBRATION_FILE).write_text(json.dumps(OLD))
    assert artsim_in_process("export", str(folder), "-o", str(tmp_path / "refit.onnx")) == 0
    best, refit = (artsim.load(tmp_path / name).card for name in ("best.onnx", "refit.onnx"))
    for card in (best, refit):
        assert (card.contract, card.cohort, card.photographs) == (1, None, None)
        assert "val_shifted/auc" in card.validation
    assert (refit.refit, refit.calibration, refit.threshold) == (True, PLAIN.calibration, PLAIN.threshold)
    # The metrics are those of the tower before the refit; only the shifted twin is judged by the card's rule.
    of_works = [
        {key: value for key, value in card.validation.items() if "shifted" not in key} for card in (best, refit)
    ]
    assert of_works[1] == pytest.approx(of_works[0], abs=1e-6)
