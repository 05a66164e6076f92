"""The whole of scoring a file of pairs, without the command line."""

from __future__ import annotations

import csv
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pyarrow import parquet

import artsim
from artsim.bad_images import BadImageLimit
from artsim.decoders import DECODERS
from artsim.errors import BadImagesError, InputError, ModelError, UsageError
from artsim.evaluation.summary import Summary
from artsim.jobs.score import ScoreOptions, check_bad_images, score_pairs
from artsim.jobs.steps import pair_images
from artsim.scoring import embed_images
from artsim.scoring.status import STATUSES
from artsim.tables.bounds import BLOCK_BYTES
from tests.towers import write_paintings, write_tower

PAIRS = "index,image1,image2,sameArtist,note\n7,a.png,b.png,0,x\n3,a.png,a.png,1,\n9,b.png,c.png,1,\u00fc\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_paintings(tmp_path, "a.png", "b.png", "c.png")
    write_tower(tmp_path / "tower.onnx")
    (tmp_path / "pairs.csv").write_text(PAIRS, encoding="utf-8")
    return tmp_path


def run(folder: Path, block_bytes: int = BLOCK_BYTES, **options: Any) -> Summary:
    paths = {"model": "tower.onnx", "pairs": "pairs.csv", "output": "scores.csv"} | options
    for name in ("model", "pairs", "output"):
        paths[name] = str(folder / paths[name])
    return score_pairs(ScoreOptions(device="cpu", **paths), block_bytes=block_bytes)


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_every_row_comes_out_in_order_as_it_was(folder: Path) -> None:
    run(folder)
    lines = (folder / "scores.csv").read_text(encoding="utf-8").splitlines()
    assert lines[0] == "index,image1,image2,sameArtist,note,distance,probability,prediction,status"
    assert [line.split(",")[:5] for line in lines] == [line.split(",") for line in PAIRS.splitlines()]


def test_the_scores_are_the_scorers(folder: Path) -> None:
    run(folder)
    scorer = artsim.load(folder / "tower.onnx", "cpu")
    for row in rows_of(folder / "scores.csv"):
        wanted = scorer.score(folder / row["image1"], folder / row["image2"])
        assert float(row["distance"]) == pytest.approx(wanted.distance, rel=1e-5)
        assert float(row["probability"]) == pytest.approx(wanted.probability, rel=1e-4)
        assert (int(row["prediction"]), row["status"]) == (wanted.prediction, "ok")


def test_an_image_with_itself_is_exactly_0_apart(folder: Path) -> None:
    run(folder)
    assert rows_of(folder / "scores.csv")[1]["distance"] == "0"


@pytest.mark.parametrize("suffix", ["jsonl", "parquet"])
def test_other_formats_say_the_same(folder: Path, suffix: str) -> None:
    run(folder)
    run(folder, output=f"scores.{suffix}")
    if suffix == "jsonl":
        text = (folder / "scores.jsonl").read_text(encoding="utf-8")
        others = [json.loads(line) for line in text.splitlines()]
    else:
        others = parquet.read_table(folder / "scores.parquet").to_pylist()
    for row, other in zip(rows_of(folder / "scores.csv"), others, strict=True):
        assert row["note"] == other["note"]
        assert np.float32(row["distance"]) == np.float32(other["distance"])
        assert int(row["prediction"]) == other["prediction"]


def test_bad_images_leave_their_pairs_empty_with_the_reason(folder: Path) -> None:
    (folder / "text.png").write_text("not a picture")
    write_paintings(folder, "large.png", size=64)
    pairs = ["a.png,lost.png", "text.png,a.png", "large.png,lost.png", ",a.png", "a.png,b.png"]
    (folder / "pairs.csv").write_text("image1,image2\n" + "\n".join(pairs))
    summary = run(folder, max_pixels=1000)
    rows = rows_of(folder / "scores.csv")
    assert [row["status"] for row in rows] == [
        "image2: missing",
        "image1: unreadable",
        "image1: too large; image2: missing",
        "image1: missing",
        "ok",
    ]
    assert all((row["distance"], row["probability"], row["prediction"]) == ("", "", "") for row in rows[:4])
    assert (summary.images, len(summary.bad_images), summary.unscored_pairs) == (6, 4, 4)


