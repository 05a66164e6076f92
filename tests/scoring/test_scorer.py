"""The scorer in Python."""

from __future__ import annotations

import pickle
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import assert_type

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


def test_it_has_its_card_and_provider(scorer: artsim.Scorer) -> None:
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
    assert isinstance(scores, artsim.Scores)
    assert scores.distance.shape == (3,)
    assert scores.distance.dtype == np.float32
    assert scores.distance[0] == 0
    assert (scores.distance[1:] > 0).all()
    assert scores.distance[1] == scorer.score(paths[1], paths[0]).distance
    assert scores.prediction.tolist() == (scores.distance < scorer.card.threshold).tolist()


def test_arrays_score_by_their_dimensions(scorer: artsim.Scorer) -> None:
    images = np.random.default_rng(0).integers(0, 256, (2, SIZE, SIZE, 3), dtype=np.uint8)
    several = scorer.score(images, images[::-1])
    assert isinstance(several, artsim.Scores)
    single = scorer.score(images[0], images[1])
    assert isinstance(single, artsim.Score)
    assert several.distance.tolist() == [single.distance] * 2


def test_types_tell_one_pair_from_several(scorer: artsim.Scorer, folder: Path) -> None:
    """The type checker compares these; an array may be one image or several."""
    path, array = folder / "a.png", np.zeros((SIZE, SIZE, 3), dtype=np.uint8)
    with Image.open(path) as picture:
        assert_type(scorer.score(picture, path), artsim.Score)
    assert_type(scorer.score(str(path), path), artsim.Score)
    assert_type(scorer.score(path.read_bytes(), path), artsim.Score)
    assert_type(scorer.score([path], [str(path)]), artsim.Scores)
    assert_type(scorer.score(path, [str(path)]), artsim.Scores)
    assert_type(scorer.score([path], path), artsim.Scores)
    assert_type(scorer.score((path,), array[None]), artsim.Scores)
    assert_type(scorer.score(array, path), artsim.Score | artsim.Scores)


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
    with pytest.raises(UsageError, match="image1 is a list of 2, image2 is a list of 1"):
        scorer.score([path, path], [path])


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


def test_its_repr_says_which_tower_runs_on_what(scorer: artsim.Scorer, folder: Path) -> None:
    assert repr(scorer) == (
        f"<artsim.Scorer {folder / 'tower.onnx'}: recipe 'test', images of 16 px, embeddings (N, 8), "
        "CPUExecutionProvider, batch size 4, threshold 0.3, none with a cohort>"
    )


def test_a_pickled_scorer_has_the_same_path_and_options(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_tower(folder / "tower.onnx")
    monkeypatch.chdir(folder)
    scorer = artsim.load("tower.onnx", "cpu", batch_size=3, max_pixels=SIZE * SIZE, threads=1)
    pickled = pickle.dumps(scorer)
    (folder / "elsewhere").mkdir()
    monkeypatch.chdir(folder / "elsewhere")
    again = pickle.loads(pickle.dumps(pickle.loads(pickled)))  # noqa: S301 - our own pickle
    assert isinstance(again, artsim.Scorer)
    assert (again.tower.path, again.batch_size, again.provider) == (folder / "tower.onnx", 3, scorer.provider)
    assert thread_count(again) == 1
    assert again.embed(folder / "a.png").tobytes() == scorer.embed(folder / "a.png").tobytes()
    with pytest.raises(TooLargeImageError):
        again.embed(np.zeros((SIZE, SIZE + 1, 3), dtype=np.uint8))


def test_a_pickled_scorer_does_not_carry_the_tower(scorer: artsim.Scorer, folder: Path) -> None:
    pickled = pickle.dumps(scorer)
    assert len(pickled) < 1000
    (folder / "tower.onnx").unlink()
    with pytest.raises(ModelError, match=r"tower\.onnx: .*No such file"):
        pickle.loads(pickled)  # noqa: S301 - our own pickle


def test_threads_share_a_scorer(scorer: artsim.Scorer, folder: Path) -> None:
    alone = [scorer.embed(folder / name).tobytes() for name in NAMES] * 4
    with ThreadPoolExecutor(4) as pool:
        assert [each.tobytes() for each in pool.map(scorer.embed, [folder / name for name in NAMES] * 4)] == alone


def thread_count(scorer: artsim.Scorer) -> int:
    # Nothing public shows how many threads the session uses.
    return scorer.tower._session.get_session_options().intra_op_num_threads  # type: ignore[no-any-return]


def test_one_thread_is_one_thread_and_makes_no_difference(scorer: artsim.Scorer, folder: Path) -> None:
    single = artsim.load(folder / "tower.onnx", "cpu", threads=1)
    assert thread_count(single) == 1
    assert single.embed(folder / "a.png").tobytes() == scorer.embed(folder / "a.png").tobytes()


def test_max_pixels_holds(folder: Path) -> None:
    scorer = artsim.load(write_tower(folder / "tower.onnx"), "cpu", max_pixels=SIZE * SIZE - 1)
    with pytest.raises(TooLargeImageError):
        scorer.embed([folder / "a.png"])
