"""The flags of a run that is resumed: those that it recorded, as its params."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click
from click.core import ParameterSource

from artsim.errors import UsageError
from artsim.training.recipes import WHOLE

OWN = ("resume", "quiet")  # flags of the command that resumes, not of the run


def flags_of(context: click.Context) -> dict[str, Any]:
    """The value of each flag by name, without arguments."""
    options = (option for option in context.command.params if isinstance(option, click.Option))
    return {str(option.name): context.params[str(option.name)] for option in options if option.name in context.params}


def recorded_flags(context: click.Context, params: Mapping[str, str], *, is_launched: bool) -> dict[str, Any]:
    """The value of each flag, as the run recorded it.

    Args:
        context: of the command that resumes.
        params: of the run.
        is_launched: by `mlflow run`, which gives all flags of MLproject. Those with their default are not meant.

    Raises:
        UsageError: a flag was given with another value.
    """
    flags = flags_of(context)
    defaults = context.command.make_context(context.info_name, []).params
    for option in context.command.params:
        name = str(option.name)
        if name in OWN or name not in params:
            continue
        recorded = None if params[name] in (str(None), WHOLE) else option.type_cast_value(context, params[name])
        is_given = context.get_parameter_source(name) is ParameterSource.COMMANDLINE
        is_meant = is_given and not (is_launched and flags[name] == defaults[name])
        if is_meant and flags[name] != recorded:
            raise UsageError(
                f"{option.opts[0]} {flags[name]}: the run began with {recorded}, and a resumed run keeps its flags. "
                "Leave the flag out, or start a new run."
            )
        flags[name] = recorded
    return flags
