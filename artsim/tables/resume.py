"""Sinks for output rows. A run that was killed is resumed where it stopped.

Beside an unfinished output there is a hidden folder:

    run.json             the run's fingerprint, and the number of finished blocks and bytes in `rows`
    rows                 the output so far; bytes past that number belong to an unfinished block
    embeddings.parquet   the images embedded so far, if the run has no other embedding store

At the end, the rows replace the output. Standard output, devices and pipes have no such folder: output to them cannot
be resumed.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Protocol

from artsim.errors import InputError
from artsim.files import check_own, is_stream, keep_permissions, open_regular, writing
from artsim.json_fields import MOST_BYTES, parse_object
from artsim.locking import only_one
from artsim.messages import Say, say_nothing
from artsim.tables.formats import Bytes, Format
from artsim.tables.output import check_place, open_output

RESUME = "Start the same command again to resume."


class RowSink(Protocol):
    """Takes the rows of a run, a block at a time; `embeddings` is where the run may store its embeddings."""

    embeddings: Path | None

    def begin(self, row_format: Format, fingerprint: str) -> int:
        """Prepare for rows and return the number of finished blocks; `fingerprint` identifies the run."""

    def append(self, data: Bytes) -> None:
        """Add a block, which is finished then."""

    def finish(self) -> None:
        """Replace the output."""


@contextmanager
def open_sink(output: str, say: Say = say_nothing) -> Iterator[RowSink]:
    """Open an output for the rows of a run, and lock it until the block ends. `say` is for `only_one`.

    Raises:
        OutputError: it can't be written, or another run is writing it; or the disk is full, and finished rows are kept.
        BrokenPipeError: the reader of a pipe has gone away.
    """
    check_place(output)
    if is_stream(output):
        with open_output(output) as stream, tempfile.TemporaryDirectory(prefix="artsim-") as folder:
            yield _StreamSink(stream, Path(folder))
        return
    with only_one(Path(output), say):
        sink = ResumableFile(output)
        try:
            yield sink
        except BaseException as error:
            if isinstance(error, InputError):
                sink.forget()  # the user will correct the pairs, which are other pairs then
            if (kept := sink.close()) is not None:
                error.add_note(f"{kept} {RESUME}")
            elif isinstance(error, KeyboardInterrupt):
                error.add_note(f"Nothing of {output} was written. The same command starts from the beginning.")
            raise
        sink.discard()


class ResumableFile:
    """A sink in a hidden folder beside the output; `blocks` counts the finished blocks."""

    def __init__(self, output: str) -> None:
        self._output = output
        self._target = Path(os.path.realpath(output))
        # A digest, as the name itself may have the maximal length.
        name = hashlib.sha256(os.fsencode(self._target.name)).hexdigest()[:32]
        self._folder = self._target.with_name(f".{name}.unfinished")
        self.embeddings: Path | None = self._folder / "embeddings.parquet"
        self._file: IO[bytes] | None = None
        self.blocks = 0
        with writing(self._output):
            _make_own_folder(self._folder)

    def begin(self, row_format: Format, fingerprint: str) -> int:
        """Open the rows behind the last finished block of an earlier run with this fingerprint, or empty."""
        self._format, self._fingerprint = row_format, fingerprint
        self.blocks, size = self._done()
        with writing(self._output):
            # Unbuffered: on a full disk, closing the file would write a buffer once more.
            rows = self._folder / "rows"
            self._file = rows.open("r+b" if self.blocks else "wb", buffering=0)
            keep_permissions(self._target, rows)
            self._file.truncate(size)
            self._file.seek(size)
            if not self.blocks:
                _write(self._file, row_format.head())
        return self.blocks

    def append(self, data: Bytes) -> None:
        """Write a block, then the progress."""
        assert self._file is not None  # noqa: S101 - `begin` comes first
        with writing(self._output):
            _write(self._file, data)
            self.blocks += 1
            done = {"fingerprint": self._fingerprint, "blocks": self.blocks, "bytes": self._file.tell()}
            part = self._folder / "run.json.part"
            part.write_text(json.dumps(done), encoding="utf-8")
            part.replace(self._folder / "run.json")

    def finish(self) -> None:
        """Complete the rows and move them to the output."""
        assert self._file is not None  # noqa: S101 - `begin` comes first
        with writing(self._output):
            self._file.close()
            finished = self._format.finish(self._folder / "rows")
            keep_permissions(self._target, finished)
            finished.replace(self._target)

    def close(self) -> str | None:
        """Close the files and say what can be resumed; if there is nothing, remove the folder."""
        if self._file is not None:
            self._file.close()
        if (self._folder / "run.json").exists():
            return f"The finished rows of {self._output} are kept."
        if (self._folder / "embeddings.parquet").exists():
            return f"The embeddings for {self._output} so far are kept."
        self.discard()
        return None

    def forget(self) -> None:
        """Remove the rows if this run has begun to write them; embeddings stay."""
        if self._file is not None:
            (self._folder / "run.json").unlink(missing_ok=True)
            (self._folder / "rows").unlink(missing_ok=True)

    def discard(self) -> None:
        """Remove the folder."""
        if self._file is not None:
            self._file.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _done(self) -> tuple[int, int]:
        """The finished blocks and bytes of an earlier run with the same fingerprint."""
        try:
            with open_regular(self._folder / "run.json") as file:
                done = parse_object(file.read(MOST_BYTES + 1))
            blocks, size = (done.integer(name, 0, 2**63 - 1) for name in ("blocks", "bytes"))
            is_same = done.text("fingerprint") == self._fingerprint
            if is_same and blocks and (self._folder / "rows").stat().st_size >= size:
                return blocks, size
        except (OSError, ValueError):
            pass
        (self._folder / "run.json").unlink(missing_ok=True)
        return 0, 0


def _make_own_folder(folder: Path) -> None:
    """Make the hidden folder, for this user alone, or check the one that a killed run has left.

    Raises:
        OutputError: something that this user's run has not made is in its place.
    """
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError:
        check_own(folder, is_folder=True)
        for path in folder.iterdir():
            check_own(path)


def _write(file: IO[bytes], data: Bytes) -> None:
    """Write all bytes; one call of an unbuffered file may write fewer."""
    left = memoryview(data).cast("B")
    while len(left):
        left = left[file.write(left) :]


class _StreamSink:
    """A sink that writes to a stream."""

    embeddings: Path | None = None

    def __init__(self, stream: IO[bytes], folder: Path) -> None:
        self._stream = stream
        self._spool = folder / "rows"

    def begin(self, row_format: Format, fingerprint: str) -> int:  # noqa: ARG002 - nothing is resumed
        self._format = row_format
        self._file = self._stream if row_format.is_text else self._spool.open("wb")
        self._file.write(row_format.head())
        return 0

    def append(self, data: Bytes) -> None:
        self._file.write(data)

    def finish(self) -> None:
        if not self._format.is_text:
            self._file.close()
            with self._format.finish(self._spool).open("rb") as whole:
                shutil.copyfileobj(whole, self._stream)
