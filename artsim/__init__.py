"""Are two paintings by the same artist?

    import artsim

    scorer = artsim.load("tower.onnx")
    scorer.score("a.jpg", "b.jpg").probability

Importing artsim imports nothing heavy; onnxruntime is loaded by `artsim.load`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from artsim._version import __version__
from artsim.errors import ArtsimError

if TYPE_CHECKING:
    from artsim.scoring.scorer import Score, Scorer, Scores, load

__all__ = ["ArtsimError", "Score", "Scorer", "Scores", "__version__", "load"]


def __getattr__(name: str) -> Any:
    if name in ("Score", "Scorer", "Scores", "load"):
        from artsim.scoring import scorer

        return getattr(scorer, name)
    raise AttributeError(f"module 'artsim' has no attribute {name!r}")
