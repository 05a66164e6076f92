"""The limit of bad images: how many images of a job may be missing or unreadable."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from artsim.errors import BadImagesError
from artsim.messages import first_few


@dataclass(frozen=True)
class BadImageLimit:
    """The number of bad images that a job accepts: a count, or a share of the different images."""

    limit: float
    is_share: bool = False

    @classmethod
    def parse(cls, text: str) -> BadImageLimit:
        """Read `3` or `1%`.

        Raises:
            ValueError: neither a whole number from 0 up nor a share from 0 % to 100 %.
        """
        is_share = text.endswith("%")
        limit = float(text[:-1]) / 100 if is_share else int(text)
        if not 0 <= limit <= (1 if is_share else float("inf")):
            raise ValueError(text)
        return cls(limit, is_share)

    def __str__(self) -> str:
        return f"{100 * self.limit:g}%" if self.is_share else f"{self.limit:g}"

    def accepts(self, bad: int, of: int) -> bool:
        """Whether `bad` of `of` images are within the limit."""
        return bad <= (self.limit * of if self.is_share else self.limit)

    def check(self, reasons: Sequence[str], of: int, outcome: str, *, are_shown: bool = False) -> None:
        """Raise if a finished job has too many bad images.

        Args:
            reasons: one for each bad image; each begins with the image's name.
            of: the number of all images.
            outcome: a sentence that says what happened to the others.
            are_shown: the user has read the first reasons already.

        Raises:
            BadImagesError: more images were bad.
        """
        if not self.accepts(len(reasons), of):
            which = "." if are_shown else f": {first_few(reasons, '; ')}."
            raise BadImagesError(
                f"{len(reasons):,} of {of:,} images are bad, more than --max-bad-images allows{which} {outcome} Repair "
                "the images, or raise --max-bad-images."
            )
