"""The columns `log10_lr` and `unfamiliar`, and what the summary and a search say about unfamiliar photographs."""

from __future__ import annotations

import csv
import json
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from pyarrow import parquet

import artsim
from artsim.errors import InputError, ModelError, UsageError
from artsim.evaluation.summary import Summary
from artsim.jobs.score import ScoreOptions, score_pairs
from artsim.jobs.score_spark import score_on_spark
from artsim.scoring.scores import Criterion
from tests.command import artsim_in_process
from tests.towers import adaptable_card, card, card_with_photographs, write_paintings, write_tower

FAMILIAR = [f"{number}.png" for number in range(12)]
FOREIGN = [f"white{number}.png" for number in range(12)]
OPTIONAL = ["log10_lr", "unfamiliar"]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder: a tower, an old one, paintings, and nearly white ones that the tower does not know."""
    write_paintings(tmp_path, *FAMILIAR)
    for number, name in enumerate(FOREIGN):
        Image.new("RGB", (16, 16), (255, 255, 255 - number)).save(tmp_path / name)
    old = artsim.load(write_tower(tmp_path / "old.onnx", card()), "cpu")
    known = old.embed([tmp_path / name for name in FAMILIAR])
    write_tower(tmp_path / "tower.onnx", card_with_photographs(known, adaptable_card()))
    write_pairs(tmp_path, [(FAMILIAR[0], FAMILIAR[1])])
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write_pairs(folder: Path, pairs: list[tuple[str, str]]) -> None:
    (folder / "pairs.csv").write_text("image1,image2\n" + "".join(f"{one},{other}\n" for one, other in pairs))


def run(**options: Any) -> Summary:
    fields = {"model": "tower.onnx", "pairs": "pairs.csv", "output": "scores.csv", "device": "cpu"} | options
    return score_pairs(ScoreOptions(**fields))


def rows(file: str = "scores.csv") -> list[dict[str, str]]:
    with Path(file).open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


@pytest.mark.parametrize("prior", [None, 0.01])
@pytest.mark.parametrize("cohort", ["none", "self"])
def test_the_evidence_is_that_of_the_distance_whatever_the_prior(
    folder: Path, cohort: str, prior: float | None
) -> None:
    write_pairs(folder, list(product(FAMILIAR, FAMILIAR)))
    run(evidence=True, cohort=cohort, prior=prior)
    tower = artsim.load("tower.onnx", "cpu").card
    distance = np.array([row["distance"] for row in rows()], dtype=np.float32)
    wanted = Criterion.of(tower, adapted=cohort == "self").log10_lr(distance)
    assert [row["log10_lr"] for row in rows()] == [str(value) for value in wanted]


def test_the_unfamiliar_images_of_a_pair_are_named(folder: Path) -> None:
    known, foreign = FAMILIAR[0], FOREIGN[0]
    write_pairs(folder, [(known, known), (known, foreign), (foreign, known), (foreign, foreign), ("lost.png", foreign)])
    run(unfamiliar=True, cohort="none")
    assert [row["unfamiliar"] for row in rows()] == ["", "image2", "image1", "image1; image2", "image2"]
    assert [row["status"] for row in rows()] == ["ok"] * 4 + ["image1: missing"]


def test_a_cohort_does_not_change_what_is_unfamiliar(folder: Path) -> None:
    write_pairs(folder, list(zip(FAMILIAR, FOREIGN, strict=True)))
    for cohort in ("none", "self"):
        assert run(unfamiliar=True, cohort=cohort).unfamiliar_images == 12
        assert {row["unfamiliar"] for row in rows()} == {"image2"}


@pytest.mark.parametrize("name", ["scores.csv", "scores.jsonl", "scores.parquet", "scores.csv.gz"])
def test_all_formats_have_the_columns_after_the_status(folder: Path, name: str) -> None:
    write_pairs(folder, [(FAMILIAR[0], FOREIGN[0]), (FAMILIAR[1], "lost.png")])
    run(evidence=True, unfamiliar=True, cohort="none", output="plain.csv")
    run(evidence=True, unfamiliar=True, cohort="none", output=name)
    columns = ["image1", "image2", "distance", "probability", "prediction", "status", *OPTIONAL]
    wanted = rows("plain.csv")
    assert list(wanted[0]) == columns
    assert (wanted[1]["log10_lr"], wanted[1]["unfamiliar"]) == ("", "")
    if name == "scores.jsonl":
        found = [json.loads(line) for line in Path(name).read_text(encoding="utf-8").splitlines()]
        assert list(found[0]) == columns
        assert found[0]["log10_lr"] == float(wanted[0]["log10_lr"])
        assert (found[1]["log10_lr"], found[1]["unfamiliar"]) == (None, "")
    if name == "scores.parquet":
        table = parquet.read_table(name)
        assert table.column_names == columns
        assert [str(table.schema.field(column).type) for column in OPTIONAL] == ["float", "string"]
        assert table["log10_lr"].to_pylist() == [float(np.float32(wanted[0]["log10_lr"])), None]
        assert table["unfamiliar"].to_pylist() == ["image2", ""]


def test_without_the_flags_the_output_is_as_before(folder: Path) -> None:
    run()
    assert list(rows()[0]) == ["image1", "image2", "distance", "probability", "prediction", "status"]


@pytest.mark.parametrize(("flag", "column"), [("evidence", "log10_lr"), ("unfamiliar", "unfamiliar")])
def test_a_column_of_that_name_is_kept_or_refused(folder: Path, flag: str, column: str) -> None:
    (folder / "pairs.csv").write_text(f"image1,image2,{column}\n0.png,1.png,x\n")
    run()
    assert rows()[0][column] == "x"
    with pytest.raises(InputError, match=f"pairs.csv: has a column '{column}', which the output needs"):
        run(**{flag: True})


def test_kaggles_format_has_no_room_for_them(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "pairs.csv").write_text("index,image1,image2\n0,0.png,1.png\n")
    with pytest.raises(UsageError, match=r"--format kaggle.*Leave out --evidence and --unfamiliar\."):
        run(format="kaggle", evidence=True, unfamiliar=True)
    command = ["score", "--model", "tower.onnx", "pairs.csv", "--format", "kaggle", "--unfamiliar"]
    assert artsim_in_process(*command) == 2
    assert "Leave out --unfamiliar." in capsys.readouterr().err


def test_an_old_tower_gives_evidence_but_cannot_tell_unfamiliar_photographs(folder: Path) -> None:
    summary = run(model="old.onnx", evidence=True)
    assert list(rows()[0])[-1] == "log10_lr"
    assert json.loads(summary.to_json())["unfamiliar_images"] is None
    assert "unfamiliar" not in dict(summary.lines())
    (folder / "scores.csv").unlink()
    message = r"old\.onnx: this tower can't tell unfamiliar photographs.*Use another tower: base, or"
    with pytest.raises(ModelError, match=message):
        run(model="old.onnx", unfamiliar=True)
    assert not (folder / "scores.csv").exists()
    with pytest.raises(ModelError, match=message):
        artsim.load("old.onnx", "cpu").unfamiliar("0.png")


def test_spark_refuses_the_same_before_it_starts(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("artsim.jobs.score_spark.check_java", lambda: None)
    with pytest.raises(ModelError, match="this tower can't tell unfamiliar photographs"):
        score_on_spark(ScoreOptions("old.onnx", "pairs.csv", "scores.parquet", unfamiliar=True))
    (folder / "pairs.csv").write_text("image1,image2,log10_lr\n0.png,1.png,x\n")
    with pytest.raises(InputError, match="has a column 'log10_lr'"):
        score_on_spark(ScoreOptions("tower.onnx", "pairs.csv", "scores.parquet", evidence=True))


def test_the_summary_counts_images_that_are_not_bad(folder: Path) -> None:
    write_pairs(folder, [*zip(FAMILIAR, FOREIGN, strict=True), ("lost.png", FOREIGN[0])])
    summary = run(cohort="none")
    assert json.loads(summary.to_json())["unfamiliar_images"] == 12
    note = dict(summary.lines())["unfamiliar"]
    assert note.startswith("12 of 24 images are different from the training photographs; their distances were")
    assert "--cohort" in note
    adapted = dict(run(cohort="self").lines())["unfamiliar"]
    assert adapted.endswith("; distances are adapted to the cohort, so no action is needed")


def test_a_foreign_pair_is_noted_and_a_familiar_one_is_not(folder: Path) -> None:
    assert "unfamiliar" not in dict(run().lines())
    write_pairs(folder, [(FOREIGN[0], FOREIGN[1])])
    assert dict(run().lines())["unfamiliar"].startswith("2 of 2 images")


@pytest.mark.parametrize("flag", ["evidence", "unfamiliar"])
def test_an_unfinished_output_with_other_columns_starts_again(folder: Path, flag: str) -> None:
    write_pairs(folder, list(product(FAMILIAR, FAMILIAR)))
    fields: dict[str, Any] = {"model": "tower.onnx", "pairs": "pairs.csv", "output": "scores.csv", "device": "cpu"}

    def interrupt(stage: str, done: int, total: int) -> None:
        if stage == "pairs" and done > total // 2:
            raise KeyboardInterrupt

    def interrupted(**flags: bool) -> None:
        with pytest.raises(KeyboardInterrupt):
            score_pairs(ScoreOptions(**fields | flags), interrupt, block_bytes=128)

    interrupted()
    assert score_pairs(ScoreOptions(**fields | {flag: True}), block_bytes=128).pairs_resumed == 0
    whole = (folder / "scores.csv").read_bytes()
    (folder / "scores.csv").unlink()
    interrupted(**{flag: True})
    assert score_pairs(ScoreOptions(**fields | {flag: True}), block_bytes=128).pairs_resumed > 0
    assert (folder / "scores.csv").read_bytes() == whole


def test_the_scorer_tells_unfamiliar_images(folder: Path) -> None:
    scorer = artsim.load("tower.onnx", "cpu")
    found = scorer.unfamiliar([FAMILIAR[0], FOREIGN[0], FAMILIAR[1]])
    assert found.dtype == np.bool_
    assert found.tolist() == [False, True, False]
    assert scorer.unfamiliar(FOREIGN[0]).tolist() == [True]


def test_a_search_notes_unfamiliar_queries(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "works.csv").write_text("filename\n" + "\n".join(FAMILIAR))
    remark = "unfamiliar: different from the training photographs"
    for model, wanted in (("tower.onnx", [f"{FOREIGN[0]}: {remark}"]), ("old.onnx", [])):
        command = ["nearest", FAMILIAR[0], FOREIGN[0], "--among", "works.csv", "--model", model, "--device", "cpu"]
        assert artsim_in_process(*command) == 0
        out, err = capsys.readouterr()
        assert [line for line in err.splitlines() if "unfamiliar" in line] == wanted
        assert out.splitlines()[0] == "query,rank,distance,probability,artist,image,unlike,copy"
