"""The scorer: embeddings and scores of images in Python.

An image is a path, the bytes of a file, a file object opened with `rb`, a Pillow image or a uint8 array: (H, W) or
(H, W, 1) grey, (H, W, 3) RGB, (H, W, 4) RGBA. Several images are a list or another sequence of these, or one array
(N, H, W, C). `artsim.images_in` lists the images of a folder.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import overload

import numpy as np
from numpy.typing import NDArray

from artsim import images as image_files
from artsim.errors import UsageError
from artsim.messages import Progress
from artsim.scoring.adaptation import adapter_of, photograph_rule
from artsim.scoring.cohort import Cohort, TowerOfCohort, build_cohort, check_works
from artsim.scoring.device import CPU, CUDA, Device
from artsim.scoring.embedder import Embedder
from artsim.scoring.image_lists import (
    Errors,
    Image,
    Images,
    OneImage,
    as_list,
    check_errors,
    content_sha256,
    distinct_images,
    name_of,
    paired,
)
from artsim.scoring.scores import OK, Criterion, Pairs, Score, Scores, words_of_pair
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


class Scorer(Embedder):
    """An opened tower that embeds images and scores pairs of them; `artsim.load` makes it.

    Several threads may use one scorer. A scorer is pickled as its file's path and options; unpickling opens it again.

    >>> scorer = artsim.load("tower.onnx")
    >>> scorer.embed(["a.jpg", "b.jpg"]).shape
    (2, 8)
    >>> scorer.score("a.jpg", "b.jpg").prediction
    0
    """

    def __init__(self, tower: Tower, batch_size: int, max_pixels: int, reopen: Callable[[], Scorer]) -> None:
        super().__init__(tower, batch_size, max_pixels)
        self._reopen = reopen

    def __reduce__(self) -> tuple[Callable[[], Scorer], tuple[()]]:
        return self._reopen, ()

    def __repr__(self) -> str:
        rule = self.card.cohort
        adapted = "none with a cohort" if rule is None else f"{rule.threshold:.3g} with a cohort"
        return (
            f"<artsim.Scorer {self.tower.path}: recipe {self.card.recipe!r}, images of {self.card.image_size} px, "
            f"embeddings (N, {self.tower.width}), {self.provider}, batch size {self.batch_size}, "
            f"threshold {self.card.threshold:.3g}, {adapted}>"
        )

    def unfamiliar(self, images: Image | Images) -> NDArray[np.bool_]:
        """Tell which of N images are different from the training photographs, (N,).

        Of photographs like the training photographs, 5 % are unfamiliar. Score unfamiliar photographs with a cohort.

        >>> artsim.load("tower.onnx").unfamiliar(["a.jpg", "b.jpg"])
        array([False,  True])

        Raises:
            ImageError: an image cannot be used; the error is that of the first one.
            ModelError: the tower's card does not describe the training photographs.
        """
        rule = photograph_rule(self.card, str(self.tower.path))
        return rule.are_unfamiliar(self.embed(images))

    def cohort(self, images: Images, *, progress: bool | Progress = False) -> Cohort:
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
        distinct, _ = distinct_images(as_list(images)[0])
        vectors = self.embed(distinct, progress=progress)
        cohort = build_cohort(tower, [content_sha256(image) for image in distinct], lambda rows: vectors[rows])
        check_works(cohort, "images")
        return cohort

    @overload
    def score(  # type: ignore[overload-overlap]  # a str is a Sequence[str], too
        self,
        image1: OneImage,
        image2: OneImage,
        *,
        threshold: float | None = None,
        prior: float | None = None,
        cohort: Cohort | None = None,
        errors: Errors = "raise",
        progress: bool | Progress = False,
    ) -> Score: ...

    @overload
    def score(
        self,
        image1: Sequence[Image],
        image2: Image | Images,
        *,
        threshold: float | None = None,
        prior: float | None = None,
        cohort: Cohort | None = None,
        errors: Errors = "raise",
        progress: bool | Progress = False,
    ) -> Scores: ...

    @overload
    def score(
        self,
        image1: Image | Images,
        image2: Sequence[Image],
        *,
        threshold: float | None = None,
        prior: float | None = None,
        cohort: Cohort | None = None,
        errors: Errors = "raise",
        progress: bool | Progress = False,
    ) -> Scores: ...

    # The type of an array does not tell one image from several.
    @overload
    def score(
        self,
        image1: Image | Images,
        image2: Image | Images,
        *,
        threshold: float | None = None,
        prior: float | None = None,
        cohort: Cohort | None = None,
        errors: Errors = "raise",
        progress: bool | Progress = False,
    ) -> Score | Scores: ...

    def score(
        self,
        image1: Image | Images,
        image2: Image | Images,
        *,
        threshold: float | None = None,
        prior: float | None = None,
        cohort: Cohort | None = None,
        errors: Errors = "raise",
        progress: bool | Progress = False,
    ) -> Score | Scores:
        """Score one pair of images as a `Score`, or N pairs as `Scores`; each different image is embedded once.

        >>> scorer = artsim.load("tower.onnx")
        >>> score = scorer.score("a.jpg", "b.jpg")
        >>> print(f"P(same artist) = {score.probability:.2f}")
        P(same artist) = 0.15
        >>> scorer.score("a.jpg", ["a.jpg", "b.jpg"]).prediction
        array([1, 0], dtype=int8)
        >>> scorer.score("a.jpg", ["missing.jpg", "b.jpg"], errors="keep").status
        ['image2: missing', 'ok']

        Args:
            image1: the first image of the pair, or of each of N pairs.
            image2: the second image of the pair, or of each of N pairs. One image and several are N pairs, too.
            threshold: `prediction` is 1 for distances below it; the default is the tower's threshold.
            prior: the share of same-artist pairs that you expect; the default is the tower's, which is usually 0.5.
            cohort: the works to which distances adapt; the default is none. `threshold` is then of adapted distances.
            errors: `raise` raises the error of the first bad image. `keep` gives pairs with a bad image no score and a
                status that says what is wrong.
            progress: True shows a progress bar on standard error. A function gets the stage, how many images are done,
                and how many there are.

        Raises:
            ImageError: an image cannot be used; the error is that of the first one.
            UsageError: `image1` and `image2` have different lengths, `prior` or `threshold` has an invalid value, or
                the cohort is of another tower.
        """
        check_errors(errors)
        criterion = Criterion.of(self.card, threshold, prior, adapted=cohort is not None)
        first, second, is_single = paired(image1, image2)
        if cohort is not None:
            cohort.check_model(self.model_sha256)
        distinct, rows = distinct_images([*first, *second])
        vectors, failures = self._embedded(distinct, errors, progress)
        adapter = adapter_of(self.card, cohort)
        vectors, factor = (vectors, None) if adapter is None else adapter.adapt(vectors)
        words = np.full(len(distinct), OK, dtype=object)
        for row, error in failures.items():
            words[row] = error.status
        halves = rows[: len(first)], rows[len(first) :]
        status = list(map(words_of_pair, *(words[half] for half in halves)))
        pairs = Pairs(list(map(name_of, first)), list(map(name_of, second)), status)
        scores = criterion.scores(vectors, *halves, factor).of(pairs)
        return scores.single() if is_single else scores
