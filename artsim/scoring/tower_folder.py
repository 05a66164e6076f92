"""Where the folder of a model has its tower."""

from __future__ import annotations

from pathlib import Path

from artsim.errors import ModelError

IN_LOGGED_MODEL = "artifacts/tower.onnx"
# A logged model, one that artsim 0.1 logged, a folder of checkpoints.
PLACES = (IN_LOGGED_MODEL, "model.onnx", "tower.onnx")


def tower_in(folder: Path) -> Path:
    """The tower in the folder of a model.

    Raises:
        ModelError: there is none.
    """
    found = next((folder / place for place in PLACES if (folder / place).is_file()), None)
    if found is None:
        raise ModelError(
            f"{folder}: a folder without a tower. Name an .onnx file, or a folder that has one of {', '.join(PLACES)}."
        )
    return found
