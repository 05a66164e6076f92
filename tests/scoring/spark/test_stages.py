"""What Spark's workers do with a part of the images or pairs, without Spark."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

import artsim
from artsim.files import file_sha256
from artsim.scoring.contract import Card
from artsim.scoring.scores import Criterion
from artsim.scoring.spark import stages
from tests.towers import WIDTH, adaptable_card, card, card_with_photographs, write_paintings, write_tower


def joined(
    vectors: np.ndarray, first: list[int], second: list[int], factor: np.ndarray | None = None
) -> pa.RecordBatch:
    good = pa.array(["ok"] * len(first))
    factor = np.ones(len(vectors), dtype=np.float32) if factor is None else factor
    return pa.RecordBatch.from_pydict(
        {
            "row": pa.array(range(len(first)), pa.int64()),
            "c0": pa.array([str(number) for number in first]),
            "vector1": pa.array([vectors[number].tobytes() for number in first], pa.binary()),
            "status1": good,
            "factor1": factor[first],
            "vector2": pa.array([vectors[number].tobytes() for number in second], pa.binary()),
            "status2": good,
            "factor2": factor[second],
        }
    )


@given(st.integers(1, 40), st.integers(0, 39), st.integers(1, 70), st.integers(0, 2**32 - 1))
def test_a_part_of_the_pairs_has_the_scores_of_the_whole(count: int, skipped: int, width: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    vectors = rng.normal(size=(5, width)).astype(np.float32)
    first, second = rng.integers(0, 5, (2, count))
    criterion = Criterion.of(card())
    factor = rng.uniform(0.5, 2, 5).astype(np.float32)
    wanted = criterion.scores(vectors, first, second, factor)
    part = joined(vectors, first.tolist(), second.tolist(), factor).slice(min(skipped, count - 1))
    found = stages.score_batch(part, ("a name",), criterion)
    for column, whole in wanted._asdict().items():
        assert np.asarray(found.column(column)).tobytes() == whole[min(skipped, count - 1) :].tobytes()
    assert found.schema.names == ["a name", "distance", "probability", "prediction", "status", "row"]
    assert found.column("row").to_pylist() == list(range(count))[min(skipped, count - 1) :]


def test_optional_columns_come_before_the_number_of_the_row() -> None:
    vectors = np.random.default_rng(0).normal(size=(2, 4)).astype(np.float32)
    batch = joined(vectors, [0, 0, 0, 0], [1, 1, 1, 1])
    batch = batch.set_column(batch.schema.get_field_index("status1"), "status1", pa.array(["ok"] * 3 + ["missing"]))
    for name, values in (("unfamiliar1", [True, False, False, False]), ("unfamiliar2", [True, True, False, True])):
        batch = batch.append_column(name, pa.array(values))
    criterion = Criterion.of(card(), prior=0.1)
    found = stages.score_batch(batch, ("a",), criterion, ("log10_lr", "unfamiliar"))
    assert found.schema.names[-4:] == ["status", "log10_lr", "unfamiliar", "row"]
    wanted = criterion.log10_lr(criterion.scores(vectors, np.array([0]), np.array([1])).distance)[0]
    assert found["log10_lr"].to_pylist() == [float(wanted)] * 3 + [None]
    assert found["unfamiliar"].to_pylist() == ["image1; image2", "image2", "", "image2"]


def test_unfamiliar_photographs_are_told_by_their_own_embeddings() -> None:
    rng = np.random.default_rng(0)
    known = rng.normal(size=(40, WIDTH)).astype(np.float32)
    rule = Card.from_json(card_with_photographs(known)).photographs
    assert rule is not None
    vectors = np.concatenate([known[:2], 100 + known[:2]])
    batch = pa.RecordBatch.from_pydict(
        {
            "image": pa.array(range(4), pa.int32()),
            "vector": pa.array([vector.tobytes() for vector in vectors], pa.binary()),
            "status": pa.array(["ok", "ok", "ok", "missing"]),
        }
    )
    assert stages.adapt_batch(batch, rule, rule)["unfamiliar"].to_pylist() == [False, False, True, False]
    assert stages.adapt_batch(batch, rule)["unfamiliar"].to_pylist() == [None] * 4


def test_a_pair_with_a_bad_image_has_no_scores_and_says_why() -> None:
    vectors = np.zeros((3, 4), dtype=np.float32)
    batch = joined(vectors, [0, 0, 0, 0], [1, 1, 1, 1])
    for column, words in (
        ("status1", ["ok", "missing", "ok", "too large"]),
        ("status2", ["ok", "ok", "unreadable", "missing"]),
    ):
        batch = batch.set_column(batch.schema.get_field_index(column), column, pa.array(words))
    found = stages.score_batch(batch, ("a",), Criterion.of(card()))
    assert found.column("status").to_pylist() == [
        "ok", "image1: missing", "image2: unreadable", "image1: too large; image2: missing",
    ]  # fmt: skip
    for column in ("distance", "probability", "prediction"):
        assert [value is None for value in found.column(column).to_pylist()] == [False, True, True, True]


def test_images_come_with_their_numbers_in_any_parts(tmp_path: Path) -> None:
    write_paintings(tmp_path, "a.png", "b.png", "c.png")
    scorer = artsim.load(write_tower(tmp_path / "tower.onnx"), "cpu", batch_size=2)
    images = pd.DataFrame({"image": [7, 3, 9, 1], "name": ["a.png", "lost.png", "b.png", "c.png"]})
    images["path"] = [str(tmp_path / name) for name in images["name"]]
    found = pd.concat(stages.embed_frames(iter([images[:3], images[3:]]), scorer)).set_index("image").to_dict("index")
    for number, name in ((7, "a.png"), (9, "b.png"), (1, "c.png")):
        assert found[number]["status"] == "ok"
        vector = np.frombuffer(found[number]["vector"], np.float32)
        np.testing.assert_allclose(vector, scorer.embed(tmp_path / name)[0], rtol=1e-6)
        assert found[number]["sha256"] == file_sha256(tmp_path / name)
    assert (found[3]["status"], found[3]["reason"]) == ("missing", "'lost.png': no such file")
    assert found[3]["sha256"] == ""


def test_a_part_of_the_images_adapts_like_the_whole(tmp_path: Path) -> None:
    names = [f"{number}.png" for number in range(12)]
    write_paintings(tmp_path, *names)
    scorer = artsim.load(write_tower(tmp_path / "tower.onnx", adaptable_card()), "cpu")
    cohort = scorer.cohort([tmp_path / name for name in names])
    vectors = scorer.embed([tmp_path / name for name in names])
    batch = pa.RecordBatch.from_pydict(
        {
            "image": pa.array(range(12), pa.int32()),
            "vector": pa.array([vector.tobytes() for vector in vectors], pa.binary()),
            "status": pa.array(["ok"] * 12),
        }
    )
    found = stages.adapt_batch(batch.slice(5, 4), cohort)
    adapted, factor = cohort.adapt(vectors)
    assert found["vector"].to_pylist() == [vector.tobytes() for vector in adapted[5:9]]
    assert np.asarray(found["factor"]).tobytes() == factor[5:9].tobytes()
    assert found["image"].to_pylist() == [5, 6, 7, 8]


def test_a_task_without_images_gives_none(tmp_path: Path) -> None:
    scorer = artsim.load(write_tower(tmp_path / "tower.onnx"), "cpu")
    assert list(stages.embed_frames(iter([]), scorer)) == []


def test_a_path_is_no_pattern_to_spark() -> None:
    assert stages.to_read(Path("/a b/{c,d}/[e]*?.parquet")) == r"file:///a b/\{c,d\}/\[e\]\*\?.parquet"


def test_a_batch_of_pairs_stays_small_for_wide_embeddings() -> None:
    for width in (1, 128, 4096, 10**8):
        rows = stages.rows_of_a_batch(width)
        assert rows == 1 or 2 * 4 * width * rows <= stages.VECTORS_BYTES
