"""Scoring on real clusters of Spark's: the rows of one machine, whatever becomes of an executor."""

from __future__ import annotations

import csv
import json
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from pyarrow import parquet

import artsim
from artsim.jobs.score import ScoreOptions, score_pairs
from tests.command import artsim_process
from tests.spark_cluster import Cluster, environment, standalone, wait_for
from tests.towers import adaptable_card, card_with_photographs, write_paintings, write_tower

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

# A header that Spark would take for other things, and cells that end rows elsewhere.
HEADER = ["index", "img1", "img2", "sameArtist", "No.te", "no.te", "a `b` (c)"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder whose name is a pattern, with a tower and paintings, two of them bad."""
    folder = tmp_path / "a [1] {b,c}*"
    names = [f"{number}.png" for number in range(60)]
    write_paintings(folder, *names)
    write_tower(folder / "tower.onnx")
    (folder / "text.png").write_text("not a picture")
    return folder


def write_pairs(folder: Path, rows: int) -> None:
    chooser = random.Random(0)  # noqa: S311 - no secret
    names = [f"{number}.png" for number in range(60)] + ["text.png", "lost.png", "./1.png", ""]
    with (folder / "pairs.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HEADER)
        for row in range(rows):
            pair = [chooser.choice(names), chooser.choice(names), chooser.randint(0, 1)]
            writer.writerow([f"0{row}", *pair, 'a "b"\nc', "", "ü,🎨"])


def on_one_machine(folder: Path, cohort: str | None, **flags: Any) -> tuple[Any, dict[str, Any]]:
    """The table and the summary to expect."""
    options = ScoreOptions(
        str(folder / "tower.onnx"), str(folder / "pairs.csv"), str(folder / "local.parquet"), cohort=cohort, **flags
    )
    summary = json.loads(score_pairs(options).to_json())
    return parquet.read_table(folder / "local.parquet"), summary


def arguments(master: str, *more: str) -> list[str]:
    return [
        "score", "--model", "tower.onnx", "pairs.csv", "--engine", "spark", "--master", master, "-o", "scores.parquet",
        "--summary", "summary.json", "--max-bad-images", "3", *more,
    ]  # fmt: skip


def assert_same(folder: Path, cohort: str | None = None, **flags: Any) -> None:
    """Hold a cluster's table and summary to those of one machine, bit by bit."""
    wanted, summary = on_one_machine(folder, cohort, **flags)
    found = parquet.read_table(folder / "scores.parquet").sort_by("row")
    assert found["row"].to_pylist() == list(range(len(wanted)))
    assert found.drop(["row"]).cast(wanted.schema).equals(wanted)
    measured = {"provider_note", "images_per_second", "pairs_per_second", "wall_seconds", "model", "bad_images"}
    other = json.loads((folder / "summary.json").read_text())
    assert {key: other[key] for key in other.keys() - measured} == {
        key: summary[key] for key in summary.keys() - measured
    }
    assert [reason.replace(f"{folder}/", "") for reason in summary["bad_images"]] == other["bad_images"]
    assert len(other["bad_images"]) == 3
    assert not [path for path in folder.iterdir() if path.name.startswith(".")]


def test_two_executors_give_the_rows_of_one_machine(folder: Path) -> None:
    write_pairs(folder, 3000)
    done = artsim_process(*arguments("local-cluster[2,1,1024]"), cwd=folder, **environment(folder.with_name("spark")))
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert "Spark at local-cluster[2,1,1024]" in done.stderr
    assert "WARN" not in done.stderr
    assert_same(folder)


@pytest.mark.parametrize("cohort", ["self", "others", "none"])
def test_scores_adapt_to_a_cohort_as_on_one_machine(folder: Path, cohort: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    write_pairs(folder, 3000)
    known = artsim.load(folder / "tower.onnx", "cpu").embed([f"{number}.png" for number in range(30)])
    write_tower(folder / "tower.onnx", card_with_photographs(known, adaptable_card()))
    write_paintings(folder / "others", *(f"other{number}.png" for number in range(11)), "0.png")
    (folder / "others" / "bad.png").write_text("not a picture")
    done = artsim_process(
        *arguments("local[2]", "--cohort", cohort, "--evidence", "--unfamiliar"),
        cwd=folder,
        **environment(folder.with_name("spark")),
    )
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert_same(folder, cohort, evidence=True, unfamiliar=True)
    columns = parquet.read_table(folder / "scores.parquet").column_names
    assert columns[-4:] == ["status", "log10_lr", "unfamiliar", "row"]
    summary = json.loads((folder / "summary.json").read_text())
    assert 0 < summary["unfamiliar_images"] <= 30
    assert (summary["cohort"] is None) == (cohort == "none")
    note = {"self": "60 works of the pairs (self)", "others": "12 works of others", "none": "none: a score depends"}
    assert summary["cohort_note"].startswith(note[cohort])


def test_killed_executors_lose_no_row(folder: Path) -> None:
    """Also where the embeddings are too many to be sent to every executor."""
    write_pairs(folder, 200_000)
    with standalone(folder.with_name("cluster"), workers=2) as cluster:
        settings = environment(folder.with_name("driver")) | {
            "PYSPARK_SUBMIT_ARGS": "--conf spark.sql.autoBroadcastJoinThreshold=-1 pyspark-shell",
            "PYSPARK_PYTHON": sys.executable,
        }
        running = subprocess.Popen(
            [sys.executable, "-m", "artsim", *arguments(cluster.master, "--quiet")],
            cwd=folder, env=psutil.Process().environ() | settings, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        try:
            _kill_an_executor_at_work(cluster)
            wait_for(lambda: list(folder.glob(".*.part/scores/_temporary")) or running.poll() is not None)
            _kill_an_executor_at_work(cluster)
            said, _ = running.communicate(timeout=600)
        finally:
            running.kill()
        assert (running.returncode, said) == (0, b"")
        assert_same(folder)
        wait_for(lambda: not cluster.executors())


def _kill_an_executor_at_work(cluster: Cluster) -> None:
    """Kill one that has a Python process, so that its task ends half done."""
    working = wait_for(lambda: [each for each in cluster.executors() if each.children()])
    working[0].kill()


@pytest.mark.parametrize(
    ("more", "code", "message"),
    [
        (["--device", "cuda"], 6, "CUDA can't be used"),
        (["--max-bad-images", "2"], 4, "3 of 63 images are bad"),
    ],
)
def test_what_goes_wrong_on_workers_ends_with_its_own_code(
    folder: Path, more: list[str], code: int, message: str
) -> None:
    write_pairs(folder, 3000)
    done = artsim_process(*arguments("local[1]", *more), cwd=folder, **environment(folder.with_name("spark")))
    assert done.returncode == code, done.stderr
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert (folder / "scores.parquet").exists() == (code == 4)
    assert not list(folder.glob(".*"))


def test_a_header_alone_comes_out_alone(folder: Path) -> None:
    known = artsim.load(folder / "tower.onnx", "cpu").embed(folder / "0.png")
    write_tower(folder / "tower.onnx", card_with_photographs(np.repeat(known, 4, axis=0)))
    (folder / "pairs.csv").write_text("image1,image2,sameArtist\n")
    done = artsim_process(*arguments("local[1]", "--unfamiliar"), cwd=folder, **environment(folder.with_name("spark")))
    assert done.returncode == 0, done.stderr
    table = parquet.read_table(folder / "scores.parquet")
    assert len(table) == 0
    assert table.schema.names == [
        "image1", "image2", "sameArtist", "distance", "probability", "prediction", "status", "unfamiliar", "row",
    ]  # fmt: skip


def test_a_master_that_spark_does_not_know_is_named(folder: Path) -> None:
    write_pairs(folder, 1)
    done = artsim_process(*arguments("nonsense"), cwd=folder, **environment(folder.with_name("spark")))
    assert (done.returncode, done.stdout) == (2, "")
    assert "nonsense" in done.stderr
