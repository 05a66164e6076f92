"""Shared parts of the commands: the spelling of flags, groups of options as decorators."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from artsim.cli.sections import write_sections
from artsim.escaping import masked, one_line, printable
from artsim.messages import Say
from artsim.towers import BASE

if TYPE_CHECKING:
    from artsim.bad_images import BadImageLimit
    from artsim.collection.columns import Columns

# Copies of images.MAX_PIXELS and scorer.MAX_BATCH_SIZE, so that --help imports neither numpy nor Pillow.
MAX_PIXELS = 500_000_000
MAX_BATCH_SIZE = 1024
MAX_THREADS = 1024

# Flags of the 2018 program that differ in more than underscores and letter case.
OLD_NAMES = {"savedata-to-file": "save-data-to-file", "checkpt-dir": "checkpoint-dir"}

Command = Callable[..., Any]
Decorator = Callable[[Command], Command]


def spell(token: str) -> str:
    """The kebab-case spelling of a flag. Underscores, capital letters and old names are accepted."""
    spelled = token.replace("_", "-").lower()
    return OLD_NAMES.get(spelled, spelled)


SPELLING: dict[str, Any] = {
    "token_normalize_func": spell,
    "help_option_names": ["-h", "--help"],
    "max_content_width": 110,
}


class BadImageLimitType(click.ParamType["BadImageLimit"]):
    """A count such as 3, or a share such as 1%."""

    name = "N|N%"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> BadImageLimit:
        """Read the limit, or fail with the name of the flag."""
        from artsim.bad_images import BadImageLimit

        if isinstance(value, BadImageLimit):
            return value
        try:
            return BadImageLimit.parse(value)
        except ValueError:
            self.fail(f"{value!r} is neither a count such as 3 nor a share such as 1%.", param, ctx)


class ColumnsType(click.ParamType["Columns"]):
    """The columns of a table of works: filename=File,artist=Artist."""

    name = "NAME=COLUMN,..."

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Columns:
        """Read the names, or fail with the name of the flag."""
        from artsim.collection.columns import Columns

        if isinstance(value, Columns):
            return value
        try:
            return Columns.parse(value)
        except ValueError as error:
            self.fail(f"{error}.", param, ctx)


class NameType(click.ParamType[str]):
    """The name of a file or a folder, which is not empty: Python reads an empty one as the working folder."""

    name = "path"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the name, or fail with the name of the flag."""
        if not str(value).strip():
            self.fail("the name is empty. Name a file or a folder.", param, ctx)
        return str(value)


