"""Embeddings of images in Python: the part of the scorer that does without a decision rule."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
from numpy.typing import NDArray

from artsim import images as image_files
from artsim.errors import ImageError
from artsim.images import ImageSource
from artsim.messages import Progress
from artsim.progress_bars import shown
from artsim.scoring.contract import Card
from artsim.scoring.image_lists import Errors, Image, Images, as_list, check_errors
from artsim.scoring.inference import EmbeddedBatch, embed_batches
from artsim.scoring.session import Tower


class Embedder:
    """An opened tower that embeds images; `artsim.Scorer` scores pairs of them, too.

    Attributes:
        tower: the ONNX session and its metadata.
        batch_size: the number of images that go through the tower at once.
        load_image: turns one image into the tower's input, uint8 (S, S, 3).
        max_pixels: an image with more pixels is refused.
    """

    tower: Tower
    batch_size: int
    load_image: Callable[[ImageSource], NDArray[np.uint8]]
    max_pixels: int

    def __init__(self, tower: Tower, batch_size: int, max_pixels: int) -> None:
        self.tower = tower
        self.batch_size = batch_size
        self.max_pixels = max_pixels
        self.load_image = partial(image_files.load, size=tower.card.image_size, max_pixels=max_pixels)

    @property
    def card(self) -> Card:
        """The tower's description: image size, distance, calibration, threshold and validation metrics.

        >>> artsim.load("tower.onnx").card.image_size
        16
        """
        return self.tower.card

    @property
    def model_sha256(self) -> str:
        """Hex SHA-256 of the tower's file as it was when it was opened."""
        return self.tower.sha256

    @property
    def provider(self) -> str:
        """The onnxruntime execution provider in use: `CPUExecutionProvider` or `CUDAExecutionProvider`."""
        return self.tower.provider

    def batches(self, images: Images) -> Iterator[EmbeddedBatch]:
        """Embed images in order, batch by batch; an image that cannot be used is reported, not raised.

        >>> for batch in artsim.load("tower.onnx").batches(["a.jpg", "missing.jpg", "b.jpg"]):
        ...     print(batch.positions, batch.vectors.shape, batch.failures)
        [0 2] (2, 8) {1: MissingImageError("'missing.jpg': no such file")}
        """
        return embed_batches(self.tower, as_list(images)[0], self.load_image, self.batch_size)

    def embed(
        self, images: Image | Images, *, errors: Errors = "raise", progress: bool | Progress = False
    ) -> NDArray[np.float32]:
        """Embed one image as float32 (1, D), or N images as float32 (N, D).

        >>> scorer = artsim.load("tower.onnx")
        >>> scorer.embed("a.jpg").shape
        (1, 8)
        >>> scorer.embed(["a.jpg", "b.jpg", "a.jpg"]).shape
        (3, 8)

        Args:
            images: one image, or several.
            errors: `raise` raises the error of the first bad image. `keep` gives a bad image a row of NaN.
            progress: True shows a progress bar on standard error. A function gets the stage, how many images are done,
                and how many there are.

        Raises:
            ImageError: an image cannot be used; the error is that of the first one.
            UsageError: something in `images` is no path, bytes, file object, Pillow image or array.
        """
        check_errors(errors)
        vectors, failures = self._embedded(as_list(images)[0], errors, progress)
        vectors[list(failures)] = np.nan
        return vectors

    def _embedded(
        self, sources: list[ImageSource], errors: Errors, progress: bool | Progress
    ) -> tuple[NDArray[np.float32], dict[int, ImageError]]:
        """The embeddings (N, D), zeros for bad images, and the error of each bad image by its row."""
        vectors = np.zeros((len(sources), self.tower.width), dtype=np.float32)
        failures: dict[int, ImageError] = {}
        done = 0
        with shown(progress) as show:
            show("images", 0, len(sources))
            for batch in self.batches(sources):
                if batch.failures and errors == "raise":
                    raise batch.failures[min(batch.failures)]
                failures |= batch.failures
                vectors[batch.positions] = batch.vectors
                done += len(batch.positions) + len(batch.failures)
                show("images", done, len(sources))
        return vectors, failures
