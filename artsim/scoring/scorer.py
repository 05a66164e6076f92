"""The scorer: embeddings and scores of images in Python.

An image is a path, a Pillow image or a uint8 array: (H, W) or (H, W, 1) grey, (H, W, 3) RGB, (H, W, 4) RGBA.
Several images are a list or another sequence of these, or one array (N, H, W, C).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import overload

import numpy as np
from numpy.typing import NDArray
from PIL.Image import Image as PillowImage

from artsim import images as image_files
from artsim.errors import UsageError
from artsim.scoring.adaptation import adapter_of, photograph_rule
from artsim.scoring.cohort import Cohort, TowerOfCohort, build_cohort, check_works
from artsim.scoring.contract import Card
from artsim.scoring.device import CPU, CUDA, Device
from artsim.scoring.image_lists import Image, Images, as_list, content_sha256, described, distinct_images
from artsim.scoring.inference import EmbeddedBatch, embed_batches
from artsim.scoring.scores import Criterion, Score, Scores
from artsim.scoring.session import Tower, open_tower
from artsim.towers import BASE

__all__ = ["Cohort", "Score", "Scorer", "Scores", "load"]

# A CPU embeds 4 images at a time as fast, image for image, as 32, and a single pair, which is filled up to a whole
# batch, takes less time. A GPU needs larger batches to be busy.
BATCH_SIZES = {CPU: 4, CUDA: 64}
MAX_BATCH_SIZE = 1024  # a mistyped number would otherwise take all memory


def load(
    model: str | os.PathLike[str] = BASE,
    device: Device = "auto",
    *,
    batch_size: int | None = None,
    max_pixels: int = image_files.MAX_PIXELS,
    threads: int | None = None,
) -> Scorer:
    """Open the file of an ONNX tower; `artsim.load` describes the options, and takes other names of models too.

    Raises:
        ModelError: the file does not exist, or is not a tower that this artsim supports.
        DeviceError: `device` is `cuda`, and CUDA does not work here.
        UsageError: `device` or `batch_size` has an invalid value.
    """
    if device not in ("auto", "cuda", "cpu"):
        raise UsageError(f"the device is {device!r}; give 'auto', 'cuda' or 'cpu'.")
    if batch_size is not None and not 1 <= batch_size <= MAX_BATCH_SIZE:
        raise UsageError(f"the batch size is {batch_size}; give a number from 1 to {MAX_BATCH_SIZE}.")
    path = Path(model)
    tower = open_tower(path, device, threads)
    reopen = partial(load, path.absolute(), device, batch_size=batch_size, max_pixels=max_pixels, threads=threads)
    return Scorer(tower, batch_size or BATCH_SIZES[tower.provider], max_pixels, reopen)


class Scorer:
    """An opened tower that embeds images and scores pairs of them; `artsim.load` makes it.

    Several threads may use one scorer. A scorer is pickled as its file's path and options; unpickling opens it again.

    >>> scorer = artsim.load("tower.onnx")
    >>> scorer.embed(["a.jpg", "b.jpg"]).shape
    (2, 8)
    >>> scorer.score("a.jpg", "b.jpg").prediction
    0

    Attributes:
        tower: the ONNX session and its metadata.
        batch_size: the number of images that go through the tower at once.
        load_image: turns one image into the tower's input, uint8 (S, S, 3).
        max_pixels: an image with more pixels is refused.
    """

    tower: Tower
    batch_size: int
    load_image: Callable[[Image], NDArray[np.uint8]]
    max_pixels: int

    def __init__(self, tower: Tower, batch_size: int, max_pixels: int, reopen: Callable[[], Scorer]) -> None:
        self.tower = tower
        self.batch_size = batch_size
        self.max_pixels = max_pixels
        self.load_image = partial(image_files.load, size=tower.card.image_size, max_pixels=max_pixels)
        self._reopen = reopen

    def __reduce__(self) -> tuple[Callable[[], Scorer], tuple[()]]:
        return self._reopen, ()

    def __repr__(self) -> str:
        return (
            f"<artsim.Scorer {self.tower.path}: recipe {self.card.recipe!r}, images of {self.card.image_size} px, "
            f"embeddings (N, {self.tower.width}), {self.provider}, batch size {self.batch_size}>"
        )

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

    def batches(self, images: Sequence[Image]) -> Iterator[EmbeddedBatch]:
        """Embed images in order, batch by batch; an image that cannot be used is reported, not raised.

        >>> for batch in artsim.load("tower.onnx").batches(["a.jpg", "missing.jpg", "b.jpg"]):
        ...     print(batch.positions, batch.vectors.shape, batch.failures)
        [0 2] (2, 8) {1: MissingImageError("'missing.jpg': no such file")}
        """
        return embed_batches(self.tower, images, self.load_image, self.batch_size)

    def embed(self, images: Image | Images) -> NDArray[np.float32]:
        """Embed one image as float32 (1, D), or N images as float32 (N, D).

        >>> scorer = artsim.load("tower.onnx")
        >>> scorer.embed("a.jpg").shape
        (1, 8)
        >>> scorer.embed(["a.jpg", "b.jpg", "a.jpg"]).shape
        (3, 8)

        Raises:
            ImageError: an image cannot be used; the error is that of the first one.
            UsageError: something in `images` is no path, Pillow image or array.
        """
        sources, _ = as_list(images)
        vectors = np.empty((len(sources), self.tower.width), dtype=np.float32)
        for batch in self.batches(sources):
            if batch.failures:
                raise batch.failures[min(batch.failures)]
            vectors[batch.positions] = batch.vectors
        return vectors

    def unfamiliar(self, images: Image | Images) -> NDArray[np.bool_]:
        """Tell which of N images are unlike the photographs that the tower was trained on, (N,).

        Of photographs like the training photographs, 5 % are unfamiliar. Score unfamiliar photographs with a cohort.

        >>> artsim.load("tower.onnx").unfamiliar(["a.jpg", "b.jpg"])
        array([False,  True])

        Raises:
            ImageError: an image cannot be used; the error is that of the first one.
            ModelError: the tower's card does not describe the training photographs.
        """
        rule = photograph_rule(self.card, str(self.tower.path))
        return rule.are_unfamiliar(self.embed(images))

    def cohort(self, images: Images) -> Cohort:
        """Make a cohort of unlabelled works, for `score`. Copies of a work count once.

        At most 1,000 works are used, those with the smallest digests of the files, or of the pixels of other images.

        >>> scorer = artsim.load("tower.onnx")
        >>> scorer.cohort(["a.jpg", "b.jpg", "c.jpg"]).works
        3

        Raises:
            ImageError: an image cannot be used; the error is that of the first one.
            InputError: there are fewer than two different works. Ten are the least for good scores.
            ModelError: the tower cannot adapt distances.
        """
        tower = TowerOfCohort(self.card, str(self.tower.path), self.model_sha256)
        tower.rule()  # raises before work is done
        distinct, _ = distinct_images(list(images))
        vectors = self.embed(distinct)
        cohort = build_cohort(tower, [content_sha256(image) for image in distinct], lambda rows: vectors[rows])
        check_works(cohort, "images")
        return cohort

    @overload
    def score(  # type: ignore[overload-overlap]  # a str is a Sequence[str], too
        self,
        image1: str | os.PathLike[str] | PillowImage,
        image2: Image,
        *,
        threshold: float | None = None,
        prior: float | None = None,
        cohort: Cohort | None = None,
    ) -> Score: ...

    @overload
    def score(
        self,
        image1: Sequence[Image],
        image2: Images,
        *,
        threshold: float | None = None,
        prior: float | None = None,
        cohort: Cohort | None = None,
    ) -> Scores: ...

    # The type of an array does not tell one image from several.
    @overload
    def score(
        self,
        image1: NDArray[np.uint8],
        image2: Image | Images,
        *,
        threshold: float | None = None,
        prior: float | None = None,
        cohort: Cohort | None = None,
    ) -> Score | Scores: ...

    def score(
        self,
        image1: Image | Images,
        image2: Image | Images,
        *,
        threshold: float | None = None,
        prior: float | None = None,
        cohort: Cohort | None = None,
    ) -> Score | Scores:
        """Score one pair of images as a `Score`, or N pairs as `Scores`; each different image is embedded once.

        >>> scorer = artsim.load("tower.onnx")
        >>> score = scorer.score("a.jpg", "b.jpg")
        >>> print(f"P(same artist) = {score.probability:.2f}")
        P(same artist) = 0.15
        >>> scorer.score(["a.jpg", "a.jpg"], ["a.jpg", "b.jpg"]).prediction
        array([1, 0], dtype=int8)

        Args:
            image1: the first image of the pair, or of each of N pairs.
            image2: the second image of the pair, or of each of N pairs.
            threshold: `prediction` is 1 for distances below it; the default is the tower's threshold.
            prior: the share of same-artist pairs that you expect; the default is the tower's, which is usually 0.5.
            cohort: the works to which distances adapt; the default is none. `threshold` is then of adapted distances.

        Raises:
            ImageError: an image cannot be used; the error is that of the first one.
            UsageError: `image1` and `image2` have different lengths, `prior` or `threshold` has an invalid value, or
                the cohort is of another tower.
        """
        criterion = Criterion.of(self.card, threshold, prior, adapted=cohort is not None)
        (first, is_single), (second, other_is_single) = as_list(image1), as_list(image2)
        if is_single != other_is_single or len(first) != len(second):
            raise UsageError(
                f"image1 is {described(first, is_single)}, image2 is {described(second, other_is_single)}; "
                "give one image each, or two lists of the same length."
            )
        if cohort is not None:
            cohort.check_model(self.model_sha256)
        distinct, rows = distinct_images([*first, *second])
        vectors, adapter = self.embed(distinct), adapter_of(self.card, cohort)
        vectors, factor = (vectors, None) if adapter is None else adapter.adapt(vectors)
        scores = criterion.scores(vectors, rows[: len(first)], rows[len(first) :], factor)
        if is_single:
            return Score(scores.distance.item(), scores.probability.item(), scores.prediction.item())
        return scores
