"""The names of the package are offered and typed before anything heavy is imported."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import artsim
from tests.command import ROOT

FUNCTIONS = {"artsim.images_in", "artsim.load", "artsim.nearest"}


def output(code: str) -> list[str]:
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout.split()


def test_names_are_listed_without_an_import_of_their_modules() -> None:
    listed = output("import artsim, sys; print(*dir(artsim)); assert 'numpy' not in sys.modules")
    assert {name for name in listed if not name.startswith("__")} == set(artsim.__all__) - {"__version__"}


def test_the_completion_of_python_offers_them() -> None:
    offered = output(
        "import artsim, rlcompleter; complete = rlcompleter.Completer({'artsim': artsim}).attr_matches\n"
        "print(*complete('artsim.'))"
    )
    assert {name.partition("(")[0] for name in offered} >= FUNCTIONS


def test_the_completion_of_ipython_offers_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    offered = output(
        "from IPython.core.completer import provisionalcompleter\n"
        "from IPython.core.interactiveshell import InteractiveShell\n"
        "shell = InteractiveShell.instance()\n"
        "shell.run_cell('import artsim')\n"
        "with provisionalcompleter():\n"
        "    print(*(each.text for each in shell.Completer.completions('artsim.', 7)))\n"
    )
    assert {f"artsim.{name.removeprefix('artsim.').removeprefix('.')}" for name in offered} >= FUNCTIONS


def test_a_lazy_name_is_the_one_of_its_module() -> None:
    assert artsim.load.__module__ == "artsim.model_names"
    assert artsim.Scorer.__module__ == "artsim.scoring.scorer"
