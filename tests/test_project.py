"""The project as a whole: public names, settings that are declared once, imports, documents and module sizes."""

from __future__ import annotations

import re
import runpy
import subprocess
import sys
import tomllib
from typing import Any

import click
import pytest
import yaml
from packaging.requirements import Requirement
from packaging.version import Version

import artsim
from artsim.cli import main
from artsim.cli.sweep import sweep
from artsim.cli.train import train
from artsim.errors import EXIT_CODES, ArtsimError, ImageError
from artsim.training.recipes import Recipe
from tests.command import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
HEAVY = {
    "tensorflow", "keras", "tf2onnx", "mlflow", "onnxruntime", "pandas", "pyarrow", "numpy", "sklearn", "PIL", "rich",
}  # fmt: skip
MAX_LINES = 300


def flags_of(command: click.Command) -> dict[str, click.Option]:
    return {str(option.name): option for option in command.params if isinstance(option, click.Option)}


def test_public_names() -> None:
    assert [name for name in artsim.__all__ if name not in {error.__name__ for error in errors()}] == [
        "Cohort",
        "Nearest",
        "Score",
        "Scorer",
        "Scores",
        "__version__",
        "images_in",
        "load",
        "nearest",
    ]
    assert {error.__name__ for error in errors()} <= set(artsim.__all__)
    assert all(hasattr(artsim, name) for name in artsim.__all__)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        artsim.nothing  # noqa: B018 - the look-up is what is tested


def test_commands() -> None:
    names = "train sweep export register pair score embed pairs nearest cluster report compare ui info demo"
    assert " ".join(main.COMMANDS) == names
    for name in main.COMMANDS:
        command = main.artsim.get_command(click.Context(main.artsim), name)
        assert command is not None
        assert command.name == name


def errors(kind: type[ArtsimError] = ArtsimError) -> set[type[ArtsimError]]:
    return {kind}.union(*(errors(child) for child in kind.__subclasses__()))


def test_every_error_has_a_documented_exit_code() -> None:
    assert {kind.exit_code for kind in errors()} == set(EXIT_CODES) - {0, 130}
    assert {kind.status for kind in errors(ImageError) if issubclass(kind, ImageError)} == {
        "missing",
        "unreadable",
        "too large",
    }


