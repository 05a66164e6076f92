"""The requests of the page: the numbers of the commands, and what becomes of hostile uploads."""

from __future__ import annotations

import csv
import io
import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from starlette.testclient import TestClient

import artsim
from artsim.evaluation.validated import validation_note
from artsim.jobs import ui as ui_job
from artsim.jobs.pair import OPINION, PairOptions, score_pair
from artsim.server import examples
from artsim.server.app import DEFECT, Limits
from artsim.server.workers import Workers
from tests.command import artsim_in_process
from tests.server.pages import NAMES, client, files, noise, opened_ui
from tests.towers import adaptable_card, write_paintings, write_tower

HOSTILE = "<img src=x>\u202e.png"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two paintings, and a gallery by two artists with a lost file and a hostile name."""
    write_tower(tmp_path / "tower.onnx", adaptable_card(validation={"val_seen/precision_at_1": 0.5}))
    write_paintings(tmp_path, "a.png", "b.png")
    write_paintings(tmp_path / "works", *NAMES, HOSTILE)
    rows = [(name, ["Ada", "Bo"][row % 2]) for row, name in enumerate([*NAMES, HOSTILE, "lost.png"])]
    with (tmp_path / "works.csv").open("w", encoding="utf-8") as file:
        csv.writer(file).writerows([("filename", "artist"), *rows])
    monkeypatch.chdir(tmp_path)
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    return tmp_path


def page() -> TestClient:
    return client(opened_ui())


def page_with_gallery(**options: Any) -> TestClient:
    return client(opened_ui(among="works.csv", data_dir="works", **options))


def left_over() -> list[Path]:
    return list(Path("scratch").iterdir())


@pytest.mark.parametrize("cohort", [None, "works"])
def test_two_pictures_get_the_answer_of_artsim_pair(cohort: str | None, capsys: pytest.CaptureFixture[str]) -> None:
    more = [] if cohort is None else ["--cohort", cohort]
    command = ["pair", "a.png", "b.png", *more, "--prior", "0.2", "--model", "tower.onnx", "--device", "cpu"]
    assert artsim_in_process(*command, "--quiet") == 0
    printed = capsys.readouterr().out.splitlines()
    answer = client(opened_ui(cohort=cohort, prior=0.2)).post("/pair", files=files(image1="a.png", image2="b.png"))
    found = answer.json()
    assert answer.status_code == 200
    assert [found["conclusion"], *(f"  {name:<11}  {text}" for name, text in found["rows"]), OPINION] == printed
    assert left_over() == []


def test_the_numbers_of_a_pair_are_equal_to_the_last_bit() -> None:
    expected = score_pair(PairOptions("a.png", "b.png", "tower.onnx", device="cpu"))
    found = page().post("/pair", files=files(image1="a.png", image2="b.png")).json()
    for name in ("distance", "threshold", "probability", "prior", "log10_lr"):
        assert found[name] == getattr(expected, name)


@pytest.mark.parametrize("cohort", [None, "none", "self"])
def test_a_search_finds_what_artsim_nearest_finds(cohort: str | None) -> None:
    more = [] if cohort is None else ["--cohort", cohort]
    command = ["nearest", "a.png", "--among", "works.csv", "--data-dir", "works", "-k", "5", "--model", "tower.onnx"]
    outputs = ["-o", "works.jsonl", "--artists", "artists.jsonl", "--max-bad-images", "1", "--quiet"]
    assert artsim_in_process(*command, *more, "--device", "cpu", *outputs) == 0
    works, artists = (
        [json.loads(line) for line in Path(name).read_text(encoding="utf-8").splitlines()]
        for name in ("works.jsonl", "artists.jsonl")
    )
    found = page_with_gallery(cohort=cohort, k=5).post("/nearest", files=files(image="a.png")).json()
    both = (found["works"], works, "probability"), (found["artists"], artists, "share")
    for ours, theirs, last in both:
        columns = ("rank", "artist", "distance", last)
        assert [[float32(each[name]) for name in columns] for each in ours] == [
            [float32(each[name]) for name in columns] for each in theirs
        ]
    assert found["validated"] == validation_note(artsim.load("tower.onnx").card.validation) != ""
    assert [work["copy"] for work in found["works"]] == [work["copy"] for work in works]
    assert left_over() == []


def float32(value: object) -> object:
    """The shortest text of a float32 reads back equal as float32, not as float64."""
    return np.float32(value) if isinstance(value, float) else value


def test_a_work_of_the_gallery_is_told_and_left_out() -> None:
    found = page_with_gallery().post("/nearest", files=files(image="works/3.png")).json()
    assert found["remarks"][0] == "Is in the gallery and left out: 3.png."
    assert "3.png" not in [work["image"] for work in found["works"]]


def test_pictures_are_those_of_the_gallery_and_no_others() -> None:
    asked = page_with_gallery(k=13)
    works = asked.post("/nearest", files=files(image="a.png")).json()["works"]
    assert len(works) == 13
    assert "<img src=x>\\u202e.png" in [work["image"] for work in works]
    for work in works:
        answer = asked.get(f"/pictures/{work['picture']}")
        assert answer.headers["content-type"] == "image/webp"
        assert Image.open(io.BytesIO(answer.content)).size == (448, 448)
    for number in ("13", "99999999999999999999", "-1", "..%2f..%2fa.png", "../a.png", "%2e%2e/tower.onnx", "0.png"):
        assert asked.get(f"/pictures/{number}").status_code == 404
    assert page().get("/pictures/0").status_code == 404


def test_a_picture_that_is_gone_is_no_error_of_the_page() -> None:
    asked = page_with_gallery()
    Path("works/0.png").unlink()
    assert asked.get("/pictures/0").status_code == 404


def test_an_embedding_store_has_no_pictures() -> None:
    assert artsim_in_process("embed", "works", "-o", "works.parquet", "--model", "tower.onnx", "--quiet") == 0
    asked = client(opened_ui(among="works.parquet"))
    works = asked.post("/nearest", files=files(image="a.png")).json()["works"]
    assert {work["picture"] for work in works} == {None}
    assert asked.get("/pictures/0").status_code == 404
    assert "An embedding store has no pictures" in asked.get("/").text


@pytest.mark.parametrize(
    ("picture", "status", "message"),
    [
        (("notes.txt", b"no picture"), 422, "notes.txt: not an image in a format that artsim reads, or damaged"),
        (("empty.png", b""), 422, "empty.png: empty (0 bytes)"),
        (("half.png", noise(64)[:4000]), 422, "half.png: damaged, or not an image"),
        (("large.png", noise(300)), 422, "large.png: 300 x 300 = 90,000 pixels, above the limit of 80,000"),
        (("../../etc/passwd", b"root"), 422, "../../etc/passwd: not an image"),
        (("a\r\nb\u202e.png", b"x"), 422, "not an image"),
        (("huge.bmp", b"BM" + bytes(1_000_001)), 413, "huge.bmp: larger than 1 MB for a picture (--max-upload)"),
        (("huge.bmp", b"BM" + bytes(3_000_000)), 413, "this upload: larger than 1 MB for a picture (--max-upload)"),
    ],
)
def test_a_picture_that_cannot_be_used_is_named(picture: tuple[str, bytes], status: int, message: str) -> None:
    asked = client(opened_ui(max_pixels=80_000))
    answer = asked.post("/pair", files=files(image1="a.png", image2=picture))
    error = answer.json()["error"]
    assert answer.status_code == status
    assert message in error
    assert "scratch" not in error
    assert "\u202e" not in error
    assert left_over() == []


def test_a_damaged_heic_is_named() -> None:
    heic = ("phone.heic", b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00" + bytes(100))
    answer = page().post("/pair", files=files(image1="a.png", image2=heic))
    assert answer.status_code == 422
    assert answer.json()["error"].startswith("phone.heic: ")


def test_an_upload_that_does_not_say_its_length_has_the_same_limit() -> None:
    head = b'--x\r\nContent-Disposition: form-data; name="image1"; filename="a.png"\r\n\r\n'
    parts = iter([head, *[bytes(500_000)] * 10])
    headers = {"content-type": "multipart/form-data; boundary=x"}
    answer = page().post("/pair", content=parts, headers=headers)
    assert (answer.status_code, left_over()) == (413, [])


def test_two_pictures_of_one_name_are_told_apart() -> None:
    broken = ("a.png", b"no picture")
    answer = page().post("/pair", files=files(image1="a.png", image2=broken))
    assert answer.json()["error"].startswith("a.png (2): not an image")


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        ({}, 400),
        ({"files": {"image1": ("a.png", b"x")}}, 400),
        ({"data": {"image1": "/etc/passwd", "image2": "/etc/passwd"}}, 400),
        ({"files": dict.fromkeys(("image1", "image2", "image3"), ("a.png", b"x"))}, 400),
        ({"content": b"\x00\xff", "headers": {"content-type": "multipart/form-data; boundary=x"}}, 400),
        ({"content": b"{}", "headers": {"content-type": "application/json"}}, 400),
    ],
)
def test_a_request_that_is_no_form_of_two_files_is_refused(arguments: dict[str, Any], status: int) -> None:
    answer = page().post("/pair", **arguments)
    assert answer.status_code == status
    assert answer.json()["error"]
    assert left_over() == []


def test_a_search_without_a_gallery_is_refused() -> None:
    answer = page().post("/nearest", files=files(image="a.png"))
    assert (answer.status_code, answer.json()["error"]) == (
        422,
        "there is no gallery to search. Start artsim ui with --among.",
    )


def test_a_busy_page_says_so() -> None:
    asked = client(opened_ui(), Limits(10**6, workers=Workers(running=1, waiting=-1)))
    answer = asked.post("/pair", files=files(image1="a.png", image2="b.png"))
    assert (answer.status_code, left_over()) == (503, [])
    assert answer.json()["error"].startswith("artsim is busy")


def test_a_defect_shows_no_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("secret")

    monkeypatch.setattr(ui_job, "answer_pair", fail)
    answer = page().post("/pair", files=files(image1="a.png", image2="b.png"))
    assert (answer.status_code, answer.json()) == (500, {"error": DEFECT})
    assert left_over() == []


@pytest.mark.parametrize("number", range(examples.COUNT))
def test_the_paintings_to_try_are_pictures(number: int) -> None:
    answer = page().get(f"/examples/{number}")
    assert answer.headers["content-type"] == "image/jpeg"
    assert max(Image.open(io.BytesIO(answer.content)).size) > 300


def test_there_are_no_other_paintings_to_try() -> None:
    assert page().get(f"/examples/{examples.COUNT}").status_code == 404
    assert page().get("/nothing").json() == {"error": "Not Found."}
