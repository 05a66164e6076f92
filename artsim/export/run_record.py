"""What lies beside a run's checkpoints, and which of them is to be exported."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from artsim.errors import ModelError
from artsim.files import replacing
from artsim.scoring.contract import Calibration, DistanceName

if TYPE_CHECKING:
    import keras

SELECTION_FILE = "selection.csv"
RECORD_FILE = "checkpoint.json"
CALIBRATION_FILE = "calibration.json"  # of the tower that was refitted on all works

Which = Literal["best", "last", "refit"]


@dataclass(frozen=True)
class RunRecord:
    """What a folder of checkpoints says of the run that wrote it: enough to export from it alone."""

    recipe: str
    image_size: int
    distance: DistanceName
    threshold: float | None
    seed: int
    run_id: str | None
    data_dir: str

    def write(self, folder: Path) -> None:
        """Write it beside the checkpoints."""
        with replacing(folder / RECORD_FILE) as file:
            file.write(json.dumps(asdict(self), indent=2) + "\n")

    @classmethod
    def read(cls, folder: Path) -> RunRecord:
        """Read it back.

        Raises:
            ModelError: not a folder of checkpoints.
        """
        try:
            return cls(**json.loads((folder / RECORD_FILE).read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError) as error:
            raise ModelError(f"{folder}: no checkpoints of `artsim train` in it ({error}).") from error


def write_decision_rule(folder: Path, found: tuple[Calibration, float] | None) -> None:
    """Write a calibration and its threshold beside the checkpoints, where there is one.

    Raises:
        OutputError: it can't be written.
    """
    if found is not None:
        with replacing(folder / CALIBRATION_FILE) as file:
            file.write(json.dumps({**asdict(found[0]), "threshold": found[1]}, indent=2) + "\n")


def read_decision_rule(folder: Path) -> tuple[Calibration, float] | None:
    """Read it back; None where there is none.

    Raises:
        ModelError: not what was written.
    """
    path = folder / CALIBRATION_FILE
    if not path.exists():
        return None
    try:
        fields = json.loads(path.read_text(encoding="utf-8"))
        return Calibration(fields["slope"], fields["intercept"], fields["prior"]), fields["threshold"]
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise ModelError(f"{path}: not a calibration of `artsim train` ({error}).") from error


@dataclass(frozen=True)
class ExportSource:
    """A tower to export, and the one whose figures it gets where it has met the validation works itself.

    `calibration` and its threshold come from fits without some of the artists, in turn; None: from the works it is
    judged by.
    """

    tower: keras.Model
    judged: keras.Model | None = None
    calibration: tuple[Calibration, float] | None = None

    @classmethod
    def read(cls, folder: Path, which: Which | None) -> ExportSource:
        """Read a checkpoint; None: the refitted one where there is one, else the best.

        Raises:
            ModelError: not there.
        """
        from artsim.training.networks.checkpoints import BEST, REFIT, load_tower

        if which is None:
            which = "refit" if (folder / REFIT).exists() else "best"
        tower = load_tower(folder / f"{which}.keras")
        return cls(tower, load_tower(folder / BEST), read_decision_rule(folder)) if which == "refit" else cls(tower)
