"""Damaged files of every kind, read by the readers of artsim: each is read, or refused with an error of artsim.

    python -m benchmarks.fuzz [--minutes 10] [--seed 0]

Valid files are damaged at random: bytes changed, left out, put in or repeated, or the file cut off. The readers are
those of pairs (csv, jsonl, parquet), tables and folders of works, selections, embedding stores, towers, their cards,
and images. They run in a child process, so that a file which crashes or hangs it is a finding, and not the end.

Expected: no other exception, no crash, and no file that takes longer than 20 s. A finding is printed with its kind and
number; the same seed gives the same files.

Measured on 2026-11-27 on busy cores: 30,690 files in 10 minutes, 7,972 read and 22,718 refused. The longest took 2.4 s,
and the child took at most 0.80 GiB of memory.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import random
import re
import struct
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
import pillow_heif
import pyarrow as pa
import pyarrow.parquet
from numpy.typing import NDArray
from PIL import Image

from artsim import images
from artsim.collection.inputs import list_images
from artsim.collection.selection import read_selection
from artsim.collection.works import read_works
from artsim.errors import ArtsimError
from artsim.scoring.embedding_store import EmbeddingStore, read_store, write_store
from artsim.scoring.session import open_tower
from artsim.tables.pairs_file import open_pairs
from benchmarks.data import verdict
from tests.towers import card, write_tower

SECONDS = 20.0
START_SECONDS = 300.0  # for the child to import its libraries on a busy machine
PICTURES = ("jpg", "png", "gif", "bmp", "ppm", "tif", "webp", "avif", "jp2", "qoi", "sgi")
ROWS = [("a.jpg", "b.jpg", "0"), ("ä b.jpg", 'with "quotes", and a comma.jpg', "1"), ("c.jpg", "a.jpg", "0")] * 5

Read = Callable[[Path], object]
_SPAWN = multiprocessing.get_context("spawn")


def main() -> int:
    """Damage and read files until the time is over."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    ends = time.monotonic() + 60 * arguments.minutes
    outcomes: Counter[str] = Counter()
    longest = memory = 0.0
    with tempfile.TemporaryDirectory() as folder:
        reader = Reader(folder, arguments.seed)
        while time.monotonic() < ends:
            number = outcomes.total()
            name, outcome, seconds, used = reader.read(number)
            outcomes[outcome.partition("\n")[0]] += 1
            longest, memory = max(longest, seconds), max(memory, used)
            if outcome not in ("read", "refused"):
                print(f"{name}, number {number}: {outcome}", flush=True)
        reader.end()
    print(f"{outcomes.total():,} files: {dict(outcomes)}; the longest took {longest:.1f} s")
    print(f"the child took at most {memory / 2**30:.2f} GiB of memory")
    return verdict(set(outcomes) <= {"read", "refused"}, "every file read or refused")


class Reader:
    """A child process that damages and reads files, and is started again after it has crashed or hung."""

    def __init__(self, folder: str, seed: int) -> None:
        self._folder, self._seed = folder, seed
        self._start()

    def _start(self) -> None:
        self._pipe, theirs = _SPAWN.Pipe()
        self._process = _SPAWN.Process(target=serve, args=(theirs, self._folder, self._seed), daemon=True)
        self._process.start()
        theirs.close()
        if not self._pipe.poll(START_SECONDS):
            sys.exit("The child that reads the files did not start.")
        self._names: list[str] = self._pipe.recv()

    def read(self, number: int) -> tuple[str, str, float, float]:
        """The name of a file, what came of it, its seconds, and the most memory of the child so far in bytes."""
        name = self._names[number % len(self._names)]
        self._pipe.send(number)
        if not self._pipe.poll(SECONDS):
            outcome = f"took more than {SECONDS:.0f} s"
        else:
            try:
                return name, *self._pipe.recv()
            except EOFError:
                self._process.join()
                outcome = f"crashed with {self._process.exitcode}"
        self.end()
        self._start()
        return name, outcome, SECONDS, 0.0

    def end(self) -> None:
        """End the child."""
        self._process.kill()
        self._process.join()


def serve(pipe: Connection, folder: str, seed: int) -> None:
    """Damage and read the files whose numbers come through a pipe."""
    kinds = [(path, path.read_bytes(), read) for path, read in valid_files(Path(folder))]
    pipe.send([path.name for path, _, _ in kinds])
    with suppress(EOFError):
        while True:
            number = pipe.recv()
            path, whole, read = kinds[number % len(kinds)]
            rng = random.Random(f"{seed} {number}")  # noqa: S311 - damage, no secrets
            path.write_bytes(damaged(whole, rng))
            started = time.monotonic()
            pipe.send((outcome_of(read, path), time.monotonic() - started, peak()))
            path.write_bytes(whole)


def outcome_of(read: Read, path: Path) -> str:
    """`read`, `refused`, or what went wrong."""
    try:
        read(path)
    except ArtsimError:
        return "refused"
    except Exception:
        return traceback.format_exc().strip().rpartition("\n")[2] + "\n" + traceback.format_exc()
    return "read"