class FolderType(NameType):
    """The name of a folder that exists."""

    name = "folder"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the name, or fail with the name of the flag."""
        name = super().convert(value, param, ctx)
        if not os.path.isdir(name):  # noqa: PTH112 - Path's raises for a name too long
            self.fail(f"{name!r} is not a folder that exists. Name the folder of the images.", param, ctx)
        return name


NAME = NameType()
FOLDER = FolderType()


def option_group(*options: Decorator) -> Decorator:
    """Several options as one decorator, in the order of the help text."""

    def decorate(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


ARGUMENTS = "artsim.arguments"  # of a command as they were typed, in the `meta` of its context
TRUTHS = ("true", "false")  # what may follow a switch, in any letter case
SWITCH_VALUES = "[True|False]"


class WithSwitches(click.Command):
    """A command whose switches stand alone or before True or False: `--register`, or `--register True`.

    `mlflow run` gives a flag only with a value, and the 2018 program took True or False. click itself would take any
    word after a switch as its value, for example the name of a file.
    """

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the arguments with a value for each switch."""
        ctx.meta[ARGUMENTS] = list(args)
        return super().parse_args(ctx, self.with_values(args))

    def with_values(self, args: list[str]) -> list[str]:
        """The arguments, with a value for each switch that has none."""
        return _with_values(args, {name[2:] for each in self.params if is_switch(each) for name in each.opts})

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options in sections."""
        write_sections(self, ctx, formatter)


def is_switch(parameter: click.Parameter) -> bool:
    """Whether a parameter of a command is a switch."""
    return isinstance(parameter, click.Option) and parameter.metavar == SWITCH_VALUES


def switch(*names: str, help: str, default: bool | None = False) -> Decorator:  # noqa: A002 - as click names it
    """A flag that is either true or false. Without a default it takes the value of the recipe."""
    return click.option(
        *names, type=bool, default=default, show_default=default is not None, metavar=SWITCH_VALUES, help=help
    )


def _with_values(args: list[str], switches: set[str]) -> list[str]:
    """The arguments, with a value for each switch that has none. Those after `--` are no flags."""
    end = args.index("--") if "--" in args else len(args)
    found, left = [], args[:end]
    while left:
        word, *left = left
        if not word.startswith("--") or spell(word[2:]) not in switches:
            found.append(word)
        elif left and left[0].lower() in TRUTHS:
            found.append(f"{word}={left.pop(0)}")
        else:
            found.append(f"{word}=True")
    return found + args[end:]


def bad_image_options(default: str) -> Decorator:
    """--max-bad-images and --max-pixels."""
    return option_group(
        click.option(
            "--max-bad-images", type=BadImageLimitType(), default=default, show_default=True, metavar="N|N%",
            help="Number or share of the different images that may be bad. With more, the exit code is 4.",
        ),
        click.option(
            "--max-pixels", type=click.IntRange(min=1), default=MAX_PIXELS, show_default=True, metavar="N",
            help="Largest number of pixels of an image. A larger image is not decoded and counts as bad.",
        ),
    )  # fmt: skip


# --model, --device, --batch-size and --threads.
tower_options = option_group(
    click.option(
        "--model", type=NAME, default=str(BASE), show_default="the tower that comes with artsim", metavar="MODEL",
        help="Tower to use: an .onnx file, the folder of a model, or a model in MLflow: models:/artsim@champion or "
        "runs:/RUN_ID.",
    ),
    click.option(
        "--device", type=click.Choice(["auto", "cuda", "cpu"]), default="auto", show_default=True,
        help="Device that runs the tower. auto uses CUDA if it works, otherwise the CPU.",
    ),
    click.option(
        "--batch-size", type=click.IntRange(1, MAX_BATCH_SIZE), metavar="N",
        help="Number of images in each run of the tower. Default: 4 on the CPU, 64 on CUDA.",
    ),
    click.option(
        "--threads", type=click.IntRange(1, MAX_THREADS), metavar="N",
        help="Number of CPU threads that decode images, and of those that run the tower. Default: the number of cores "
        "that the command may use, by its affinity and the CPU quota of its container.",
    ),
)  # fmt: skip
data_dir_option = click.option(
    "--data-dir", type=FOLDER, metavar="DIR", help="Folder of the images of a table. Default: the folder of the table."
)
prior_option = click.option(
    "--prior", type=float, metavar="SHARE",
    help="Assumed share of same-artist pairs, between 0 and 1. Default: the prior of the tower.",
)  # fmt: skip


columns_option = click.option(
    "--columns", type=ColumnsType(), metavar="NAME=COLUMN,...",
    help="Columns of a table of works whose names differ, for example filename=File,artist=Artist. The names are "
    "filename, artist, title, style, genre, date and group. Letter case and spaces never matter.",
)  # fmt: skip
qualified_option = click.option(
    "--qualified", type=click.Choice(["drop", "keep"]), default="drop", show_default=True,
    help="What becomes of several artists in one cell, and of attributions such as 'workshop of Rubens'. drop: the "
    "work has no artist. keep: the attribution is an artist of its own, as written.",
)  # fmt: skip


works_option = click.option(
    "--works", metavar="FOLDER|CSV",
    help="Works of the scores: a table with the column filename, or a folder with a subfolder for each artist. Names "
    "must be those of the scores. The report shows their artists, styles and genres. artsim-score adds the columns "
    "artist1, artist2, style1 and style2.",
)  # fmt: skip


def cohort_option(own: str) -> Decorator:
    """--cohort; `own` are the works of the command itself."""
    return click.option(
        "--cohort", type=NAME, metavar="FOLDER|CSV|FILE.parquet|self|none",
        help="Unlabelled works like those of the collection, to which distances adapt: a folder, a table with the "
        f"column filename, an embedding store, or self for {own}. Default: self if the tower can adapt and there are "
        "at least 10 works, otherwise none.",
    )  # fmt: skip


quiet_option = switch("--quiet", help="Write no progress, notes or summary to standard error.")


def is_launched() -> bool:
    """Whether `mlflow run` has started this command, and made a run for it."""
    return "MLFLOW_RUN_ID" in os.environ


def this_command() -> str:
    """The command line as the user typed it, without passwords."""
    program = Path(sys.argv[0]).name
    return masked(shlex.join([program.replace("__main__.py", "artsim"), *sys.argv[1:]]))


def stderr_lines(*, quiet: bool) -> Say:
    """A function that writes one message to standard error, or nothing if quiet."""
    return (lambda _: None) if quiet else lambda text: echo_error(printable(text))


def echo_error(text: str) -> None:
    """Write to standard error. A terminal that is gone, as after SIGHUP, does not end the command."""
    with suppress(OSError):
        click.echo(text, err=True)


def say_report(path: str | None, *, quiet: bool) -> None:
    """Say where a report was written, on standard error; nothing without one."""
    if path is not None:
        stderr_lines(quiet=quiet)(f"report written: {path}")


def echo_path(path: Path) -> None:
    """Write the path of an output to standard output: as it is for a program, escaped on a terminal."""
    click.echo(one_line(str(path)) if sys.stdout.isatty() else os.fsencode(path))  # click strips colours from text
