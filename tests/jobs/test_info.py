"""`artsim info`: a tower in eight lines, the installation without a tower, everything as JSON."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import onnxruntime
import pytest

from artsim.jobs import info
from tests.command import ROOT, artsim_in_process
from tests.towers import WIDTH, adaptable_card, card, write_tower


@pytest.fixture
def tower(tmp_path: Path) -> str:
    validation = {"val_unseen/auc": 0.8, "val_unseen/auc_low": 0.7, "val_unseen/auc_high": 0.9}
    return str(write_tower(tmp_path / "tower.onnx", adaptable_card(validation=validation)))


def test_a_tower_is_described_in_eight_lines(tower: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert artsim_in_process("info", tower) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 8
    text = "\n".join(" ".join(line.split()) for line in lines)
    for expected in (
        tower, "recipe test", "run abc", "images of 16 px", f"{WIDTH} values", "0.300 without a cohort; 1.000 where",
        "unseen artists AUC 0.80 (95 % interval 0.70 to 0.90)", "seen artists not measured",
    ):  # fmt: skip
        assert expected in text


def test_json_has_the_whole_card_and_what_the_file_is(tower: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert artsim_in_process("info", tower, "--json") == 0
    fields = json.loads(capsys.readouterr().out)
    assert (fields["embedding_size"], fields["bytes"]) == (WIDTH, Path(tower).stat().st_size)
    assert fields["validation"]["val_unseen/auc_low"] == 0.7


def test_a_card_without_rules_says_what_the_tower_can_not_do(tmp_path: Path) -> None:
    lines = dict(info.tower_info(str(write_tower(tmp_path / "old.onnx", card()))).lines)
    assert "cannot adapt" in lines["threshold"]
    assert "cannot tell unfamiliar photographs" in lines["input"]


def test_the_installation_is_described_without_importing_what_trains() -> None:
    code = (
        "import sys; from artsim.jobs.info import installation_info; found = installation_info()\n"
        "import json; print(json.dumps(found.fields))\n"
        "assert not {'tensorflow', 'keras', 'mlflow'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    fields = json.loads(done.stdout)
    assert fields["python"] == ".".join(map(str, sys.version_info[:3]))
    assert onnxruntime.__version__ in fields["packages"].values()
    assert fields["packages"]["tensorflow"]
    assert fields["providers"]["cpu"] is None
    assert Path(fields["tower"]).is_file()


def test_cuda_that_does_not_work_and_missing_managers_have_a_reason(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(info, "cuda_obstacle", lambda: "no driver")
    monkeypatch.setattr(info, "find_spec", lambda name: None if name == "tf2onnx" else object())
    monkeypatch.setattr("shutil.which", lambda name: "/bin/conda" if name == "conda" else None)
    assert artsim_in_process("info") == 0
    out = capsys.readouterr().out
    assert "not usable: no driver" in out
    assert "--env-manager local: lacks tf2onnx" in out
    assert "--env-manager uv: uv is not on the PATH; --env-manager conda: usable" in out


def test_caches_have_their_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(info, "user_cache_path", lambda _: tmp_path)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "none"))
    (tmp_path / "towers").mkdir()
    (tmp_path / "towers" / "a.onnx").write_bytes(b"x" * 1000)
    own, keras = info.installation_info().fields["caches"]
    assert (own["path"], own["bytes"], keras["bytes"]) == (str(tmp_path), 1000, 0)
