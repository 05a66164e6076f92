"""The files beside a run's checkpoints, and the choice of the checkpoint to export."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

from artsim.errors import ModelError
from artsim.evaluation.rules import TowerRules
from artsim.files import open_regular, replacing
from artsim.json_fields import MOST_BYTES, Fields, parse_object
from artsim.scoring.contract import (
    MAX_IMAGE_SIZE,
    MOST_VALUES,
    DecisionRule,
    DistanceName,
    calibration_of,
    correction_of,
    training_embeddings,
)
from artsim.scoring.familiarity import TrainingEmbeddings

if TYPE_CHECKING:
    import keras

SELECTION_FILE = "selection.csv"
RECORD_FILE = "checkpoint.json"
CALIBRATION_FILE = "calibration.json"  # the rules of a tower that was refitted on all works
EMBEDDINGS_FILE = "training_embeddings.json"
WORKS_FILE = "works.csv"

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
            fields = _read_json(folder / RECORD_FILE)
            return cls(
                recipe=fields.text("recipe"),
                image_size=fields.integer("image_size", 1, MAX_IMAGE_SIZE),
                distance=fields.choice("distance", get_args(DistanceName)),
                threshold=fields.number_or_none("threshold", 0),
                seed=fields.integer("seed", 0, 2**63 - 1),
                run_id=fields.text_or_none("run_id"),
                data_dir=fields.text("data_dir"),
            )
        except (OSError, ValueError) as error:
            raise ModelError(
                f"{folder}: no checkpoints of `artsim train` in it ({error}). Name a run's folder in --checkpoint-dir."
            ) from error


def write_rules(folder: Path, rules: TowerRules | None) -> None:
    """Write the rules of a tower beside the checkpoints, if there are any.

    Raises:
        OutputError: the file cannot be written.
    """
    if rules is not None:
        correction = None if rules.correction is None else asdict(rules.correction)
        adapted = None if rules.adapted is None else _fields(rules.adapted)
        _write_json(folder / CALIBRATION_FILE, _fields(rules.plain) | {"correction": correction, "adapted": adapted})


def read_rules(folder: Path) -> TowerRules | None:
    """Read the rules of a folder; None if it has none.

    Folders of artsim 0.1 have the plain rule only. They then correct no distance.

    Raises:
        ModelError: the file is damaged.
    """
    path = folder / CALIBRATION_FILE
    if not path.exists():
        return None
    try:
        fields = _read_json(path)
        correction, adapted = fields.object_or_none("correction"), fields.object_or_none("adapted")
        return TowerRules(
            _rule(fields),
            None if correction is None else correction_of(correction),
            None if adapted is None else _rule(adapted),
        )
    except (OSError, ValueError) as error:
        raise ModelError(f"{path}: not a calibration of `artsim train` ({error}). Use --which best.") from error


@dataclass(frozen=True)
class EmbeddingsRecord:
    """What the exported tower's embeddings of the training works look like.

    The first `readout_width` values of an embedding are a readout's.
    """

    training: TrainingEmbeddings
    readout_width: int

    def write(self, folder: Path) -> None:
        """Write the record beside the checkpoints.

        Raises:
            OutputError: the file cannot be written.
        """
        _write_json(folder / EMBEDDINGS_FILE, asdict(self))

    @classmethod
    def read(cls, folder: Path) -> EmbeddingsRecord | None:
        """Read the record of a folder; None in folders of artsim 0.1, which have none.

        Raises:
            ModelError: the file is damaged.
        """
        path = folder / EMBEDDINGS_FILE
        if not path.exists():
            return None
        try:
            fields = _read_json(path)
            training = training_embeddings(fields.object("training"))
            return cls(training, fields.integer("readout_width", 1, MOST_VALUES))
        except (OSError, ValueError) as error:
            raise ModelError(f"{path}: not a record of `artsim train` ({error}). Train the tower again.") from error


def _write_json(path: Path, fields: Mapping[str, object]) -> None:
    with replacing(path) as file:
        file.write(json.dumps(fields, indent=2) + "\n")


def _read_json(path: Path) -> Fields:
    with open_regular(path) as file:
        return parse_object(file.read(MOST_BYTES + 1))


def _fields(rule: DecisionRule) -> dict[str, float]:
    return {**asdict(rule.calibration), "threshold": rule.threshold}


def _rule(fields: Fields) -> DecisionRule:
    return DecisionRule(calibration_of(fields), fields.number("threshold", 0))


@dataclass(frozen=True)
class ExportSource:
    """The tower to export, and for a refitted tower also the tower to evaluate.

    A refitted tower was trained on the validation works too, so `evaluated` is the tower before the refit. `rules` were
    fitted on cross-validation folds of artists; None: the export fits them on the validation works. `embeddings`
    describes the training works' embeddings by `tower`; None: in folders of artsim 0.1, and for the last checkpoint.
    """

    tower: keras.Model
    evaluated: keras.Model | None = None
    rules: TowerRules | None = None
    embeddings: EmbeddingsRecord | None = None

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
        has_refit = (folder / REFIT).exists()
        embeddings = EmbeddingsRecord.read(folder) if which == ("refit" if has_refit else "best") else None
        if which == "refit":
            return cls(tower, load_tower(folder / BEST), read_rules(folder), embeddings)
        return cls(tower, embeddings=embeddings)
