"""--threads: the number of threads that decode images, and of those that run the tower."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import onnxruntime
import pytest

from artsim import machine
from artsim.scoring.session import open_tower
from tests.command import artsim_in_process
from tests.towers import write_paintings, write_tower


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, set[int]]]:
    """The numbers of threads that are asked for."""
    found: dict[str, set[int]] = {"decode": set(), "tower": set()}

    class Pool(ThreadPoolExecutor):
        def __init__(self, count: int) -> None:
            found["decode"].add(count)
            super().__init__(count)

    real: Callable[..., onnxruntime.InferenceSession] = onnxruntime.InferenceSession

    def session(data: bytes, options: onnxruntime.SessionOptions, **settings: object) -> onnxruntime.InferenceSession:
        found["tower"].add(options.intra_op_num_threads)
        return real(data, options, **settings)

    monkeypatch.setattr("artsim.prefetch.ThreadPoolExecutor", Pool)
    monkeypatch.setattr(onnxruntime, "InferenceSession", session)
    yield found
    machine.use_threads(None)


@pytest.mark.parametrize("command", ["score", "embed", "nearest"])
def test_threads_are_those_of_decoding_and_of_the_tower(
    tmp_path: Path, counted: dict[str, set[int]], command: str
) -> None:
    write_tower(tmp_path / "tower.onnx")
    write_paintings(tmp_path / "works", "a.png", "b.png")
    (tmp_path / "works" / "pairs.csv").write_text("image1,image2\na.png,b.png\n")
    arguments = {
        "score": [str(tmp_path / "works" / "pairs.csv"), "-o", str(tmp_path / "scores.csv")],
        "embed": [str(tmp_path / "works"), "-o", str(tmp_path / "store.parquet")],
        "nearest": [
            str(tmp_path / "works" / "a.png"),
            "--among",
            str(tmp_path / "works"),
            "-o",
            str(tmp_path / "n.csv"),
        ],
    }[command]
    tower = ["--model", str(tmp_path / "tower.onnx"), "--device", "cpu"]
    assert artsim_in_process(command, *arguments, *tower, "--threads", "3") == 0
    assert counted == {"decode": {3}, "tower": {3}}


def test_a_quota_is_respected_by_default(
    tmp_path: Path, counted: dict[str, set[int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: 64)
    monkeypatch.setattr("os.sched_getaffinity", lambda _: set(range(64)))
    monkeypatch.setattr(machine, "cgroup_cores", lambda: 2)
    open_tower(write_tower(tmp_path / "tower.onnx"), "cpu")
    assert counted["tower"] == {2}
