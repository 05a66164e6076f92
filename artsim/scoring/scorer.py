"""The scorer in Python: `artsim.load("tower.onnx").score("a.jpg", "b.jpg")`.

An image is a path, a Pillow image or an array, as `artsim.images.load` takes it; images are a list of them,
or an array (N, H, W, 3).
"""

from __future__ import annotations

import os
from collections.abc import Hashable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from artsim import images as image_files
from artsim.errors import UsageError
from artsim.scoring.contract import Card
from artsim.scoring.device import CPU, CUDA, Device
from artsim.scoring.inference import Embedded, embed
from artsim.scoring.scores import Criterion, Score, Scores
from artsim.scoring.session import Tower, open_tower

__all__ = ["Score", "Scorer", "Scores", "load"]

# Images that go through a tower at once. On a CPU, 4 are embedded as fast each as 32, and a pair, which is filled up
# to a batch, is not kept waiting; a GPU wants more.
BATCH_SIZES = {CPU: 4, CUDA: 64}
LARGEST_BATCH = 1024

Image: TypeAlias = image_files.ImageSource
Images: TypeAlias = Sequence[Image] | NDArray[np.uint8]


def load(
    model: str | os.PathLike[str],
    device: Device = "auto",
    *,
    batch_size: int | None = None,
    max_pixels: int = image_files.MAX_PIXELS,
    threads: int | None = None,
) -> Scorer:
    """Open an ONNX tower for scoring.

    Args:
        model: the .onnx file that `artsim train` or `artsim export` wrote.
        device: `auto` is CUDA where it works, else the CPU.
        batch_size: images that go through the tower at once; fewer are filled up to as many. None: 4 on the CPU, 64
            on CUDA. Embeddings by another batch size may differ in their last bits.
        max_pixels: an image of more is refused before it is decoded.
        threads: that the tower takes of a CPU; default: one for each physical core.

    Raises:
        ModelError: the file is no tower that this artsim knows.
        DeviceError: `cuda` was asked for and does not work here.
        UsageError: an unknown device, or a batch size that is not 1 to 1024.
    """
    if device not in ("auto", "cuda", "cpu"):
        raise UsageError(f"device is auto, cuda or cpu, not {device!r}.")
    if batch_size is not None and not 1 <= batch_size <= LARGEST_BATCH:
        raise UsageError(f"a batch holds 1 to {LARGEST_BATCH} images, not {batch_size}.")
    tower = open_tower(Path(model), device, threads)
    return Scorer(tower, batch_size or BATCH_SIZES[tower.provider], max_pixels)


class Scorer:
    """A tower with what is needed to embed images and to score pairs of them."""

    def __init__(self, tower: Tower, batch_size: int, max_pixels: int) -> None:
        self.tower = tower
        self.batch_size = batch_size
        self.load_image = partial(image_files.load, size=tower.card.image_size, max_pixels=max_pixels)

    @property
    def card(self) -> Card:
        """What the tower says about itself."""
        return self.tower.card

    @property
    def provider(self) -> str:
        """The device that is really used, by its name in onnxruntime."""
        return self.tower.provider

    def batches(self, images: Sequence[Image]) -> Iterator[Embedded]:
        """Embed images a batch at a time, in order; one that can't be used is told, not raised."""
        return embed(self.tower, images, self.load_image, self.batch_size)

    def embed(self, images: Image | Images) -> NDArray[np.float32]:
        """Embed images as float32 (N, D); a single one is (1, D).

        Raises:
            ImageError: of the first image that can't be used.
        """
        sources, _ = _listed(images)
        vectors = np.empty((len(sources), self.tower.width), dtype=np.float32)
        for batch in self.batches(sources):
            if batch.failures:
                raise batch.failures[min(batch.failures)]
            vectors[batch.positions] = batch.vectors
        return vectors

    def score(
        self,
        image1: Image | Images,
        image2: Image | Images,
        *,
        threshold: float | None = None,
        prior: float | None = None,
    ) -> Score | Scores:
        """Score one image with another, or two lists pair by pair; each different image is embedded once.

        Args:
            image1: the first image of each pair.
            image2: the second one; as many.
            threshold: the same artist below this distance; default: the tower's.
            prior: how large a share of such pairs is by the same artist; default: the tower's, 0.5.

        Raises:
            ImageError: of the first image that can't be used.
            UsageError: lists of different lengths, or a prior or threshold that makes no sense.
        """
        criterion = Criterion.of(self.card, threshold, prior)
        (first, single), (second, other_single) = _listed(image1), _listed(image2)
        if single != other_single or len(first) != len(second):
            raise UsageError(
                f"image1 and image2 go together one by one: {_length(first, single)} and "
                f"{_length(second, other_single)} were given."
            )
        distinct, rows = _distinct([*first, *second])
        scores = criterion.scores(self.embed(distinct), rows[: len(first)], rows[len(first) :])
        if single:
            return Score(scores.distance.item(), scores.probability.item(), scores.prediction.item())
        return scores


def _listed(images: Any) -> tuple[list[Any], bool]:
    """Images as a list, and whether it was a single one."""
    if isinstance(images, np.ndarray):
        single = images.ndim < 4 and images.dtype != object
    else:
        single = not isinstance(images, Sequence) or isinstance(images, str)
    return ([images], True) if single else (list(images), False)


def _length(images: list[Any], single: bool) -> str:
    return "a single image" if single else f"a list of {len(images)}"


def _distinct(images: list[Any]) -> tuple[list[Any], NDArray[np.int64]]:
    """The different images and, for each one given, its place among them."""
    places: dict[Hashable, int] = {}
    distinct: list[Any] = []
    rows = np.empty(len(images), dtype=np.int64)
    for row, image in enumerate(images):
        key = os.fspath(image) if isinstance(image, str | os.PathLike) else id(image)
        if key not in places:
            places[key] = len(distinct)
            distinct.append(image)
        rows[row] = places[key]
    return distinct, rows
