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
  artsim export Checkpoints/compact-60x12-seed0-1a2b3c4d --precision int8 --max-auc-loss 0.01

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
    help="Default: tower.onnx in CHECKPOINTS; tower-fp16.onnx or tower-int8.onnx for fewer bits.",
)
@click.option(
    "--data-dir",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Where the works of its selection lie now. Default: where they lay in training.",
)
@click.option(
    "--precision",
    type=click.Choice(["fp32", "fp16", "int8"]),
    default="fp32",
    show_default=True,
    help="What the tower computes in. fp16 halves its size, for GPUs; int8, calibrated on works it was trained on, "
    "quarters it and is for CPUs.",
)
@click.option(
    "--max-auc-loss",
    type=click.FloatRange(min=0, max=1),
    default=0.005,
    show_default=True,
    metavar="LOSS",
    help="How much AUC fp16 or int8 may lose on validation pairs, seen or unseen, before nothing is written.",
)
def export(
    folder: Path,
    which: Literal["best", "last", "refit"] | None,
    output: Path | None,
    data_dir: Path | None,
    precision: Literal["fp32", "fp16", "int8"],
    max_auc_loss: float,
) -> None:
    """Turn a checkpoint into an ONNX tower.

    CHECKPOINTS is a run's folder in --checkpoint-dir, or the artifact `checkpoints` of its MLflow run. The tower
    is compared with its source, calibrated and judged on the run's validation works before it is written.
    """
    from artsim.cli.extras import needs_train_extra

    needs_train_extra()
    from artsim.jobs.export import described, export_checkpoint

    output = output or folder / ("tower.onnx" if precision == "fp32" else f"tower-{precision}.onnx")
    say = partial(click.echo, err=True)
    with stage_bars(quiet=False) as progress:
        exported = export_checkpoint(
            folder,
            which,
            output,
            data_dir,
            progress,
            say,
            MAX_PIXELS,
            precision=precision,
            max_auc_loss=max_auc_loss,
        )
    click.echo(described(exported))
    click.echo(exported.path)
