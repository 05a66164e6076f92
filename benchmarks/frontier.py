"""AUC against images/s, from the rows of `benchmarks.learning`: a table in Markdown, and a plot.

    python -m benchmarks.frontier learning.csv --plot docs/frontier.svg

Rows of one recipe and one set of flags are averaged over their seeds. Expected: among towers on a pretrained network,
larger images are slower and better on artists never seen.
"""

from __future__ import annotations

import argparse
import re
import sys
from itertools import cycle
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

AUCS = {"test_unseen_auc": "8 artists never seen", "test_seen_auc": "new works by artists trained on"}
TICKS = (10, 20, 50, 100, 200, 500)
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
    flags = [re.sub(r"^image_size=(\d+)$", r"\1 px", flag) for flag in row["set"].split()]
    return ", ".join([f"`{row['recipe']}`", *flags])


def _draw(means: pd.DataFrame, path: Path) -> None:
    figure = Figure(figsize=(9, 4.6), layout="constrained")
    colours = {recipe: f"C{number}" for number, recipe in enumerate(means["recipe"].unique())}
    for axes, (column, title) in zip(figure.subplots(1, 2, sharex=True), AUCS.items(), strict=True):
        axes.set(title=title, xlabel="images/s, onnxruntime, 2 cores", ylabel="AUC", xscale="log")
        axes.set_xticks(TICKS, map(str, TICKS))
        axes.set_xticks([], minor=True)
        axes.grid(alpha=0.3)
        for recipe, rows in means.groupby("recipe"):
            sizes = rows[rows["set"].str.fullmatch(r"|image_size=\d+")]  # one recipe at several sizes is one curve
            axes.plot(sizes["images_per_second"], sizes[column], color=colours[recipe], alpha=0.5)
        for (_, row), marker in zip(means.iterrows(), cycle("osD^vP*X")):
            label, colour = _label(row).replace("`", ""), colours[row["recipe"]]
            axes.plot(row["images_per_second"], row[column], marker, color=colour, label=label)
    figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=3, frameon=False)
    figure.savefig(path)


if __name__ == "__main__":
    sys.exit(main())
