"""Switches: alone, or before True or False, in every command."""

from __future__ import annotations

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from artsim.cli import main
from artsim.cli.options import WithSwitches, is_switch, spell, switch


def commands() -> dict[str, click.Command]:
    context = click.Context(main.artsim)
    return {name: command for name in main.COMMANDS if (command := main.artsim.get_command(context, name))}


ALL = [
    (name, str(option.name)) for name, command in commands().items() for option in command.params if is_switch(option)
]


@click.command(cls=WithSwitches, context_settings={"token_normalize_func": spell})
@click.argument("files", nargs=-1)
@click.option("--number", type=int)
@switch("--fast", help="")
@switch("--refit", default=None, help="")
def small(**_: object) -> None: ...


def parsed(*words: str) -> dict[str, object]:
    return dict(small.make_context("small", list(words)).params)


def test_every_boolean_flag_of_every_command_is_a_switch() -> None:
    boolean = [
        (name, str(option.name))
        for name, command in commands().items()
        for option in command.params
        if isinstance(option.type, click.types.BoolParamType) or getattr(option, "is_flag", False)
    ]
    assert boolean == ALL
    assert {("train", "register"), ("train", "refit"), ("score", "evidence"), ("nearest", "with_itself")} <= set(ALL)


@pytest.mark.parametrize(("name", "option"), ALL)
def test_a_switch_takes_true_and_false_and_nothing(name: str, option: str) -> None:
    command = commands()[name]
    (flag,) = next(each.opts for each in command.params if each.name == option)
    for words, value in (([], True), (["True"], True), (["false"], False)):
        context = command.make_context(name, [flag, *words], resilient_parsing=True)
        assert context.params[option] is value


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--fast", "works.csv"], {"fast": True, "files": ("works.csv",)}),
        (["--FAST", "FALSE", "works.csv"], {"fast": False, "files": ("works.csv",)}),
        (["--fast=True", "True"], {"fast": True, "files": ("True",)}),
        (["--fast", "--number", "3"], {"fast": True, "number": 3}),
        (["--", "--fast", "True"], {"fast": False, "files": ("--fast", "True")}),
        (["--refit", "False", "--refit"], {"refit": True}),
        ([], {"fast": False, "refit": None}),
    ],
)
def test_a_switch_takes_no_other_word(words: list[str], expected: dict[str, object]) -> None:
    found = parsed(*words)
    assert {name: found[name] for name in expected} == expected


def test_a_value_that_is_no_truth_is_told() -> None:
    with pytest.raises(click.BadParameter, match="'perhaps' is not a valid boolean"):
        parsed("--fast=perhaps")


@given(st.lists(st.sampled_from(["a.csv", "--fast", "True", "false", "-"]), max_size=6))
def test_every_word_is_a_file_a_switch_or_its_value(words: list[str]) -> None:
    after = [before == "--fast" for before in ["", *words]]
    files = [
        word
        for place, word in enumerate(words)
        if word != "--fast" and not (after[place] and word.lower() in ("true", "false"))
    ]
    assert parsed(*words)["files"] == tuple(files)