def peak() -> float:
    """The most bytes that this process has had in memory."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text(encoding="ascii"))
    return 1024.0 * int(found[1]) if found else 0.0


def damaged(whole: bytes, rng: random.Random) -> bytes:
    """The bytes of a file after one to four accidents."""
    data = bytearray(whole)
    for _ in range(rng.randint(1, 4)):
        start = rng.randrange(len(data) + 1)
        length = min(rng.choice((1, 1, 2, 8, 64)), len(data) - start)
        kind = rng.randrange(5)
        if kind == 0:
            data[start : start + length] = rng.randbytes(length)
        elif kind == 1:
            del data[start : start + length]
        elif kind == 2:
            data[start:start] = rng.randbytes(length)
        elif kind == 3:
            data[start:start] = data[start : start + length] * rng.randint(1, 50)
        else:
            del data[rng.randint(len(data) // 4, len(data)) :]
    return bytes(data)


def valid_files(folder: Path) -> list[tuple[Path, Read]]:
    """A valid file of each kind, and its reader."""
    return [*_pictures(folder), *_pairs(folder), *_collections(folder), *_models(folder)]


def _pairs(folder: Path) -> list[tuple[Path, Read]]:
    header = ("image1", "image2", "sameArtist")
    table = pa.table(dict(zip(header, zip(*ROWS, strict=True), strict=True)))
    quoted = ['"' + cell.replace('"', '""') + '"' for row in (header, *ROWS) for cell in row]
    lines = [",".join(quoted[start : start + 3]) for start in range(0, len(quoted), 3)]
    (folder / "pairs.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (folder / "pairs-16.csv").write_text("\n".join(lines).replace(",", ";"), encoding="utf-16")
    jsonl = "".join(table.slice(row, 1).to_pylist()[0].__repr__().replace("'", '"') + "\n" for row in (0, 2))
    (folder / "pairs.jsonl").write_text(jsonl, encoding="utf-8")
    pyarrow.parquet.write_table(table, folder / "pairs.parquet")
    return [(folder / name, read_pairs) for name in ("pairs.csv", "pairs-16.csv", "pairs.jsonl", "pairs.parquet")]


def _collections(folder: Path) -> list[tuple[Path, Read]]:
    works = "filename,artist,title\n" + "".join(f'{n}.jpg,Ann {n % 3},"a title, {n}"\n' for n in range(12))
    (folder / "works.csv").write_text(works, encoding="utf-8")
    splits = ("train", "val_seen", "val_unseen")
    rows = [f"picture.{suffix},Ann {n % 4},{splits[n % 3]}" for n, suffix in enumerate(PICTURES)]
    (folder / "selection.csv").write_text("filename,artist,split\n" + "\n".join(rows) + "\n", encoding="utf-8")
    old = "".join(f"{folder}/picture.{suffix} {n % 4}\n" for n, suffix in enumerate(PICTURES))
    (folder / "old selection").write_text(old, encoding="utf-8")
    names = "".join(f"Ann {n % 3}/deep/ä {n}.jpg\n" for n in range(8)) + "top.png\n.hidden/x.jpg\n"
    (folder / "names").write_text(names, encoding="utf-8")
    return [
        (folder / "works.csv", lambda path: read_works(str(path))),
        (folder / "selection.csv", lambda path: read_selection(path, folder)),
        (folder / "old selection", lambda path: read_selection(path, folder)),
        (folder / "names", read_folder),
    ]


def _models(folder: Path) -> list[tuple[Path, Read]]:
    write_tower(folder / "tower.onnx", card())
    (folder / "card.json").write_text(card().to_json(), encoding="utf-8")
    vectors = np.random.default_rng(0).normal(size=(3, 8)).astype(np.float32)
    digests = [f"{number:064x}" for number in range(3)]
    store = EmbeddingStore("0" * 64, card(), ["a", "b", "c"], digests, ["Ann", None, "Bob"], vectors)
    write_store(folder / "store.parquet", store)
    return [
        (folder / "tower.onnx", lambda path: open_tower(path, "cpu")),
        (folder / "card.json", read_tower_with_card),
        (folder / "store.parquet", read_store),
    ]


def _pictures(folder: Path) -> list[tuple[Path, Read]]:
    noise = np.random.default_rng(0).integers(0, 256, (24, 32, 3), dtype=np.uint8)
    paths = [folder / f"picture.{suffix}" for suffix in (*PICTURES, "psd", "heic")]
    for path in paths[:-2]:
        Image.fromarray(noise).save(path)
    paths[-2].write_bytes(photoshop_file(noise))
    pillow_heif.from_pillow(Image.fromarray(noise)).save(paths[-1])
    return [(path, lambda path: images.load(path, 16)) for path in paths]


def photoshop_file(pixels: NDArray[np.uint8]) -> bytes:
    """A PSD file of pixels (H, W, 3) RGB without layers. Pillow reads PSD and does not write it."""
    height, width, channels = pixels.shape
    header = struct.pack(">4sH6xHIIHH", b"8BPS", 1, channels, height, width, 8, 3)
    return header + struct.pack(">IIIH", 0, 0, 0, 0) + pixels.transpose(2, 0, 1).tobytes()


def read_pairs(path: Path) -> int:
    """The number of pairs of a file."""
    with open_pairs(str(path)) as pairs:
        return sum(len(block) for block in pairs.blocks())


def read_folder(path: Path) -> int:
    """The number of images in a folder whose files have the names in a damaged list."""
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        for name in path.read_bytes().split(b"\n"):
            place = os.path.join(os.fsencode(folder), name.replace(b"..", b"__").lstrip(b"/"))  # noqa: PTH118 - bytes
            with suppress(OSError, ValueError):  # what no file can be called
                os.makedirs(os.path.dirname(place), exist_ok=True)  # noqa: PTH103, PTH120 - bytes
                os.link(path, place)
        return len(list_images([folder]))


def read_tower_with_card(path: Path) -> object:
    """Open a tower with a damaged card."""
    text = path.read_text(encoding="utf-8", errors="replace")
    return open_tower(write_tower(path.with_name("tower-of-card.onnx"), text), "cpu")


if __name__ == "__main__":
    sys.exit(main())