@pytest.mark.parametrize("program", ["main", "score_main"])
def test_help_imports_no_heavy_package(program: str) -> None:
    code = (
        f"import sys; sys.argv[1:] = ['--help']\nfrom artsim.cli.main import {program}\n"
        f"try: {program}()\nexcept SystemExit: pass\n"
        "print(*sorted({name.partition('.')[0] for name in sys.modules}), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert "Usage: artsim" in done.stdout
    assert not set(done.stderr.split()) & HEAVY


def test_importing_artsim_imports_no_heavy_package() -> None:
    code = "import sys, artsim; print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert not set(done.stdout.split()) & HEAVY


WITHOUT_A_DEFAULT = ("columns", "data_dir", "quiet", "recipe", "resume", "search", "study", "timeout")


def mlproject() -> dict[str, Any]:
    project: dict[str, Any] = yaml.safe_load((ROOT / "MLproject").read_text(encoding="utf-8"))
    return project


@pytest.mark.parametrize(("name", "command"), [("main", train), ("sweep", sweep)])
def test_mlproject_has_all_flags_with_fixed_defaults(name: str, command: click.Command) -> None:
    entry = mlproject()["entry_points"][name]
    recipe_fields = set(Recipe.__dataclass_fields__)
    expected = {
        name: option.default
        for name, option in flags_of(command).items()
        if name not in recipe_fields and name not in WITHOUT_A_DEFAULT
    }
    assert set(entry["parameters"]) == set(expected)
    for name, parameter in entry["parameters"].items():
        assert parameter["type"] in ("string", "int"), "MLflow wants a `path` to exist, even a default"
        assert str(parameter["default"]) == str(expected[name])
        assert f"--{name.replace('_', '-')} {{{name}}}" in entry["command"]


def test_the_command_of_mlproject_parses_with_its_defaults() -> None:
    entry = mlproject()["entry_points"]["main"]
    command = entry["command"].format(**{name: p["default"] for name, p in entry["parameters"].items()})
    assert command.split()[:4] == ["python", "-m", "artsim", "train"]
    train.make_context("artsim train", command.split()[4:])


def test_the_flags_of_the_2018_program_work() -> None:
    old = [
        "--num_of_artists=7", "--num_of_images_per_artist=8", "--read_prefetched_Data=True", "--saveData_to_file=False",
        "--data_file_path=x.csv", "--DATA_DIR=./", "--BATCH_SIZE=1", "--EPOCHS=3", "--LEARNING_RATE=1e-4",
        "--summaries_dir=Log_files", "--checkpt_dir=Checkpoints", "--device_id=/gpu:0",
    ]  # fmt: skip
    found = train.make_context("artsim train", old).params
    assert found["num_of_artists"] == 7
    assert found["num_of_images_per_artist"] == 8
    assert found["read_prefetched_data"] is True
    assert found["save_data_to_file"] is False
    assert found["data_dir"] == "./"
    assert (found["batch_size"], found["epochs"], found["learning_rate"]) == (1, 3, 1e-4)
    assert (found["checkpoint_dir"], found["device_id"]) == ("Checkpoints", "/gpu:0")


def test_every_field_of_a_recipe_is_a_flag_of_the_same_name() -> None:
    fields = set(Recipe.__dataclass_fields__) - {"name"}
    assert fields <= set(flags_of(train))


def test_the_command_line_reference_is_generated_from_the_commands() -> None:
    page = runpy.run_path(str(ROOT / "docs" / "cli_reference.py"))["reference"]()
    assert (ROOT / "docs" / "cli.md").read_text(encoding="utf-8") == page, "run: python docs/cli_reference.py"


def pinned(python: str) -> dict[str, str]:
    """The version of each package in constraints.txt, for a version of Python."""
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = [Requirement(line) for line in lines if not line.startswith("#")]
    here = {"python_version": python, "python_full_version": f"{python}.0"}
    return {
        pin.name: str(pin.specifier).removeprefix("==") for pin in pins if not pin.marker or pin.marker.evaluate(here)
    }


def test_the_conda_environment_has_the_packages_of_pyproject_at_the_versions_of_constraints() -> None:
    environment = yaml.safe_load((ROOT / "conda.yaml").read_text(encoding="utf-8"))["dependencies"]
    python, pip, packages = environment
    assert (python, pip) == ("python=3.11", "pip")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    declared = [
        Requirement(line) for line in [*project["dependencies"], *extras["train"], *extras["weights"], *extras["sweep"]]
    ]
    listed = [Requirement(line) for line in packages["pip"]]
    assert {(each.name, str(each.marker)) for each in listed} == {(each.name, str(each.marker)) for each in declared}
    versions = pinned("3.11")
    for each in listed:
        if not each.marker or each.marker.evaluate():
            assert str(each.specifier) == f"=={versions[each.name]}"


# The first version without the vulnerabilities that are published (2026-11).
SAFE = {
    "onnx": "1.21",  # files outside the model's folder by external data (CVE-2026-27489, CVE-2026-34445)
    "keras": "3.13.2",  # code from a .keras file in safe mode (CVE-2026-1462); files by HDF5 links
    "mlflow": "3.16",  # file reads and a forged request of the server (CVE-2026-2614, CVE-2026-71211)
    "pillow": "12.3",  # writes out of bounds (PSD), bombs, and five more (PYSEC-2026-2253 to 2257)
    "pyarrow": "23.0.1",  # use after free in the reader of Arrow files (CVE-2026-25087)
    "starlette": "1.3.1",  # forms that take all memory or time (CVE-2026-54283, CVE-2025-62727)
    "python-multipart": "0.0.32",  # the same (CVE-2026-40347, CVE-2026-42561), and headers without a limit
    "filelock": "3.20.3",  # a link in place of a lock's file (CVE-2025-68146)
}


def test_no_allowed_version_has_a_vulnerability_that_is_known() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    declared = [Requirement(line) for line in [*project["dependencies"], *extras["train"], *extras["ui"]]]
    floors = {
        each.name: Version(floor) for each in declared for floor in re.findall(r">=([\d.]+)", str(each.specifier))
    }
    assert {name: floor for name, floor in floors.items() if name in SAFE and floor < Version(SAFE[name])} == {}
    assert set(SAFE) <= set(floors)


def test_the_constraints_are_versions_that_pyproject_allows() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lines = [*project["dependencies"], *(line for extra in project["optional-dependencies"].values() for line in extra)]
    versions = pinned("3.11")
    declared = [Requirement(line) for line in lines if not line.startswith("artsim[")]
    assert [
        str(each)
        for each in declared
        if (not each.marker or each.marker.evaluate()) and not each.specifier.contains(versions[each.name.lower()])
    ] == []


def test_the_readme_has_the_test_command_that_ci_runs() -> None:
    assert re.search(r"^<!-- test command -->\n```\npip install .* && pytest\n```$", README, flags=re.MULTILINE)


def test_no_module_has_more_than_300_lines() -> None:
    sizes = {
        path.relative_to(ROOT).as_posix(): len(path.read_text(encoding="utf-8").splitlines())
        for folder in ("artsim", "tests")
        for path in (ROOT / folder).rglob("*.py")
    }
    assert {name: lines for name, lines in sizes.items() if lines > MAX_LINES} == {}
