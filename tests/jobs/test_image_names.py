r"""Every command finds the same files by the names of other machines, and keeps the names."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path
from typing import Any

import pytest

from artsim.collection.catalogue import read_catalogue
from artsim.evaluation.summary import Summary
from artsim.jobs.embed import EmbedOptions, embed_collections
from artsim.jobs.nearest import NearestOptions, find_nearest
from artsim.jobs.score import ScoreOptions, score_pairs
from artsim.scoring.embedding_store import read_store
from artsim.scoring.spark.staging import stage_pairs
from artsim.tables.pairs_file import open_pairs
from tests.towers import write_paintings, write_tower

NAMES = ["train\\a.png", "C:\\Users\\me\\train\\B.PNG", "train/c.png ", "/home/other/train/a.png"]
FILES = ["a.png", "b.png", "c.png", "a.png"]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    write_paintings(tmp_path / "im" / "train", *FILES)
    write_tower(tmp_path / "tower.onnx")
    pairs = [NAMES[:2], NAMES[1:3], NAMES[2:], ["https://example.org/a.png", "train/d.png"]]
    plain = [[f"train/{FILES[NAMES.index(name)]}" if name in NAMES else name for name in pair] for pair in pairs]
    for name, rows in (("pairs.csv", pairs), ("plain.csv", plain)):
        with Path(name).open("w", newline="") as file:
            csv.writer(file).writerows([["image1", "image2"], *rows])
    with Path("works.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["filename", "artist"], *([name, "x"] for name in NAMES[:3])])
    return tmp_path


def scored(pairs: str, **options: Any) -> tuple[Summary, list[dict[str, str]]]:
    summary = score_pairs(ScoreOptions("tower.onnx", pairs, "scores.csv", data_dir="im", **options))
    with Path("scores.csv").open(newline="") as file:
        return summary, list(csv.DictReader(file))


def test_pairs_are_scored_by_their_files_under_their_own_names(folder: Path) -> None:
    _, plain = scored("plain.csv")
    summary, rows = scored("pairs.csv")
    assert [row["image1"] for row in rows] == [*NAMES[:3], "https://example.org/a.png"]
    assert [row["distance"] for row in rows] == [row["distance"] for row in plain]
    assert [row["status"] for row in rows] == ["ok"] * 3 + ["image1: missing; image2: missing"]
    assert summary.images == 5  # train\a.png and /home/other/train/a.png are one
    assert summary.names_note is not None
    assert summary.names_note.startswith("4 names were found under another spelling (")
    assert ("names", summary.names_note) in summary.lines()
    url, near = summary.bad_images
    assert url.startswith("'https://example.org/a.png': a URL (https), and files are needed")
    assert near.startswith("'train/d.png': no such file (did you mean 'train/")


def test_names_that_are_files_are_not_mentioned(folder: Path) -> None:
    summary, _ = scored("plain.csv")
    assert summary.names_note is None
    assert "names" not in dict(summary.lines())


def test_a_store_follows_the_file_that_a_name_means_today(folder: Path) -> None:
    _, first = scored("pairs.csv", embeddings="store.parquet")
    assert set(read_store(Path("store.parquet")).names) == set(NAMES[:3])
    shutil.copy("im/train/c.png", "im/train/a.png")
    _, changed = scored("pairs.csv", embeddings="store.parquet")
    assert (first[2]["distance"] != "0", changed[2]["distance"]) == (True, "0")
    shutil.rmtree("im/train")  # what is stored may be missing
    _, kept = scored("pairs.csv", embeddings="store.parquet")
    assert kept[0]["distance"] == changed[0]["distance"]


def test_embed_and_nearest_find_the_works_of_a_csv(folder: Path) -> None:
    said: list[str] = []
    options = EmbedOptions("tower.onnx", ["works.csv"], "store.parquet", data_dir="im")
    assert embed_collections(options, say=said.append).bad_images == []
    nearest = NearestOptions(["im/train/a.png"], "works.csv", "tower.onnx", data_dir="im", cohort="none")
    find_nearest(nearest, said.append, lambda *_: None, lambda result: said.append(result.works[0].image))
    assert sum("works.csv: 3 names were found under another spelling" in line for line in said) == 2
    assert said[-1] in NAMES


def test_a_csv_of_training_finds_its_works(folder: Path) -> None:
    catalogue = read_catalogue("works.csv", Path("im"), artists=1, works=3)
    assert catalogue.paths(catalogue.table) == [Path("im/train") / file for file in FILES[:3]]
    assert catalogue.names_note().startswith("3 names were found under another spelling")


def test_a_cluster_gets_the_files_that_were_found(folder: Path) -> None:
    from pyarrow import parquet

    with open_pairs("pairs.csv") as pairs:
        staged = stage_pairs(pairs, folder / "im", folder)
    paths = parquet.read_table(staged.images)["path"].to_pylist()
    assert paths[:3] == [str(folder / "im/train" / file) for file in FILES[:3]]
    assert staged.names_note.startswith("4 names were found")
    assert [sentence.partition(":")[0] for sentence in staged.faults.values()] == ["'https", "'train/d.png'"]