@pytest.mark.parametrize("name", ["x" * 300 + ".png", "a\0.png", "a\n.png", "🎨.png", ".", "..", " "])
def test_odd_names_are_bad_images_like_others(folder: Path, name: str) -> None:
    with (folder / "pairs.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([["image1", "image2"], ["a.png", name]])
    run(folder)
    (row,) = rows_of(folder / "scores.csv")
    assert row["image2"] == name
    assert row["status"] in ("image2: missing", "image2: unreadable")


def test_the_same_row_twice_is_scored_twice_and_its_images_read_once(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []
    real = DECODERS.load

    def counted(source: str, *options: Any, **more: Any) -> Any:
        read.append(Path(source).name)
        return real(source, *options, **more)

    monkeypatch.setattr(DECODERS, "load", counted)
    (folder / "pairs.csv").write_text("img1,img2\na.png,b.png\na.png,./b.png\na.png,b.png\n")
    summary = run(folder)
    first, other_name, again = rows_of(folder / "scores.csv")
    assert first == again
    assert other_name["distance"] == first["distance"]
    assert (sorted(read), summary.images, summary.pairs) == (["a.png", "b.png"], 2, 3)


def test_a_header_alone_comes_out_alone(folder: Path) -> None:
    (folder / "pairs.csv").write_text("image1,image2,sameArtist\n")
    summary = run(folder)
    text = (folder / "scores.csv").read_text()
    assert text == "image1,image2,sameArtist,distance,probability,prediction,status\n"
    assert (summary.images, summary.pairs, summary.metrics) == (0, 0, {})


def test_a_header_alone_with_kept_embeddings(folder: Path) -> None:
    (folder / "pairs.csv").write_text("image1,image2\n")
    run(folder, embeddings=str(folder / "kept.parquet"))
    assert (folder / "scores.csv").read_text().count("\n") == 1


def test_kept_embeddings_that_have_everything_are_left_alone(folder: Path) -> None:
    kept = folder / "kept.parquet"
    run(folder, embeddings=str(kept))
    (folder / "link.parquet").symlink_to(kept)
    before = (kept.stat().st_mtime_ns, kept.stat().st_ino)
    for image in "abc":
        (folder / f"{image}.png").unlink()
    whole = (folder / "scores.csv").read_bytes()
    summary = run(folder, embeddings=str(folder / "link.parquet"))
    assert summary.bad_images == []
    assert (folder / "scores.csv").read_bytes() == whole
    assert ((kept.stat().st_mtime_ns, kept.stat().st_ino), (folder / "link.parquet").is_symlink()) == (before, True)


def test_kept_embeddings_are_called_parquet(folder: Path) -> None:
    with pytest.raises(UsageError, match="parquet"):
        run(folder, embeddings="kept.csv")


def test_a_kept_embeddings_file_gets_new_images_through_a_link(folder: Path) -> None:
    (folder / "link.parquet").symlink_to(folder / "kept.parquet")
    run(folder, embeddings=str(folder / "link.parquet"))
    assert (folder / "link.parquet").is_symlink()
    assert len(parquet.read_table(folder / "kept.parquet")) == 3


def test_blocks_do_not_show(folder: Path) -> None:
    run(folder)
    whole = (folder / "scores.csv").read_bytes()
    run(folder, block_bytes=64)
    assert (folder / "scores.csv").read_bytes() == whole


def test_data_dir_is_where_the_images_lie(folder: Path) -> None:
    (folder / "lists").mkdir()
    (folder / "pairs.csv").rename(folder / "lists" / "pairs.csv")
    assert run(folder, pairs="lists/pairs.csv", data_dir=str(folder)).bad_images == []


def test_pairs_of_which_no_image_is_there_stop_before_the_tower_is_opened(folder: Path) -> None:
    (folder / "lists").mkdir()
    (folder / "pairs.csv").rename(folder / "lists" / "pairs.csv")
    with pytest.raises(InputError, match=r"none of its 3 files is in .*lists\. .*'a\.png'\. Name .* --data-dir"):
        run(folder, pairs="lists/pairs.csv", model="lost.onnx")
    assert not [path for path in folder.iterdir() if "scores" in path.name or path.suffix == ".unfinished"]


def test_stored_embeddings_need_no_images_but_those_of_other_names_do_not_count(folder: Path) -> None:
    run(folder, embeddings=str(folder / "store.parquet"))
    for name in ("a.png", "b.png", "c.png"):
        (folder / name).unlink()
    assert run(folder, embeddings=str(folder / "store.parquet")).bad_images == []
    (folder / "pairs.csv").write_text("image1,image2\nx.png,y.png\n")
    with pytest.raises(InputError, match="none of its 2 files"):
        run(folder, embeddings=str(folder / "store.parquet"))


def test_labels_give_metrics_with_an_interval(folder: Path) -> None:
    rows = "".join(f"{one}.png,{other}.png,{int(one == other)}\n" for one in "abc" for other in "abc")
    (folder / "pairs.csv").write_text("image1,image2,sameArtist\n" + rows + "a.png,lost.png,1\n")
    summary = run(folder, threshold=1e-6)
    assert summary.labelled_pairs == 9
    assert summary.metrics["auc"] == summary.metrics["accuracy"] == 1
    assert 0 <= summary.metrics["calibration_error"] < 1
    assert summary.auc_interval is not None
    assert summary.interval_resamples == "paintings"  # each pair occurs twice, so the artists are not known
    assert dict(summary.lines())["metrics"].startswith("too few to judge: 3 pairs by one artist, 6 by two")
    assert json.loads(summary.to_json())["metrics"]["calibration_error_by_chance"] >= 0
    assert json.loads(summary.to_json())["interval_resamples"] == "paintings"


def test_labels_of_one_kind_give_no_metrics_and_a_line_says_so(folder: Path) -> None:
    (folder / "pairs.csv").write_text("image1,image2,sameArtist\na.png,b.png,0\n")
    summary = run(folder)
    assert summary.metrics == {}
    assert ("metrics", "none: all 1 scored pairs have the same label") in summary.lines()


def test_the_summary_is_written_as_json(folder: Path) -> None:
    summary = run(folder, summary=str(folder / "summary.json"))
    written = json.loads((folder / "summary.json").read_text())
    assert written == json.loads(summary.to_json())
    assert written["artsim_version"] == artsim.__version__
    assert (written["recipe"], written["run_id"], written["provider"]) == ("test", "abc", "CPUExecutionProvider")
    assert written["model"] == str(folder / "tower.onnx")
    assert written["wall_seconds"] > 0


def test_a_pairs_file_that_changes_on_the_way_is_noticed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = embed_images.embed_named  # it runs between the two readings of the pairs
    for changed in ("image1,image2\na.png,b.png\n", PAIRS + "1,a.png,c.png,0,\n", PAIRS.replace("c.png", "d.png")):
        (folder / "pairs.csv").write_text(PAIRS, encoding="utf-8")

        def change(*arguments: Any, text: str = changed, **options: Any) -> Any:
            (folder / "pairs.csv").write_text(text, encoding="utf-8")
            return real(*arguments, **options)

        monkeypatch.setattr(pair_images, "embed_named", change)
        with pytest.raises(InputError):
            run(folder)
        assert not list(folder.glob("*scores*"))


def test_a_folder_whose_name_is_not_utf8_is_told_in_the_summary(folder: Path) -> None:
    place = Path(os.fsdecode(os.fsencode(folder) + b"/caf\xe9"))
    place.mkdir()
    (place / "bad.png").write_text("not a picture")
    (folder / "pairs.csv").write_text("image1,image2\nbad.png,bad.png\n")
    run(folder, data_dir=str(place), summary=str(folder / "summary.json"))
    assert "caf" in json.loads((folder / "summary.json").read_text())["bad_images"][0]


def test_what_fails_leaves_no_output(folder: Path) -> None:
    (folder / "tower.onnx").write_text("no model")
    with pytest.raises(ModelError):
        run(folder)
    assert not list(folder.glob("*scores*"))


def test_too_many_bad_images_are_named(folder: Path) -> None:
    (folder / "pairs.csv").write_text("image1,image2\na.png,lost.png\n")
    summary = run(folder)
    check_bad_images(summary, BadImageLimit.parse("1"))
    with pytest.raises(BadImagesError, match=r"1 of 2 images .*lost\.png"):
        check_bad_images(summary, BadImageLimit.parse("0"))


def test_every_kind_of_bad_image_has_its_word() -> None:
    kinds = artsim.errors.ImageError.__subclasses__()
    assert {"ok", *(kind.status for kind in kinds)} == set(STATUSES)


def test_a_partly_labelled_file_gives_the_metrics_of_its_labelled_pairs(folder: Path) -> None:
    rows = [f"{one}.png,{other}.png,{one == other}" for one in "abc" for other in "abc"]
    (folder / "pairs.csv").write_text("image1,image2,sameArtist\n" + "\n".join(rows))
    whole = run(folder)
    unlabelled = ["a.png,b.png,", "a.png,a.png,"]
    (folder / "pairs.csv").write_text("image1,image2,sameArtist\n" + "\n".join([*unlabelled, *rows, *unlabelled]))
    partly = run(folder)
    assert (partly.pairs, partly.labelled_pairs) == (13, 9)
    assert partly.metrics == whole.metrics
    assert dict(partly.lines())["labelled pairs"].startswith("9 of 13 scored pairs, threshold")
    assert dict(whole.lines())["labelled pairs"].startswith("9, threshold")
    assert [row["sameArtist"] for row in rows_of(folder / "scores.csv")][:3] == ["", "", "True"]


def test_a_file_without_any_label_has_no_metrics(folder: Path) -> None:
    (folder / "pairs.csv").write_text("image1,image2,sameArtist\na.png,b.png,\n")
    summary = run(folder)
    assert (summary.labelled_pairs, summary.metrics, summary.unscored_pairs) == (0, {}, 0)
