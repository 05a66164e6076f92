"""How many bad images a job puts up with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from artsim.errors import BadImagesError, UsageError

NAMED = 5  # of the bad images


@dataclass(frozen=True)
class BadImageLimit:
    """How many bad images are let pass: a count, or a share of the different images."""

    limit: float
    is_share: bool = False

    @classmethod
    def parse(cls, text: str) -> BadImageLimit:
        """Read `3` or `1%`.

        Raises:
            UsageError: neither a whole number from 0 up nor a share of 0 to 100 %.
        """
        is_share = text.endswith("%")
        try:
            limit = float(text[:-1]) / 100 if is_share else int(text)
        except ValueError:
            limit = -1
        if not 0 <= limit <= (1 if is_share else float("inf")):
            raise UsageError(f"bad images are allowed as a count or a share, 3 or 1%, not {text!r}.")
        return cls(limit, is_share)

    def admits(self, bad: int, of: int) -> bool:
        """Whether so many bad images are few enough."""
        return bad <= (self.limit * of if self.is_share else self.limit)

    def check(self, reasons: Sequence[str], of: int, others: str) -> None:
        """Hold a finished job to it; `reasons` has a sentence for each bad image, `others` what became of the others.

        Raises:
            BadImagesError: more images were bad.
        """
        if self.admits(len(reasons), of):
            return
        more = "; and others" if len(reasons) > NAMED else ""
        raise BadImagesError(
            f"{len(reasons):,} of {of:,} images are bad, more than --max-bad-images allows: "
            f"{'; '.join(reasons[:NAMED])}{more}. {others}"
        )
