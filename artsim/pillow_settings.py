"""Pillow's settings of the whole process, changed only while artsim reads: its limit, warnings and log."""

from __future__ import annotations

import logging
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

from PIL import Image

_LIMIT_LOCK = threading.Lock()

# Without a handler, `logging.lastResort` would print Pillow's log. libtiff, in C, still prints its errors on stderr.
logging.getLogger("PIL").addHandler(logging.NullHandler())


@contextmanager
def without_pillow_limit() -> Iterator[None]:
    """Lift Pillow's own limit of 179 million pixels, for some museum scans are larger.

    The limit is one for the whole process. It is lifted only while a header is read or memory is allocated.
    """
    with _LIMIT_LOCK:
        limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
        try:
            yield
        finally:
            Image.MAX_IMAGE_PIXELS = limit


class _QuietPillow(threading.local):
    """The module pattern of a warning filter that matches Pillow in threads that are inside `load`.

    `warnings.catch_warnings` replaces the filters of the whole process, so threads that overlap restore the wrong ones
    (https://github.com/python/cpython/issues/50896). From Python 3.14, `-X context_aware_warnings` mends that.
    """

    inside = False
    pattern = r"PIL\."  # scikit-learn reads it, to make the filters again where joblib runs its functions

    def match(self, module: str) -> bool:
        return self.inside and module.startswith("PIL.")

    def __enter__(self) -> None:
        filters = cast("list[Any]", warnings.filters)
        if not filters or filters[0] is not _IGNORE_PILLOW:  # another program may have put its own first
            filters.insert(0, _IGNORE_PILLOW)
        self.inside = True

    def __exit__(self, *_: object) -> None:
        self.inside = False


QUIET_PILLOW = _QuietPillow()
_IGNORE_PILLOW = ("ignore", None, Warning, QUIET_PILLOW, 0)
