"""The contract of an ONNX tower: its input, its output, and its card.

The graph takes `images`, uint8 (batch, S, S, 3) RGB, and gives `embeddings`, float32 (batch, D). The card is one JSON
object in the model's metadata, under the key `artsim`. It holds all that a scorer needs beyond the graph: the image
size, the distance, the calibration and the threshold.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, get_args

from artsim.errors import ModelError
from artsim.scoring.familiarity import PhotographRule, TrainingEmbeddings

CONTRACT = 2  # rises when an older artsim could no longer use a new tower correctly
METADATA_KEY = "artsim"
INPUT_NAME = "images"
OUTPUT_NAME = "embeddings"

DistanceName = Literal["rms", "euclidean"]
Precision = Literal["fp32", "fp16-weights", "fp16", "int8"]

# artsim 0.1 wrote `val_seen_auc` for `val_seen/auc`.
_OLD_METRIC = re.compile(r"^(val_seen|val_unseen)_")


@dataclass(frozen=True)
class Calibration:
    """P(same artist | distance d) = sigmoid(slope · d + intercept); `prior` is the share of same-artist pairs."""

    slope: float
    intercept: float
    prior: float = 0.5


@dataclass(frozen=True)
class DecisionRule:
    """A calibration and a threshold; a distance below the threshold means the same artist."""

    calibration: Calibration
    threshold: float


@dataclass(frozen=True)
class CohortRule:
    """How embeddings adapt to a cohort (see `artsim.scoring.cohort`), and the decision rule for adapted distances.

    The first `adapted_width` values of an embedding, those of the readout, are adapted. The others, those of a trained
    head, stay as they are.
    """

    adapted_width: int
    calibration: Calibration
    threshold: float


@dataclass(frozen=True)
class Card:
    """The description of a tower, stored in its ONNX file.

    `validation` holds the metrics of the exported graph on validation works, for example `val_unseen/auc`.
    If `refit` is true, the exported tower was refit on all works after validation. The metrics are then those of the
    first fit, which did not use the validation works, and the calibration comes from cross-validation folds of artists.
    `precision` is the number format of the layers. It informs people; a scorer does not need it.
    Without `cohort`, distances cannot be adapted. Without `photographs`, unfamiliar photographs are not noticed. A card
    without both follows contract 1, so that an older artsim can read it.
    """

    image_size: int
    distance: DistanceName
    threshold: float
    calibration: Calibration
    recipe: str
    selection_sha256: str
    artsim_version: str
    run_id: str | None = None
    validation: Mapping[str, float] = field(default_factory=dict)
    refit: bool = False
    resize: Literal["letterbox"] = "letterbox"
    precision: str = "fp32"
    cohort: CohortRule | None = None
    photographs: PhotographRule | None = None
    contract: int = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "contract", 1 if self.cohort is None and self.photographs is None else CONTRACT)

    def to_json(self) -> str:
        """Return the JSON text for the model's metadata."""
        return json.dumps(asdict(self), sort_keys=True, allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> Card:
        """Read a card.

        Unknown fields are ignored: a later artsim with the same contract may have written them. Validation metrics of
        artsim 0.1 get their present names (`val_seen_auc` becomes `val_seen/auc`).

        Raises:
            ModelError: the text is not JSON, has a newer contract, or lacks a field or has an invalid one.
        """
        try:
            fields: dict[str, Any] = json.loads(text)  # Any: the values are checked below
            contract = int(fields["contract"])
        except (ValueError, TypeError, KeyError) as error:
            raise ModelError(
                f"its '{METADATA_KEY}' metadata is not an artsim card ({error!r}). Export the tower again."
            ) from error
        if contract > CONTRACT:
            raise ModelError(
                f"it follows contract {contract}, but this artsim supports only contract {CONTRACT}. "
                f"Upgrade: install artsim {fields.get('artsim_version', '(a later version)')} or later."
            )
        try:
            card = cls(
                image_size=int(fields["image_size"]),
                distance=fields["distance"],
                threshold=float(fields["threshold"]),
                calibration=_calibration(fields["calibration"]),
                recipe=str(fields["recipe"]),
                selection_sha256=str(fields["selection_sha256"]),
                artsim_version=str(fields["artsim_version"]),
                run_id=fields.get("run_id"),
                validation={
                    _OLD_METRIC.sub(r"\1/", name): float(value) for name, value in fields.get("validation", {}).items()
                },
                refit=bool(fields.get("refit", False)),
                resize=fields["resize"],
                precision=str(fields.get("precision", "fp32")),
                cohort=_cohort_rule(fields.get("cohort")),
                photographs=_photograph_rule(fields.get("photographs")),
            )
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise ModelError(
                f"its '{METADATA_KEY}' metadata lacks a field or has an invalid one ({error!r}). Export it again."
            ) from error
        card._check()
        return card

    def _check(self) -> None:
        known = {
            "distance": self.distance in get_args(DistanceName),
            "resize": self.resize == "letterbox",
            "image_size": self.image_size > 0,
            "threshold": math.isfinite(self.threshold),
            "calibration": _is_sound(self.calibration),
            "photographs": self.photographs is None or self.photographs.is_sound,
            "cohort": self.cohort is None
            or (
                self.cohort.adapted_width > 0
                and math.isfinite(self.cohort.threshold)
                and _is_sound(self.cohort.calibration)
            ),
        }
        for name, good in known.items():
            if not good:
                raise ModelError(
                    f"its '{METADATA_KEY}' metadata has an invalid {name}: {getattr(self, name)!r}. "
                    "Export the tower again."
                )


def _calibration(fields: Mapping[str, Any]) -> Calibration:
    return Calibration(**{key: float(value) for key, value in fields.items()})


def _cohort_rule(fields: Mapping[str, Any] | None) -> CohortRule | None:
    if fields is None:
        return None
    return CohortRule(int(fields["adapted_width"]), _calibration(fields["calibration"]), float(fields["threshold"]))


def _photograph_rule(fields: Mapping[str, Any] | None) -> PhotographRule | None:
    if fields is None:
        return None
    described = fields["training"]
    mean, directions, variances = (str(described[name]) for name in ("mean", "directions", "variances"))
    training = TrainingEmbeddings(mean, directions, variances, float(described["rest"]))
    return PhotographRule(training, *(float(fields[name]) for name in ("familiar", "onset", "correction")))


def _is_sound(calibration: Calibration) -> bool:
    return math.isfinite(calibration.slope) and math.isfinite(calibration.intercept) and 0 < calibration.prior < 1
