"""Scoring and searching with a cohort: which works it has, what is said of it, and what the scores depend on."""

from __future__ import annotations

import csv
import json
import shutil
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import artsim
from artsim.errors import InputError, ModelError
from artsim.evaluation.summary import Summary
from artsim.jobs.score import ScoreOptions, score_pairs
from artsim.scoring import cohort as module
from tests.command import artsim_in_process
from tests.towers import COHORT_RULE, adaptable_card, card, write_paintings, write_tower

NAMES = [f"{number}.png" for number in range(12)]
OTHERS = [f"other{number}.png" for number in range(11)]
NONE = "none: a score depends on its two images only"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder: a tower that can adapt, all pairs of twelve paintings, and eleven other paintings."""
    write_paintings(tmp_path, *NAMES)
    write_paintings(tmp_path / "others", *OTHERS)
    write_tower(tmp_path / "tower.onnx", adaptable_card())
    write_tower(tmp_path / "old.onnx", card())
    write_pairs(tmp_path, NAMES)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write_pairs(folder: Path, names: list[str]) -> None:
    rows = [f"{one},{other},{number % 2}\n" for number, (one, other) in enumerate(combinations(names, 2))]
    (folder / "pairs.csv").write_text("image1,image2,sameArtist\n" + "".join(rows))


def run(cohort: str | None = None, **options: Any) -> Summary:
    fields = {"model": "tower.onnx", "pairs": "pairs.csv", "output": "scores.csv", "device": "cpu"} | options
    return score_pairs(ScoreOptions(cohort=cohort, **fields))


def scores(file: str = "scores.csv") -> list[tuple[str, str, str]]:
    with Path(file).open(encoding="utf-8", newline="") as rows:
        return [(row["distance"], row["probability"], row["prediction"]) for row in csv.DictReader(rows)]


def test_the_works_of_the_pairs_are_the_cohort_by_default(folder: Path) -> None:
    summary = run()
    scorer = artsim.load("tower.onnx", "cpu")
    cohort = scorer.cohort(NAMES)
    first, second = zip(*combinations(NAMES, 2), strict=True)
    wanted = scorer.score(first, second, cohort=cohort)
    assert [row[0] for row in scores()] == [str(distance) for distance in wanted.distance]
    assert [int(row[2]) for row in scores()] == wanted.prediction.tolist()
    assert ("cohort", "12 works of the pairs (self): distances adapted") in summary.lines()
    assert json.loads(summary.to_json())["cohort"] == {
        "source": "self", "works": 12, "left_out_copies": 0, "sampled_from": 12, "sha256": cohort.sha256,
        "misfit": None, "adapted": True, "threshold_is_adapted": True,
    }  # fmt: skip
    assert summary.threshold == COHORT_RULE.threshold


def test_a_threshold_is_of_adapted_distances(folder: Path) -> None:
    distance = sorted(float(row[0]) for row in (run(), scores())[1])
    summary = run(threshold=distance[20])
    assert summary.threshold == distance[20]
    assert sum(int(row[2]) for row in scores()) == 20


def test_without_a_cohort_scores_are_those_of_a_tower_that_cannot_adapt(folder: Path) -> None:
    summary = run("none")
    assert (summary.cohort, summary.cohort_note) == (None, NONE)
    assert summary.threshold == 0.3
    run(model="old.onnx", output="old.csv")
    assert (folder / "scores.csv").read_bytes() == (folder / "old.csv").read_bytes()


def test_without_a_cohort_a_score_depends_on_its_two_images_only(folder: Path) -> None:
    run("none")
    whole = scores()
    write_pairs(folder, NAMES[:2])
    run("none")
    assert scores() == whole[:1]


def test_an_old_tower_says_what_it_lacks(folder: Path) -> None:
    summary = run(model="old.onnx")
    assert summary.cohort is None
    assert "this tower can't adapt" in summary.cohort_note
    assert "Use another tower: base, or" in summary.cohort_note
    for source in ("self", "others"):
        with pytest.raises(ModelError, match=r"old\.onnx: this tower can't adapt.*Use another tower: base, or"):
            run(source, model="old.onnx")


def test_names_and_order_do_not_matter(folder: Path) -> None:
    run()
    wanted = dict(zip(combinations(NAMES, 2), scores(), strict=True))
    renamed = {name: f"renamed {99 - number}.png" for number, name in enumerate(NAMES)}
    for name, new in renamed.items():
        shutil.copy(name, new)
    write_pairs(folder, [renamed[name] for name in NAMES[::-1]])
    run()
    for (other, one), row in zip(combinations(NAMES[::-1], 2), scores(), strict=True):
        assert row == wanted[one, other]


def test_few_works_are_no_cohort_by_default(folder: Path) -> None:
    write_pairs(folder, NAMES[:9])
    summary = run()
    assert summary.cohort is None
    assert summary.cohort_note == "none: 9 different works in the pairs, and a cohort needs 10"
    assert summary.threshold == 0.3


def test_no_pairs_are_no_cohort(folder: Path) -> None:
    (folder / "pairs.csv").write_text("image1,image2\n")
    assert run().cohort_note == "none: 0 different works in the pairs, and a cohort needs 10"


def test_bad_images_of_the_pairs_are_no_works(folder: Path) -> None:
    wanted = run().cohort
    write_pairs(folder, [*NAMES, "lost.png"])
    summary = run()
    assert summary.cohort == wanted
    assert summary.unscored_pairs == 12


def test_few_works_that_the_user_names_are_used_with_a_warning(folder: Path) -> None:
    write_pairs(folder, NAMES[:3])
    assert run("self").cohort_note == (
        "3 works of the pairs (self): distances adapted; with fewer than 10 works the scores are not reliable"
    )
    (folder / "few.csv").write_text("filename\n0.png\n1.png\n")
    assert run("few.csv").cohort_note == (
        "2 works of few.csv: distances adapted; with fewer than 10 works the scores are not reliable; 2 of them in the "
        "pairs too"
    )


@pytest.mark.parametrize("names", [NAMES[:2], NAMES[:1] * 4])
def test_two_images_are_too_few_for_themselves(folder: Path, names: list[str]) -> None:
    write_pairs(folder, names)
    with pytest.raises(InputError, match=r"the pairs \(self\): a cohort needs at least 3 different works, and 10"):
        run("self")
    assert not (folder / "scores.csv").exists()


def test_a_folder_a_csv_and_an_embedding_store_give_the_same_scores(folder: Path) -> None:
    assert artsim_in_process("embed", "others", "-o", "others.parquet", "--model", "tower.onnx", "--quiet") == 0
    (folder / "others" / "works.csv").write_text("filename\n" + "\n".join(OTHERS[::-1]))
    summaries = [run(source, output=f"{number}.csv") for number, source in enumerate(SOURCES)]
    assert scores("0.csv") == scores("1.csv") == scores("2.csv")
    assert len({str((summary.cohort or {})["sha256"]) for summary in summaries}) == 1
    assert [summary.cohort_note for summary in summaries] == [
        f"11 works of {source}: distances adapted" for source in SOURCES
    ]
    run()
    assert scores("0.csv") != scores()


SOURCES = ("others", "others/works.csv", "others.parquet")


def test_copies_and_bad_images_are_left_out_of_a_cohort_and_counted(folder: Path) -> None:
    shutil.copy("others/other0.png", "others/again.png")  # the same file is no other work
    (folder / "others" / "text.png").write_text("not a picture")
    (folder / "others" / "bmp.bmp").write_bytes(b"")
    Image.open("others/other1.png").save("others/other1.tif")
    summary = run("others")
    assert summary.cohort is not None
    assert (summary.cohort["works"], summary.cohort["left_out_copies"], summary.cohort["sampled_from"]) == (11, 1, 12)
    assert "; 1 copy left out; 2 bad images left out" in summary.cohort_note


def test_a_large_collection_is_sampled_and_it_is_said(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_COHORT", 10)
    assert run().cohort_note == "10 of 12 works of the pairs (self): distances adapted"


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("lost", "lost: no such file or folder"),
        ("lost.parquet", "lost.parquet: no such file"),
        ("empty", "the folder has no images"),
        ("bad", "none of its 1 images can be used"),
        ("one", r"one: a cohort needs at least 2 different works.* there is 1"),
        ("other.parquet", "its embeddings are of another model, with SHA-256 [0-9a-f]{64}; this model has"),
    ],
)
def test_a_cohort_that_cannot_be_used_ends_with_3(
    folder: Path, source: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "empty").mkdir()
    (folder / "bad").mkdir()
    (folder / "bad" / "text.png").write_text("not a picture")
    write_paintings(folder / "one", "one.png")
    assert artsim_in_process("embed", "others", "-o", "other.parquet", "--model", "old.onnx", "--quiet") == 0
    with pytest.raises(InputError, match=message):
        run(source)
    command = ["score", "--model", "tower.onnx", "pairs.csv", "-o", "scores.csv", "--cohort", source]
    assert artsim_in_process(*command) == 3
    assert "Traceback" not in capsys.readouterr().err
    assert not (folder / "scores.csv").exists()


def test_a_tower_that_cannot_adapt_ends_with_5(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert artsim_in_process("score", "--model", "old.onnx", "pairs.csv", "--cohort", "self") == 5
    assert "this tower can't adapt" in capsys.readouterr().err


def test_an_unfinished_output_of_another_cohort_starts_again(folder: Path) -> None:
    rows = [f"{one},{other}\n" for one, other in combinations(NAMES, 2)]
    (folder / "many.csv").write_text("image1,image2\n" + "".join(rows))
    fields: dict[str, Any] = {"model": "tower.onnx", "pairs": "many.csv", "output": "scores.csv", "device": "cpu"}

    def interrupt(stage: str, done: int, total: int) -> None:
        if stage == "pairs" and done > total // 2:
            raise KeyboardInterrupt

    def interrupted(cohort: str) -> None:
        with pytest.raises(KeyboardInterrupt):
            score_pairs(ScoreOptions(cohort=cohort, **fields), interrupt, block_bytes=128)

    interrupted("others")
    summary = score_pairs(ScoreOptions(cohort="self", **fields), block_bytes=128)
    assert summary.pairs_resumed == 0
    (folder / "scores.csv").unlink()
    interrupted("others")
    assert score_pairs(ScoreOptions(cohort="others", **fields), block_bytes=128).pairs_resumed > 0


def test_a_kept_store_stays_raw(folder: Path) -> None:
    run("none", embeddings="store.parquet")
    raw = (folder / "store.parquet").read_bytes()
    run("self", embeddings="store.parquet")
    assert (folder / "store.parquet").read_bytes() == raw


def nearest(*arguments: str, model: str = "tower.onnx") -> int:
    return artsim_in_process("nearest", "0.png", "--model", model, "--device", "cpu", *arguments)


def found_rows(text: str) -> dict[str, float]:
    return {row["image"]: float(row["distance"]) for row in csv.DictReader(text.splitlines())}


def test_a_search_adapts_to_its_gallery(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert nearest("--among", "others", "-k", "11") == 0
    out, err = capsys.readouterr()
    assert "cohort: 11 works of the gallery (self): distances adapted" in err.splitlines()
    scorer = artsim.load("tower.onnx", "cpu")
    paths = [f"others/{name}" for name in OTHERS]
    wanted = scorer.score(["0.png"] * 11, paths, cohort=scorer.cohort(paths))
    found = found_rows(out)
    np.testing.assert_allclose([found[name] for name in OTHERS], wanted.distance, rtol=1e-6)
    with_probability = {row["image"]: float(row["probability"]) for row in csv.DictReader(out.splitlines())}
    np.testing.assert_allclose([with_probability[name] for name in OTHERS], wanted.probability, rtol=1e-5)
    assert list(found.values()) == sorted(found.values())


def test_a_search_with_another_cohort_or_none(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert nearest("--among", "others", "--cohort", "none") == 0
    out, err = capsys.readouterr()
    assert f"cohort: {NONE}" in err.splitlines()
    assert nearest("--among", "others", model="old.onnx") == 0
    old_out, old_err = capsys.readouterr()
    assert found_rows(old_out) == found_rows(out)
    assert "cohort: none: this tower can't adapt" in old_err
    write_paintings(folder / "third", *NAMES[:4], *OTHERS[:7])
    assert nearest("--among", "others", "--cohort", "third") == 0
    out_third, err = capsys.readouterr()
    assert "cohort: 11 works of third: distances adapted; 7 of them in the gallery too" in err.splitlines()
    assert found_rows(out_third) != found_rows(out)


def test_a_search_among_few_works_does_not_adapt(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_paintings(folder / "few", *OTHERS[:2])
    assert nearest("--among", "few") == 0
    said = capsys.readouterr().err
    assert "cohort: none: 2 different works in the gallery, and a cohort needs 10" in said.splitlines()
    assert nearest("--among", "few", "--cohort", "self") == 3
    assert "a cohort needs at least 3 different works" in capsys.readouterr().err


def test_a_work_of_the_gallery_is_0_from_itself(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copy("others/other3.png", "0.png")
    assert nearest("--among", "others", "--with-itself", "-k", "1") == 0
    assert found_rows(capsys.readouterr().out) == {"other3.png": 0.0}
