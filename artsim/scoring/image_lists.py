"""Images as the scorer takes them: one or several, each a path, bytes, a file object, a Pillow image or an array."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Hashable, Sequence
from pathlib import Path
from typing import BinaryIO, Literal, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray
from PIL.Image import Image as PillowImage

from artsim.collection.folders import list_folder
from artsim.errors import InputError, UsageError
from artsim.files import file_sha256
from artsim.images import ImageSource

OneImage: TypeAlias = str | os.PathLike[str] | bytes | BinaryIO | PillowImage  # certainly not several
Image: TypeAlias = OneImage | NDArray[np.uint8]
Images: TypeAlias = Sequence[Image] | NDArray[np.uint8]
# What becomes of an image that cannot be used: its error is raised, or its place is kept without a value.
Errors: TypeAlias = Literal["raise", "keep"]


def images_in(folder: str | os.PathLike[str]) -> list[Path]:
    """The images in a folder and its subfolders, sorted by name, as the commands find them.

    >>> artsim.images_in("paintings")
    [PosixPath('paintings/Hals/a.jpg'), PosixPath('paintings/Hals/b.jpg'), PosixPath('paintings/Vermeer/c.jpg')]

    Raises:
        InputError: it is no folder, it has no images, or a subfolder can't be read.
    """
    place = Path(folder)
    if not os.path.isdir(place):  # noqa: PTH112 - Path's raises for a folder without permission
        raise InputError(f"{os.fspath(folder)!r}: no such folder. Name a folder of images.")
    return [place / name for name in list_folder(place).names]


def check_errors(errors: Errors) -> None:
    """Check the argument `errors`.

    Raises:
        UsageError: it is neither `raise` nor `keep`.
    """
    if errors not in ("raise", "keep"):
        raise UsageError(f"errors is {errors!r}; give 'raise' or 'keep'.")


def as_list(images: Image | Images) -> tuple[list[ImageSource], bool]:
    """Return images as a list, and whether they were a single image. File objects are read.

    Raises:
        UsageError: a single image is a folder, or a file object gives no bytes.
    """
    if isinstance(images, np.ndarray):
        is_single = images.ndim < 4 and images.dtype != object
    else:
        is_single = not isinstance(images, Sequence) or isinstance(images, str | bytes)
    if is_single and isinstance(images, str | os.PathLike):
        _check_no_folder(images)
    several = [cast("Image", images)] if is_single else list(cast("Images", images))
    return [_source(image) for image in several], is_single


def _check_no_folder(path: str | os.PathLike[str]) -> None:
    if os.path.isdir(path):  # noqa: PTH112 - Path's raises for a name too long
        name = os.fspath(path)
        raise UsageError(f"{name!r} is a folder. Give artsim.images_in({name!r}), the list of its images.")


def _source(image: Image) -> ImageSource:
    """An image without a file object. A file object is read from its start if it can go there."""
    if isinstance(image, str | bytes | os.PathLike | np.ndarray | PillowImage) or not hasattr(image, "read"):
        return cast("ImageSource", image)  # `images.load` refuses what is no image
    file = image
    if file.seekable():
        file.seek(0)
    data = file.read()
    if not isinstance(data, bytes):
        raise UsageError(f"an image's file object gives {type(data).__name__}. Open the file in the mode 'rb'.")
    return data


def paired(image1: Image | Images, image2: Image | Images) -> tuple[list[ImageSource], list[ImageSource], bool]:
    """Both sides of N pairs, and whether they are a single pair. A single image is paired with each of several.

    Raises:
        UsageError: two lists have different lengths.
    """
    (first, is_single), (second, other_is_single) = as_list(image1), as_list(image2)
    if is_single != other_is_single:
        first, second = (first * len(second), second) if is_single else (first, second * len(first))
    if len(first) != len(second):
        raise UsageError(
            f"image1 is a list of {len(first)}, image2 is a list of {len(second)}; give two lists of the same length, "
            "or one image and a list."
        )
    return first, second, is_single and other_is_single


def content_sha256(image: ImageSource) -> str:
    """The digest of a file or of its bytes, or of the pixels of another image."""
    if isinstance(image, str | os.PathLike):
        return file_sha256(Path(image))
    if isinstance(image, bytes):
        return hashlib.sha256(image).hexdigest()
    pixels = np.ascontiguousarray(image)
    return hashlib.sha256(str(pixels.shape).encode() + pixels.tobytes()).hexdigest()


def name_of(image: ImageSource) -> str | None:
    """The name of an image's file; None for bytes, arrays and Pillow images without a file."""
    if isinstance(image, str | os.PathLike):
        return os.fsdecode(image)
    name = getattr(image, "filename", "")
    return os.fsdecode(name) if name else None


def distinct_images(images: Sequence[ImageSource]) -> tuple[list[ImageSource], NDArray[np.int64]]:
    """Return the different images, and for each given image its row among them."""
    row_of: dict[Hashable, int] = {}
    distinct: list[ImageSource] = []
    rows = np.empty(len(images), dtype=np.int64)
    for place, image in enumerate(images):
        key = _key(image)
        if key not in row_of:
            row_of[key] = len(distinct)
            distinct.append(image)
        rows[place] = row_of[key]
    return distinct, rows


def _key(image: ImageSource) -> Hashable:
    if isinstance(image, str | os.PathLike):
        return os.fspath(image)
    return image if isinstance(image, bytes) else id(image)
