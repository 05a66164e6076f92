"""The report of a training run, from validation works and made-up embeddings."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from artsim.collection.selection import Selection
from artsim.evaluation.report.page import render
from artsim.evaluation.report.training import TrainedTower, training_report
from artsim.evaluation.validation import Validation
from tests.evaluation.test_validation import works
from tests.towers import card, write_paintings


@pytest.mark.parametrize("shifted", [True, False])
def test_the_report_of_a_run_has_the_metrics_of_its_card_and_all_validation_works(
    tmp_path: Path, shifted: bool
) -> None:
    table = works({"e": "Baroque", "f": "Baroque"})
    table["filename"] = table["filename"].str.replace(".jpg", ".png")
    write_paintings(tmp_path, *table["filename"])
    validation = Validation(Selection(table, tmp_path, "test"), "rms", None, seed=0)
    rng = np.random.default_rng(0)
    place = np.array([ord(artist) for artist in validation.works["artist"]])[:, None]
    embeddings = (place / 4 + rng.normal(scale=0.1, size=(len(place), 8))).astype(np.float32)
    result = validation.evaluate(embeddings, intervals=True)
    metrics = result.metrics | {"val_unseen/auc": 0.8765, "val_unseen/auc_low": 0.83, "val_unseen/auc_high": 0.92}
    if shifted:
        metrics |= {"val_shifted/auc": 0.7654, "val_shifted/auc_low": 0.71, "val_shifted/auc_high": 0.82}
    own = card(validation=metrics, threshold=result.rule.threshold, calibration=result.rule.calibration)
    tower = TrainedTower(own, "5" * 64, embeddings, None)
    page = render(training_report(validation, tower, "artsim train --epochs=1"))
    assert page.index("Artists never seen in training") < page.index("New works by the artists trained on")
    assert ("Validation works as other photographs would show them" in page) == shifted
    assert ">0.88<" in page
    assert (">0.77<" in page) == shifted
    assert "AUC, 95&nbsp;% interval 0.83 to 0.92" in page
    assert "artsim train --epochs=1" in page
    assert "5" * 64 in page
    data = json.loads(page.partition('id="data">')[2].partition("</script>")[0])
    assert {each["name"] for each in data["pictures"]} == set(validation.works["filename"])
    assert all(each["box"] and each["place"] for each in data["pictures"])
