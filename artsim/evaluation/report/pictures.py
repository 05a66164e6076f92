"""The pictures of a report on one sheet, a square cell each, as a data URI of bounded size.

A picture is decoded in a worker process, as for a score. One that is missing or damaged has no cell.
"""

from __future__ import annotations

import base64
import io
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from artsim import images
from artsim.decoders import DECODERS, Pass
from artsim.errors import ImageError
from artsim.prefetch import prefetch_images

SHEET_PIXELS = 12_000_000  # 48 MB in a browser
MOST_CELL = 224  # pixels a side
MOST_BYTES = 6_000_000  # of the sheet; a third more as base64
QUALITIES = (76, 62, 48, 34)  # of WebP, until the sheet is small enough
DEPTH = 8  # pictures decoded ahead


@dataclass(frozen=True)
class Sheet:
    """P pictures on one sheet of `columns` x `rows` cells, each `cell` pixels wide.

    `boxes` (P,) are left, top, width and height of each picture on the sheet, in pixels; None: it can't be read.
    """

    uri: str
    cell: int
    columns: int
    rows: int
    boxes: list[tuple[int, int, int, int] | None]


NO_PICTURES = Sheet("data:,", 1, 1, 1, [])


def make_sheet(
    paths: Sequence[str],
    progress: Callable[[int, int], None],
    max_pixels: int = images.MAX_PIXELS,
) -> Sheet:
    """Decode pictures and put them on a sheet.

    Args:
        paths: of the files; "" has no file.
        progress: receives how many are decoded, and how many there are.
        max_pixels: a larger picture is not decoded.
    """
    count = max(1, len(paths))
    cell = min(MOST_CELL, math.isqrt(SHEET_PIXELS // count))
    columns = math.ceil(math.sqrt(count))
    rows = math.ceil(count / columns)
    sheet = np.zeros((rows * cell, columns * cell, 3), np.uint8)
    boxes: list[tuple[int, int, int, int] | None] = []
    for number, square in enumerate(_decoded(paths, cell, max_pixels)):
        left, top = number % columns * cell, number // columns * cell
        boxes.append(None)
        if square is not None:
            sheet[top : top + cell, left : left + cell] = square
            x, y, width, height = without_bars(square)
            boxes[-1] = (left + x, top + y, width, height)
        progress(number + 1, len(paths))
    return Sheet(_encoded(sheet), cell, columns, rows, boxes)


def _decoded(paths: Sequence[str], cell: int, max_pixels: int) -> list[NDArray[np.uint8] | None]:
    owner = Pass()

    def load(path: str) -> NDArray[np.uint8]:
        return DECODERS.load(path, cell, max_pixels=max_pixels, owner=owner)

    found = prefetch_images(paths, load, DEPTH, stop=lambda: DECODERS.stop(owner))
    return [None if isinstance(each, ImageError) else each for each in found]


def without_bars(square: NDArray[np.uint8]) -> tuple[int, int, int, int]:
    """Left, top, width and height of a picture (S, S, 3) without its black bars, which lie on two opposite sides."""
    lit = square.max(axis=2) > 0  # (S, S)
    bars = [_bar(lit.max(axis=1)), _bar(lit.max(axis=0))]  # above, left
    size = len(square)
    above, left = (bars[0], 0) if bars[0] >= bars[1] else (0, bars[1])
    if max(above, left) >= size // 2:  # all black
        return 0, 0, size, size
    # An odd row or column of black is below or on the right.
    is_odd = [not lit[size - 1 - above].any() if above else False, not lit[:, size - 1 - left].any() if left else False]
    return left, above, size - 2 * left - is_odd[1], size - 2 * above - is_odd[0]


def _bar(lit: NDArray[np.bool_]) -> int:
    """The number of dark lines at the start, as many as at the end."""
    if not lit.any():
        return len(lit)
    return int(min(np.argmax(lit), np.argmax(lit[::-1])))


def _encoded(sheet: NDArray[np.uint8]) -> str:
    data = b""
    for quality in QUALITIES:
        file = io.BytesIO()
        Image.fromarray(sheet).save(file, "WEBP", quality=quality, method=2)
        data = file.getvalue()
        if len(data) <= MOST_BYTES:
            break
    return f"data:image/webp;base64,{base64.b64encode(data).decode()}"
