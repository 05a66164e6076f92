"""From a trained tower to an ONNX file: convert, compare, quantize, evaluate, write."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from artsim._version import __version__
from artsim.evaluation.validation import Validation
from artsim.export.reduced_precision import OpenedTower, Quantization, QuantizationCost, open_converted, quantize
from artsim.export.run_record import ExportSource, RunRecord
from artsim.scoring.contract import Calibration, Card

if TYPE_CHECKING:
    import keras

    from artsim.export.convert import ExportCheck

COMPARED_IMAGES = 64  # they give 2,016 distances, and TensorFlow embeds them quickly


@dataclass(frozen=True)
class Exported:
    """An ONNX tower on disk, its check and its validation."""

    path: Path
    card: Card
    check: ExportCheck
    embeddings: NDArray[np.float32]  # (V, D) of the validation works, by the tower that was evaluated
    validation: Validation
    cost: QuantizationCost | None = None  # None: float32


def export_tower(
    source: ExportSource,
    record: RunRecord,
    selection_sha256: str,
    validation: Validation,
    pixels: NDArray[np.uint8],
    output: Path,
    quantization: Quantization | None = None,
) -> Exported:
    """Export a tower: nothing is written unless all checks pass.

    The metrics come from onnxruntime alone. A refitted tower is compared with its source like any other. Its metrics
    are those of the tower before the refit, and its decision rule comes from cross-validation folds of artists.

    Args:
        source: the tower.
        record: the run it comes from.
        selection_sha256: digest of the selection it was trained on.
        validation: the validation works.
        pixels: uint8 (V, S, S, 3) of these works.
        output: the file to write.
        quantization: the reduced precision; None: float32. The float32 tower is compared with its source first.

    Raises:
        GateError: the export differs from its source, or the reduced precision loses too much AUC.
        OutputError: the file cannot be written.
    """
    from artsim.export.convert import write

    unfitted = Card(
        image_size=record.image_size,
        distance=record.distance,
        threshold=0.0,
        calibration=Calibration(slope=0.0, intercept=0.0),
        recipe=record.recipe,
        selection_sha256=selection_sha256,
        artsim_version=__version__,
        run_id=record.run_id,
        refit=source.evaluated is not None,
    )
    exported, check, cost = _convert_and_compare(source.tower, unfitted, validation, pixels, quantization)
    evaluated = exported
    if source.evaluated is not None:
        evaluated, _, cost = _convert_and_compare(source.evaluated, unfitted, validation, pixels, quantization)
    result = validation.evaluate(evaluated.embeddings, intervals=True)
    rule = source.rule or result.rule
    card = replace(exported.card, threshold=rule.threshold, calibration=rule.calibration, validation=result.metrics)
    write(exported.proto, card, output)
    return Exported(output, card, check, evaluated.embeddings, validation, cost)


def _convert_and_compare(
    tower: keras.Model, card: Card, validation: Validation, pixels: NDArray[np.uint8], quantization: Quantization | None
) -> tuple[OpenedTower, ExportCheck, QuantizationCost | None]:
    """The tower in ONNX, at the precision asked for, and its comparison with TensorFlow in float32."""
    from artsim.export.convert import compare, convert
    from artsim.training.loop.evaluator import embed

    with tempfile.TemporaryDirectory(prefix="artsim-") as name:
        opened = open_converted(convert(tower), card, Path(name, "tower.onnx"), pixels)
        some = np.unique(np.linspace(0, len(pixels) - 1, COMPARED_IMAGES).astype(int))
        check = compare(embed(tower, pixels[some]), opened.embeddings[some], card.distance)
        if quantization is None:
            return opened, check, None
        reduced, cost = quantize(quantization, opened, validation, pixels, Path(name, "reduced.onnx"))
        return reduced, check, cost
