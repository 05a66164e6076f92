"""The files beside a run's checkpoints, and the choice of the checkpoint to export."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from artsim.errors import ModelError
from artsim.files import replacing
from artsim.scoring.contract import Calibration, DecisionRule, DistanceName

if TYPE_CHECKING:
    import keras

SELECTION_FILE = "selection.csv"
RECORD_FILE = "checkpoint.json"
CALIBRATION_FILE = "calibration.json"  # the decision rule of a tower that was refitted on all works

Which = Literal["best", "last", "refit"]


@dataclass(frozen=True)
class RunRecord:
    """The settings of the run that wrote a folder of checkpoints: all that an export from this folder needs."""

    recipe: str
    image_size: int
    distance: DistanceName
    threshold: float | None
    seed: int
    run_id: str | None
    data_dir: str

    def write(self, folder: Path) -> None:
        """Write the record beside the checkpoints."""
        with replacing(folder / RECORD_FILE) as file:
            file.write(json.dumps(asdict(self), indent=2) + "\n")

    @classmethod
    def read(cls, folder: Path) -> RunRecord:
        """Read the record of a folder.

        Raises:
            ModelError: it is not a folder of checkpoints.
        """
        try:
            return cls(**json.loads((folder / RECORD_FILE).read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError) as error:
            raise ModelError(
                f"{folder}: no checkpoints of `artsim train` in it ({error}). Name a run's folder in --checkpoint-dir."
            ) from error


def write_decision_rule(folder: Path, rule: DecisionRule | None) -> None:
    """Write a decision rule beside the checkpoints, if there is one.

    Raises:
        OutputError: the file cannot be written.
    """
    if rule is not None:
        with replacing(folder / CALIBRATION_FILE) as file:
            file.write(json.dumps({**asdict(rule.calibration), "threshold": rule.threshold}, indent=2) + "\n")


def read_decision_rule(folder: Path) -> DecisionRule | None:
    """Read the decision rule of a folder; None if it has none.

    Raises:
        ModelError: the file is damaged.
    """
    path = folder / CALIBRATION_FILE
    if not path.exists():
        return None
    try:
        fields = json.loads(path.read_text(encoding="utf-8"))
        return DecisionRule(
            Calibration(*(fields[name] for name in ("slope", "intercept", "prior"))), fields["threshold"]
        )
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise ModelError(f"{path}: not a calibration of `artsim train` ({error}). Use --which best.") from error


@dataclass(frozen=True)
class ExportSource:
    """The tower to export, and for a refitted tower also the tower to evaluate.

    A refitted tower was trained on the validation works too, so `evaluated` is the tower before the refit. `rule` was
    fitted on cross-validation folds of artists; None: the export fits it on the validation works.
    """

    tower: keras.Model
    evaluated: keras.Model | None = None
    rule: DecisionRule | None = None

    @classmethod
    def read(cls, folder: Path, which: Which | None) -> ExportSource:
        """Read a checkpoint; None: the refitted one if there is one, else the best.

        Raises:
            ModelError: there is no such checkpoint.
        """
        from artsim.training.networks.checkpoints import BEST, REFIT, load_tower

        if which is None:
            which = "refit" if (folder / REFIT).exists() else "best"
        tower = load_tower(folder / f"{which}.keras")
        return cls(tower, load_tower(folder / BEST), read_decision_rule(folder)) if which == "refit" else cls(tower)
