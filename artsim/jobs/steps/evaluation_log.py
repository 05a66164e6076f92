"""The runs that `mlflow run . -e score` and `-e register` make: what they were given, and what came out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from artsim.evaluation.summary import Summary
from artsim.files import is_stream
from artsim.model_names import is_tracked
from artsim.tracking.resolver import find_tower
from artsim.tracking.run import tracked_run

PAIRS = "pairs"  # the dataset, and the group of its metrics
SUMMARY_FILE = "summary.json"


def log_scores(model: str, pairs: str, summary: Summary, flags: Mapping[str, object]) -> None:
    """Log the summary of a scoring as an evaluation run, linked to the model and to the pairs file as its dataset.

    Raises:
        TrackingError: the store cannot be used.
    """
    counts = {name: float(getattr(summary, name)) for name in ("pairs", "images", "unscored_pairs", "labelled_pairs")}
    metrics = {f"{PAIRS}/{name}": value for name, value in {**summary.metrics, **counts}.items()}
    if summary.auc_interval is not None:
        metrics |= dict(zip((f"{PAIRS}/auc_low", f"{PAIRS}/auc_high"), summary.auc_interval, strict=True))
    with tracked_run(f"score-{Path(pairs).stem}", system_metrics=False) as run:
        run.log_params(flags)
        model_id = find_tower(model).model_id if is_tracked(model) else None
        if model_id is not None:
            run.use_model(model_id)
        if not is_stream(pairs):
            run.log_file_as_dataset(PAIRS, Path(pairs))
        run.log_metrics(metrics, model_id=model_id)
        with TemporaryDirectory(prefix="artsim-") as scratch:
            file = Path(scratch, SUMMARY_FILE)
            file.write_text(summary.to_json(), encoding="utf-8", errors="backslashreplace")
            run.log_file(file)


def logged_registration(register: Callable[[], str], flags: Mapping[str, object]) -> str:
    """Run a registration inside a run that holds its parameters and its result, and return the result."""
    with tracked_run("register", system_metrics=False) as run:
        run.log_params(flags)
        report = register()
        run.set_description(report)
    return report
