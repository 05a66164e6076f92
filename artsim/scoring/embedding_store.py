"""The embedding store: a parquet file with one row for each image.

    image      string                      the image's name
    sha256     string                      hex SHA-256 of the image file, which identifies the embedding
    artist     string, null if unknown
    embedding  fixed_size_list<float32>[D]
    attribution  string, null if there is none; the column may be missing: cells that name no single artist

The key-value metadata `artsim` holds JSON: the number of this contract, the SHA-256 of the model, and its card.

A store that is read is checked like one that is made: names are unique, digests are digests, vectors are finite.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from artsim._version import __version__
from artsim.errors import InputError, ModelError
from artsim.files import check_regular, replacing
from artsim.json_fields import LONGEST, FieldError, parse_object
from artsim.messages import counted, first_few
from artsim.scoring.contract import METADATA_KEY, MOST_VALUES, Card
from artsim.tables.arrow import of_numbers, of_texts

if TYPE_CHECKING:
    import pyarrow

STORE_CONTRACT = 1  # rises when an older artsim could no longer read a new file
STORE_COLUMNS = ("image", "sha256", "artist", "embedding")
TEXT_COLUMNS = STORE_COLUMNS[:-1]
ATTRIBUTION = "attribution"  # a column that older versions neither write nor read
REMEDY: Final = "Remove it or name another file; the images are then embedded again."
# Embeddings hardly compress. A file that says it holds more than this many bytes of them for each of its own is made to
# take memory.
MOST_EXPANSION = 64

_SHA256 = re.compile("[0-9a-f]{64}")


@dataclass(frozen=True)
class EmbeddingStore:
    """N embeddings of one model; row i of each field belongs to the same image."""

    model_sha256: str
    card: Card
    names: list[str]
    sha256s: list[str]  # of the image files
    artists: list[str | None]
    vectors: NDArray[np.float32]  # (N, D)
    attributions: list[str | None] | None = None  # None: no column

    @property
    def cells(self) -> list[str | None]:
        """(N,) the artist of each image, else its attribution."""
        if self.attributions is None:
            return self.artists
        return [artist or cell for artist, cell in zip(self.artists, self.attributions, strict=True)]


def read_store(path: Path) -> EmbeddingStore:
    """Read an embedding store of any model.

    Raises:
        InputError: the file cannot be read, is damaged, is no embedding store, or has a newer contract.
    """
    import pyarrow
    from pyarrow import parquet

    try:
        check_regular(path)
        with parquet.ParquetFile(path) as file:
            model_sha256, card = _model_of(file.schema_arrow.metadata or {}, path)
            width = _check_schema(file.schema_arrow, path)
            _check_size(path, file.metadata.num_rows * width * 4)
            has_attributions = _is_text(file.schema_arrow, ATTRIBUTION)
        # Dictionaries are read as such: a short one can stand for any number of long texts.
        texts = [*TEXT_COLUMNS, *([ATTRIBUTION] if has_attributions else [])]
        with parquet.ParquetFile(path, page_checksum_verification=True, read_dictionary=texts) as file:
            table = file.read(columns=[*texts, "embedding"])
            columns = {name: _texts(table[name], name, path) for name in texts}
    except OSError as error:
        raise InputError(f"{path}: the embedding store can't be read ({error.strerror or error}).") from error
    except (pyarrow.ArrowException, ValueError) as error:  # a ValueError is a text that is not UTF-8
        raise InputError(
            f"{path}: not an embedding store, or a damaged one: not a complete parquet file ({error}). {REMEDY}"
        ) from error
    store = EmbeddingStore(
        model_sha256,
        card,
        [name or "" for name in columns["image"]],
        [sha256 or "" for sha256 in columns["sha256"]],
        columns["artist"],
        _matrix(table["embedding"]),
        columns.get(ATTRIBUTION),
    )
    _check_values(store, path, has_nulls=bool(table["embedding"].null_count))
    return store


def write_store(path: Path, store: EmbeddingStore) -> None:
    """Write an embedding store; `path` has the old file until the new one is complete.

    Raises:
        OutputError: the folder does not exist or is not writable, or the disk is full.
    """
    import pyarrow
    from pyarrow import parquet

    width = store.vectors.shape[1]
    vectors = pyarrow.FixedSizeListArray.from_arrays(of_numbers(store.vectors.reshape(-1)), width)
    columns = [of_texts(column) for column in (store.names, store.sha256s, store.artists)]
    described = {
        "embeddings": STORE_CONTRACT,
        "artsim_version": __version__,
        "model_sha256": store.model_sha256,
        "card": asdict(store.card),
    }
    names = list(STORE_COLUMNS)
    columns.append(vectors)
    if store.attributions is not None and any(store.attributions):
        columns.append(of_texts(store.attributions))
        names.append(ATTRIBUTION)
    table = pyarrow.table(columns, names=names).replace_schema_metadata(
        {METADATA_KEY: json.dumps(described, sort_keys=True, allow_nan=False)}
    )
    with replacing(path, "wb") as file:
        # Compression and dictionaries take time and gain nothing: digests and vectors look random and rarely repeat.
        parquet.write_table(
            table,
            file,
            compression="none",
            use_dictionary=["artist", ATTRIBUTION],
            write_statistics=False,
            write_page_checksum=True,
        )


@contextmanager
def telling_what_is_kept(path: Path) -> Iterator[None]:
    """Tell after Ctrl-C that the store at `path` has the embeddings so far, if it is there."""
    try:
        yield
    except KeyboardInterrupt as error:
        if path.exists():
            error.add_note(f"The embeddings so far are kept in {path}. Start the same command again to resume.")
        else:
            error.add_note(f"Nothing is kept in {path} yet. The same command starts from the beginning.")
        raise


def check_model(store: EmbeddingStore, path: Path, model_sha256: str, width: int) -> None:
    """Check that the embeddings were made by this model, whose embeddings have `width` values.

    Raises:
        InputError: another model made them.
    """
    if store.model_sha256 != model_sha256:
        raise InputError(
            f"{path}: its embeddings are of another model, with SHA-256 {store.model_sha256}; this model has "
            f"{model_sha256}. Name another file for this model, or remove that one."
        )
    if store.vectors.shape[1] != width:
        raise InputError(
            f"{path}: its embeddings have {store.vectors.shape[1]:,} values, those of the model {width:,}. {REMEDY}"
        )


def _model_of(metadata: dict[bytes, bytes], path: Path) -> tuple[str, Card]:
    """Return the model's SHA-256 and card."""
    text = metadata.get(METADATA_KEY.encode())
    if text is None:
        raise InputError(
            f"{path}: a parquet file, but not an embedding store: it has no '{METADATA_KEY}' metadata. "
            "Write one with `artsim embed`."
        )
    try:
        fields = parse_object(text)
        contract = fields.integer("embeddings", 1, 1000)
    except FieldError as error:
        raise InputError(
            f"{path}: its '{METADATA_KEY}' metadata is not that of an embedding store ({error}). "
            "Write one with `artsim embed`."
        ) from error
    try:
        if contract > STORE_CONTRACT:
            later = fields.text("artsim_version", default="(a later version)")
            raise InputError(
                f"{path}: it follows contract {contract} of embedding stores, but this artsim supports only "
                f"{STORE_CONTRACT}. Install artsim {later} or later."
            )
        return fields.text("model_sha256"), Card.from_fields(fields.object("card"))
    except (FieldError, ModelError) as error:
        raise InputError(
            f"{path}: its '{METADATA_KEY}' metadata lacks a field or has an invalid one ({error}). {REMEDY}"
        ) from error


