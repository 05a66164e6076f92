"""The scorer in Python."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import artsim
from artsim.errors import MissingImageError, ModelError, TooLargeImageError, UsageError
from tests.towers import SIZE, WIDTH, card, write_paintings, write_tower

NAMES = ("a.png", "b.png", "c.png")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_paintings(tmp_path, *NAMES)
    return tmp_path


@pytest.fixture
def scorer(folder: Path) -> artsim.Scorer:
    return artsim.load(write_tower(folder / "tower.onnx"), "cpu")


def test_it_tells_its_card_and_provider(scorer: artsim.Scorer) -> None:
    assert scorer.card == card()
    assert scorer.provider == "CPUExecutionProvider"


def test_paths_arrays_and_pillow_images_embed_alike(scorer: artsim.Scorer, folder: Path) -> None:
    path = folder / "a.png"
    with Image.open(path) as picture:
        embeddings = scorer.embed([path, str(path), picture, np.asarray(picture)])
    assert embeddings.shape == (4, WIDTH)
    assert embeddings.dtype == np.float32
    assert (embeddings == embeddings[0]).all()


def test_a_single_image_embeds_as_one_row(scorer: artsim.Scorer, folder: Path) -> None:
    assert scorer.embed(str(folder / "a.png")).shape == (1, WIDTH)
    assert scorer.embed(np.zeros((SIZE, SIZE, 3), dtype=np.uint8)).shape == (1, WIDTH)
    assert scorer.embed(np.zeros((5, SIZE, SIZE, 3), dtype=np.uint8)).shape == (5, WIDTH)


def test_no_images_embed_as_no_rows(scorer: artsim.Scorer) -> None:
    assert scorer.embed([]).shape == (0, WIDTH)


def test_single_images_score_as_plain_numbers(scorer: artsim.Scorer, folder: Path) -> None:
    scores = scorer.score(folder / "a.png", folder / "b.png")
    assert isinstance(scores.distance, float)
    assert isinstance(scores.probability, float)
    assert isinstance(scores.prediction, int)
    one, other = scorer.embed([folder / "a.png", folder / "b.png"])
    assert scores.distance == pytest.approx(np.sqrt(np.mean((one - other) ** 2)))


def test_lists_score_as_arrays(scorer: artsim.Scorer, folder: Path) -> None:
    paths = [folder / name for name in NAMES]
    scores = scorer.score(paths, [paths[0]] * 3)
    assert isinstance(scores.distance, np.ndarray)
    assert isinstance(scores.prediction, np.ndarray)
    assert scores.distance.shape == (3,)
    assert scores.distance.dtype == np.float32
    assert scores.distance[0] == 0
    assert (scores.distance[1:] > 0).all()
    assert scores.distance[1] == scorer.score(paths[1], paths[0]).distance
    assert scores.prediction.tolist() == (scores.distance < scorer.card.threshold).tolist()


def test_threshold_and_prior_can_be_given(scorer: artsim.Scorer, folder: Path) -> None:
    pair = folder / "a.png", folder / "b.png"
    assert scorer.score(*pair, threshold=1e9).prediction == 1
    assert scorer.score(*pair, prior=0.999).probability > scorer.score(*pair).probability


def test_an_image_that_comes_again_is_read_once(
    scorer: artsim.Scorer, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int] = []
    real = scorer.tower

    def counted(images: np.ndarray) -> np.ndarray:
        seen.append(int(images.any(axis=(1, 2, 3)).sum()))  # what fills up the batch is black
        return real(images)

    counted.card, counted.width = real.card, real.width  # type: ignore[attr-defined]
    monkeypatch.setattr(scorer, "tower", counted)
    scorer.score([folder / "a.png"] * 4, [str(folder / "a.png"), *[folder / "b.png"] * 3])
    assert sum(seen) == 2


def test_lists_of_different_lengths_are_refused(scorer: artsim.Scorer, folder: Path) -> None:
    path = folder / "a.png"
    with pytest.raises(UsageError, match="a list of 2 and a list of 1"):
        scorer.score([path, path], [path])
    with pytest.raises(UsageError, match="a single image and a list of 1"):
        scorer.score(path, [path])


def test_the_first_bad_image_is_named(scorer: artsim.Scorer, folder: Path) -> None:
    paths = [folder / "a.png", folder / "lost.png", folder / "gone.png"]
    with pytest.raises(MissingImageError, match="lost"):
        scorer.embed(paths)


def test_load_refuses_what_makes_no_sense(folder: Path) -> None:
    tower = write_tower(folder / "tower.onnx")
    with pytest.raises(UsageError, match="batch"):
        artsim.load(tower, batch_size=0)
    with pytest.raises(UsageError, match="tpu"):
        artsim.load(tower, "tpu")  # type: ignore[arg-type]
    with pytest.raises(ModelError):
        artsim.load(folder / "none.onnx")


def test_one_thread_is_one_thread_and_makes_no_difference(scorer: artsim.Scorer, folder: Path) -> None:
    single = artsim.load(folder / "tower.onnx", "cpu", threads=1)
    assert single.tower._session.get_session_options().intra_op_num_threads == 1
    assert single.embed(folder / "a.png").tobytes() == scorer.embed(folder / "a.png").tobytes()


def test_max_pixels_holds(folder: Path) -> None:
    scorer = artsim.load(write_tower(folder / "tower.onnx"), "cpu", max_pixels=SIZE * SIZE - 1)
    with pytest.raises(TooLargeImageError):
        scorer.embed([folder / "a.png"])
