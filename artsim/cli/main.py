"""The programs `artsim` and `artsim-score`. Errors become exit codes here and nowhere else."""

from __future__ import annotations

import importlib
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import click

from artsim._version import __version__
from artsim.cli.options import SPELLING, exit_codes_help
from artsim.errors import INTERRUPTED, ArtsimError, OutputError

# The module of each command. It is imported only if its command is used, so that --help is fast.
COMMANDS = {
    "train": ("artsim.cli.train", "Train a tower, export it and evaluate it in one MLflow run."),
    "export": ("artsim.cli.export", "Export a checkpoint to an ONNX tower."),
    "score": ("artsim.cli.score", "Score pairs of paintings with an ONNX tower."),
    "embed": ("artsim.cli.embed", "Write the embeddings of collections to a store."),
    "pairs": ("artsim.cli.pairs", "Make a file of pairs from a folder or a csv."),
    "nearest": ("artsim.cli.nearest", "Who painted this? Rank the works and artists of a gallery."),
    "info": ("artsim.cli.info", "Print a tower's card."),
    "demo": ("artsim.cli.demo", "Write the embedded collection as ordinary files."),
}


class _Commands(click.Group):
    """A group that imports a command only to run it. Its own help imports none."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command = getattr(importlib.import_module(COMMANDS[cmd_name][0]), cmd_name)
        assert isinstance(command, click.Command)  # noqa: S101 - a defect of artsim, not a user's mistake
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, summary) in COMMANDS.items()])


@click.group(cls=_Commands, context_settings=SPELLING, epilog=exit_codes_help())
@click.version_option(__version__, prog_name="artsim", message="%(prog)s %(version)s")
def artsim() -> None:
    """Are two paintings by the same artist?"""


def main() -> NoReturn:
    """Entry point of `artsim`."""
    _start(artsim, "artsim")


def score_main() -> NoReturn:
    """Entry point of `artsim-score`, which is `artsim score`."""
    from artsim.cli.score import score

    _start(score, "artsim-score")


def _start(command: click.Command, name: str) -> NoReturn:
    for stream, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, stream) is None:  # closed by the parent process
            setattr(sys, stream, Path(os.devnull).open(mode, encoding="utf-8"))  # noqa: SIM115 - until the end
    # SIGTERM, from a service manager for example, cleans up as Ctrl-C does.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sys.exit(run(lambda: command.main(prog_name=name, standalone_mode=False)))


def run(command: Callable[[], object]) -> int:
    """Run a command and return its exit code. An error prints its message, without a traceback."""
    try:
        command()
        sys.stdout.flush()
    except ArtsimError as error:
        _say(" ".join([f"error: {error}", *_notes(error)]))
        return error.exit_code
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (KeyboardInterrupt, click.Abort) as error:
        _say(". ".join(["interrupted", *_notes(error)]))
        return INTERRUPTED
    except (BrokenPipeError, SystemExit):  # click raises SystemExit for a broken pipe, even outside standalone mode
        return _reader_has_gone()
    except OSError as error:
        if error.filename is not None:
            raise
        _say(f"error: standard output can't be written ({error.strerror}).")
        return OutputError.exit_code
    return 0


def _reader_has_gone() -> int:
    """The reader has closed the pipe. Redirect stdout, so that Python's flush at exit does not fail."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    return 0


def _notes(error: BaseException) -> list[str]:
    """Notes that callers added to the error, such as how to resume."""
    return getattr(error, "__notes__", [])


def _say(message: str) -> None:
    click.echo(message, err=True)
