"""Commands of artsim on a small collection, for the benchmarks that kill them or let them fail."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import shlex
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from itertools import islice, product
from pathlib import Path
from typing import Any

import onnx
import pyarrow.parquet

from artsim.scoring.contract import METADATA_KEY
from artsim.scoring.session import read_card

ARTSIM = [sys.executable, "-m", "artsim"]
TRAINING = "--recipe compact --image-size 32 --batch-size 16 --epochs 1 --quiet"
MADE_BY_TRAINING = ("Checkpoints", "Log_files", "mlruns", "mlflow.db")


@dataclass(frozen=True)
class Command:
    """A command line, the pattern of its outputs, and the other files and folders that it makes."""

    line: str
    outputs: str
    others: tuple[str, ...] = ()
    has_lock: bool = False

    @property
    def words(self) -> list[str]:
        """The command for `subprocess`."""
        return [*ARTSIM, *shlex.split(self.line)]

    def results(self, folder: Path) -> list[Path]:
        """The outputs that have their final names."""
        return sorted(path for path in folder.glob(self.outputs) if path.is_file() and not path.name.startswith("."))

    def remove_results(self, folder: Path) -> None:
        """Remove all that the command makes, except hidden files, from which a run is resumed."""
        for path in (*self.results(folder), *(folder / name for name in self.others)):
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)

    def identity(self, folder: Path) -> str:
        """A digest of what a repetition of the command has to give again."""
        if self.line.startswith("train"):
            return _graph_digest(max(folder.glob("Checkpoints/*/tower.onnx"), key=os.path.getmtime))
        return hashlib.sha256(b"".join(path.read_bytes() for path in self.results(folder))).hexdigest()


_SCORE = "--model tower.onnx --data-dir works/train --device cpu --quiet"
COMMANDS = {
    "score csv": Command(f"score pairs.csv {_SCORE} -o scores.csv", "scores.csv", has_lock=True),
    "score parquet": Command(f"score pairs.csv {_SCORE} -o scores.parquet", "scores.parquet", has_lock=True),
    "score csv.gz": Command(f"score pairs.csv.gz {_SCORE} -o scores.csv.gz", "scores.csv.gz", has_lock=True),
    "embed": Command(
        "embed works/train --model tower.onnx --device cpu --quiet -o store.parquet", "store.parquet", has_lock=True
    ),
    "pairs": Command("pairs names.csv -o made.csv", "made.csv"),
    "export": Command("export kept -o exported.onnx", "exported.onnx"),
    "train": Command(
        f"train --data-file-path works/train_info.csv {TRAINING}", "Checkpoints/*/*", others=MADE_BY_TRAINING
    ),
}


def write_inputs(folder: Path, write_tower: Callable[[Path], object], pairs: int, names: int) -> None:
    """Write a collection of 30 works, a tower, `pairs` rows of pairs, a table of `names`, and trained checkpoints."""
    run("demo works --num-of-artists 6 --num-of-images-per-artist 5", folder)
    write_tower(folder / "tower.onnx")
    works = sorted(path.name for path in (folder / "works/train").iterdir())
    block = "".join(f"{one},{other}\n" for one, other in product(works, works))
    lines = islice((block * (pairs // len(works) ** 2 + 1)).splitlines(keepends=True), pairs)
    (folder / "pairs.csv").write_text("image1,image2\n" + "".join(lines), encoding="utf-8")
    (folder / "pairs.csv.gz").write_bytes(gzip.compress((folder / "pairs.csv").read_bytes(), compresslevel=1))
    table = "".join(f"{number}.jpg,Artist {number % 50}\n" for number in range(names))
    (folder / "names.csv").write_text("filename,artist\n" + table, encoding="utf-8")
    run(COMMANDS["train"].line, folder)
    next((folder / "Checkpoints").iterdir()).rename(folder / "kept")
    COMMANDS["train"].remove_results(folder)


def run(line: str, folder: Path) -> None:
    """Run a command that has to succeed."""
    subprocess.run([*ARTSIM, *shlex.split(line)], cwd=folder, check=True, stdout=subprocess.DEVNULL)


def incomplete(paths: list[Path]) -> list[str]:
    """The names of the files that are not complete."""
    return [path.name for path in paths if not _is_whole(path)]


def _is_whole(path: Path) -> bool:
    read = _READERS[path.suffix]  # a KeyError is a kind of file that is new here
    try:
        read(path)
    except Exception:
        return False
    return True


def _read_text(path: Path, end: str = "\n") -> None:
    if not path.read_text(encoding="utf-8").endswith(end):
        raise ValueError("no end of line")


def _read_checkpoint(path: Path) -> None:
    from artsim.training.runtime import start_tensorflow

    start_tensorflow()
    from artsim.training.networks.checkpoints import load_tower

    load_tower(path)


def _check_store(path: Path) -> None:
    with closing(sqlite3.connect(path)) as store:
        if store.execute("PRAGMA integrity_check").fetchone() != ("ok",):
            raise ValueError("damaged")


_READERS: dict[str, Callable[[Path], Any]] = {
    ".csv": _read_text,
    ".gz": lambda path: gzip.decompress(path.read_bytes()),
    ".parquet": pyarrow.parquet.read_table,
    ".html": lambda path: _read_text(path, end="</html>"),
    ".json": lambda path: json.loads(path.read_text(encoding="utf-8")),
    ".onnx": read_card,
    ".keras": _read_checkpoint,
    ".db": _check_store,
}


def _graph_digest(tower: Path) -> str:
    """A digest of the graph, the weights and the card of a tower, without the card's `run_id`."""
    model = onnx.load(tower)
    card = {each.key: each.value for each in model.metadata_props}
    fields = {**json.loads(card.pop(METADATA_KEY)), "run_id": None}
    del model.metadata_props[:]
    described = json.dumps([card, fields], sort_keys=True)
    return hashlib.sha256(model.SerializeToString(deterministic=True) + described.encode()).hexdigest()
