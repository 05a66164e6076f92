"""`--search`: what it takes, and what it says about the rest."""

from __future__ import annotations

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from artsim.cli.search_options import declared, named_space, searchable_flags
from artsim.cli.sweep import sweep
from artsim.errors import UsageError
from artsim.training.recipes import RECIPES, Recipe
from artsim.training.search_space import Choices, Range, Values, space_of

CONTEXT = click.Context(sweep, info_name="sweep")


def named(*texts: str) -> dict[str, Values]:
    return named_space(CONTEXT, texts)


def test_ranges_and_values() -> None:
    assert named("readout-shift=0..2") == {"readout_shift": Range(0.0, 2.0)}
    assert named("--Embedding_Size=64..512") == {"embedding_size": Range(64, 512, log=True)}
    assert named("loss=softmax,supcon image-size=192,256") == {
        "loss": Choices(("softmax", "supcon")),
        "image_size": Choices((192, 256)),
    }
    assert named("weight-decay=0..0.1") == {"weight_decay": Range(0.0, 0.1, log=False)}
    assert named("tune-rate=1e-5..1e-3") == {"tune_rate": Range(1e-5, 1e-3, log=True)}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("readout-shift", "write FLAG=LOW..HIGH or FLAG=A,B,C"),
        ("readout-shift=", "write FLAG=LOW..HIGH"),
        ("shift=0..1", "--shift cannot be searched. Use one of tower, image-size"),
        ("refit=True,False", "--refit cannot be searched"),
        ("seed=0..5", "--seed cannot be searched"),
        ("readout-shift=2..1", "first number must be smaller"),
        ("readout-shift=1..1", "first number must be smaller"),
        ("readout-shift=-1..1", r"--search readout-shift=-1\.\.1: .*not in the range"),
        ("readout-shift=0..inf", "not a finite number"),
        ("readout-shift=nan..1", "not a finite number"),
        ("embedding-size=64..2.5", "not a valid integer"),
        ("loss=softmax..supcon", "the flag has no numbers"),
        ("loss=softmax,triplet", "'triplet' is not one of"),
        ("loss=softmax", "names one value. To fix it: --loss softmax"),
        ("loss=softmax,softmax", "names a value twice"),
        ("loss=softmax,supcon loss=supcon,softmax", "--loss is named twice"),
    ],
)
def test_what_makes_no_sense_is_told(text: str, problem: str) -> None:
    with pytest.raises(UsageError, match=problem):
        named(text)


@given(st.text(alphabet="abct-=.,0123456789 e", max_size=20))
def test_any_text_gives_a_space_or_an_error(text: str) -> None:
    try:
        found = named(text)
    except UsageError:
        return
    assert all(name in Recipe.__dataclass_fields__ for name in found)


@given(st.floats(0, 1e6), st.floats(0, 1e6))
def test_a_range_is_read_back(one: float, other: float) -> None:
    low, high = sorted((one, other))
    if low < high:
        assert named(f"readout-shift={low!r}..{high!r}")["readout_shift"] == Range(low, high)


def test_declared_values_are_valid_for_their_flags() -> None:
    for name, option in searchable_flags(sweep).items():
        values = option.search.values
        ends = [] if values is None else [values.low, values.high] if isinstance(values, Range) else values.values
        for value in ends:
            assert option.type_cast_value(CONTEXT, str(value)) == value, name


@pytest.mark.parametrize(
    ("recipe", "names"),
    [
        ("readout", {"embedding_size", "readout_stretch", "readout_shift"}),
        ("classic", {"learning_rate"}),
        (
            "compact",
            {"embedding_size", "readout_share", "readout_stretch", "loss", "learning_rate", "weight_decay"},
        ),
    ],
)
def test_a_recipe_is_searched_over_flags_that_have_an_effect(recipe: str, names: set[str]) -> None:
    assert set(space_of(RECIPES[recipe], declared(sweep), set(), {})) == names


def test_flags_with_a_value_are_left_out_and_named_ones_replace_what_is_declared() -> None:
    named_one: dict[str, Values] = {"readout_shift": Range(0.0, 0.1), "feature_maps": Choices(("all", "half"))}
    space = space_of(RECIPES["readout"], declared(sweep), {"readout_stretch"}, named_one)
    assert set(space) == {"embedding_size", "readout_shift", "feature_maps"}
    assert space["readout_shift"] == Range(0.0, 0.1)
