"""EmbeddingStore embeddings: a parquet file of vectors, one row an image, each with the digest of the file it is of.

    image      string                     the name it is asked for by
    sha256     string                     hex SHA-256 of the file's bytes: what a vector belongs to
    artist     string, null if unknown
    embedding  fixed_size_list<float32>[D]

The key-value metadata `artsim` holds JSON: the contract's number, which model made the vectors, and its card.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from artsim._version import __version__
from artsim.errors import InputError, ModelError
from artsim.files import replacing
from artsim.scoring.contract import METADATA_KEY, Card
from artsim.tables.arrow import of_numbers, of_texts

CONTRACT = 1
COLUMNS = ("image", "sha256", "artist", "embedding")


@dataclass(frozen=True)
class EmbeddingStore:
    """Embeddings of one model; row by row a name, the digest of its file, the artist if known, and its vector."""

    model_sha256: str
    card: Card
    names: list[str]
    contents: list[str]
    artists: list[str | None]
    vectors: NDArray[np.float32]  # (N, D)


def read_store(path: Path) -> EmbeddingStore:
    """Read kept embeddings, whichever model they are of.

    Raises:
        InputError: not there, not a whole parquet file, not artsim's, or of a newer contract.
    """
    import pyarrow
    from pyarrow import parquet

    try:
        with parquet.ParquetFile(path, page_checksum_verification=True) as file:
            described = _described(file.schema_arrow.metadata or {}, path)
            _check_schema(file.schema_arrow, path)
            table = file.read(columns=list(COLUMNS))
    except OSError as error:
        raise InputError(f"{path}: can't be read as kept embeddings ({error.strerror or error}).") from error
    except pyarrow.ArrowException as error:
        raise InputError(
            f"{path}: not kept embeddings, or only half of them: not a whole parquet file ({error}). "
            "Remove it or name another file, and the images are embedded anew."
        ) from error
    holes = [name for name in COLUMNS if name != "artist" and table[name].null_count]
    if holes:
        raise InputError(f"{path}: its column {holes[0]} has empty cells, which artsim does not write.")
    return EmbeddingStore(
        described["model_sha256"],
        described["card"],
        table["image"].to_pylist(),
        table["sha256"].to_pylist(),
        table["artist"].to_pylist(),
        _matrix(table["embedding"]),
    )


def write_store(path: Path, kept: EmbeddingStore) -> None:
    """Write kept embeddings beside `path`, then move them there.

    Raises:
        OutputError: the folder is not there or takes no file, or the disk is full.
    """
    import pyarrow
    from pyarrow import parquet

    width = kept.vectors.shape[1]
    vectors = pyarrow.FixedSizeListArray.from_arrays(of_numbers(kept.vectors.reshape(-1)), width)
    columns = [of_texts(column) for column in (kept.names, kept.contents, kept.artists)]
    described = {
        "embeddings": CONTRACT,
        "artsim_version": __version__,
        "model_sha256": kept.model_sha256,
        "card": asdict(kept.card),
    }
    table = pyarrow.table([*columns, vectors], names=list(COLUMNS)).replace_schema_metadata(
        {METADATA_KEY: json.dumps(described, sort_keys=True, allow_nan=False)}
    )
    with replacing(path, "wb") as file:
        # Digests and vectors don't compress, and are all different: neither is tried.
        parquet.write_table(
            table, file, compression="none", use_dictionary=["artist"], write_statistics=False, write_page_checksum=True
        )


def check_model(kept: EmbeddingStore, path: Path, model_sha256: str) -> None:
    """Hold kept embeddings to the model that is to be used.

    Raises:
        InputError: they are another model's.
    """
    if kept.model_sha256 != model_sha256:
        raise InputError(
            f"{path}: holds embeddings of another model, SHA-256 {kept.model_sha256}; this one has {model_sha256}. "
            "Name another file for this model's, or remove that one."
        )


def _described(metadata: dict[bytes, bytes], path: Path) -> dict[str, Any]:
    """What the file says of itself, with the card as a Card."""
    text = metadata.get(METADATA_KEY.encode())
    if text is None:
        raise InputError(
            f"{path}: a parquet file, but no kept embeddings of artsim's: it has no '{METADATA_KEY}' metadata. "
            "`artsim embed` writes them."
        )
    try:
        described: dict[str, Any] = json.loads(text)
        contract = int(described["embeddings"])
    except (ValueError, TypeError, KeyError) as error:
        raise InputError(f"{path}: its '{METADATA_KEY}' metadata is not that of embeddings ({error!r}).") from error
    if contract > CONTRACT:
        raise InputError(
            f"{path}: follows contract {contract} of kept embeddings, this artsim knows {CONTRACT}: install artsim "
            f"{described.get('artsim_version', 'of a later version')} or later."
        )
    try:
        return {
            "model_sha256": str(described["model_sha256"]),
            "card": Card.from_json(json.dumps(described["card"])),
        }
    except (KeyError, ModelError) as error:
        raise InputError(f"{path}: its '{METADATA_KEY}' metadata lacks or garbles a field ({error}).") from error


def _check_schema(schema: Any, path: Path) -> None:
    import pyarrow

    found = {field.name: field.type for field in schema}
    vector: Any = found.get("embedding")
    fits = (
        all(found.get(name) in (pyarrow.string(), pyarrow.large_string()) for name in COLUMNS[:-1])
        and pyarrow.types.is_fixed_size_list(vector)
        and vector.value_type == pyarrow.float32()
    )
    if not fits:
        raise InputError(
            f"{path}: has the columns {', '.join(f'{name}: {kind}' for name, kind in found.items())}; kept embeddings "
            f"have image, sha256 and artist as string and embedding as fixed_size_list<float>."
        )


def _matrix(column: Any) -> NDArray[np.float32]:
    """A column of fixed-size lists as (N, D)."""
    width = column.type.list_size
    chunks = [chunk.flatten().to_numpy(zero_copy_only=False).reshape(-1, width) for chunk in column.chunks]
    return np.concatenate([np.empty((0, width), dtype=np.float32), *chunks])
