"""`artsim ui`: what it refuses before it answers, and what it warns about."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from artsim.server import serving
from tests.command import artsim_in_process
from tests.towers import adaptable_card, write_paintings, write_tower


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A tower and a gallery; a page that ends at once."""
    write_tower(tmp_path / "tower.onnx", adaptable_card())
    write_paintings(tmp_path / "works", "a.png", "b.png", "c.png")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(serving, "serve", lambda *_: None)
    return tmp_path


def ui(*arguments: str) -> int:
    return artsim_in_process("ui", "--model", "tower.onnx", "--port", "0", "--no-browser", *arguments)


def test_the_address_is_the_only_result(capsys: pytest.CaptureFixture[str]) -> None:
    assert ui("--among", "works") == 0
    out, err = capsys.readouterr()
    assert out.startswith("http://127.0.0.1:")
    assert len(out.splitlines()) == 1
    assert err.splitlines() == [
        "searched 3 works",
        "cohort: none: 3 different works in the gallery, and a cohort needs 10",
        "Press Ctrl-C to end.",
    ]


def test_another_host_is_warned_about_even_if_quiet(capsys: pytest.CaptureFixture[str]) -> None:
    assert ui("--host", "0.0.0.0", "--quiet") == 0  # noqa: S104
    assert "other computers can open this page, and it asks for no password" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--cohort", "self"], 2, "--cohort self means the works of the gallery. Add --among"),
        (["--columns", "filename=File"], 2, "--columns names columns of a table"),
        (["--prior", "2"], 2, "the prior is 2"),
        (["--port", "70000"], 2, "70000 is not in the range"),
        (["--host", "no.such.host.invalid"], 2, "this computer has no such address"),
        (["--among", "lost"], 3, "lost"),
        (["--among", "works", "--cohort", "lost"], 3, "lost"),
        (["--model", "lost.onnx"], 5, "lost.onnx"),
    ],
)
def test_wrong_input_ends_before_the_page(
    capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, message: str
) -> None:
    assert ui(*arguments) == code
    out, err = capsys.readouterr()
    assert message in err
    assert out == ""


def test_without_its_extra_the_command_says_what_to_install(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    find = importlib.util.find_spec
    missing = ("starlette", "uvicorn")
    monkeypatch.setattr("artsim.cli.extras.find_spec", lambda name: None if name in missing else find(name))
    assert ui() == 2
    assert capsys.readouterr().err == 'error: starlette, uvicorn not installed. Run: pip install "artsim[ui]"\n'
