"""`artsim export`: export a checkpoint of a finished run."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from artsim.collection.selection import Selection, read_selection
from artsim.collection.works import Reading
from artsim.errors import InputError, ModelError, OutputError
from artsim.evaluation.validation import Validation
from artsim.export.pipeline import Exported, export_tower
from artsim.export.reduced_precision import Quantization, calibration_paintings
from artsim.export.run_record import SELECTION_FILE, ExportSource, RunRecord, Which
from artsim.images import MAX_PIXELS
from artsim.jobs.steps.export_log import log_export
from artsim.messages import Progress, Say
from artsim.overwrites import check_overwrites
from artsim.scoring.contract import Precision
from artsim.tracking.logged_models import TOWER_MODEL


@dataclass(frozen=True)
class ExportOptions:
    """The settings of `artsim export`: a run's folder of checkpoints, and the values of the flags."""

    folder: Path
    which: Which | None
    output: Path | None
    data_dir: Path | None
    precision: Precision
    max_auc_loss: float
    max_pixels: int = MAX_PIXELS
    flags: Mapping[str, object] = field(default_factory=dict)  # the value of every flag, for the run's params


def export_checkpoint(options: ExportOptions, say: Say, progress: Progress) -> Exported:
    """Export a checkpoint with the files beside it.

    Raises:
        UsageError: the output is a file that the run has written, or a picture.
        ModelError: there is no such checkpoint.
        InputError: the works are missing, or the validation works give no pairs.
        GateError: the export differs from its source, or loses too much AUC.
    """
    name = "tower.onnx" if options.precision == "fp32" else f"tower-{options.precision}.onnx"
    output = options.output or options.folder / name
    if not os.path.isdir(options.folder):  # noqa: PTH112 - Path's raises for a folder without permission
        raise ModelError(f"{options.folder}: no such folder, or no permission. Name a run's folder of checkpoints.")
    others = [file for file in options.folder.glob("*") if file.suffix.lower() != ".onnx"]
    check_overwrites({"CHECKPOINTS": others}, {"--output": output}, makes_tower=True)
    from artsim.training.runtime import start_tensorflow

    start_tensorflow()
    from artsim.training.data.pixels import decoded

    record = RunRecord.read(options.folder)
    path = options.folder / SELECTION_FILE
    if not output.parent.is_dir():
        raise OutputError(f"{output}: there is no folder {output.parent}. Create it, or name another file by --output.")
    selection = read_selection(path, options.data_dir or Path(record.data_dir), Reading(say))
    if not isinstance(selection, Selection):
        raise InputError(f"{path}: it has no column 'split'. Use the file that the run wrote.")
    source = ExportSource.read(options.folder, options.which)
    validation = Validation(selection, record.distance, record.threshold, record.seed)
    if validation.pairs.empty:
        raise InputError(f"{path}: no two of its validation works are by one artist, so the tower cannot be evaluated.")
    quantization = _quantization(options, selection, record, say, progress)
    with decoded(validation.paths, record.image_size, options.max_pixels, partial(progress, "reading"), say) as pixels:
        exported = export_tower(source, record, selection.digest, validation, pixels, output, quantization)
    log_export(exported, _model_name(options), options.flags, say)
    return exported


def _model_name(options: ExportOptions) -> str:
    """The name of the tower among the models of its run: `tower-int8`, `tower-last-fp16`, `tower-again`."""
    reduced = [] if options.precision == "fp32" else [options.precision]
    return "-".join([TOWER_MODEL, *([options.which] if options.which else []), *reduced]) + (
        "" if options.which or reduced else "-again"
    )


def _quantization(
    options: ExportOptions, selection: Selection, record: RunRecord, say: Say, progress: Progress
) -> Quantization | None:
    """The reduced precision asked for, and the paintings that calibrate int8."""
    if options.precision == "fp32":
        return None
    paintings = None
    if options.precision == "int8":
        reading = partial(progress, "calibrating")
        paintings = calibration_paintings(selection, record.image_size, record.seed, options.max_pixels, reading, say)
    return Quantization(options.precision, options.max_auc_loss, paintings)
