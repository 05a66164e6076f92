"""The embedding store: a parquet file with one row for each image.

    image      string                      the image's name
    sha256     string                      hex SHA-256 of the image file, which identifies the embedding
    artist     string, null if unknown
    embedding  fixed_size_list<float32>[D]

The key-value metadata `artsim` holds JSON: the number of this contract, the SHA-256 of the model, and its card.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from artsim._version import __version__
from artsim.errors import InputError, ModelError
from artsim.files import replacing
from artsim.scoring.contract import METADATA_KEY, Card
from artsim.tables.arrow import of_numbers, of_texts

if TYPE_CHECKING:
    import pyarrow

STORE_CONTRACT = 1  # rises when an older artsim could no longer read a new file
STORE_COLUMNS = ("image", "sha256", "artist", "embedding")


@dataclass(frozen=True)
class EmbeddingStore:
    """N embeddings of one model; row i of each field belongs to the same image."""

    model_sha256: str
    card: Card
    names: list[str]
    sha256s: list[str]  # of the image files
    artists: list[str | None]
    vectors: NDArray[np.float32]  # (N, D)


def read_store(path: Path) -> EmbeddingStore:
    """Read an embedding store of any model.

    Raises:
        InputError: the file cannot be read, is damaged, is no embedding store, or has a newer contract.
    """
    import pyarrow
    from pyarrow import parquet

    try:
        with parquet.ParquetFile(path, page_checksum_verification=True) as file:
            model_sha256, card = _model_of(file.schema_arrow.metadata or {}, path)
            _check_schema(file.schema_arrow, path)
            table = file.read(columns=list(STORE_COLUMNS))
    except OSError as error:
        raise InputError(f"{path}: the embedding store can't be read ({error.strerror or error}).") from error
    except pyarrow.ArrowException as error:
        raise InputError(
            f"{path}: not an embedding store, or a damaged one: not a complete parquet file ({error}). "
            "Remove it or name another file; the images are then embedded again."
        ) from error
    with_nulls = [name for name in STORE_COLUMNS if name != "artist" and table[name].null_count]
    if with_nulls:
        raise InputError(f"{path}: its column {with_nulls[0]} has empty cells. Write it again with `artsim embed`.")
    return EmbeddingStore(
        model_sha256,
        card,
        table["image"].to_pylist(),
        table["sha256"].to_pylist(),
        table["artist"].to_pylist(),
        _matrix(table["embedding"]),
    )


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
    table = pyarrow.table([*columns, vectors], names=list(STORE_COLUMNS)).replace_schema_metadata(
        {METADATA_KEY: json.dumps(described, sort_keys=True, allow_nan=False)}
    )
    with replacing(path, "wb") as file:
        # Compression and dictionaries take time and gain nothing: digests and vectors look random and rarely repeat.
        parquet.write_table(
            table, file, compression="none", use_dictionary=["artist"], write_statistics=False, write_page_checksum=True
        )


def check_model(store: EmbeddingStore, path: Path, model_sha256: str) -> None:
    """Check that the embeddings were made by this model.

    Raises:
        InputError: another model made them.
    """
    if store.model_sha256 != model_sha256:
        raise InputError(
            f"{path}: its embeddings are of another model, with SHA-256 {store.model_sha256}; this model has "
            f"{model_sha256}. Name another file for this model, or remove that one."
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
        described: dict[str, Any] = json.loads(text)  # Any: the values are checked below
        contract = int(described["embeddings"])
    except (ValueError, TypeError, KeyError) as error:
        raise InputError(
            f"{path}: its '{METADATA_KEY}' metadata is not that of an embedding store ({error!r}). "
            "Write one with `artsim embed`."
        ) from error
    if contract > STORE_CONTRACT:
        raise InputError(
            f"{path}: it follows contract {contract} of embedding stores, but this artsim supports only "
            f"{STORE_CONTRACT}. Install artsim {described.get('artsim_version', '(a later version)')} or later."
        )
    try:
        return str(described["model_sha256"]), Card.from_json(json.dumps(described["card"]))
    except (KeyError, ModelError) as error:
        raise InputError(
            f"{path}: its '{METADATA_KEY}' metadata lacks a field or has an invalid one ({error}). "
            "Write it again with `artsim embed`."
        ) from error


def _check_schema(schema: pyarrow.Schema, path: Path) -> None:
    import pyarrow

    found = {field.name: field.type for field in schema}
    vector = found.get("embedding")
    fits = (
        all(found.get(name) in (pyarrow.string(), pyarrow.large_string()) for name in STORE_COLUMNS[:-1])
        and vector is not None
        and pyarrow.types.is_fixed_size_list(vector)
        and vector.value_type == pyarrow.float32()
    )
    if not fits:
        raise InputError(
            f"{path}: has the columns {', '.join(f'{name}: {kind}' for name, kind in found.items())}; an embedding "
            "store has image, sha256 and artist as string and embedding as fixed_size_list<float>. "
            "Write one with `artsim embed`."
        )


def _matrix(column: pyarrow.ChunkedArray) -> NDArray[np.float32]:
    """Convert a column of fixed-size lists to (N, D)."""
    width = column.type.list_size
    chunks = [chunk.flatten().to_numpy(zero_copy_only=False).reshape(-1, width) for chunk in column.chunks]
    return np.concatenate([np.empty((0, width), dtype=np.float32), *chunks])
