"""What a training run keeps for the eye and for comparisons: report, figures, training views, validation scores.

Pictures of the works are logged where the artifacts are files of this computer, and elsewhere if the user wants it.
"""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from artsim.evaluation.report.contents import Report
from artsim.evaluation.report.page import render
from artsim.evaluation.report.standalone import standalone_figures
from artsim.evaluation.report.training import without_pictures
from artsim.evaluation.validation_scores import SCORES_FILE, write_validation_scores
from artsim.export.pipeline import Exported
from artsim.files import replacing
from artsim.messages import Say
from artsim.tracking.run import Run

REPORT_FILE = "report.html"
VIEWS_FILE = "training_views.jpg"
FIGURES = "figures"  # the folder of the artifacts
NO_PICTURES_NOTE = (
    "The artifacts of the run are not files of this computer, so the report is logged without pictures of the works. "
    "To log them: --log-pictures."
)


def log_evidence(run: Run, report: Report, exported: Exported, say: Say, *, log_pictures: bool) -> None:
    """Write the report beside the tower, and log it with the figures and the scores of the validation pairs."""
    folder = exported.path.parent
    page = folder / REPORT_FILE
    with replacing(page) as file:
        file.write(render(report))
    with TemporaryDirectory(prefix="artsim-") as scratch:
        for name, figure in standalone_figures(report).items():
            run.log_file(_written(Path(scratch, name), figure), FIGURES)
        scores = Path(scratch, SCORES_FILE)
        write_validation_scores(exported.scores, exported.validation.works, scores)
        run.log_file(scores)
        if log_pictures or run.keeps_artifacts_here:
            run.log_file(page)
            if (views := folder / VIEWS_FILE).is_file():
                run.log_file(views, FIGURES)
        else:
            say(NO_PICTURES_NOTE)
            run.log_file(_written(Path(scratch, REPORT_FILE), render(without_pictures(report))))


def _written(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path
