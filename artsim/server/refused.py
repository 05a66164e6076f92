"""Requests that the page refuses, with the status of the answer. They are no errors of artsim: a browser sees them.

RefusedError
├── TooMuchError    413   a picture with more bytes than allowed
├── BusyError       503   too many requests wait already, or the page ends
└── LateError       504   a request took too long
"""

from __future__ import annotations

from typing import ClassVar


class RefusedError(Exception):
    """A request that gets no answer; the message says why."""

    status: ClassVar[int]


class TooMuchError(RefusedError):
    """A picture has more bytes than allowed."""

    status = 413


class BusyError(RefusedError):
    """Too many requests wait already, or the page ends."""

    status = 503


class LateError(RefusedError):
    """A request took too long."""

    status = 504
