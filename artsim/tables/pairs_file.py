"""A pairs file, read in blocks as often as needed: csv, jsonl or parquet.

Rows are counted from 1, in a csv below the header. Blank lines are not rows.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from artsim.errors import InputError
from artsim.files import file_sha256, is_stream
from artsim.messages import listed, shortened
from artsim.tables.arrow import as_texts
from artsim.tables.bounds import BLOCK_BYTES, reading
from artsim.tables.labels import LABEL_COLUMN, UNLABELLED, LabelReader
from artsim.tables.readers import open_reader

IMAGE_COLUMNS = (("image1", "image2"), ("img1", "img2"))
SCORE_COLUMNS = ("distance", "probability", "prediction", "status")
# Written after these if the user asks for them.
EVIDENCE_COLUMN, UNFAMILIAR_COLUMN, SAME_WORK_COLUMN = "log10_lr", "unfamiliar", "same_work"
WORK_COLUMNS = ("artist1", "artist2", "style1", "style2")


@dataclass(frozen=True)
class Block:
    """B rows of a pairs file.

    `table` has all columns of the file. An image without a name is the empty string. `same` is 0, 1
    or UNLABELLED; None if the file has no labels.
    """

    table: pa.RecordBatch
    image1: pa.StringArray  # (B,)
    image2: pa.StringArray  # (B,)
    same: NDArray[np.uint8] | None  # (B,)

    def __len__(self) -> int:
        return int(self.table.num_rows)

    @property
    def labelled(self) -> int:
        """The number of rows with a label."""
        return 0 if self.same is None else int(np.count_nonzero(self.same != UNLABELLED))


class PairsFile:
    """An open pairs file with checked columns.

    Args:
        path: the file.
        name: its name in messages.
        is_copy: the file is a copy of a stream's content.
        block_bytes: see `open_reader`.
        optional: columns that the output has besides the scores.

    Raises:
        InputError: missing, a folder, empty, not of the format of its suffix, or columns that can't be scored.
    """

    def __init__(
        self,
        path: Path,
        name: str,
        *,
        is_copy: bool = False,
        block_bytes: int = BLOCK_BYTES,
        optional: Sequence[str] = (),
    ) -> None:
        self.path = path
        self.name = name
        self._is_copy = is_copy
        self._state_at_start = self._state()
        self._reader = open_reader(path, name, sniff=is_copy, block_bytes=block_bytes)
        self.schema = self._reader.schema
        self._check_columns([*SCORE_COLUMNS, *optional])
        self._image1, self._image2 = self._image_columns()

    @property
    def note(self) -> str:
        """What the user should know of how the file is read, known after the first block; mostly empty."""
        return self._reader.note

    @property
    def labelled(self) -> bool:
        """Whether the file has the column of labels."""
        return LABEL_COLUMN in self.schema.names

    def blocks(self) -> Iterator[Block]:
        """Read all rows from the first one on.

        Raises:
            InputError: a row that can't be used, with its number; or the file has changed since it was opened.
        """
        rows_before = 0
        labels = LabelReader(self.name)
        try:
            for batch in self._reader.batches():
                if batch.schema.names != self.schema.names:
                    raise self.changed()
                same = labels.read(batch.column(LABEL_COLUMN), rows_before) if self.labelled else None
                rows_before += batch.num_rows
                if not labels.faults:  # else only the other faults are looked for
                    image1, image2 = as_texts(batch.column(self._image1)), as_texts(batch.column(self._image2))
                    yield Block(batch, image1, image2, same)
            labels.check()
        except InputError:
            self._check_unchanged()
            raise
        self._check_unchanged()

    def identity(self) -> str:
        """A text that differs for another file, and for this file after a change."""
        if self._is_copy:
            return file_sha256(self.path)
        return f"{self.path.absolute()} {self._state_at_start}"

    def changed(self) -> InputError:
        """The error for a file that has changed."""
        return InputError(f"{self.name}: changed while it was read. Start again once it is complete.")

    def _check_unchanged(self) -> None:
        if self._state() != self._state_at_start:
            raise self.changed()

    def _state(self) -> tuple[int, int]:
        """Size and time of the last change."""
        try:
            status = self.path.stat()
        except OSError:
            return -1, -1
        return status.st_size, status.st_mtime_ns

    def _image_columns(self) -> tuple[str, str]:
        header = self.schema.names
        for first, second in IMAGE_COLUMNS:
            if first in header and second in header:
                return first, second
        wanted = " or ".join(",".join(columns) for columns in IMAGE_COLUMNS)
        raise InputError(f"{self.name}: needs the columns {wanted}, has {listed(header)}.")

    def _check_columns(self, written: Sequence[str]) -> None:
        header = self.schema.names
        for column in written:
            if column in header:
                raise InputError(
                    f"{self.name}: has a column '{column}', which the output needs for the scores. "
                    "Rename it or leave it out."
                )
        times = Counter(header)
        for column, kind in zip(header, self.schema.types, strict=True):
            if times[column] > 1:
                raise InputError(
                    f"{self.name}: has the column '{shortened(column)}' more than once. Leave one of them out."
                )
            if not _can_be_text(kind):
                raise InputError(
                    f"{self.name}: the column '{shortened(column)}' holds {shortened(str(kind))}; only text and "
                    "numbers can be written."
                )


@contextmanager
def open_pairs(source: str, block_bytes: int = BLOCK_BYTES, optional: Sequence[str] = ()) -> Iterator[PairsFile]:
    """Open a pairs file; `-` is standard input. A stream is copied to a temporary file, as it is read twice.

    The suffix of a file says its format; without a known suffix it is csv. The first bytes of a stream say its format.
    For `optional`, see PairsFile.

    Raises:
        InputError: see PairsFile.
    """
    with reading(source):
        needs_copy = is_stream(source)
    if not needs_copy:
        yield PairsFile(Path(source), source, block_bytes=block_bytes, optional=optional)
        return
    with tempfile.TemporaryDirectory(prefix="artsim-") as folder:
        copy = Path(folder) / "pairs"
        try:
            with copy.open("wb") as file, _open_stream(source) as stream:
                shutil.copyfileobj(stream, file)
        except OSError as error:
            raise InputError(f"{source}: can't be copied to {folder} to be read twice ({error.strerror}).") from error
        name = "standard input" if source == "-" else source
        yield PairsFile(copy, name, is_copy=True, block_bytes=block_bytes, optional=optional)


def _open_stream(source: str) -> AbstractContextManager[IO[bytes]]:
    return nullcontext(sys.stdin.buffer) if source == "-" else Path(source).open("rb")


def image_folder(source: str, data_dir: str | None = None) -> Path:
    """The folder of the images: `data_dir`, else that of the pairs file, which is the working folder for `-`."""
    if data_dir is not None:
        return Path(data_dir)
    return Path() if source == "-" else Path(source).parent


def _can_be_text(kind: pa.DataType) -> bool:
    """Whether values of a type can be written in every format."""
    types = pa.types
    if isinstance(kind, pa.DictionaryType):
        kind = kind.value_type
    text = types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind) or types.is_null(kind)
    number = types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind) or types.is_boolean(kind)
    return bool(text or number or types.is_temporal(kind))
