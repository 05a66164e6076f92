"""The sections of the commands' help, and its last line."""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from pathlib import Path
from urllib.parse import unquote, urlparse

import click
import pytest

from artsim.cli import main, sections
from artsim.errors import EXIT_CODES
from artsim.training.recipes import RECIPES
from tests.command import ROOT, artsim_in_process


@pytest.mark.parametrize("name", main.COMMANDS)
def test_the_help_has_each_option_once_in_a_section(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    command = main.artsim.get_command(click.Context(main.artsim), name)
    assert command is not None
    assert artsim_in_process(name, "--help") == 0
    shown = Counter(re.findall(r"^  (?:-\w, )?(--?[\w-]+)", capsys.readouterr().out, flags=re.MULTILINE))
    expected = {max(option.opts, key=len) for option in command.params if isinstance(option, click.Option)} | {"--help"}
    assert {flag: number for flag, number in shown.items() if flag != "-k"} == dict.fromkeys(expected - {"-k"}, 1)


def test_long_helps_are_in_sections(capsys: pytest.CaptureFixture[str]) -> None:
    score = [title for title in sections.SECTIONS if title != "Page"]
    ui = ["Tower", "Images and tables", "Scores", "Page", "General"]
    for name, titles in (("train", list(sections.TRAINING)), ("score", score), ("ui", ui)):
        assert artsim_in_process(name, "--help") == 0
        text = capsys.readouterr().out
        every = sections.TRAINING if name == "train" else sections.SECTIONS
        assert [title for title in every if f"\n{title}:\n" in text] == titles
        assert "\nOptions:\n" not in text or name == "train"


def test_the_last_line_of_a_help_names_the_page_with_codes_and_recipes(capsys: pytest.CaptureFixture[str]) -> None:
    assert artsim_in_process("train", "--help") == 0
    text = capsys.readouterr().out
    page = Path(unquote(urlparse(text.split()[-1]).path)).read_text(encoding="utf-8")
    assert all(f"| {code} | {meaning} |" in page for code, meaning in EXIT_CODES.items())
    assert all(f"| `{name}` " in page for name in RECIPES)
    assert "[compact " not in text


def test_an_installed_artsim_has_the_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    build = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert build["force-include"] == {"docs/cli.md": "artsim/docs/cli.md"}
    assert sections.PLACES[0] == ROOT / "artsim" / "docs"
    monkeypatch.setattr(sections, "PLACES", (tmp_path,))
    assert "repository" in sections.further_help()
    (tmp_path / "cli.md").touch()
    assert sections.further_help().endswith((tmp_path / "cli.md").as_uri())
