"""Inference: sources are decoded in threads and embedded in order, in batches; bad ones are reported."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from artsim.errors import MissingImageError
from artsim.prefetch import prefetch_images
from artsim.scoring.inference import embed_batches
from artsim.scoring.session import Tower, open_tower
from tests.towers import SIZE, write_tower


@pytest.fixture
def tower(tmp_path: Path) -> Tower:
    return open_tower(write_tower(tmp_path / "tower.onnx"), "cpu")


def picture(level: int) -> NDArray[np.uint8]:
    """A plain grey image; odd levels take longer to load, every fifth is missing."""
    time.sleep(0.002 * (level % 2))
    if level % 5 == 4:
        raise MissingImageError(f"{level}: no such file")
    return np.full((SIZE, SIZE, 3), level, dtype=np.uint8)


@pytest.mark.parametrize("count", [0, 1, 4, 10, 23])
@pytest.mark.parametrize("batch_size", [1, 4, 32])
def test_every_source_comes_back_once_and_in_order(tower: Tower, count: int, batch_size: int) -> None:
    batches = list(embed_batches(tower, range(count), picture, batch_size))
    good = [level for level in range(count) if level % 5 != 4]
    assert [position for batch in batches for position in batch.positions] == good
    assert sorted(position for batch in batches for position in batch.failures) == sorted(set(range(count)) - set(good))
    assert all(len(batch.positions) + len(batch.failures) > 0 for batch in batches)
    assert all(len(batch.positions) <= batch_size for batch in batches)
    if good:
        vectors = np.concatenate([batch.vectors for batch in batches])
        wanted = np.concatenate([tower(picture(level)[None]) for level in good])
        np.testing.assert_allclose(vectors, wanted, rtol=1e-5)


@pytest.mark.parametrize("count", [1, 4, 5, 8])
def test_every_batch_has_one_size_filled_up_with_black(
    tower: Tower, count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    batches: list[NDArray[np.uint8]] = []
    real = Tower.__call__

    def recorded(self: Tower, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        batches.append(images.copy())
        return real(self, images)

    monkeypatch.setattr(Tower, "__call__", recorded)
    levels = [5 * level + 1 for level in range(count)]
    assert sum(len(batch.positions) for batch in embed_batches(tower, levels, picture, 4)) == count
    assert [len(batch) for batch in batches] == [4] * -(-count // 4)
    sent = np.concatenate(batches)[:, 0, 0, 0].tolist()
    assert sent == levels + [0] * (-count % 4)


def test_only_bad_images_are_a_batch_without_vectors(tower: Tower) -> None:
    (batch,) = embed_batches(tower, [4, 9], picture, 8)
    assert batch.vectors.shape == (0, tower.width)
    assert str(batch.failures[1]) == "9: no such file"


def test_no_more_images_are_prefetched_than_asked_for() -> None:
    started: list[int] = []
    all_started = threading.Event()

    def load(source: int) -> NDArray[np.uint8]:
        started.append(source)
        if len(started) == 6:
            all_started.set()
        return np.zeros((1, 1, 3), dtype=np.uint8)

    images = prefetch_images(range(100), load, depth=5)
    next(images)
    assert all_started.wait(10)  # five ahead of the one that was asked for
    time.sleep(0.05)
    assert sorted(started) == list(range(6))
    images.close()  # type: ignore[attr-defined]


def test_a_defect_in_load_is_raised_and_leaves_no_thread(tower: Tower) -> None:
    during: set[threading.Thread] = set()

    def broken(source: int) -> NDArray[np.uint8]:
        during.add(threading.current_thread())
        raise ZeroDivisionError

    before = set(threading.enumerate())
    with pytest.raises(ZeroDivisionError):
        list(embed_batches(tower, range(10), broken, 4))
    assert during
    assert not during & before
    assert set(threading.enumerate()) <= before
