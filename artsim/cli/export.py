"""`artsim export`."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args

import click

from artsim.cli.extras import needs_train_extra
from artsim.cli.options import FOLDER, SPELLING, WithSwitches, echo_path, stderr_lines
from artsim.cli.progress import stage_bars
from artsim.cli.sections import further_help
from artsim.escaping import printable_lines
from artsim.scoring.contract import Precision

EPILOG = f"""
\b
Examples:
  artsim export Checkpoints/compact-60x12-seed0-1a2b3c4d
  artsim export Checkpoints/compact-60x12-seed0-1a2b3c4d --which last -o last.onnx
  artsim export Checkpoints/compact-60x12-seed0-1a2b3c4d --precision int8 --max-auc-loss 0.01

{further_help()}
"""
PATH = click.Path(path_type=Path)


@click.command(cls=WithSwitches, context_settings=SPELLING, epilog=EPILOG)
@click.argument("checkpoints", metavar="CHECKPOINTS", type=PATH)
@click.option(
    "--which", type=click.Choice(["best", "last", "refit"]),
    help="Checkpoint to export. Default: refit if the run has it, else best.",
)  # fmt: skip
@click.option(
    "-o", "--output", type=PATH, metavar="FILE",
    help="File to write. Default: tower.onnx in CHECKPOINTS, or for example tower-int8.onnx by --precision.",
)  # fmt: skip
@click.option(
    "--data-dir", type=FOLDER, metavar="DIR",
    help="Folder of the works. Default: the folder where they were in training.",
)  # fmt: skip
@click.option(
    "--precision", type=click.Choice(get_args(Precision)), default="fp32", show_default=True,
    help="Precision of the tower. fp16-weights stores weights in 16 bits and computes in 32: half the size at the same "
    "speed. fp16 also computes in 16 bits and is for GPUs. int8 quarters the size, is for CPUs, and is calibrated on "
    "training works.",
)  # fmt: skip
@click.option(
    "--max-auc-loss", type=click.FloatRange(min=0, max=1), default=0.005, show_default=True, metavar="LOSS",
    help="Largest loss of AUC of a reduced precision, on seen or unseen artists. With more, no tower is written.",
)  # fmt: skip
def export(checkpoints: Path, data_dir: str | None, **options: Any) -> None:
    """Export a checkpoint as an ONNX tower.

    CHECKPOINTS is a run's folder in --checkpoint-dir, or the artifact `checkpoints` of its MLflow run. Before the tower
    is written, it is compared with its source, calibrated and evaluated on the run's validation works. If the run is in
    MLflow's store, the tower becomes a further model of it, with its metrics, size and speed.
    """
    needs_train_extra()
    from artsim.export.report import describe
    from artsim.jobs.export import ExportOptions, export_checkpoint

    with stage_bars(quiet=False) as progress:
        works = None if data_dir is None else Path(data_dir)
        flags = click.get_current_context().params
        export_options = ExportOptions(folder=checkpoints, data_dir=works, flags=flags, **options)
        exported = export_checkpoint(export_options, stderr_lines(quiet=False), progress)
    click.echo(printable_lines(describe(exported)))
    echo_path(exported.path)
