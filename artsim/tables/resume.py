"""RowSink that outlive the run that writes them: killed and started again, a run goes on where it was.

TowerWithReadout an output lies, until it is whole, a hidden folder with

    run.json             what is being scored, and how many blocks and bytes of `rows` are done
    rows                 the output so far; what stands past those bytes is of a block that was cut off
    embeddings.parquet   the images embedded so far, where the run keeps them nowhere else

The rows of a finished run are then moved into the output's place. Standard output, devices and pipes have no such
folder: what goes there can't be taken back.
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
from typing import IO, Any, Protocol

from artsim.errors import InputError
from artsim.files import writing
from artsim.locking import only_one
from artsim.tables.formats import Format
from artsim.tables.output import check_place, is_stream, open_output


class RowSink(Protocol):
    """Where the rows of a run go, a block at a time."""

    embeddings: Path | None

    def begin(self, row_format: Format, fingerprint: str) -> int:
        """Get ready for the first block that is not done yet, and say which one that is, from 0.

        `fingerprint` stands for everything that decides the rows.
        """

    def append(self, data: Any) -> None:
        """Add a block, which is done then."""

    def finish(self) -> None:
        """Put the output in its place."""


@contextmanager
def open_sink(output: str) -> Iterator[RowSink]:
    """Open an output for the rows of a run, which holds it alone until the block ends.

    Raises:
        OutputError: it can't be written, another run is writing it, or the disk is full; then the rows done are kept.
        BrokenPipeError: who reads the pipe has gone away.
    """
    check_place(output)
    if output == "-" or is_stream(Path(output)):
        with open_output(output) as stream, tempfile.TemporaryDirectory(prefix="artsim-") as folder:
            try:
                yield _StreamSink(stream, Path(folder))
            except KeyboardInterrupt as error:
                error.add_note("What goes to a stream can't be gone on with; with -o FILE it could.")
                raise
        return
    with only_one(Path(output)):
        rows = _ResumableFile(output)
        try:
            yield rows
        except BaseException as error:
            if isinstance(error, InputError):
                rows.forget()  # they are of other pairs than there will be
            if rows.close():
                error.add_note("What was done is kept: the same command goes on from there.")
            raise
        rows.discard()


class _ResumableFile:
    """RowSink in a folder beside the output."""

    def __init__(self, output: str) -> None:
        self._output = output
        self._target = Path(os.path.realpath(output))
        # A digest, not the name: it may be as long as names can be.
        name = hashlib.sha256(os.fsencode(self._target.name)).hexdigest()[:32]
        self._folder = self._target.with_name(f".{name}.unfinished")
        self.embeddings: Path | None = self._folder / "embeddings.parquet"
        self._file: IO[bytes] | None = None
        self._blocks = 0
        with writing(self._output):
            self._folder.mkdir(exist_ok=True)

    def begin(self, row_format: Format, fingerprint: str) -> int:
        self._format, self._fingerprint = row_format, fingerprint
        self._blocks, size = self._done()
        with writing(self._output):
            # Without a buffer, which would be written once more when the file is closed on a full disk.
            self._file = (self._folder / "rows").open("r+b" if self._blocks else "wb", buffering=0)
            self._file.truncate(size)
            self._file.seek(size)
            if not self._blocks:
                _write(self._file, row_format.head())
        return self._blocks

    def append(self, data: Any) -> None:
        assert self._file is not None  # noqa: S101 - `begin` comes first
        with writing(self._output):
            _write(self._file, data)
            self._blocks += 1
            done = {"fingerprint": self._fingerprint, "blocks": self._blocks, "bytes": self._file.tell()}
            part = self._folder / "run.json.part"
            part.write_text(json.dumps(done), encoding="utf-8")
            part.replace(self._folder / "run.json")

    def finish(self) -> None:
        assert self._file is not None  # noqa: S101 - `begin` comes first
        with writing(self._output):
            self._file.close()
            self._format.finish(self._folder / "rows").replace(self._target)

    def close(self) -> bool:
        """Let go of the files, and of the folder if nothing in it is worth keeping; returns whether something is."""
        if self._file is not None:
            self._file.close()
        kept = any((self._folder / name).exists() for name in ("run.json", "embeddings.parquet"))
        if not kept:
            self.discard()
        return kept

    def forget(self) -> None:
        """Leave the rows out of what is gone on with, if this run has begun with them."""
        if self._file is not None:
            (self._folder / "run.json").unlink(missing_ok=True)
            (self._folder / "rows").unlink(missing_ok=True)

    def discard(self) -> None:
        """Leave nothing behind."""
        if self._file is not None:
            self._file.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _done(self) -> tuple[int, int]:
        """How many blocks, and bytes, an earlier run of the same has left."""
        try:
            done = json.loads((self._folder / "run.json").read_text(encoding="utf-8"))
            blocks, size = int(done["blocks"]), int(done["bytes"])
            if done["fingerprint"] == self._fingerprint and (self._folder / "rows").stat().st_size >= size:
                return blocks, size
        except (OSError, ValueError, KeyError, TypeError):
            pass
        (self._folder / "run.json").unlink(missing_ok=True)
        return 0, 0


def _write(file: IO[bytes], data: Any) -> None:
    """Write all of it, which a file without a buffer need not do at once."""
    left = memoryview(data).cast("B")
    while len(left):
        left = left[file.write(left) :]


class _StreamSink:
    """RowSink that go where they can't be kept."""

    embeddings: Path | None = None

    def __init__(self, stream: IO[bytes], folder: Path) -> None:
        self._stream = stream
        self._spool = folder / "rows"

    def begin(self, row_format: Format, fingerprint: str) -> int:  # noqa: ARG002 - nothing is gone on with
        self._format = row_format
        self._file = self._stream if row_format.is_text else self._spool.open("wb")
        self._file.write(row_format.head())
        return 0

    def append(self, data: Any) -> None:
        self._file.write(data)

    def finish(self) -> None:
        if not self._format.is_text:
            self._file.close()
            with self._format.finish(self._spool).open("rb") as whole:
                shutil.copyfileobj(whole, self._stream)
