"""Images as the scorer takes them: one or several, each a path, a Pillow image or an array."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Hashable, Sequence
from pathlib import Path
from typing import TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

from artsim.files import file_sha256
from artsim.images import ImageSource

Image: TypeAlias = ImageSource
Images: TypeAlias = Sequence[Image] | NDArray[np.uint8]


def as_list(images: Image | Images) -> tuple[list[Image], bool]:
    """Return images as a list, and whether they were a single image."""
    if isinstance(images, np.ndarray):
        is_single = images.ndim < 4 and images.dtype != object
    else:
        is_single = not isinstance(images, Sequence) or isinstance(images, str)
    return ([cast("Image", images)], True) if is_single else (list(cast("Images", images)), False)


def content_sha256(image: Image) -> str:
    """The digest of a file, or of the pixels of another image."""
    if isinstance(image, str | os.PathLike):
        return file_sha256(Path(image))
    pixels = np.ascontiguousarray(image)
    return hashlib.sha256(str(pixels.shape).encode() + pixels.tobytes()).hexdigest()


def described(images: list[Image], is_single: bool) -> str:
    """A single image, or so many."""
    return "a single image" if is_single else f"a list of {len(images)}"


def distinct_images(images: list[Image]) -> tuple[list[Image], NDArray[np.int64]]:
    """Return the different images, and for each given image its row among them."""
    row_of: dict[Hashable, int] = {}
    distinct: list[Image] = []
    rows = np.empty(len(images), dtype=np.int64)
    for place, image in enumerate(images):
        key = os.fspath(image) if isinstance(image, str | os.PathLike) else id(image)
        if key not in row_of:
            row_of[key] = len(distinct)
            distinct.append(image)
        rows[place] = row_of[key]
    return distinct, rows
