"""The contract of an ONNX tower: its input, its output, and its card.

The graph takes `images`, uint8 (batch, S, S, 3) RGB, and gives `embeddings`, float32 (batch, D). The card is one JSON
object in the model's metadata, under the key `artsim`. It holds all that a scorer needs beyond the graph: the image
size, the distance, the calibration and the threshold.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Literal, get_args

from artsim.errors import ModelError
from artsim.json_fields import FieldError, Fields, parse_object
from artsim.scoring.familiarity import (
    LARGEST_LIMIT,
    MOST_SLOPE,
    SMALLEST_LIMIT,
    Correction,
    PhotographRule,
    TrainingEmbeddings,
)

CONTRACT = 2  # rises when an older artsim could no longer use a new tower correctly
METADATA_KEY = "artsim"
INPUT_NAME = "images"
OUTPUT_NAME = "embeddings"
MAX_IMAGE_SIZE = 4096  # px; a batch of four has 200 MB then. artsim trains towers of some hundreds
MOST_VALUES = 2**20  # of an embedding
MOST_BASE64 = 2**25  # characters of an array
SMALLEST = 1e-9  # of a number that must be above 0

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


# What to do with a tower whose card lacks a rule: for messages.
OTHER_TOWER = (
    "Use another tower: base, or one that this version of artsim has trained, but not by --recipe classic, and not "
    "exported by --which last"
)


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
            return cls.from_fields(parse_object(text))
        except FieldError as error:
            raise ModelError(f"its '{METADATA_KEY}' metadata is wrong: {error}. Export the tower again.") from error

    @classmethod
    def from_fields(cls, fields: Fields) -> Card:
        """Read a card from the fields of its JSON object.

        Raises:
            FieldError: a field is missing or invalid.
            ModelError: the contract is newer.
        """
        contract = fields.integer("contract", 1, 1000)
        if contract > CONTRACT:
            writer = fields.text("artsim_version", default="of an unknown version")
            raise ModelError(
                f"it follows contract {contract}, but this artsim reads contracts 1 to {CONTRACT}. It was written by "
                f"artsim {writer}. Install that version or a later one."
            )
        return cls(
            image_size=fields.integer("image_size", 1, MAX_IMAGE_SIZE),
            distance=fields.choice("distance", get_args(DistanceName)),
            threshold=fields.number("threshold", 0),
            calibration=calibration_of(fields.object("calibration")),
            recipe=fields.text("recipe"),
            selection_sha256=fields.text("selection_sha256"),
            artsim_version=fields.text("artsim_version"),
            run_id=fields.text_or_none("run_id"),
            validation={_OLD_METRIC.sub(r"\1/", name): value for name, value in fields.numbers("validation").items()},
            refit=fields.flag("refit", default=False),
            resize=fields.choice("resize", ("letterbox",)),
            precision=fields.text("precision", default="fp32"),
            cohort=_cohort_rule(fields.object_or_none("cohort")),
            photographs=_photograph_rule(fields.object_or_none("photographs")),
        )


def calibration_of(fields: Fields) -> Calibration:
    """Read a calibration.

    Raises:
        FieldError: a field is missing or invalid.
    """
    return Calibration(
        fields.number("slope"), fields.number("intercept"), fields.number("prior", SMALLEST, 1 - SMALLEST, default=0.5)
    )


def _cohort_rule(fields: Fields | None) -> CohortRule | None:
    if fields is None:
        return None
    width = fields.integer("adapted_width", 1, MOST_VALUES)
    return CohortRule(width, calibration_of(fields.object("calibration")), fields.number("threshold", 0))


def _photograph_rule(fields: Fields | None) -> PhotographRule | None:
    if fields is None:
        return None
    return PhotographRule(training_embeddings(fields.object("training")), correction_of(fields.object("correction")))


def correction_of(fields: Fields) -> Correction:
    """Read the correction for unfamiliar photographs.

    Raises:
        FieldError: a field is missing or invalid, or the limits are not in order.
    """
    familiar, foreign, onset = (fields.number(name) for name in ("familiar", "foreign", "onset"))
    correction = Correction(familiar, foreign, onset, fields.number("slope", 0, MOST_SLOPE))
    if not correction.is_sound:
        raise FieldError(
            f"'correction' needs {SMALLEST_LIMIT:g} <= familiar < foreign <= {LARGEST_LIMIT:g}, "
            f"but they are {familiar:g} and {foreign:g}"
        )
    return correction


def training_embeddings(fields: Fields) -> TrainingEmbeddings:
    """Read the description of the training photographs' embeddings.

    Raises:
        FieldError: a field is missing or invalid, or the arrays do not fit together.
    """
    names = "mean", "directions", "variances", "view_directions"
    mean, directions, variances, view_directions = (fields.text(name, MOST_BASE64) for name in names)
    training = TrainingEmbeddings(mean, directions, variances, fields.number("rest", 0), view_directions)
    if not training.is_sound:
        raise FieldError(f"the arrays of 'training' ({', '.join(names)}) do not fit together or have unusable numbers")
    return training
