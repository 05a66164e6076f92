"""The outbox on disk: order, copies of files, replaced steps, and what a killed process leaves."""

from __future__ import annotations

from pathlib import Path

import pytest

from artsim.errors import OutputError
from artsim.tracking.outages import is_local
from artsim.tracking.outbox import About, Outbox
from artsim.tracking.steps import WAITING, Kind, Lane, Step

ABOUT = About.of("a-run", "http://user:hidden@host:5000")


def metrics(step: int) -> Step:
    return Step(Kind.METRICS, {"metrics": {"auc": 0.5}, "step": step})


def file_of(path: Path, folder: str | None = "checkpoints") -> Step:
    return Step(Kind.FILE, {"folder": folder}, path)


def reopened(box: Outbox) -> list[Step]:
    return [step for _, step in Outbox(box.folder, ABOUT).steps()]


def test_steps_are_read_back_in_order(tmp_path: Path) -> None:
    box = Outbox(tmp_path / "box", ABOUT)
    put = [metrics(number) for number in range(12)]
    for step in put:
        box.put(step)
    assert reopened(box) == put
    box.remove(box.steps()[0][0])
    again = Outbox(box.folder, ABOUT)
    again.put(metrics(99))
    assert reopened(again) == [*put[1:], again.steps()[-1][1]]


def test_a_file_is_copied_and_a_newer_one_replaces_it(tmp_path: Path) -> None:
    box, file = Outbox(tmp_path / "box", ABOUT), tmp_path / "best.keras"
    for text in ("old", "new"):
        file.write_text(text)
        box.put(file_of(file))
        box.put(metrics(1))
    box.put(file_of(file, folder=None))  # another place
    file.unlink()
    kept = [step.path.read_text() for step in reopened(box) if step.path is not None]
    assert kept == ["new", "new"]
    assert len(list((box.folder / "files").iterdir())) == 2


def test_a_file_that_is_being_delivered_is_not_replaced(tmp_path: Path) -> None:
    box, file = Outbox(tmp_path / "box", ABOUT), tmp_path / "best.keras"
    file.write_text("x")
    box.put(file_of(file))
    ((number, step),) = box.steps()
    assert box.take(number)
    box.put(file_of(file))
    assert step.path is not None
    assert step.path.exists()
    assert len(box) == 2


def test_what_a_killed_process_left_half_written_is_passed_over(tmp_path: Path) -> None:
    box = Outbox(tmp_path / "box", ABOUT)
    box.put(metrics(1))
    (box.folder / "steps" / "000000000002.json").write_text('{"kind": "met')
    (box.folder / "files" / "000000000003").mkdir()
    assert [step.data["step"] for step in reopened(box)] == [1]
    assert not list((box.folder / "files").iterdir())


def test_a_step_whose_file_cannot_be_copied_leaves_nothing(tmp_path: Path) -> None:
    box = Outbox(tmp_path / "box", ABOUT)
    with pytest.raises(OutputError):
        box.put(file_of(tmp_path / "missing.txt"))
    assert not reopened(box)
    assert not list((box.folder / "files").iterdir())


def test_no_file_of_an_outbox_holds_the_password_of_the_store(tmp_path: Path) -> None:
    Outbox(tmp_path / "box", ABOUT).put(metrics(1))
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(files) == 2
    assert not [path for path in files if "hidden" in path.read_text()]


def test_metrics_of_a_model_that_waits_go_with_the_files() -> None:
    tower = Step(Kind.TOWER, {"name": "tower"})
    waiting = Step(Kind.METRICS, {"model": WAITING + tower.id})
    assert (waiting.model, waiting.lane, tower.lane) == (tower.id, Lane.FILES, Lane.FILES)
    assert Step(Kind.METRICS, {"model": "m-1"}).lane is Lane.RECORDS


@pytest.mark.parametrize(
    ("uri", "local"),
    [
        ("sqlite:///mlflow.db", True),
        ("mlruns", True),
        ("/home/me/mlruns", True),
        ("file:///home/me/mlruns", True),
        ("C:/mlruns", True),
        ("http://127.0.0.1:5000", False),
        ("mlflow-artifacts:/0/1/artifacts", False),
        ("s3://bucket/mlruns", False),
        ("postgresql://host/db", False),
    ],
)
def test_only_files_of_this_computer_are_local(uri: str, local: bool) -> None:
    assert is_local(uri) is local