def _check_schema(schema: pyarrow.Schema, path: Path) -> int:
    """Check the columns and return D."""
    import pyarrow

    found = {field.name: field.type for field in schema}
    vector = found.get("embedding")
    fits = (
        len(found) == len(schema.names)
        and all(found.get(name) in (pyarrow.string(), pyarrow.large_string()) for name in TEXT_COLUMNS)
        and vector is not None
        and pyarrow.types.is_fixed_size_list(vector)
        and vector.value_type == pyarrow.float32()
        and 1 <= vector.list_size <= MOST_VALUES
    )
    if not fits:
        raise InputError(
            f"{path}: has the columns {', '.join(f'{field.name}: {field.type}' for field in schema)}; an embedding "
            "store has image, sha256 and artist as string and embedding as fixed_size_list<float>. "
            "Write one with `artsim embed`."
        )
    return int(found["embedding"].list_size)


def _is_text(schema: pyarrow.Schema, column: str) -> bool:
    """Whether there is one such column, and it holds text."""
    import pyarrow

    positions = schema.get_all_field_indices(column)
    return len(positions) == 1 and schema.field(positions[0]).type in (pyarrow.string(), pyarrow.large_string())


def _check_size(path: Path, needed: int) -> None:
    """Check that a small file does not say that it holds embeddings of any size."""
    size = path.stat().st_size
    if needed > MOST_EXPANSION * size:
        raise InputError(
            f"{path}: says that it holds {needed:,} bytes of embeddings, but has only {size:,} bytes. {REMEDY}"
        )


def _texts(column: pyarrow.ChunkedArray, name: str, path: Path) -> list[str | None]:
    """The texts of a column, after a check that none is too long."""
    texts: list[str | None] = []
    for chunk in column.chunks:
        known = chunk.dictionary.to_pylist()
        if any(len(text or "") > LONGEST for text in known):
            raise InputError(f"{path}: its column {name} has a text of more than {LONGEST:,} characters. {REMEDY}")
        texts += [None if code is None else known[code] for code in chunk.indices.to_pylist()]
    return texts


def _check_values(store: EmbeddingStore, path: Path, *, has_nulls: bool) -> None:
    """Check the cells of a store.

    Raises:
        InputError: a cell is empty, a name is there twice, a digest is no digest, or a vector is not finite.
    """
    empty = {"image": "" in store.names, "sha256": "" in store.sha256s, "embedding": has_nulls}
    if any(empty.values()):
        name = next(name for name, is_empty in empty.items() if is_empty)
        raise InputError(f"{path}: its column {name} has empty cells. {REMEDY}")
    if len(set(store.names)) < len(store.names):
        twice = [name for name, count in Counter(store.names).items() if count > 1]
        raise InputError(f"{path}: it has {first_few(twice)} twice. {REMEDY}")
    wrong = next((sha256 for sha256 in store.sha256s if not _SHA256.fullmatch(sha256)), None)
    if wrong is not None:
        raise InputError(f"{path}: its column sha256 has {wrong[:80]!r}, which is no SHA-256. {REMEDY}")
    bad = np.flatnonzero(~np.isfinite(store.vectors).all(axis=1))
    if len(bad):
        names = first_few([store.names[row] for row in bad[:4]], of=len(bad))
        raise InputError(
            f"{path}: {counted(len(bad), 'embedding')} in it {'is' if len(bad) == 1 else 'are'} not finite (NaN or "
            f"infinity), of {names}. {REMEDY}"
        )


def _matrix(column: pyarrow.ChunkedArray) -> NDArray[np.float32]:
    """Convert a column of fixed-size lists to (N, D)."""
    width = column.type.list_size
    chunks = [chunk.flatten().to_numpy(zero_copy_only=False).reshape(-1, width) for chunk in column.chunks]
    return np.concatenate([np.empty((0, width), dtype=np.float32), *chunks])
