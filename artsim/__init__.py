"""Are two paintings by the same artist?

>>> import artsim
>>> scorer = artsim.load("tower.onnx")
>>> print(f"P(same artist) = {scorer.score('a.jpg', 'b.jpg').probability:.2f}")
P(same artist) = 0.15

All errors derive from `ArtsimError`. `import artsim` is fast: onnxruntime is imported when `load` is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from artsim._version import __version__
from artsim.errors import (
    ArtsimError,
    BadImagesError,
    DeviceError,
    GateError,
    ImageError,
    InputError,
    MissingImageError,
    ModelError,
    OutputError,
    TooLargeImageError,
    TrackingError,
    UnreadableImageError,
    UsageError,
)

if TYPE_CHECKING:
    from artsim.jobs.nearest_works import Nearest, nearest
    from artsim.model_names import load
    from artsim.scoring.image_lists import images_in
    from artsim.scoring.scorer import Cohort, Score, Scorer, Scores

__all__ = [
    "ArtsimError",
    "BadImagesError",
    "Cohort",
    "DeviceError",
    "GateError",
    "ImageError",
    "InputError",
    "MissingImageError",
    "ModelError",
    "Nearest",
    "OutputError",
    "Score",
    "Scorer",
    "Scores",
    "TooLargeImageError",
    "TrackingError",
    "UnreadableImageError",
    "UsageError",
    "__version__",
    "images_in",
    "load",
    "nearest",
]

# The modules of names that are imported when they are first used.
_LAZY = {
    "Cohort": "artsim.scoring.scorer",
    "Nearest": "artsim.jobs.nearest_works",
    "Score": "artsim.scoring.scorer",
    "Scorer": "artsim.scoring.scorer",
    "Scores": "artsim.scoring.scorer",
    "images_in": "artsim.scoring.image_lists",
    "load": "artsim.model_names",
    "nearest": "artsim.jobs.nearest_works",
}


def __getattr__(name: str) -> object:
    if name not in _LAZY:
        raise AttributeError(f"module 'artsim' has no attribute {name!r}")
    return getattr(import_module(_LAZY[name]), name)


def __dir__() -> list[str]:
    return sorted({*(name for name in globals() if name.startswith("__")), *__all__})
