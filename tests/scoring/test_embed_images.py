"""Images by name: embedded, or taken from the store by content, or by name if the file no longer exists."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import artsim
from artsim.decoders import DECODERS
from artsim.errors import InputError, OutputError
from artsim.files import file_sha256
from artsim.scoring import store_updates
from artsim.scoring.embed_images import EmbeddedImages, open_store
from artsim.scoring.embedding_store import EmbeddingStore, read_store
from artsim.scoring.status import STATUSES
from tests.scoring.embedded import embed_files
from tests.towers import write_paintings, write_tower

NAMES = ["a.png", "b.png", "c.png"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_paintings(tmp_path / "images", *NAMES)
    write_tower(tmp_path / "tower.onnx")
    return tmp_path


@pytest.fixture
def scorer(folder: Path) -> artsim.Scorer:
    return artsim.load(folder / "tower.onnx", "cpu")


@pytest.fixture
def run(folder: Path, scorer: artsim.Scorer) -> Callable[..., EmbeddedImages]:
    """Embed these names, and reuse and update the store."""

    def embed(*names: str, within: str = "images", scorer: artsim.Scorer = scorer) -> EmbeddedImages:
        path = folder / "store.parquet"
        return embed_files(scorer, names, folder / within, open_store(path, scorer), path)

    return embed


def stored_rows(folder: Path) -> dict[str, str]:
    store = read_store(folder / "store.parquet")
    return dict(zip(store.names, store.sha256s, strict=True))


def test_without_a_store_the_vectors_are_the_scorers(folder: Path, scorer: artsim.Scorer) -> None:
    told: list[tuple[str, int, int]] = []
    embedded = embed_files(scorer, NAMES, folder / "images", progress=lambda *what: told.append(what))
    np.testing.assert_array_equal(embedded.vectors, scorer.embed([folder / "images" / name for name in NAMES]))
    assert (embedded.status.tolist(), embedded.reasons, embedded.embedded) == ([0, 0, 0], [], 3)
    assert embedded.sha256s == [file_sha256(folder / "images" / name) for name in NAMES]
    assert told == [("images", done, 3) for done in range(4)]
    assert sorted(path.name for path in folder.iterdir()) == ["images", "tower.onnx"]


def test_a_second_run_embeds_only_what_is_new(folder: Path, run: Callable[..., EmbeddedImages]) -> None:
    first = run("a.png", "b.png")
    second = run(*NAMES)
    assert (first.embedded, second.embedded) == (2, 1)
    np.testing.assert_array_equal(second.vectors[:2], first.vectors)
    assert run(*NAMES).embedded == 0


def test_stored_images_are_not_decoded(
    run: Callable[..., EmbeddedImages], scorer: artsim.Scorer, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = run(*NAMES)
    monkeypatch.setattr(DECODERS, "load", None)
    np.testing.assert_array_equal(run(*NAMES).vectors, first.vectors)


def test_rows_of_other_names_stay(folder: Path, run: Callable[..., EmbeddedImages]) -> None:
    run("a.png", "b.png")
    run("c.png")
    assert sorted(stored_rows(folder)) == NAMES


def test_a_changed_file_is_embedded_again(folder: Path, run: Callable[..., EmbeddedImages]) -> None:
    before = run(*NAMES)
    shutil.copy(folder / "images" / "c.png", folder / "images" / "a.png")
    write_paintings(folder / "images", "other.png")
    (folder / "images" / "other.png").replace(folder / "images" / "b.png")
    after = run(*NAMES)
    assert after.embedded == 1  # a.png is now what c.png was before
    np.testing.assert_array_equal(after.vectors[[0, 2]], before.vectors[[2, 2]])
    assert not np.array_equal(after.vectors[1], before.vectors[1])
    assert stored_rows(folder) == {name: file_sha256(folder / "images" / name) for name in NAMES}


def test_a_file_that_moved_is_known_by_its_content(folder: Path, run: Callable[..., EmbeddedImages]) -> None:
    before = run("a.png")
    (folder / "images" / "a.png").rename(folder / "images" / "moved.png")
    after = run("moved.png")
    assert after.embedded == 0
    np.testing.assert_array_equal(after.vectors, before.vectors)


@pytest.mark.parametrize("batch_size", [1, 2, 8])
def test_names_of_one_content_are_embedded_once(folder: Path, batch_size: int) -> None:
    copies = [f"copy{number}.png" for number in range(5)]
    for name in copies:
        shutil.copy(folder / "images" / "a.png", folder / "images" / name)
    scorer = artsim.load(folder / "tower.onnx", "cpu", batch_size=batch_size)
    embedded = embed_files(scorer, ["b.png", *copies, "a.png"], folder / "images", None, folder / "store.parquet")
    assert embedded.embedded == 2
    assert (embedded.vectors[1:] == embedded.vectors[1]).all()
    assert embedded.vectors[1].any()
    assert len(stored_rows(folder)) == 7


def test_stored_names_without_a_file_are_used(folder: Path, run: Callable[..., EmbeddedImages]) -> None:
    before = run(*NAMES)
    after = run("b.png", "a.png", "lost.png", "", within="elsewhere")
    np.testing.assert_array_equal(after.vectors[:2], before.vectors[[1, 0]])
    assert [STATUSES[status] for status in after.status] == ["ok", "ok", "missing", "missing"]
    assert after.sha256s == [before.sha256s[1], before.sha256s[0], "", ""]
    assert sorted(stored_rows(folder)) == NAMES


def test_bad_images_are_reported_not_stored_and_tried_again(folder: Path, run: Callable[..., EmbeddedImages]) -> None:
    run(*NAMES)
    (folder / "images" / "b.png").write_text("no picture any more")
    embedded = run("a.png", "b.png", "lost.png")
    assert [STATUSES[status] for status in embedded.status] == ["ok", "unreadable", "missing"]
    assert [reason.partition(":")[0].strip("'") for reason in embedded.reasons] == [
        str(folder / "images" / name) for name in ("b.png", "lost.png")
    ]
    assert not embedded.vectors[1:].any()
    assert sorted(stored_rows(folder)) == ["a.png", "c.png"]
    write_paintings(folder / "images", "b.png")
    assert run("b.png").embedded == 1


def test_a_file_that_changes_while_it_is_read_is_not_stored(
    folder: Path, scorer: artsim.Scorer, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = DECODERS.load

    def meddled(path: str, *options: Any, **more: Any) -> Any:
        write_paintings(folder / "images", "other.png")
        (folder / "images" / "other.png").replace(path)
        return real(path, *options, **more)

    monkeypatch.setattr(DECODERS, "load", meddled)
    embedded = embed_files(scorer, ["a.png"], folder / "images", None, folder / "store.parquet")
    assert (embedded.status.tolist(), stored_rows(folder)) == ([STATUSES.index("unreadable")], {})
    assert "changed while it was read" in embedded.reasons[0]


def test_an_artist_stays_with_the_name(folder: Path, scorer: artsim.Scorer) -> None:
    embedded = embed_files(scorer, ["a.png"], folder / "images")
    digest = file_sha256(folder / "tower.onnx")
    store = EmbeddingStore(digest, scorer.card, ["a.png"], embedded.sha256s, ["Monet"], embedded.vectors)
    embed_files(scorer, NAMES, folder / "images", store, folder / "store.parquet")
    after = read_store(folder / "store.parquet")
    assert dict(zip(after.names, after.artists, strict=True)) == {"a.png": "Monet", "b.png": None, "c.png": None}
    assert (after.model_sha256, after.card) == (digest, scorer.card)


def test_another_models_file_is_refused(folder: Path, run: Callable[..., EmbeddedImages]) -> None:
    run("a.png")
    digest = file_sha256(folder / "tower.onnx")
    other = artsim.load(write_tower(folder / "other.onnx", scale=1 / 128), "cpu")
    with pytest.raises(InputError, match=f"store.parquet: .*{digest}.*{file_sha256(folder / 'other.onnx')}"):
        run("a.png", scorer=other)


@pytest.mark.parametrize(
    "name", ["two\nlines.png", "quo\"ted'.png", "\U0001f3a8.png", "\u00fc" * 125 + "x.png", " .png", "a,b.png"]
)
def test_odd_names_are_names_like_others(folder: Path, run: Callable[..., EmbeddedImages], name: str) -> None:
    write_paintings(folder / "images", name)
    assert run(name).embedded == 1
    (folder / "images" / name).unlink()
    assert (run(name).embedded, run(name).status.tolist(), list(stored_rows(folder))) == (0, [0], [name])


def test_new_embeddings_are_written_during_the_run(
    folder: Path, scorer: artsim.Scorer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run that fails has stored what it had embedded; rows that it had not reached stay."""
    path = folder / "store.parquet"
    embed_files(scorer, ["c.png"], folder / "images", None, path)
    monkeypatch.setattr(store_updates, "SHORTEST_INTERVAL", 0.0)
    monkeypatch.setattr(store_updates, "INTERVAL_PER_WRITE", 0)
    one_by_one = artsim.load(folder / "tower.onnx", "cpu", batch_size=1)
    real = one_by_one.tower
    batches: list[int] = []

    class Failing:
        card, width, path = real.card, real.width, real.path

        def __call__(self, images: Any) -> Any:
            if len(batches) == 1:
                raise ZeroDivisionError
            batches.append(len(images))
            return real(images)

    monkeypatch.setattr(one_by_one, "tower", Failing())
    with pytest.raises(ZeroDivisionError):
        embed_files(one_by_one, NAMES[:2], folder / "images", open_store(path, scorer), path)
    assert sorted(stored_rows(folder)) == ["a.png", "c.png"]


def test_a_store_in_a_missing_folder_is_an_output_error(folder: Path, scorer: artsim.Scorer) -> None:
    with pytest.raises(OutputError, match="nowhere"):
        embed_files(scorer, NAMES, folder / "images", None, folder / "nowhere" / "store.parquet")
