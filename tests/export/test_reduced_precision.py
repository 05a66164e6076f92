"""`artsim export --precision`: what is measured, what is refused, what is written."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

import artsim
from artsim.collection.selection import TRAIN, VAL_SEEN, VAL_UNSEEN, Selection, read_selection
from artsim.errors import GateError, InputError
from artsim.export.reduced_precision import (
    CALIBRATION_WORKS,
    Quantization,
    QuantizationCost,
    calibration_paintings,
    check_loss,
)
from artsim.export.run_record import SELECTION_FILE
from tests.command import artsim_in_process
from tests.export.made_towers import save_colours


@pytest.fixture(scope="module")
def full(checkpoints: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tower in fp32."""
    path = tmp_path_factory.mktemp("full") / "tower.onnx"
    assert artsim_in_process("export", str(checkpoints), "-o", str(path)) == 0
    return path


@pytest.fixture
def works(tmp_path: Path, demo_csv: Path) -> Path:
    """A copy of the paintings, to be changed."""
    shutil.copytree(demo_csv.parent / "train", tmp_path / "works")
    return tmp_path / "works"


def training_works(checkpoints: Path, works: Path) -> list[Path]:
    selection = read_selection(checkpoints / SELECTION_FILE, works)
    assert isinstance(selection, Selection)
    return selection.paths(selection.part(TRAIN))


