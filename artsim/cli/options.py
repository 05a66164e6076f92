"""Shared parts of the commands: the spelling of flags, and groups of options as decorators."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import click

from artsim.bad_images import BadImageLimit
from artsim.errors import EXIT_CODES
from artsim.messages import Say

# The same as images.MAX_PIXELS and scorer.MAX_BATCH_SIZE. Importing these would load numpy and Pillow for --help.
MAX_PIXELS = 500_000_000
MAX_BATCH_SIZE = 1024

# Names of the 2018 program that differ by more than underscores and letter case.
OLD_NAMES = {"savedata-to-file": "save-data-to-file", "checkpt-dir": "checkpoint-dir"}

Command = Callable[..., Any]


def spell(token: str) -> str:
    """The kebab-case spelling of a flag, for any letter case and for underscores."""
    spelled = token.replace("_", "-").lower()
    return OLD_NAMES.get(spelled, spelled)


SPELLING = {"token_normalize_func": spell, "help_option_names": ["-h", "--help"], "max_content_width": 110}


def exit_codes_help() -> str:
    r"""The exit codes, as the last part of a help text. click does not join lines after \b."""
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
    """--max-bad-images and --max-pixels: which images are bad, and how many may be."""

    def decorate(command: Command) -> Command:
        command = click.option(
            "--max-pixels",
            type=click.IntRange(min=1),
            default=MAX_PIXELS,
            show_default=True,
            help="Do not decode images with more pixels than this.",
        )(command)
        return click.option(
            "--max-bad-images",
            type=BadImageLimitType(),
            default=default,
            show_default=True,
            metavar="N|N%",
            help="Bad images to accept, as a count or a share of the different images. With more, the exit code is 4.",
        )(command)

    return decorate


def tower_options(command: Command) -> Command:
    """--model, --device and --batch-size: the tower and the way it runs."""
    command = click.option(
        "--batch-size",
        type=click.IntRange(1, MAX_BATCH_SIZE),
        metavar="N",
        help="Images in one batch of the tower. Default: 4 on the CPU, 64 on CUDA.",
    )(command)
    command = click.option(
        "--device",
        type=click.Choice(["auto", "cuda", "cpu"]),
        default="auto",
        show_default=True,
        help="Device that runs the tower. auto is CUDA if it works, else the CPU.",
    )(command)
    return click.option(
        "--model",
        required=True,
        metavar="FILE",
        help="Tower: an .onnx file that `artsim train` or `artsim export` wrote.",
    )(command)


quiet_option = click.option("--quiet", is_flag=True, help="Print no progress and no summary on standard error.")


def stderr_lines(*, quiet: bool) -> Say:
    """What prints a line on standard error, or nothing if the command is quiet."""
    return (lambda _: None) if quiet else partial(click.echo, err=True)
