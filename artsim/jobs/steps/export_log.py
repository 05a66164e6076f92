"""What an export leaves in MLflow: a further model of the run that trained the tower, measured by a child run."""

from __future__ import annotations

from collections.abc import Mapping

from artsim.errors import ModelError, TrackingError
from artsim.export.pipeline import Exported
from artsim.messages import Say
from artsim.tracking.earlier import deliver_earlier
from artsim.tracking.logged_models import TowerModel
from artsim.tracking.resolver import step_of_tower
from artsim.tracking.run import tracked_run


def log_export(exported: Exported, name: str, flags: Mapping[str, object], say: Say) -> None:
    """Log an exported tower as a model with this name. If its run is not in the store, that is said and no error."""
    card, run_id = exported.card, exported.card.run_id
    if run_id is None:
        return
    try:
        deliver_earlier(say)  # the run's tower may wait in its outbox
        step = step_of_tower(run_id)
    except (ModelError, TrackingError) as error:
        say(f"The tower is not logged in MLflow, because its run cannot be found. {error}")
        return
    texts = {"recipe": card.recipe, "precision": card.precision, "selection_sha256": card.selection_sha256}
    with tracked_run(name, say=say, system_metrics=False) as run:
        run.follow(run_id)
        run.log_params(flags)
        model_id = run.log_tower(TowerModel(exported.path, name, step, texts), of_run=run_id)
        run.log_metrics(export_metrics(exported), step, model_id)


def export_metrics(exported: Exported) -> dict[str, float]:
    """The metrics of an exported tower, its size, and what a reduced precision costs and gains."""
    metrics = {
        **exported.card.validation,
        "export/threshold": exported.card.threshold,
        "export/max_embedding_difference": exported.check.embedding,
        "export/max_distance_difference": exported.check.distance,
        "export/bytes": float(exported.path.stat().st_size),
    }
    if (cost := exported.cost) is None:
        return metrics
    return {
        **metrics,
        "export/auc_loss": cost.auc_loss,
        "export/images_per_second": cost.images_per_second[1],
        "export/images_per_second_fp32": cost.images_per_second[0],
        "export/bytes_fp32": float(cost.bytes[0]),
        **{f"export/{split}_auc_loss": before - after for split, (before, after) in cost.auc.items()},
    }