@pytest.mark.parametrize("precision", ["fp16-weights", "fp16", "int8"])
def test_a_reduced_precision_tower_is_measured_and_scores(
    precision: str,
    checkpoints: Path,
    full: Path,
    works: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(works)
    arguments = ["export", str(checkpoints), "--data-dir", str(works)]
    assert artsim_in_process(*arguments, "--precision", precision, "--max-auc-loss", "0.2") == 0
    out, err = capsys.readouterr()
    # What is decoded is said, and nothing that the converters would have to say.
    assert all("paintings decoded at 32 px" in line for line in err.splitlines())
    written = checkpoints / f"tower-{precision}.onnx"
    assert out.splitlines()[-1] == str(written)
    for line in (
        f"{precision} compared with fp32",
        "artists trained on",
        "artists never seen",
        "images/s",
        "size",
        "differ by",
    ):
        assert line in out

    before, after = artsim.load(full), artsim.load(written)
    assert (before.card.precision, after.card.precision) == ("fp32", precision)
    assert after.card.selection_sha256 == before.card.selection_sha256
    aucs = [scorer.card.validation["val_unseen/auc"] for scorer in (before, after)]
    assert f"AUC {aucs[0]:.4f} -> {aucs[1]:.4f}" in out  # the metrics in the card are those of the graph itself
    assert after.card.calibration.slope != before.card.calibration.slope
    assert written.stat().st_size < full.stat().st_size

    names = sorted(path.name for path in works.glob("*.jpg"))[:3]
    Path("pairs.csv").write_text(f"image1,image2\n{names[0]},{names[1]}\n{names[0]},{names[2]}\n")
    distances = []
    for tower in (str(full), str(written)):
        assert artsim_in_process("score", "--model", tower, "pairs.csv", "-o", "scores.csv", "--quiet") == 0
        distances.append(pd.read_csv("scores.csv")["distance"].to_numpy())
    np.testing.assert_allclose(distances[1], distances[0], atol=0.1)
    assert (distances[1] != distances[0]).any()
    assert artsim_in_process("info", str(written), "--json") == 0
    assert json.loads(capsys.readouterr().out)["precision"] == precision


def test_too_much_loss_exits_9_and_writes_nothing(
    checkpoints: Path, works: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Ranges taken from grey pictures fit no painting."""
    folder = shutil.copytree(checkpoints, tmp_path / "copy")
    save_colours(folder / "best.keras", channels=32)  # which tell more of the painters than 128 do
    output = tmp_path / "tower.onnx"
    arguments = ["export", str(folder), "--data-dir", str(works), "-o", str(output), "--precision", "int8"]
    assert artsim_in_process(*arguments, "--max-auc-loss", "0.05") == 0
    output.unlink()
    for path in training_works(checkpoints, works):
        Image.new("RGB", (64, 64), (128, 128, 128)).save(path)
    before = set(tmp_path.rglob("*"))
    assert artsim_in_process(*arguments, "--max-auc-loss", "0.05") == 9
    err = capsys.readouterr().err
    assert "--precision int8 loses" in err
    assert "more than --max-auc-loss 0.05. No tower is written" in err
    assert set(tmp_path.rglob("*")) == before


def test_missing_training_works_exit_3(checkpoints: Path, works: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for path in training_works(checkpoints, works):
        path.unlink()
    (works / training_works(checkpoints, works)[0].name).mkdir()  # so that the folder is not the first to be blamed
    output = str(works / "tower.onnx")
    arguments = ["export", str(checkpoints), "--data-dir", str(works), "-o", output, "--max-auc-loss", "1"]
    assert artsim_in_process(*arguments, "--precision", "fp16") == 0  # needs none of them
    assert artsim_in_process(*arguments, "--precision", "int8") == 3
    assert "int8 is calibrated on training works, and one cannot be used" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["--precision", "int4"], ["--max-auc-loss", "-0.1"], ["--max-auc-loss", "2"]])
def test_invalid_options_exit_2(arguments: list[str], checkpoints: Path) -> None:
    assert artsim_in_process("export", str(checkpoints), *arguments) == 2


def test_one_part_of_the_validation_is_enough_and_none_is_refused(
    checkpoints: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = shutil.copytree(checkpoints, tmp_path / "copy")
    table = pd.read_csv(folder / SELECTION_FILE)
    arguments = ["export", str(folder), "--precision", "fp16", "--max-auc-loss", "1"]
    table[table["split"] != VAL_UNSEEN].to_csv(folder / SELECTION_FILE, index=False)
    assert artsim_in_process(*arguments) == 0
    out = capsys.readouterr().out
    assert "AUC" in out
    assert "artists never seen" not in out
    table[table["split"] == TRAIN].to_csv(folder / SELECTION_FILE, index=False)
    assert artsim_in_process(*arguments) == 3
    assert "no two of its validation works are by one artist" in capsys.readouterr().err


def test_calibration_takes_a_repeatable_sample_of_the_training_works_alone(demo_csv: Path) -> None:
    names = pd.read_csv(demo_csv)["filename"]
    told: list[tuple[int, int]] = []
    table = pd.DataFrame({"filename": names, "artist": "a", "split": [TRAIN] * 3 + [VAL_SEEN] * (len(names) - 3)})
    selection = Selection(table, demo_csv.parent / "train", "test")

    def paintings(selection: Selection, seed: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
        return calibration_paintings(selection, 16, seed, 10**9, lambda *at: told.append(at), lambda _: None)

    expected = {artsim.images.load(path, 16).tobytes() for path in selection.paths(table.head(3))}
    assert {picture.tobytes() for picture in paintings(selection, 0)} == expected
    assert told[-1] == (3, 3)
    many = replace(selection, table=pd.concat([table.head(48)] * 4, ignore_index=True).assign(split=TRAIN))
    first, again, other = (paintings(many, seed) for seed in (0, 0, 1))
    assert first.shape == (CALIBRATION_WORKS, 16, 16, 3)
    assert (first == again).all()
    assert (first != other).any()
    with pytest.raises(InputError, match="no works of the split 'train'"):
        paintings(replace(selection, table=table.assign(split=VAL_SEEN)), 0)


def cost(**auc: tuple[float, float]) -> QuantizationCost:
    return QuantizationCost(auc=auc, embedding=0.0, images_per_second=(1.0, 1.0), bytes=(1, 1))


AUC = st.floats(0, 1)


@given(AUC, AUC, AUC, AUC, AUC)
def test_the_gate_compares_the_part_with_the_larger_loss(
    seen: float, after: float, unseen: float, later: float, limit: float
) -> None:
    loses = max(seen - after, unseen - later)
    measured = cost(val_seen=(seen, after), val_unseen=(unseen, later))
    assert measured.auc_loss == loses
    if loses > limit + 1e-6:
        with pytest.raises(GateError, match="more than --max-auc-loss"):
            check_loss(measured, Quantization("int8", limit))
    elif loses <= limit:
        check_loss(measured, Quantization("int8", limit))


def test_the_gate_accepts_a_gain_and_refuses_nan() -> None:
    check_loss(cost(val_seen=(0.8, 0.81)), Quantization("fp16", 0.0))
    with pytest.raises(GateError):
        check_loss(cost(val_seen=(0.8, float("nan"))), Quantization("fp16", 1.0))
