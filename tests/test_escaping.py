"""What is shown of text from outside: no control character, no password, no markup."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from artsim.escaping import markdown, masked, one_line, printable, printable_lines

HOSTILE = "\x1b]0;owned\x07\x1b[2J a\rb \u202egpj.exe \x9b31m \u2066 \u200b \ufeff \x7f \udcff \u2028"


def unsafe(text: str) -> set[str]:
    """Control, format and surrogate characters, and line separators; joiners of emoji are harmless."""
    return {each for each in text if unicodedata.category(each) in ("Cc", "Cf", "Cs", "Zl", "Zp")} - {
        "\u200c",
        "\u200d",
    }


def test_control_characters_are_escaped_so_that_they_can_be_read() -> None:
    shown = one_line(HOSTILE + "\n\t")
    assert unsafe(shown) == set()
    assert shown.startswith(r"\u001b]0;owned\u0007\u001b[2J a\rb \u202egpj.exe")
    assert shown.endswith(r"\udcff \u2028\n\t")


@given(st.text(st.characters(codec=None)))
def test_no_text_reaches_a_terminal_with_a_control_character(text: str) -> None:
    # Arabic and Egyptian signs of category Cf are visible; all others are escaped.
    assert all(unicodedata.bidirectional(each) in ("AN", "L", "AL", "BN", "NSM") for each in unsafe(one_line(text)))
    assert unsafe(printable_lines(text)) - {"\n", "\t"} == unsafe(one_line(text))


@pytest.mark.parametrize("name", ["Žofka_é.jpg", "葛飾北斎.png", "👩‍🎨.jpg", "a b (1).jpg", "שלום.jpg"])
def test_names_in_any_script_stay_as_they_are(name: str) -> None:
    assert printable(name) == name


def test_a_line_break_in_a_name_makes_no_line_that_looks_like_a_message() -> None:
    assert printable("x\nerror: all is lost.jpg: missing") == r"x\nerror: all is lost.jpg: missing"
    assert printable("rows that can't be used:\n  row 3\n  row 7") == "rows that can't be used:\n  row 3\n  row 7"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("http://user:secret@host:5000/x", "http://user:***@host:5000/x"),
        ("postgresql+psycopg2://me:s%40cr/et@db/mlflow and", "postgresql+psycopg2://me:***@db/mlflow and"),
        ("https://u:p@ss:w0rd@host/", "https://u:***@host/"),
        ("https://:token@host", "https://:***@host"),
        ("s3://bucket/a?X-Amz-Signature=abc&x=1", "s3://bucket/a?X-Amz-Signature=***&x=1"),
        ("postgresql://h/db?user=me&password=secret", "postgresql://h/db?user=me&password=***"),
        ("http://127.0.0.1:5000/models@champion", "http://127.0.0.1:5000/models@champion"),
        ("sqlite:////tmp/a@b/mlflow.db", "sqlite:////tmp/a@b/mlflow.db"),
        ("models:/tower@champion", "models:/tower@champion"),
        ("http://host:80 and me@example.org", "http://host:80 and me@example.org"),
    ],
)
def test_passwords_of_addresses_are_masked_and_nothing_else(text: str, shown: str) -> None:
    assert masked(text) == shown


def test_a_password_is_masked_also_where_a_library_repeats_it_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://user:s%C3%A9cret@host")
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", "tokentoken")
    assert masked("login with sécret, s%C3%A9cret or tokentoken failed") == "login with ***, *** or *** failed"
    assert masked("login with hidden failed", "http://user:hidden@host") == "login with *** failed"


def test_markup_and_html_are_shown_as_they_are() -> None:
    assert markdown("a|b `c` <img src=x> [x](y) *z* \x1b") == (
        r"a\|b \`c\` \<img src=x\> \[x\](y) \*z\* \\u001b".replace(r"\\u", r"\\u")
    )
