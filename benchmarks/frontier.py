"""AUC against images/s over the rows that `benchmarks.learning` wrote: a table in Markdown, and a plot.

    python -m benchmarks.frontier learning.csv --plot docs/frontier.svg

Rows of one recipe and one set of flags are averaged over their seeds. Expected: among towers on a pretrained network,
larger images are slower and better on artists never seen.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

AUCS = {"test_unseen_auc": "8 artists never seen", "test_seen_auc": "new works by artists trained on"}
SHOWN = ("images_per_second", "gflop", "million_parameters", "minutes", *AUCS)


def main() -> int:
    """Read, average, print, draw."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("table", type=Path)
    parser.add_argument("--plot", type=Path)
    arguments = parser.parse_args()
    rows = pd.read_csv(arguments.table, keep_default_na=False).groupby(["recipe", "set"], sort=False)
    means = rows[list(SHOWN)].mean().assign(seeds=rows.size()).reset_index().sort_values("images_per_second")
    print("| recipe | seeds | images/s | GFLOP | parameters | minutes | AUC unseen | AUC seen |")
    print("|---|---|---|---|---|---|---|---|")
    for _, row in means.iterrows():
        cost = f"{row.images_per_second:.0f} | {row.gflop:.2f} | {row.million_parameters:.1f} M | {row.minutes:.1f}"
        print(f"| {_label(row)} | {row.seeds} | {cost} | {row.test_unseen_auc:.3f} | {row.test_seen_auc:.3f} |")
    if arguments.plot:
        _draw(means, arguments.plot)
    return 0


def _label(row: pd.Series) -> str:
    return f"`{row['recipe']}`" + (f", {row['set'].replace('image_size=', '')} px" if row["set"] else "")


def _draw(means: pd.DataFrame, path: Path) -> None:
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    for axes, (column, title) in zip(figure.subplots(1, 2, sharex=True), AUCS.items(), strict=True):
        axes.set(title=title, xlabel="images/s, onnxruntime, 2 cores", ylabel="AUC", xscale="log")
        axes.margins(x=0.25, y=0.15)
        axes.grid(alpha=0.3)
        for recipe, rows in means.groupby("recipe"):
            axes.plot(rows["images_per_second"], rows[column], "o-", label=recipe)
        for _, row in means.iterrows():
            name = _label(row).replace("`", "")
            axes.annotate(name, (row["images_per_second"], row[column]), (4, 5), textcoords="offset points", fontsize=7)
    figure.savefig(path)


if __name__ == "__main__":
    sys.exit(main())
