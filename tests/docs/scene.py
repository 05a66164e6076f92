"""A folder with the files that the documents' commands name."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path

import pandas as pd

from artsim.demo import write_demo
from artsim.towers import BASE

TOWER = "tower.onnx"


def write_scene(folder: Path) -> None:
    """Write a small collection as a table, as folders by artist and as Kaggle's archives, its pairs, and a tower."""
    works = pd.read_csv(write_demo(folder, artists=5, works=7))  # train_info.csv and train/
    shutil.copy(BASE, folder / TOWER)
    for place in (folder, folder / "images", folder / "test"):
        shutil.copytree(folder / "train", place, dirs_exist_ok=True)
    for work in works.itertuples():
        for place in (folder / "paintings" / str(work.artist), folder / "photographs"):
            place.mkdir(parents=True, exist_ok=True)
            shutil.copy(folder / "train" / str(work.filename), place)
    shutil.copy(folder / "train" / works.filename[0], folder / "found.jpg")
    for name, work in zip(("a.jpg", "b.jpg"), works.filename, strict=False):
        shutil.copy(folder / "train" / work, folder / name)
    works.assign(group="one museum").to_csv(folder / "works.csv", index=False)
    works.rename(columns={"filename": "File", "artist": "Creator"}).assign(**{"File, scan": works.filename}).to_csv(
        folder / "museum.csv", index=False
    )
    _write_pairs(folder, works)
    _write_archives(folder, works)


def _write_pairs(folder: Path, works: pd.DataFrame) -> None:
    pairs = works.merge(works, how="cross").query("filename_x < filename_y").reset_index(drop=True)
    table = pd.DataFrame(
        {
            "image1": pairs.filename_x,
            "image2": pairs.filename_y,
            "sameArtist": (pairs.artist_x == pairs.artist_y).astype(int),
        }
    )
    table.to_csv(folder / "pairs.csv", index=False)
    table.drop(columns="sameArtist").to_csv(folder / "submission_info.csv", index_label="index")
    shutil.copy(folder / "pairs.csv", folder / "pairs_unseen_artists.csv")


def _write_archives(folder: Path, works: pd.DataFrame) -> None:
    """The competition's archives, with a damaged painting and its replacement."""
    damaged = works.filename[0]
    inner = {
        "train.zip": b"no picture",
        "replacements_for_corrupted_files.zip": (folder / "train" / damaged).read_bytes(),
    }
    with zipfile.ZipFile(folder / "painter-by-numbers.zip", "w") as whole:
        for name, content in inner.items():
            with whole.open(name, "w") as part, zipfile.ZipFile(part, "w") as archive:
                archive.writestr(f"train/{damaged}", content)
        with whole.open("test.zip", "w") as part, zipfile.ZipFile(part, "w") as archive:
            archive.write(folder / "test" / damaged, f"test/{damaged}")
        for name in ("train_info.csv", "submission_info.csv"):
            whole.write(folder / name, name)
