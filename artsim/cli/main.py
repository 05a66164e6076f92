"""The programs `artsim` and `artsim-score`, and the conversion of errors to exit codes."""

from __future__ import annotations

import importlib
import io
import os
import signal
import sys
from collections.abc import Callable
from difflib import get_close_matches
from importlib.util import find_spec
from typing import NoReturn

import click

from artsim._version import __version__
from artsim.cli.options import SPELLING, echo_error, is_launched, spell
from artsim.cli.sections import further_help
from artsim.errors import INTERRUPTED, ArtsimError, DeviceError, OutputError
from artsim.escaping import printable
from artsim.machine import FREE_MEMORY, check_address_space, is_short_of_memory

# The module and the summary of each command. A module is imported when its command is used, so that --help is fast.
COMMANDS = {
    "train": ("artsim.cli.train", "Train a tower, export it and evaluate it in one MLflow run."),
    "sweep": ("artsim.cli.sweep", "Try values of the flags of a training, and export the best tower."),
    "export": ("artsim.cli.export", "Export a checkpoint to an ONNX tower."),
    "register": ("artsim.cli.register", "Register a run's model, and make it the champion if it is not worse."),
    "pair": ("artsim.cli.pair", "Are two paintings by the same artist? Score two images."),
    "score": ("artsim.cli.score", "Score pairs of paintings with an ONNX tower."),
    "embed": ("artsim.cli.embed", "Embed collections of paintings and store the embeddings."),
    "pairs": ("artsim.cli.pairs", "Write a file of pairs to score."),
    "nearest": ("artsim.cli.nearest", "Who painted this? Rank the works and artists of a gallery."),
    "cluster": ("artsim.cli.cluster", "Which works are probably by one artist? Find clusters without labels."),
    "report": ("artsim.cli.report", "Write a report of scores: metrics, pairs and a map, in one HTML file."),
    "compare": ("artsim.cli.compare", "Which is better? Compare scores or runs on the same pairs, or list the runs."),
    "ui": ("artsim.cli.ui", "Try artsim in a browser: compare two paintings, or search a gallery."),
    "info": ("artsim.cli.info", "Say what a tower is, or what this installation can do."),
    "demo": ("artsim.cli.demo", "Write the embedded collection: paintings by made-up artists."),
}

LEAST_ADDRESS_SPACE = 2**29  # bytes, for numpy and its libraries. Scoring takes more


class _Commands(click.Group):
    """A group that imports a command when it is used. Its own help imports none."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command = getattr(importlib.import_module(COMMANDS[cmd_name][0]), cmd_name)
        assert isinstance(command, click.Command)  # noqa: S101 - a defect of artsim, not a user's mistake
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command, or fail with the name that is meant."""
        near = get_close_matches(spell(args[0]), COMMANDS, n=1)
        if near and spell(args[0]) not in COMMANDS and not args[0].startswith("-"):
            ctx.fail(f"No such command {args[0]!r}. Did you mean {near[0]!r}?")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, summary) in COMMANDS.items()])


@click.group(cls=_Commands, context_settings=SPELLING, epilog=further_help())
@click.version_option(__version__, prog_name="artsim", message="%(prog)s %(version)s")
def artsim() -> None:
    """Find out whether two paintings are by the same artist."""


def main() -> NoReturn:
    """Entry point of `artsim`."""
    _start(artsim, "artsim")


def score_main() -> NoReturn:
    """Entry point of `artsim-score`, which is `artsim score`."""
    from artsim.cli.score import score

    _start(score, "artsim-score")


def _start(command: click.Command, name: str) -> NoReturn:
    _replace_closed_streams()
    _end_as_by_ctrl_c()

    def checked() -> None:
        check_address_space(LEAST_ADDRESS_SPACE, name)
        command.main(prog_name=name, standalone_mode=False)

    sys.exit(run(checked))


def _replace_closed_streams() -> None:
    """Open what the parent process has closed, so that no file gets its number. To write to standard output fails."""
    for number, (stream, mode) in enumerate((("stdin", "r"), ("stdout", "w"), ("stderr", "w"))):
        if getattr(sys, stream) is None:
            opened = os.open(os.devnull, os.O_RDONLY if number < 2 else os.O_WRONLY)
            setattr(sys, stream, os.fdopen(opened, mode, encoding="utf-8"))


def _end_as_by_ctrl_c() -> None:
    """Clean up after SIGTERM and SIGHUP as after Ctrl-C. A SIGHUP that is ignored stays ignored, as `nohup` wants."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    hangup = getattr(signal, "SIGHUP", None)  # not on Windows
    if hangup is not None and signal.getsignal(hangup) is not signal.SIG_IGN:
        signal.signal(hangup, signal.default_int_handler)


def run(command: Callable[[], object]) -> int:
    """Run a command and return its exit code. The message of an error is printed without a traceback."""
    try:
        command()
        sys.stdout.flush()
    except ArtsimError as error:
        _tag_launched_run(f"{type(error).__name__}: {error}")
        _print_error(" ".join([f"error: {error}", *_notes(error)]))
        return error.exit_code
    except click.ClickException as error:
        _tag_launched_run(f"UsageError: {error.format_message()}")
        _show(error)
        return error.exit_code
    except (KeyboardInterrupt, click.Abort) as error:
        # click raises Abort from the KeyboardInterrupt, which has the notes.
        _print_error(" ".join(["interrupted.", *_notes(error), *_notes(error.__cause__)]))
        return INTERRUPTED
    except (BrokenPipeError, SystemExit) as error:
        # For a closed pipe click raises SystemExit(1), even with standalone_mode=False. Others come from libraries.
        if isinstance(error, SystemExit) and error.code != 1:
            raise RuntimeError(f"A library ended the command with the exit code {error.code}.") from error
        _end_stdout()  # the reader of a pipe has gone away
    except Exception as error:
        if is_short_of_memory(error):
            _print_error(" ".join([f"error: there is not enough memory. {FREE_MEMORY}", *_notes(error)]))
            return DeviceError.exit_code
        if not isinstance(error, OSError) or error.filename is not None or error.errno is None:
            raise
        _print_error(f"error: standard output can't be written ({error.strerror}).")
        _end_stdout()
        return OutputError.exit_code
    return 0


def _tag_launched_run(reason: str) -> None:
    """Give the reason to the run that `mlflow run` made, if the command fails before it has begun to log."""
    if is_launched() and find_spec("mlflow") is not None:
        from artsim.tracking.run import tag_launched_run

        tag_launched_run(reason)


def _show(error: click.ClickException) -> None:
    """Show an error of click, or the help where no command is given."""
    shown, message = io.StringIO(), error.format_message()
    error.show(shown)
    is_help = isinstance(error, click.exceptions.NoArgsIsHelpError)
    text = shown.getvalue() if is_help else shown.getvalue().replace(message, printable(message))
    echo_error(text.rstrip("\n"))


def _end_stdout() -> None:
    """Let what is not written yet go nowhere: Python's flush at exit must not fail."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def _notes(error: BaseException | None) -> list[str]:
    """The notes that were added to an error, for example how to resume the run."""
    return getattr(error, "__notes__", [])


def _print_error(message: str) -> None:
    echo_error(printable(message))
