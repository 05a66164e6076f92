"""Comparison of heads and losses on the features of a frozen MobileNet, on validation works only.

    ARTSIM_DATA=... python -m benchmarks.heads --weights FILE [--splits 4]

Each variant is one change to the recipe `transfer` or `readout`. Losses that artsim does not have are implemented here,
on the same coordinates. A row has the AUC on seen and unseen artists, as means over the splits.

Expected: the readout is the best single head on unseen artists, and a trained head on seen artists. Both together keep
most of both. Measured: docs/experiments.md.
"""

from __future__ import annotations

from benchmarks import with_tensorflow  # noqa: F401 - it starts TensorFlow, so it comes first

# isort: split

import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from artsim.training.data.batches import feature_dataset, steps_per_epoch
from artsim.training.loop.losses import SOFTMAX_SCALE, Softmax
from artsim.training.networks.features import LabelledFeatures
from artsim.training.networks.heads import COMPONENTS, build_head, build_trained_head
from artsim.training.networks.readout import fit_projection
from artsim.training.recipes import RECIPES, Recipe
from benchmarks import frozen
from benchmarks.data import verdict

COSINE_MARGIN, CONTRASTIVE_MARGIN = 0.2, 1.0
READOUT, TRANSFER = RECIPES["readout"], RECIPES["transfer"]
IN_BATCHES_OF_128 = replace(TRANSFER, works_per_artist=8, batch_size=128, epochs=40)
SOFTMAX = replace(IN_BATCHES_OF_128, readout_share=0.0, loss="softmax", embedding_size=64)
VARIANTS: dict[str, Recipe] = {
    "readout": READOUT,
    "readout, 64 wide": replace(READOUT, embedding_size=64),
    "readout, 128 wide": replace(READOUT, embedding_size=128),
    "readout, 256 wide": replace(READOUT, embedding_size=256),
    "one softmax head": SOFTMAX,
    "one softmax head, 5 epochs": replace(SOFTMAX, epochs=5),
    "one softmax head, 60 epochs": replace(SOFTMAX, epochs=60),
    "one softmax head, 2 works an artist": replace(SOFTMAX, works_per_artist=2, batch_size=32),
    "one supcon head": replace(SOFTMAX, loss="supcon"),
    "readout beside one softmax head": replace(IN_BATCHES_OF_128, loss="softmax"),
    "readout beside one supcon head, 8 works an artist": IN_BATCHES_OF_128,
    "transfer: readout beside one supcon head": TRANSFER,
}


def main() -> int:
    """Fit every variant on every split."""
    parser = frozen.arguments_parser(__doc__)
    parser.add_argument("--splits", type=int, default=4)
    arguments = parser.parse_args()
    network, works = frozen.network_and_works(arguments)
    splits = list(frozen.splits(works.labels, arguments.splits))
    found: dict[str, Any] = {}
    for name, recipe in VARIANTS.items():
        heads = (frozen.fitted(recipe, network, works, split.known) for split in splits)
        rows = [frozen.aucs(head, works, split) for head, split in zip(heads, splits, strict=True)]
        found[name] = _said(name, rows)
    for name, (objective, loss) in LOSSES.items():
        heads = (_trained(objective, loss, works, split.known) for split in splits)
        rows = [frozen.aucs(head, works, split) for head, split in zip(heads, splits, strict=True)]
        found[name] = _said(name, rows)
    seen, unseen = (np.array([found[name][kind] for name in ("readout", "one softmax head")]) for kind in (0, 1))
    both = found["transfer: readout beside one supcon head"]
    met = unseen[0] > unseen[1] and seen[1] > seen[0] and both[0] > seen.mean() and both[1] > unseen.mean()
    return verdict(bool(met), "both heads to be nearer to the better one on either kind of artist")


def _said(name: str, rows: list[tuple[float, float]]) -> tuple[float, float]:
    seen, unseen = np.mean(rows, axis=0)
    print(f"{name:<40} seen {seen:.3f}  unseen {unseen:.3f}", flush=True)
    return float(seen), float(unseen)


def _cosines(head: keras.Model, artists: int) -> keras.Model:
    return Softmax(head, artists).model


def _embeddings(head: keras.Model, _: int) -> keras.Model:
    return head


def _cosface(labels: Any, logits: Any) -> Any:
    """Wang et al. 2018: softmax over cosines, with a margin subtracted from that of the right artist."""
    right = ops.one_hot(ops.cast(ops.reshape(labels, (-1,)), "int32"), logits.shape[-1])
    return keras.losses.sparse_categorical_crossentropy(
        labels, logits - SOFTMAX_SCALE * COSINE_MARGIN * right, from_logits=True
    )


def _squared(embeddings: Any) -> Any:
    return ops.maximum(2 - 2 * ops.matmul(embeddings, ops.transpose(embeddings)), 0.0)  # (B, B)


def _same(labels: Any) -> Any:
    labels = ops.reshape(labels, (-1, 1))
    return ops.cast(ops.equal(labels, ops.transpose(labels)), "float32")


def _triplet(labels: Any, embeddings: Any) -> Any:
    """Hermans et al. 2017: for each work the farthest by its artist and the nearest by another, with a soft margin."""
    distance, same = ops.sqrt(_squared(embeddings) + 1e-6), _same(labels)
    return ops.softplus(ops.max(distance * same, axis=1) - ops.min(distance + 10 * same, axis=1))


def _contrastive(labels: Any, embeddings: Any) -> Any:
    """Hadsell et al. 2006, over all pairs of a batch, with equal weight of both kinds."""
    squared, same = _squared(embeddings), _same(labels)
    away = ops.square(ops.maximum(CONTRASTIVE_MARGIN - ops.sqrt(squared + 1e-6), 0.0))
    return ops.sum(same * squared) / ops.sum(same) + ops.sum((1 - same) * away) / ops.sum(1 - same)


LOSSES: dict[str, tuple[Callable[[keras.Model, int], keras.Model], Callable[[Any, Any], Any]]] = {
    "one CosFace head, margin 0.2": (_cosines, _cosface),
    "one triplet head, batch hard": (_embeddings, _triplet),
    "one contrastive head, all pairs": (_embeddings, _contrastive),
}


def _trained(
    objective: Callable[[keras.Model, int], keras.Model],
    loss: Callable[[Any, Any], Any],
    works: LabelledFeatures,
    rows: NDArray[np.int64],
) -> keras.Model:
    """One head, trained as in `transfer` except for the loss."""
    keras.utils.set_random_seed(0)
    train = works.subset(rows)
    projection = fit_projection(train.features, train.labels, COMPONENTS)
    _, labels = np.unique(train.labels, return_inverse=True)
    head = build_trained_head(projection.kernel.shape[1], SOFTMAX.embedding_size)
    model = objective(head, int(labels.max()) + 1)
    steps = steps_per_epoch(SOFTMAX, len(labels), pairs=0)
    rate = keras.optimizers.schedules.CosineDecay(SOFTMAX.learning_rate, steps * SOFTMAX.epochs)
    model.compile(keras.optimizers.AdamW(rate, weight_decay=SOFTMAX.weight_decay), loss)
    dataset = feature_dataset(projection(train.features), labels, SOFTMAX, seed=0)
    model.fit(dataset, epochs=SOFTMAX.epochs, steps_per_epoch=steps, verbose=0)
    return build_head(projection, train, 0, head, SOFTMAX)


if __name__ == "__main__":
    sys.exit(main())
