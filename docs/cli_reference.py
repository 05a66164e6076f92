"""Write docs/cli.md, the reference of all commands, from their click declarations.

Run it with `python docs/cli_reference.py`. A test compares the file with the commands.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import click

from artsim.cli.main import COMMANDS, artsim
from artsim.cli.options import SPELLING
from artsim.errors import EXIT_CODES
from artsim.training.recipes import RECIPES, Recipe

# Plainer names for the values of click's types.
VALUES = {"INTEGER RANGE": "N", "INTEGER": "N", "FLOAT RANGE": "X", "FLOAT": "X"}
PAGE = Path(__file__).with_name("cli.md")
INTRODUCTION = """# Command line

This page is generated from the commands by `python docs/cli_reference.py`.

`artsim COMMAND --help` prints the same text with examples. The exit codes and the defaults of the recipes are on this
page only. Flags may be written with underscores and in any letter case, so the command lines of the 2018 program still
work. A switch stands alone, or before True or False: `--register` is the same as `--register True`. `artsim-score` is
`artsim score`.
"""


def reference() -> str:
    """The whole page."""
    # click caches the help option in the commands, so it must be the one that they have when they run.
    context = click.Context(artsim, info_name="artsim", help_option_names=SPELLING["help_option_names"])
    commands = ((name, artsim.get_command(context, name)) for name in COMMANDS)
    parts = ["\n".join(_command(name, command, context)) for name, command in commands if command]
    exit_codes = ["## Exit codes", "", "| code | meaning |", "|---|---|", *_exit_codes()]
    return "\n".join([INTRODUCTION, *parts, *_recipes(), *exit_codes])


def _command(name: str, command: click.Command, parent: click.Context) -> Iterator[str]:
    context = click.Context(command, info_name=name, parent=parent)
    yield from (f"## artsim {name}", "", f"    {command.get_usage(context).removeprefix('Usage: ')}", "")
    for paragraph in (command.help or "").split("\n\n"):
        yield from (" ".join(paragraph.split()), "")
    options = [option for option in command.params if isinstance(option, click.Option)]
    if options:
        yield from ("| option | default | meaning |", "|---|---|---|")
        for option in options:
            yield _row(option, context, in_recipe=name in ("train", "sweep") and option.name in _recipe_fields())
        yield ""


def _row(option: click.Option, context: click.Context, *, in_recipe: bool) -> str:
    flags = ", ".join(f"`{flag}`" for flag in option.opts)
    values = "" if option.is_flag else f" `{VALUES.get(metavar := option.make_metavar(context), metavar)}`"
    meaning = (option.help or "").strip()
    return (
        "| "
        + " | ".join(
            cell.replace("|", r"\|")
            for cell in (flags + values, _default(option, context, in_recipe=in_recipe), meaning)
        )
        + " |"
    )


def _default(option: click.Option, context: click.Context, *, in_recipe: bool) -> str:
    if in_recipe or option.required:
        return "of the recipe" if in_recipe else "required"
    if isinstance(option.show_default, str):  # words for a default that is a path here
        return option.show_default
    default = option.get_default(context)
    # click has a sentinel of its own for an option without a default.
    return f"`{default}`" if isinstance(default, str | int | float) and not option.is_flag else ""


def _recipe_fields() -> set[str]:
    return {field.name for field in fields(Recipe)} - {"name"}


def _recipes() -> Iterator[str]:
    """The defaults of `artsim train` that depend on the recipe, a column for each recipe."""
    yield from ("## Defaults of the recipes", "", "Any flag of `artsim train` overrides its recipe.", "")
    yield f"| flag | {' | '.join(f'`{name}`' for name in RECIPES)} |"
    yield "|---" * (len(RECIPES) + 1) + "|"
    for field in fields(Recipe):
        if field.name != "name":
            values = " | ".join(str(getattr(recipe, field.name)) for recipe in RECIPES.values())
            yield f"| `--{field.name.replace('_', '-')}` | {values} |"
    yield ""


def _exit_codes() -> Iterator[str]:
    yield from (f"| {code} | {meaning} |" for code, meaning in EXIT_CODES.items())
    yield from ("", "`mlflow run` reports any failure as 1.", "")


if __name__ == "__main__":
    PAGE.write_text(reference(), encoding="utf-8")
