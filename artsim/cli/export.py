"""`artsim export`: a checkpoint becomes an ONNX tower."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Literal

import click

from artsim.cli.options import MAX_PIXELS, SPELLING, exit_codes_help
from artsim.cli.progress import stage_bars

EPILOG = """
\b
Examples:
  artsim export Checkpoints/compact-60x12-seed0-1a2b3c4d
  artsim export Checkpoints/compact-60x12-seed0-1a2b3c4d --which last -o last.onnx

""" + exit_codes_help()


@click.command(context_settings=SPELLING, epilog=EPILOG)
@click.argument("folder", metavar="CHECKPOINTS", type=click.Path(path_type=Path))
@click.option(
    "--which",
    type=click.Choice(["best", "last", "refit"]),
    help="Which checkpoint of the run. Default: the one refitted on all works where there is one, else the best.",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Default: tower.onnx in CHECKPOINTS.",
)
@click.option(
    "--data-dir",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Where the works of its selection lie now. Default: where they lay in training.",
)
def export(
    folder: Path, which: Literal["best", "last", "refit"] | None, output: Path | None, data_dir: Path | None
) -> None:
    """Turn a checkpoint into an ONNX tower.

    CHECKPOINTS is a run's folder in --checkpoint-dir, or the artifact `checkpoints` of its MLflow run. The tower
    is compared with its source, calibrated and judged on the run's validation works before it is written.
    """
    from artsim.cli.extras import needs_train_extra

    needs_train_extra()
    from artsim.jobs.export import described, export_checkpoint

    output = output or folder / "tower.onnx"
    with stage_bars(quiet=False) as progress:
        say = partial(click.echo, err=True)
        exported = export_checkpoint(folder, which, output, data_dir, progress, say, MAX_PIXELS)
    click.echo(described(exported))
    click.echo(exported.path)
