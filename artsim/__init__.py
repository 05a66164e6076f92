"""Are two paintings by the same artist?

>>> import artsim
>>> scorer = artsim.load("tower.onnx")
>>> print(f"P(same artist) = {scorer.score('a.jpg', 'b.jpg').probability:.2f}")
P(same artist) = 0.15

All errors derive from `ArtsimError`. `import artsim` is fast: onnxruntime is imported when `load` is first used.
"""

from __future__ import annotations

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
    from artsim.model_names import load
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
    "OutputError",
    "Score",
    "Scorer",
    "Scores",
    "TooLargeImageError",
    "TrackingError",
    "UnreadableImageError",
    "UsageError",
    "__version__",
    "load",
]


def __getattr__(name: str) -> object:
    if name == "load":
        from artsim import model_names

        return model_names.load
    if name in ("Cohort", "Score", "Scorer", "Scores"):
        from artsim.scoring import scorer

        return getattr(scorer, name)
    raise AttributeError(f"module 'artsim' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
