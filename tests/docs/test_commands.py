"""The commands of the documents are those of artsim, and work as they are typed."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import click
import pytest

from artsim.cli import main
from artsim.cli.options import SPELLING, WithSwitches
from artsim.towers import BASE
from tests.command import ROOT
from tests.docs.blocks import Block, blocks
from tests.docs.scene import TOWER, write_scene

BLOCKS = blocks()
# Why the commands of a block are not run here; other tests run them or their like.
NOT_RUN = {
    r"\bpip install\b": "installs packages: .ci/run and tests/smoke.sh do that",
    r"^python -m benchmarks\.": "is a benchmark",
    r"^mlflow run\b": "trains for minutes: tests/jobs/test_mlflow_run.py",
    r"^mlflow models serve\b": "is a server: tests/tracking/test_serving.py",
    r"^artsim ui\b|^curl\b.*:8765": "is a server, and a question to it: tests/server/",
    r"--resume\b": "needs an interrupted run: tests/jobs/test_resume.py",
    r"^artsim train\b": "trains for minutes: tests/jobs/",
    r"^artsim sweep\b": "trains for minutes: tests/jobs/test_sweep.py",
    r"^artsim register\b": "needs a run: tests/jobs/test_register.py",
    r"^artsim compare( RUN_ID| --experiment|$)": "needs runs: tests/jobs/test_compare_runs.py",
    r"^artsim export\b": "needs a run: tests/export/",
    r"--master\b": "needs a cluster: tests/jobs/test_score_spark.py",
}


def reason_not_to_run(block: Block) -> str | None:
    return next((why for what, why in NOT_RUN.items() if re.search(what, block.script, flags=re.MULTILINE)), None)


def environment() -> dict[str, str]:
    """The shell finds the commands of this Python, and this artsim."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    return os.environ | {"PATH": path, "PYTHONPATH": str(ROOT), "MLFLOW_TRACKING_URI": ""}


def run(script: str, folder: Path) -> None:
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script], cwd=folder, env=environment(), capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("block", [each for each in BLOCKS if any(each.words())], ids=str)
def test_each_command_parses(block: Block) -> None:
    for program, *arguments in block.words():
        name, *rest = ["score", *arguments] if program == "artsim-score" else arguments
        command = main.artsim.get_command(click.Context(main.artsim), name)
        assert isinstance(command, WithSwitches), f"artsim has no command {name}"
        # click caches the help option in the command, so it must be the one that it has when it runs.
        context = click.Context(command, info_name=name, help_option_names=SPELLING["help_option_names"])
        given, extra, _ = command.make_parser(context).parse_args(
            command.with_values([each for each in rest if each != "…"])
        )
        assert not extra
        for param in command.params:
            # Files and folders need not be there; test_the_commands_of_a_page_work has them.
            if isinstance(param.type, click.Choice) and param.name in given:
                param.type_cast_value(context, given[param.name])


def test_every_reason_not_to_run_a_block_is_needed() -> None:
    for what in NOT_RUN:
        assert any(re.search(what, block.script, flags=re.MULTILINE) for block in BLOCKS), what


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("scene")
    write_scene(folder)
    return folder


@pytest.mark.slow
@pytest.mark.parametrize(
    "block",
    [each for each in BLOCKS if each.document.startswith("docs/") and reason_not_to_run(each) is None],
    ids=str,
)
def test_the_commands_of_a_page_work(block: Block, scene: Path, tmp_path: Path) -> None:
    shutil.copytree(scene, tmp_path, dirs_exist_ok=True)
    run(block.script, tmp_path)


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_the_commands_of_the_readme_work_one_after_the_other(tmp_path: Path) -> None:
    """Those after the first training, which tests/jobs/test_mlflow_run.py runs."""
    readme = [
        each for each in BLOCKS if each.document == "README.md" and not re.search(r"\bpip install\b", each.script)
    ]
    run("\n".join(block.script for block in readme), tmp_path)


@pytest.mark.slow
def test_the_commands_of_the_examples_work(tmp_path: Path) -> None:
    shutil.copy(BASE, tmp_path / TOWER)
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    run("\n".join(block.script for block in BLOCKS if block.document == "examples/README.md"), tmp_path)
