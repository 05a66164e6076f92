"""Shortcuts: photographs that give away the artist are reported, others are not."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from artsim.collection.selection import Selection
from artsim.evaluation.photographs import cues_of, read_photographs
from artsim.evaluation.shortcuts import (
    SHORTCUT_AUC,
    CueAuc,
    CueAucs,
    cue_aucs,
    shortcut_metrics,
    shortcut_table,
    shortcut_warning,
    shortcuts_among,
    validation_cue_aucs,
)
from artsim.evaluation.validation import Validation
from tests.images.makers import painting

ARTISTS, WORKS = 6, 8
UNSEEN = 3  # of the artists
MEANINGS = {"val_seen": "seen", "val_unseen": "unseen"}

# Takes the picture of the work, the number of its artist and of the work, and where to save it.
Photographer = Callable[[Image.Image, int, int, Path], None]


def found_in(folder: Path, photographer: Photographer) -> dict[str, CueAucs]:
    """Make the works of all artists as this photographer takes them, and compute the AUC of each cue."""
    rows = []
    for artist in range(ARTISTS):
        for work in range(WORKS):
            name = f"{artist}_{work}.jpg"
            photographer(Image.fromarray(painting(96, 64, seed=WORKS * artist + work)), artist, work, folder / name)
            rows.append((name, f"artist {artist}", "val_seen" if artist < ARTISTS - UNSEEN else "val_unseen"))
    selection = Selection(pd.DataFrame(rows, columns=["filename", "artist", "split"]), folder, "test")
    validation = Validation(selection, "euclidean", None, seed=0)
    return validation_cue_aucs(cues_of(read_photographs(validation.paths, 10**6, lambda *_: None)), validation)


def in_balance(picture: Image.Image, artist: int, work: int, path: Path) -> None:
    """Each artist's works in the same sizes, at the same qualities and on the same walls as every other's."""
    take(picture, path, scale=1 + work % 2, quality=(70, 90)[work // 2 % 2], wall=("white", "grey")[work // 4 % 2])


def size_by_artist(picture: Image.Image, artist: int, work: int, path: Path) -> None:
    take(picture, path, scale=1 + artist, quality=(70, 90)[work % 2])


def quality_by_artist(picture: Image.Image, artist: int, work: int, path: Path) -> None:
    take(picture, path, scale=1 + work % 2, quality=50 + 8 * artist)


def wall_by_artist(picture: Image.Image, artist: int, work: int, path: Path) -> None:
    take(picture, path, wall=("black", "white", "navy", "gold", "grey", "maroon")[artist])


def take(picture: Image.Image, path: Path, scale: int = 1, quality: int = 80, wall: str = "white") -> None:
    photograph = Image.new("RGB", (picture.width + 12, picture.height + 12), wall)
    photograph.paste(picture, (6, 6))
    photograph.resize((photograph.width * scale, photograph.height * scale)).save(path, quality=quality)


@pytest.mark.parametrize(
    ("photographer", "shortcuts"),
    [
        (size_by_artist, ["width", "height"]),
        (quality_by_artist, ["jpeg_quality"]),
        (wall_by_artist, ["border_colour"]),
        (in_balance, []),
    ],
)
def test_photographs_that_give_away_the_artist_are_reported_and_no_others(
    tmp_path: Path, photographer: Photographer, shortcuts: Sequence[str]
) -> None:
    found = found_in(tmp_path, photographer)
    assert set(found) == {"val_seen", "val_unseen"}
    assert {split: shortcuts_among(aucs) for split, aucs in found.items()} == {key: list(shortcuts) for key in found}
    warning = shortcut_warning(found)
    for name in ("width", "height", "JPEG quality", "border colour", "mean colour"):
        assert (f"{name} alone on val_seen (AUC" in warning) == (name.lower().replace(" ", "_") in shortcuts)
    assert bool(warning) == bool(shortcuts)
    if warning:
        assert "several sources" in warning
        assert "`group`" in warning


def test_a_shortcut_that_is_total_has_an_auc_of_one_and_a_constant_cue_one_half(tmp_path: Path) -> None:
    metrics = shortcut_metrics(found_in(tmp_path, size_by_artist))
    assert metrics["val_seen/shortcut_width_auc"] == metrics["val_unseen/shortcut_height_auc"] == 1.0
    metrics = shortcut_metrics(found_in(tmp_path, wall_by_artist))
    for name in ("width", "height", "jpeg_quality"):
        assert metrics[f"val_unseen/shortcut_{name}_auc"] == 0.5


def test_the_table_has_a_row_for_each_split(tmp_path: Path) -> None:
    header, line, *rows = shortcut_table(found_in(tmp_path, size_by_artist), MEANINGS)
    assert [row.split(" | ")[0] for row in rows] == ["| seen", "| unseen"]
    assert {text.count("|") for text in (header, line, *rows)} == {7}
    assert rows[0].split(" | ")[1] == "1.000 (1.000 to 1.000)"


def test_colour_of_the_painting_itself_is_no_shortcut() -> None:
    aucs = {"border_colour": CueAuc(0.72, 0.69, 0.76), "mean_colour": CueAuc(0.724, 0.69, 0.77)}
    assert shortcuts_among(aucs) == []
    assert shortcuts_among({**aucs, "mean_colour": CueAuc(0.6, 0.57, 0.63)}) == ["border_colour"]


def test_a_cue_warns_only_above_the_threshold_and_with_its_whole_interval() -> None:
    assert shortcuts_among({"width": CueAuc(0.9, SHORTCUT_AUC, 1.0)}) == []
    assert shortcuts_among({"width": CueAuc(0.9, SHORTCUT_AUC + 0.01, 1.0)}) == ["width"]
    assert shortcuts_among({"width": CueAuc(0.9, float("nan"), float("nan"))}) == []


def test_a_split_without_pairs_has_no_metrics_and_no_row() -> None:
    one = np.ones(3, np.uint8)
    rows = np.arange(3)
    assert cue_aucs({"width": np.zeros((3, 1), np.float32)}, rows, rows[::-1].copy(), one) == {}
    assert shortcut_metrics({"val_unseen": {}}) == {}
    assert shortcut_table({"val_unseen": {}}, MEANINGS) == []
    assert shortcut_warning({"val_unseen": {}}) == ""


few_examples = settings(max_examples=25)  # each draws intervals of 200 resamples
VALUES = arrays(np.float32, (12, 3), elements=st.floats(0, 255, width=32))
ROWS = arrays(np.int64, (30,), elements=st.integers(0, 11))
LABELS = arrays(np.uint8, (30,), elements=st.integers(0, 1)).filter(lambda same: 0 < same.sum() < 30)


@few_examples
@given(st.floats(0, 255, width=32), ROWS, ROWS, LABELS)
def test_a_constant_cue_tells_nothing(value: float, first: np.ndarray, second: np.ndarray, same: np.ndarray) -> None:
    found = cue_aucs({"width": np.full((12, 3), value, np.float32)}, first, second, same)
    assert found["width"].auc == 0.5
    assert shortcuts_among(found) == []


@few_examples
@given(VALUES, ROWS, ROWS, LABELS)
def test_the_order_of_a_pair_does_not_matter_and_opposite_labels_give_the_rest_to_one(
    values: np.ndarray, first: np.ndarray, second: np.ndarray, same: np.ndarray
) -> None:
    auc = cue_aucs({"width": values}, first, second, same)["width"]
    assert cue_aucs({"width": values}, second, first, same)["width"] == auc
    opposite = cue_aucs({"width": values}, first, second, 1 - same)["width"].auc
    assert opposite == pytest.approx(1 - auc.auc)
