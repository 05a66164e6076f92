"""The tower that comes with artsim: it is small, adapts to cohorts, and scores without --model."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

import artsim
from artsim.cli.main import run
from artsim.cli.score import score
from artsim.towers import BASE

MOST_BYTES = 12_000_000


def test_it_is_small_and_knows_its_training_photographs() -> None:
    assert BASE.stat().st_size <= MOST_BYTES
    card = artsim.load().card
    assert (card.contract, card.recipe, card.image_size) == (2, "readout", 256)
    assert card.cohort is not None
    assert card.photographs is not None
    assert {"val_seen/auc", "val_unseen/auc", "val_shifted/auc"} <= card.validation.keys()


def test_weights_in_16_bits_are_computed_in_32(demo_csv: Path) -> None:
    images = sorted((demo_csv.parent / "train").iterdir())[:3]
    embeddings = artsim.load().embed(images)
    assert embeddings.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(embeddings, axis=1), 1, rtol=1e-5)


def test_pairs_are_scored_without_naming_a_model(
    demo_csv: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names = sorted(path.name for path in (demo_csv.parent / "train").iterdir())[:4]
    pairs = tmp_path / "pairs.csv"
    pairs.write_text(f"image1,image2\n{names[0]},{names[1]}\n{names[0]},{names[0]}\n")
    arguments = [str(pairs), "--data-dir", str(demo_csv.parent / "train")]
    assert run(lambda: score.main(arguments, prog_name="artsim-score", standalone_mode=False)) == 0
    different, itself = csv.DictReader(capsys.readouterr().out.splitlines())
    assert float(itself["distance"]) == 0
    assert float(different["distance"]) > 0
    assert different["status"] == "ok"
