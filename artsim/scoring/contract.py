"""What a tower in ONNX says about itself: the `artsim` metadata key, one JSON object.

The graph takes `images`, uint8 (batch, S, S, 3) RGB, and gives `embeddings`, float32 (batch, D). All that a
scorer must know beyond the graph stands in the card: how to resize, which distance, where the threshold is.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, get_args

from artsim.errors import ModelError

CONTRACT = 1
METADATA_KEY = "artsim"
INPUT_NAME = "images"
OUTPUT_NAME = "embeddings"

DistanceName = Literal["rms", "euclidean"]
Precision = Literal["fp32", "fp16", "int8"]


@dataclass(frozen=True)
class Calibration:
    """P(same artist | distance d) = sigmoid(slope · d + intercept), where `prior` of the pairs are the same."""

    slope: float
    intercept: float
    prior: float = 0.5


@dataclass(frozen=True)
class DecisionRule:
    """A calibration, and the threshold below which a distance means the same artist."""

    calibration: Calibration
    threshold: float


@dataclass(frozen=True)
class Card:
    """The contents of the metadata key; `validation` holds the figures of the exported graph.

    `refit`: the graph was fitted anew on all works once the recipe was judged; then the figures are those of its first
    fit, which had not met the validation works, and the calibration is of fits without some of the artists, in turn.
    `precision` is what its layers compute in: for a person, a scorer need not know it.
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
    contract: int = CONTRACT

    def to_json(self) -> str:
        """The JSON text that stands in the model file."""
        return json.dumps(asdict(self), sort_keys=True, allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> Card:
        """Read a card back; unknown keys of a later artsim with the same contract are passed over.

        Raises:
            ModelError: not JSON, a newer contract, or fields that are missing or make no sense.
        """
        try:
            fields: dict[str, Any] = json.loads(text)
            contract = int(fields["contract"])
        except (ValueError, TypeError, KeyError) as error:
            raise ModelError(f"its '{METADATA_KEY}' metadata is not what artsim writes ({error!r}).") from error
        if contract > CONTRACT:
            raise ModelError(
                f"it follows contract {contract}, this artsim knows {CONTRACT}: install artsim "
                f"{fields.get('artsim_version', 'of a later version')} or later."
            )
        try:
            card = cls(
                image_size=int(fields["image_size"]),
                distance=fields["distance"],
                threshold=float(fields["threshold"]),
                calibration=Calibration(**{key: float(value) for key, value in fields["calibration"].items()}),
                recipe=str(fields["recipe"]),
                selection_sha256=str(fields["selection_sha256"]),
                artsim_version=str(fields["artsim_version"]),
                run_id=fields.get("run_id"),
                validation={key: float(value) for key, value in fields.get("validation", {}).items()},
                refit=bool(fields.get("refit", False)),
                resize=fields["resize"],
                precision=str(fields.get("precision", "fp32")),
                contract=contract,
            )
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise ModelError(f"its '{METADATA_KEY}' metadata lacks or garbles a field ({error!r}).") from error
        card._check()
        return card

    def _check(self) -> None:
        known = {
            "distance": self.distance in get_args(DistanceName),
            "resize": self.resize == "letterbox",
            "image_size": self.image_size > 0,
            "threshold": math.isfinite(self.threshold),
            "calibration": math.isfinite(self.calibration.slope)
            and math.isfinite(self.calibration.intercept)
            and 0 < self.calibration.prior < 1,
        }
        for name, good in known.items():
            if not good:
                raise ModelError(f"its metadata has {name} = {getattr(self, name)!r}, which this artsim does not know.")
