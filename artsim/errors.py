"""The errors of artsim and their exit codes.

    ArtsimError              1   a defect of artsim that fits no other class
    ├── UsageError           2   a wrong option, or an extra that is not installed
    ├── InputError           3   input that is missing or can't be used
    │   └── ImageError       3   one image; `status` is its status in the scores
    │       ├── MissingImageError
    │       ├── UnreadableImageError
    │       └── TooLargeImageError
    ├── BadImagesError       4   more bad images than allowed
    ├── ModelError           5   a model that is missing or can't be used
    ├── DeviceError          6   a device that is not there, or too little memory
    ├── TrackingError        7   a tracking or artifact store that can't be reached
    ├── OutputError          8   output that can't be written
    └── GateError            9   a check that stops a job: NaN loss, export tolerance, AUC loss, registry

A message says what was wrong, where (file, row, column), and what to do next. The command line prints the message
and ends with the `exit_code` of the class. Exit codes are defined nowhere else.
"""

from __future__ import annotations

from typing import ClassVar

INTERRUPTED = 130

EXIT_CODES: dict[int, str] = {
    0: "done (also when the reader of a pipe goes away)",
    1: "a defect of artsim",
    2: "wrong usage, or an extra that is not installed",
    3: "input that is missing or can't be used",
    4: "more bad images than --max-bad-images (everything is written first)",
    5: "a model that is missing or can't be used",
    6: "a device that is not there, or too little memory",
    7: "a tracking or artifact store that can't be reached",
    8: "output that can't be written",
    9: "a gate failed (NaN loss, export tolerance, AUC loss, registry)",
    INTERRUPTED: "interrupted",
}


class ArtsimError(Exception):
    """Base class of all errors that artsim raises on purpose."""

    exit_code: ClassVar[int] = 1


class UsageError(ArtsimError):
    """Options that contradict each other, or an extra that is not installed."""

    exit_code = 2


class InputError(ArtsimError):
    """Input that is missing or can't be used."""

    exit_code = 3


class ImageError(InputError):
    """One image that can't be used. `status` is its status in the scores."""

    status: ClassVar[str] = "unreadable"


class MissingImageError(ImageError):
    """The file does not exist."""

    status = "missing"


class UnreadableImageError(ImageError):
    """The file is not an image, or an incomplete one."""


class TooLargeImageError(ImageError):
    """The image has more pixels than allowed. It was not decoded."""

    status = "too large"


class BadImagesError(ArtsimError):
    """More bad images than --max-bad-images allows."""

    exit_code = 4


class ModelError(ArtsimError):
    """A model that is missing, not written by artsim, or written by a newer artsim."""

    exit_code = 5


class DeviceError(ArtsimError):
    """A requested device that is not there, or has too little memory."""

    exit_code = 6


class TrackingError(ArtsimError):
    """A tracking or artifact store that can't be reached."""

    exit_code = 7


class OutputError(ArtsimError):
    """Output that can't be written."""

    exit_code = 8


class GateError(ArtsimError):
    """A check that stops a job to prevent a wrong result."""

    exit_code = 9
