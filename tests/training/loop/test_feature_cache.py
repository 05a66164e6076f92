"""Features that trainings share: computed once, by digest."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from artsim.training.loop.feature_cache import FeatureCache, digest_of


class Computed:
    def __init__(self) -> None:
        self.times = 0

    def __call__(self) -> dict[str, NDArray[np.float32]]:
        self.times += 1
        return {"features": np.full((3, 2), self.times, np.float32)}


def cache(folder: Path, said: list[str] | None = None) -> FeatureCache:
    return FeatureCache(folder / "features", (said if said is not None else []).append)


def test_features_are_computed_once_for_all_processes(tmp_path: Path) -> None:
    compute = Computed()
    one = cache(tmp_path)
    assert [one.get("a", compute)["features"][0, 0] for _ in range(2)] == [1, 1]
    assert cache(tmp_path).get("a", compute)["features"].tolist() == [[1, 1]] * 3
    assert one.get("b", compute)["features"][0, 0] == 2
    assert compute.times == 2


def test_those_that_ask_at_once_wait_for_the_first(tmp_path: Path) -> None:
    compute = Computed()
    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(lambda _: cache(tmp_path).get("a", compute)["features"][0, 0], range(4)))
    assert (found, compute.times) == ([1] * 4, 1)


def test_a_damaged_file_is_told_and_computed_again(tmp_path: Path) -> None:
    compute, said = Computed(), list[str]()
    cache(tmp_path).get("a", compute)
    file = tmp_path / "features" / "a.npz"
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)
    assert cache(tmp_path, said).get("a", compute)["features"][0, 0] == 2
    assert "damaged" in said[0]


@pytest.mark.parametrize(
    "other",
    [
        digest_of(["lite0", "half"], [np.arange(6), np.zeros(0)]),
        digest_of(["lite0", "all"], [np.arange(6)[::-1], np.zeros(0)]),
        digest_of(["lite0", "all"], [np.arange(6).reshape(2, 3), np.zeros(0)]),
        digest_of(["lite0", "all"], [np.arange(6).astype(np.float32), np.zeros(0)]),
        digest_of(["lite0", "all"], [np.arange(6)]),
        digest_of(["lite0", "all"], [np.arange(6), np.array(1, np.float32)]),
    ],
)
def test_the_digest_depends_on_everything(other: str) -> None:
    assert other != digest_of(["lite0", "all"], [np.arange(6), np.zeros(0)])


def test_the_digest_is_that_of_the_values() -> None:
    works = np.random.default_rng(0).integers(0, 255, (200, 4, 4, 3), np.uint8)
    assert digest_of(["x"], [works]) == digest_of(["x"], [np.asfortranarray(works)])
