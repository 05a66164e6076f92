"""From a trained tower to an ONNX file: convert, compare, quantize, evaluate, write."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from artsim._version import __version__
from artsim.evaluation.rules import TowerRules, fit_rules
from artsim.evaluation.validation import Validation
from artsim.export.reduced_precision import (
    OpenedTower,
    Quantization,
    QuantizationCost,
    embed_works,
    open_converted,
    quantize,
)
from artsim.export.run_record import EmbeddingsRecord, ExportSource, RunRecord
from artsim.scoring.contract import Calibration, Card, CohortRule, DecisionRule
from artsim.scoring.familiarity import PhotographRule
from artsim.shifted_views import ShiftedViews

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
    factors: NDArray[np.float32] | None  # (V,) of their distances; None: 1
    validation: Validation
    scores: pd.DataFrame  # of all validation pairs, with those of the shifted twin
    cost: QuantizationCost | None = None  # None: float32


@dataclass(frozen=True)
class _Compared:
    """What a tower in ONNX gives, and how it compares with its source."""

    check: ExportCheck
    cost: QuantizationCost | None  # None: float32
    works: NDArray[np.float32]  # embeddings (V, D) of the validation works
    views: NDArray[np.float32]  # (V, D) of a shifted view of each


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
    are those of the tower before the refit, and its rules come from cross-validation folds of artists. How familiar
    photographs are is measured by the refitted tower, whose training works the card describes.

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

    card = _card_without_rules(record, selection_sha256, refit=source.evaluated is not None)
    evaluated = None
    if source.evaluated is not None:  # its opened tower takes memory, so it is not kept
        evaluated = _convert_and_compare(source.evaluated, card, validation, pixels, quantization)[1]
    opened, exported = _convert_and_compare(source.tower, card, validation, pixels, quantization)
    evaluated = evaluated or exported
    card, factors, scores = _with_rules_and_metrics(source, opened.card, exported, evaluated, validation, record.seed)
    write(opened.proto, card, output)
    return Exported(output, card, exported.check, evaluated.works, factors, validation, scores, evaluated.cost)


def _card_without_rules(record: RunRecord, selection_sha256: str, *, refit: bool) -> Card:
    return Card(
        image_size=record.image_size,
        distance=record.distance,
        threshold=0.0,
        calibration=Calibration(slope=0.0, intercept=0.0),
        recipe=record.recipe,
        selection_sha256=selection_sha256,
        artsim_version=__version__,
        run_id=record.run_id,
        refit=refit,
    )


def _with_rules_and_metrics(
    source: ExportSource, card: Card, exported: _Compared, evaluated: _Compared, validation: Validation, seed: int
) -> tuple[Card, NDArray[np.float32] | None, pd.DataFrame]:
    """The complete card, the factors (V,) of the validation works' distances (None: 1), and the scores of all pairs."""
    rules = source.rules or _rules_of_validation(source, validation, evaluated, seed)
    card = _with_contract_2(card, source.embeddings, rules)
    factors = view_factors = None
    if card.photographs is not None:
        factors, view_factors = (card.photographs.factors(each) for each in (exported.works, exported.views))
    result = validation.evaluate(evaluated.works, factors, intervals=True)
    plain = result.rule if rules is None else rules.plain
    if validation.threshold is not None:
        plain = DecisionRule(plain.calibration, validation.threshold)
    metrics = result.metrics | validation.evaluate_shifted(evaluated.views, view_factors, plain, seed)
    card = replace(card, threshold=plain.threshold, calibration=plain.calibration, validation=metrics)
    scores = validation.scores(evaluated.works, card, factors)
    shifted = validation.shifted_scores(evaluated.views, card, view_factors, seed)
    return card, factors, pd.concat([scores, shifted], ignore_index=True)


def _rules_of_validation(
    source: ExportSource, validation: Validation, evaluated: _Compared, seed: int
) -> TowerRules | None:
    """The rules fitted on validation works by unseen artists; None if the training works' embeddings are unknown."""
    if source.embeddings is None:
        return None
    fold = validation.fold(evaluated.works, evaluated.views, source.embeddings.training)
    return fit_rules([fold], validation.distance, seed, source.embeddings.readout_width)


def _with_contract_2(card: Card, embeddings: EmbeddingsRecord | None, rules: TowerRules | None) -> Card:
    """The card with what a cohort and unfamiliar photographs need, as far as it is known."""
    if embeddings is None or rules is None or rules.correction is None:
        return card
    cohort = None
    if rules.adapted is not None:
        cohort = CohortRule(embeddings.readout_width, rules.adapted.calibration, rules.adapted.threshold)
    return replace(card, cohort=cohort, photographs=PhotographRule(embeddings.training, rules.correction))


def _convert_and_compare(
    tower: keras.Model, card: Card, validation: Validation, pixels: NDArray[np.uint8], quantization: Quantization | None
) -> tuple[OpenedTower, _Compared]:
    """The tower in ONNX, at the precision asked for, and its comparison with TensorFlow in float32."""
    from artsim.export.convert import compare, convert
    from artsim.training.loop.evaluator import embed

    with tempfile.TemporaryDirectory(prefix="artsim-") as name:
        opened, cost = open_converted(convert(tower), card, Path(name, "tower.onnx"), pixels), None
        some = np.unique(np.linspace(0, len(pixels) - 1, COMPARED_IMAGES).astype(int))
        check = compare(embed(tower, pixels[some]), opened.embeddings[some], card.distance)
        if quantization is not None:
            opened, cost = quantize(quantization, opened, validation, pixels, Path(name, "reduced.onnx"))
        views = embed_works(opened.tower, ShiftedViews(pixels, validation.photographers))
        return opened, _Compared(check, cost, opened.embeddings, views)
