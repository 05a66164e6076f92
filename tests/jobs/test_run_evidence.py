"""What a run keeps for the eye: pictures go to another computer only where the user wants it."""

from __future__ import annotations

from pathlib import Path

import pytest
from mlflow.tracking import MlflowClient

from artsim.tracking.outages import is_local
from artsim.tracking.run import Run
from tests.command import SMALL, artsim_in_process, eagerly


@pytest.mark.parametrize(("flags", "has_pictures"), [((), False), (("--log-pictures", "True"), True)])
@pytest.mark.usefixtures("tiny_tower")
@eagerly
def test_a_remote_store_gets_pictures_only_by_a_flag(
    demo_csv: Path, working_folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    flags: tuple[str, ...], has_pictures: bool,
) -> None:  # fmt: skip
    monkeypatch.setattr(Run, "keeps_artifacts_here", False)
    data = ["--data-file-path", str(demo_csv), "--num-of-artists", "8", *SMALL, "--epochs", "1"]
    data += ["--readout-share", "0"]
    assert artsim_in_process("train", *data, *flags) == 0
    client = MlflowClient()
    (run,) = client.search_runs(["0"])
    page = Path(client.download_artifacts(run.info.run_id, "report.html")).read_text(encoding="utf-8")
    assert ("data:image/webp" in page) == has_pictures
    assert "Artists never seen in training" in page
    names = {item.path for item in client.list_artifacts(run.info.run_id, "figures")}
    assert ("figures/training_views.jpg" in names) == has_pictures
    assert {"figures/roc.svg", "figures/distances.svg", "figures/confusion_of_artists.svg"} <= names
    assert ("without pictures of the works" in capsys.readouterr().err) != has_pictures
    own = next(Path("Checkpoints").glob("*/report.html")).read_text(encoding="utf-8")
    assert "data:image/webp" in own  # the user's own copy


@pytest.mark.parametrize(
    ("address", "is_here"),
    [
        ("{folder}/artifacts", True),
        ("file://{folder}/artifacts", True),
        ("mlflow-artifacts:/0", False),
        ("s3://bucket/a", False),
    ],
)
def test_files_are_here_and_servers_are_not(working_folder: Path, address: str, is_here: bool) -> None:
    client = MlflowClient()
    experiment = client.create_experiment("own", artifact_location=address.format(folder=working_folder))
    assert is_local(client.create_run(experiment).info.artifact_uri) == is_here
