"""The memory of one fit of a readout on many works, without their paintings: random features of 400 artists.

    python -m benchmarks.fit_memory [--works 20000]

The features have the width of EfficientNet-Lite0's, and each work has a shifted view. Four fifths of the works are
fitted on. The memory is the largest resident set of the process.

Expected: at most `BOUND` GiB, for any number of works. Measured on 2026-11-27 on 2 busy cores: 1.45 GiB for 20,000
works, whose features take 2.7 GiB, in 60 s of CPU time.
"""

from __future__ import annotations

from benchmarks import with_tensorflow  # noqa: F401 - it starts TensorFlow, so it comes first

# isort: split

import argparse
import resource
import sys

import numpy as np

from artsim.large_arrays import new_array, release_pages
from artsim.training.loop.evaluator import embed
from artsim.training.loop.pretrained import HeadTrainer
from artsim.training.networks.features import LabelledFeatures, build_features
from artsim.training.networks.rows import BLOCK
from artsim.training.recipes import RECIPES
from benchmarks.data import verdict
from benchmarks.frozen import unattended

BOUND = 2.0  # GiB
ARTISTS = 400
SMALL = 64  # px: the network only has to be there


def main() -> int:
    """Fit, embed, and print the memory."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--works", type=int, default=20_000)
    count = parser.parse_args().works
    recipe = RECIPES["readout"]
    network = build_features(recipe, SMALL, "none")
    works = _made_up(count, network.output_shape[1])
    known = np.flatnonzero(works.labels >= ARTISTS // 5)
    trainer = HeadTrainer(recipe, network, works.subset(known), unattended(recipe, count), 1, seed=0)
    embed(trainer.head, trainer.train.features)
    gib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"{count:,} works: {gib:.2f} GiB")
    return verdict(gib <= BOUND, f"at most {BOUND:g} GiB")


def _made_up(count: int, width: int) -> LabelledFeatures:
    """Works with random features around those of their artists, (N, F)."""
    rng = np.random.default_rng(0)
    labels = np.arange(count) % ARTISTS
    artists = rng.random((ARTISTS, width), np.float32)
    works, views = (new_array((count, width), np.float32, "features") for _ in range(2))
    for array in (works, views):
        for start in range(0, count, BLOCK):
            rows = labels[start : start + BLOCK]
            array[start : start + BLOCK] = artists[rows] + rng.random((len(rows), width), np.float32)
            release_pages(array)
    return LabelledFeatures(works, labels, views)


if __name__ == "__main__":
    sys.exit(main())
