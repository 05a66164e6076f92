"""The sections of a command's help, and the page that has what the help leaves out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import click

# The parameters of each section, in the order of the help. Others come first, without a section of their own.
SECTIONS: Mapping[str, tuple[str, ...]] = {
    "Tower": ("model", "device", "batch_size", "threads", "which", "precision", "max_auc_loss"),
    "Images and tables": (
        "among", "queries", "pairs", "data_dir", "columns", "qualified", "works", "embeddings", "max_bad_images",
        "max_pixels",
    ),
    "Scores": (
        "probability", "threshold", "prior", "cohort", "evidence", "unfamiliar", "same_work", "k", "with_itself",
    ),
    "Output": ("output", "format", "top", "sort", "artists", "summary", "report", "experiment"),
    "Spark": ("engine", "master"),
    "Page": ("host", "port", "no_browser", "max_upload"),
    "General": ("quiet", "as_json", "help"),
}  # fmt: skip
TRAINING: Mapping[str, tuple[str, ...]] = {
    "Collection": (
        "data_file_path", "data_dir", "columns", "qualified", "num_of_artists", "num_of_images_per_artist",
        "merge_spellings", "read_prefetched_data", "save_data_to_file", "max_bad_images", "max_pixels",
    ),
    "Network": (
        "tower", "weights", "image_size", "enlarge", "feature_maps", "embedding_size", "readout_share",
        "readout_stretch", "readout_shift", "tune_epochs", "tune_rate", "refit",
    ),
    "Optimisation": (
        "loss", "batch_size", "works_per_artist", "epochs", "monitor", "patience", "optimizer", "learning_rate",
        "weight_decay", "augment", "mixed_precision",
    ),
    "Run": (
        "summaries_dir", "checkpoint_dir", "device_id", "distribution", "seed", "register", "log_pictures",
        "resume",
    ),
    "General": SECTIONS["General"],
}  # fmt: skip

PLACES = (Path(__file__).parents[1] / "docs", Path(__file__).parents[2] / "docs")  # of a package, and of a clone


def write_sections(command: click.Command, context: click.Context, formatter: click.HelpFormatter) -> None:
    """Write the options of a command into its help, section by section."""
    for title, options in _sections(command, context):
        with formatter.section(title):
            formatter.write_dl(options)


def _sections(command: click.Command, context: click.Context) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    sections = TRAINING if command.name in ("train", "sweep") else SECTIONS
    section_of = {name: title for title, names in sections.items() for name in names}
    found: dict[str, list[tuple[str, str]]] = {title: [] for title in ("Options", *sections)}
    for parameter in command.get_params(context):
        record = parameter.get_help_record(context)
        if record is not None and isinstance(parameter, click.Option):
            name = "help" if "--help" in parameter.opts else str(parameter.name)  # click has a name of its own for it
            found[section_of.get(name, "Options")].append(record)
    return ((title, records) for title, records in found.items() if records)


def further_help() -> str:
    r"""The last line of a help text: where the exit codes and the recipes are; \b keeps click from breaking it."""
    page = next((place / "cli.md" for place in PLACES if (place / "cli.md").is_file()), None)
    where = "docs/cli.md in artsim's repository" if page is None else page.as_uri()
    return f"\b\nExit codes, and the defaults of the recipes: {where}"
