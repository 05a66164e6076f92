"""What the commands share: how flags are spelled, and option groups as decorators."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from artsim.bad_images import BadImageLimit
from artsim.errors import EXIT_CODES

# images.MAX_PIXELS and scorer.LARGEST_BATCH, which --help must not import numpy and Pillow for.
MAX_PIXELS = 500_000_000
LARGEST_BATCH = 1024

# The old program's names that differ by more than underscores and letter case.
OLD_NAMES = {"savedata-to-file": "save-data-to-file", "checkpt-dir": "checkpoint-dir"}

Command = Callable[..., Any]


def spell(token: str) -> str:
    """One spelling of a flag for all that are accepted: kebab case, whatever the letter case or underscores."""
    spelled = token.replace("_", "-").lower()
    return OLD_NAMES.get(spelled, spelled)


SPELLING = {"token_normalize_func": spell, "help_option_names": ["-h", "--help"], "max_content_width": 110}


def exit_codes_help() -> str:
    r"""The exit codes as the last part of a help text; \b keeps click from joining the lines."""
    return "\b\nExit codes:\n" + "\n".join(f"  {code:<4} {meaning}" for code, meaning in EXIT_CODES.items())


class BadImageLimitType(click.ParamType[BadImageLimit]):
    """A count such as 3, or a share such as 1%."""

    name = "N|N%"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> BadImageLimit:
        """Read the limit, or fail with the flag's name."""
        if isinstance(value, BadImageLimit):
            return value
        try:
            return BadImageLimit.parse(value)
        except ValueError:
            self.fail(f"{value!r} is neither a count such as 3 nor a share such as 1%.", param, ctx)


def bad_image_options(default: str) -> Callable[[Command], Command]:
    """--max-bad-images and --max-pixels: when images are no longer good enough to go on."""

    def decorate(command: Command) -> Command:
        command = click.option(
            "--max-pixels",
            type=click.IntRange(min=1),
            default=MAX_PIXELS,
            show_default=True,
            help="An image of more pixels is not decoded.",
        )(command)
        return click.option(
            "--max-bad-images",
            type=BadImageLimitType(),
            default=default,
            show_default=True,
            metavar="N|N%",
            help="How many of the different images may be bad, as a count or a share, before the exit code is 4.",
        )(command)

    return decorate


def tower_options(command: Command) -> Command:
    """--model, --device and --batch-size: the tower and how it is run."""
    command = click.option(
        "--batch-size",
        type=click.IntRange(1, LARGEST_BATCH),
        metavar="N",
        help="Images that go through the tower at once; default: 4 on the CPU, 64 on CUDA.",
    )(command)
    command = click.option(
        "--device",
        type=click.Choice(["auto", "cuda", "cpu"]),
        default="auto",
        show_default=True,
        help="auto is CUDA where it works, else the CPU.",
    )(command)
    return click.option("--model", required=True, metavar="FILE", help="The tower, an .onnx file that artsim wrote.")(
        command
    )


quiet_option = click.option("--quiet", is_flag=True, help="No progress and no summary on standard error.")
