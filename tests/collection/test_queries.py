"""Queries: their names and artists."""

from __future__ import annotations

from pathlib import Path

import pytest

from artsim.collection.queries import read_queries
from artsim.collection.works import read_works
from artsim.errors import InputError
from tests.collection.test_works import touch


def test_queries_are_named_by_their_path_in_the_collection_or_their_full_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    touch(tmp_path, "works/a/1.png", "works/b/2.png", "new/c/3.png", "4.png")
    (tmp_path / "asked.csv").write_text("filename,artist\n5.png,Ann\n")
    monkeypatch.chdir(tmp_path)
    queries = read_queries(["works/b", "new", "works/../4.png", "asked.csv"], read_works("works"))
    assert queries.names == ["b/2.png", f"{tmp_path}/new/c/3.png", f"{tmp_path}/4.png", "5.png"]
    assert queries.artists == ["b", "c", None, "Ann"]


def test_a_query_that_is_named_twice_is_an_input_error(tmp_path: Path) -> None:
    works = read_works(str(touch(tmp_path, "a/1.png", "b/2.png")))
    with pytest.raises(InputError, match=r"These queries are named twice: a/1\.png"):
        read_queries([str(tmp_path / "a"), str(tmp_path / "a" / "1.png")], works)
