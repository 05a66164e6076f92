"""The cohort: unlabelled works to which embeddings and distances adapt.

Embeddings of a foreign collection share a direction, because its photographs differ from the training photographs in
the same way. All its pairs then look alike. Embeddings (N, D) adapt in three steps. The first two change the first A
values of an embedding, which are those of the readout, and keep their length. The other values are of a trained head
and stay as they are.

1. Centring. The mean of the cohort is subtracted.
2. Expansion (Radenović, Tolias and Chum 2018). The 3 nearest works of the cohort are added, times the square of their
   cosine similarity. Works of one artist then move together.
3. Contextual dissimilarity (NICDM, the non-iterative form of Jégou, Harzallah and Schmid 2007). Let m(x) be the mean
   distance of x to its k nearest works of the cohort. Then

       d'(x, y) = d(x, y) / (s sqrt(m(x) m(y))) = d(x, y) · factor(x) · factor(y)

   Works in a dense part of the collection move apart, others move together. The number s makes the mean distance of
   two works of the cohort 1. So one threshold holds for collections with large and with small distances. With C works
   in the cohort, k is 2 sqrt(C).

Copies of a work, such as the same photograph in another size, count as one work of the cohort. A copy of x is no
neighbour of x, nor is x itself. So an image has the distance 0 to itself, and x is no nearer to a cohort that it is in.

A cohort is ordered by the digests of its files, and an embedding adapts by itself. So names, order and batches do not
matter, and the same cohort gives the same bytes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from artsim.errors import InputError, ModelError, UsageError
from artsim.messages import counted
from artsim.scoring.contract import OTHER_TOWER, Card, CohortRule, DistanceName
from artsim.scoring.distance import pair_distances
from artsim.scoring.neighbours import BLOCK_ROWS, Neighbours, Rows, Vectors, distances_to

MAX_COHORT = 1000  # works; more change the scores little and take time
MIN_COHORT = 10  # works; fewer say little about a collection
# Settings; docs/experiments.md compares them with others.
EXPANDING = 3  # nearest works that are added to an embedding
NEIGHBOURS_FACTOR = 2.0  # neighbours of NICDM: so many times the square root of the number of works
# Embeddings that are closer than this share of the tower's threshold are copies of one photograph. Measured with a
# readout tower (threshold 1.33): a photograph and its copy in another JPEG quality (30 or better), in another size (a
# quarter or more) or cropped by 2 % are at most 0.32 apart, in shares 0.24. Different works are at least 0.46 apart in
# two foreign collections, and 0.35 in photographs like the training photographs, in shares 0.34 and 0.26.
COPY_SHARE = 0.25
# Embeddings that share a longer direction than this are unlike the cohort. Measured with `base`: 0.40 and 0.44 with the
# cohort of another museum, 0.24 to 0.34 with ten works of their own collection; 0.12 with works by the other 38 artists
# of a collection, 0.346 by the other four of eight artists.
MOST_MISFIT = 0.35

# The embeddings (K, D) of K numbered works.
ReadVectors = Callable[[Rows], Vectors]


@dataclass(frozen=True, eq=False)
class Cohort:
    """Unlabelled works to which scores adapt; `Scorer.cohort` makes it. It can be pickled.

    >>> scorer = artsim.load("tower.onnx")
    >>> cohort = scorer.cohort(["a.jpg", "b.jpg", "c.jpg"])
    >>> cohort.works, cohort.vectors.shape
    (3, (3, 8))
    >>> scorer.score("a.jpg", "b.jpg", cohort=cohort).prediction
    1

    Attributes:
        sha256s: hex digests (C,) of the works' files, sorted.
        vectors: the works' own embeddings, float32 (C, D), in that order.
        left_out_copies: the number of files that were left out as copies of others.
        sampled_from: the number of different files that the works were chosen from.
        distance: the tower's kind of distance.
        copy_distance: embeddings that are closer are of one photograph.
        adapted_width: A, the number of leading values that adapt.
        model_sha256: of the tower.
    """

    sha256s: tuple[str, ...]
    vectors: Vectors
    left_out_copies: int
    sampled_from: int
    distance: DistanceName
    copy_distance: float
    adapted_width: int
    model_sha256: str

    def __repr__(self) -> str:
        return f"<artsim.Cohort of {self.works:,} works, SHA-256 {self.sha256[:8]}…>"

    @property
    def works(self) -> int:
        """C, the number of works."""
        return len(self.sha256s)

    def check_model(self, model_sha256: str) -> None:
        """Check that the cohort was made with this tower.

        Raises:
            UsageError: it was made with another.
        """
        if self.model_sha256 != model_sha256:
            raise UsageError(
                f"the cohort is of another model, with SHA-256 {self.model_sha256}; this model has {model_sha256}. "
                "Make a cohort with this model's scorer."
            )

    @cached_property
    def sha256(self) -> str:
        """The digest of all that decides how embeddings adapt: the works, the tower and A."""
        parts = [self.model_sha256, str(self.adapted_width), *self.sha256s]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()

    def adapt(self, vectors: Vectors) -> tuple[Vectors, NDArray[np.float32]]:
        """Adapt embeddings (N, D): returns moved embeddings (N, D) and the factors (N,) of their distances."""
        moved = self._moved(vectors)
        density = self._filled(self._near_distances(vectors, moved))
        return moved, np.sqrt(1 / (self._scale * density)).astype(np.float32)

    def misfit(self, vectors: Vectors) -> float:
        """How unlike the cohort N >= 2 works with embeddings (N, D) are: about 0 for works like its own, 1 at most.

        It is the length of the mean of their centred embeddings, each brought to length 1 first. The square of the
        length is 1/N for random directions. The return value is corrected for that.
        """
        centred = self._centred(vectors)[:, : self.adapted_width].astype(np.float64)
        lengths = np.linalg.norm(centred, axis=1, keepdims=True)
        mean = np.divide(centred, lengths, out=np.zeros_like(centred), where=lengths > 0).mean(axis=0)
        return float(np.sqrt(max(0.0, (len(centred) * mean @ mean - 1) / (len(centred) - 1))))

    @cached_property
    def _mean(self) -> NDArray[np.float64]:
        mean: NDArray[np.float64] = self.vectors[:, : self.adapted_width].mean(axis=0, dtype=np.float64)
        return mean

    @cached_property
    def _centred_works(self) -> Neighbours:
        return Neighbours(self.vectors, self._centred(self.vectors), self.distance, self.copy_distance)

    @cached_property
    def _moved_works(self) -> Neighbours:
        return Neighbours(self.vectors, self._moved(self.vectors), self.distance, self.copy_distance)

    @cached_property
    def _own_density(self) -> NDArray[np.float64]:
        """Return m (C,) of the cohort's works; 0 where a work has no neighbour."""
        return self._near_distances(self.vectors, self._moved_works.moved)

    @cached_property
    def _scale(self) -> float:
        """s, the mean distance of two works of the cohort before it is made 1; 1 if all of them are the same."""
        factor = (1 / np.sqrt(self._filled(self._own_density))).astype(np.float32)
        first, second = np.triu_indices(self.works, k=1)
        distance = pair_distances(self._moved_works.moved, first, second, self.distance, factor)
        return float(distance.mean(dtype=np.float64)) if distance.any() else 1.0

    def _moved(self, vectors: Vectors) -> Vectors:
        """Steps 1 and 2: (N, D) -> (N, D)."""
        return self._expanded(vectors, self._centred(vectors))

    def _centred(self, vectors: Vectors) -> Vectors:
        """Step 1: (N, D) -> (N, D). An embedding that equals the mean becomes 0."""
        centred = vectors.copy()
        for start in range(0, len(vectors), BLOCK_ROWS):
            part = vectors[start : start + BLOCK_ROWS, : self.adapted_width].astype(np.float64)
            centred[start : start + BLOCK_ROWS, : self.adapted_width] = _of_length(part - self._mean, part)
        return centred

    def _expanded(self, vectors: Vectors, centred: Vectors) -> Vectors:
        """Step 2: (N, D) -> (N, D)."""
        expanded = centred.copy()
        for block, near, distance in self._centred_works.of(vectors, centred, EXPANDING):
            own, works = (each.astype(np.float64) for each in (centred[block], self._centred_works.moved[near]))
            weight = np.where(np.isfinite(distance), np.clip(_cosines(own, works), 0, None) ** 2, 0)  # (B, K)
            lead, leads = own[:, : self.adapted_width], works[:, :, : self.adapted_width]
            expanded[block, : self.adapted_width] = _of_length(lead + (weight[:, :, None] * leads).sum(axis=1), lead)
        return expanded

    def _filled(self, density: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return m (N,), with the geometric mean over the cohort where a work has no neighbour but copies."""
        known = self._own_density[self._own_density > 0]
        return np.where(density > 0, density, np.exp(np.log(known).mean()) if len(known) else 1.0)

    def _near_distances(self, vectors: Vectors, moved: Vectors) -> NDArray[np.float64]:
        """Return the mean distance (N,) to the k nearest works that are no copies; 0 if there are none."""
        means = np.empty(len(vectors))
        for block, _, distance in self._moved_works.of(vectors, moved, round(NEIGHBOURS_FACTOR * np.sqrt(self.works))):
            known = np.isfinite(distance)
            means[block] = np.where(known, distance, 0).sum(axis=1) / np.maximum(1, known.sum(axis=1))
        return means


@dataclass(frozen=True)
class TowerOfCohort:
    """What a cohort needs of a tower: its card, its name for errors, and its digest."""

    card: Card
    name: str
    sha256: str

    def rule(self) -> CohortRule:
        """The card's rule for cohorts.

        Raises:
            ModelError: the card has none.
        """
        if self.card.cohort is None:
            raise ModelError(
                f"{self.name}: this tower can't adapt to a cohort, because its card has no rule for adapted distances. "
                f"{OTHER_TOWER}; or use no cohort (--cohort none)."
            )
        return self.card.cohort


def check_works(cohort: Cohort, source: str, least: int = 2) -> None:
    """Check the number of works; `source` names the cohort for the error.

    Raises:
        InputError: there are fewer than `least`.
    """
    if cohort.works < least:
        copies = f", besides {counted(cohort.left_out_copies, 'copy', 'copies')}" if cohort.left_out_copies else ""
        raise InputError(
            f"{source}: a cohort needs at least {least} different works, and {MIN_COHORT} or more for good scores; "
            f"there {'is' if cohort.works == 1 else 'are'} {cohort.works}{copies}. Name more works, or use no cohort "
            "(--cohort none)."
        )


def build_cohort(tower: TowerOfCohort, sha256s: Sequence[str], read: ReadVectors) -> Cohort:
    """Choose the works of a cohort: one of each file's content, no copies, at most MAX_COHORT.

    Works with the smallest digests are chosen, so the choice depends on content only. Their number is not checked.

    Args:
        tower: of the embeddings.
        sha256s: hex digests of N files; an empty one is of a bad image.
        read: returns the embeddings (K, D) of K of the N files, by their numbers.

    Raises:
        ModelError: the tower has no rule for cohorts.
    """
    width, card = tower.rule().adapted_width, tower.card
    row_of = {sha256: row for row, sha256 in reversed(list(enumerate(sha256s))) if sha256}
    ordered = sorted(row_of)
    copy_distance = COPY_SHARE * card.threshold
    chosen, vectors, copies = _choose(ordered, [row_of[sha256] for sha256 in ordered], read, copy_distance, card)
    return Cohort(tuple(chosen), vectors, copies, len(ordered), card.distance, copy_distance, width, tower.sha256)


def _choose(
    ordered: list[str], rows: list[int], read: ReadVectors, copy_distance: float, card: Card
) -> tuple[list[str], Vectors, int]:
    """Walk through the files in order until MAX_COHORT works are found."""
    chosen: list[str] = []
    copies = 0
    vectors = read(np.empty(0, dtype=np.int64))  # (0, D)
    for start in range(0, len(ordered), MAX_COHORT):
        part = read(np.array(rows[start : start + MAX_COHORT], dtype=np.int64))
        vectors = np.concatenate([vectors[: len(chosen)], part])
        for sha256, vector in zip(ordered[start:], part, strict=False):
            if len(chosen) == MAX_COHORT:
                return chosen, vectors[:MAX_COHORT].copy(), copies
            earlier = np.arange(len(chosen))[None]
            if (distances_to(vector[None], vectors[: len(chosen)], earlier, card.distance) < copy_distance).any():
                copies += 1
            else:
                vectors[len(chosen)] = vector
                chosen.append(sha256)
    return chosen, vectors[: len(chosen)].copy(), copies


def _of_length(vectors: NDArray[np.float64], others: NDArray[np.float64]) -> NDArray[np.float64]:
    """Vectors (N, D) scaled to the lengths of others (N, D); a vector of length 0 stays."""
    own, wanted = (np.linalg.norm(each, axis=1, keepdims=True) for each in (vectors, others))
    return np.asarray(vectors * np.divide(wanted, own, out=np.zeros_like(own), where=own > 0))


def _cosines(vectors: NDArray[np.float64], works: NDArray[np.float64]) -> NDArray[np.float64]:
    """Cosine similarities (N, K) of vectors (N, D) and works (N, K, D); 0 for a vector of length 0."""
    products = (vectors[:, None] * works).sum(axis=2)
    lengths = np.linalg.norm(vectors, axis=1)[:, None] * np.linalg.norm(works, axis=2)
    return np.asarray(np.divide(products, lengths, out=np.zeros_like(products), where=lengths > 0))
