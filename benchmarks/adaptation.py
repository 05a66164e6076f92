"""The settings of a cohort: works that are added to an embedding, and neighbours of a distance.

    ARTSIM_DATA=... python -m benchmarks.adaptation --model tower.onnx

Each row has the AUC on the half of the artists of other_collections/ that is for choosing.

Expected: today's settings are within 0.01 of the best AUC on the choosing half. Measured: docs/experiments.md.
"""

from __future__ import annotations

import argparse
import sys

import artsim
from artsim.scoring import cohort as module
from benchmarks.cohorts import labelled_sets
from benchmarks.data import verdict

EXPANDING, FACTORS = (0, 1, 3, 5), (0.5, 1.0, 2.0, 4.0)
TOLERANCE = 0.01


def main() -> int:
    """Print a row for each pair of settings, and compare today's with the best."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--model", required=True)
    scorer = artsim.load(parser.parse_args().model)
    pairs = labelled_sets(scorer)["others, for choosing"]
    today, found = (module.EXPANDING, module.NEIGHBOURS_FACTOR), {}
    print("works added   neighbours / sqrt(works)   AUC")
    for setting in ((added, factor) for added in EXPANDING for factor in FACTORS):
        module.EXPANDING, module.NEIGHBOURS_FACTOR = setting
        found[setting] = pairs.line(scorer, pairs.works.cohort(scorer, pairs.rows)).auc
        print(f"{setting[0]:>11}   {setting[1]:>24g}   {found[setting]:.4f}", flush=True)
    return verdict(found[today] >= max(found.values()) - TOLERANCE, f"today's settings within {TOLERANCE} of the best")


if __name__ == "__main__":
    sys.exit(main())
