"""`artsim-score --engine spark` as typed, without Java: errors only."""

from __future__ import annotations

from importlib.machinery import ModuleSpec
from pathlib import Path

import pytest

from artsim.cli import extras
from artsim.cli.main import run
from artsim.cli.score import score
from tests.towers import write_paintings, write_tower


@pytest.fixture(autouse=True)
def _no_java(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A working folder with a tower and a pair, and no Java anywhere."""
    write_paintings(tmp_path, "a.png", "b.png")
    write_tower(tmp_path / "tower.onnx")
    (tmp_path / "pairs.csv").write_text("image1,image2\na.png,b.png\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("JAVA_HOME", raising=False)


def scored(*arguments: str) -> int:
    command = ["--model", "tower.onnx", "pairs.csv", *arguments]
    return run(lambda: score.main(command, prog_name="artsim-score", standalone_mode=False))


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ((), 2, "Name it with -o X.parquet"),
        (("-o", "-"), 2, "Name it with -o X.parquet"),
        (("-o", "scores.csv"), 2, "Name it with -o X.parquet"),
        (("-o", "there.parquet"), 8, "exists already"),
        (("-o", "link.parquet"), 8, "exists already"),
        (("-o", "nowhere/scores.parquet"), 8, "there is no folder nowhere"),
        (("-o", "scores.parquet", "--summary", "nowhere/s.json"), 8, "there is no folder nowhere"),
        (("-o", "scores.parquet"), 2, "apt install default-jre-headless"),
    ],
)
def test_wrong_options_are_reported_before_anything_is_written(
    arguments: tuple[str, ...], code: int, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "there.parquet").mkdir()
    (tmp_path / "link.parquet").symlink_to("lost")
    before = sorted(tmp_path.iterdir())
    assert scored("--engine", "spark", *arguments) == code
    assert message in capsys.readouterr().err
    assert sorted(tmp_path.iterdir()) == before


def test_master_without_engine_spark_exits_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert scored("--master", "local[2]") == 2
    assert "--master needs --engine spark" in capsys.readouterr().err


def test_spark_without_its_extra_names_the_extra(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def nothing(name: str) -> ModuleSpec | None:
        return None

    monkeypatch.setattr(extras, "find_spec", nothing)
    assert scored("--engine", "spark", "-o", "scores.parquet") == 2
    assert 'pyspark not installed. Run: pip install "artsim[spark]"' in capsys.readouterr().err
