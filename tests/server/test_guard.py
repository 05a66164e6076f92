"""Which requests the page answers, and the headers of each answer."""

from __future__ import annotations

import asyncio
from collections.abc import MutableMapping
from typing import Any

import pytest
from starlette.responses import PlainTextResponse
from starlette.testclient import TestClient

from artsim.server.guard import POLICY, Guard

ASKED = TestClient(Guard(PlainTextResponse("answer"), ["Studio"]), "http://127.0.0.1:8765")


@pytest.mark.parametrize(
    "host", ["localhost:8765", "LOCALHOST", "127.0.0.1", "127.0.0.1:1", "[::1]:8765", "192.168.1.20:80", "studio:8765"]
)
def test_addresses_and_own_names_are_answered(host: str) -> None:
    assert ASKED.get("/", headers={"host": host}).text == "answer"


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:8765",
        "127.0.0.1.evil.example",
        "localhost.evil.example",
        "",
        "[::1",
        "1.2.3.4@e",
    ],
)
def test_a_foreign_name_that_leads_here_is_refused(host: str) -> None:
    answer = ASKED.get("/", headers={"host": host})
    assert answer.status_code == 403
    assert "answer" not in answer.text.replace("answered", "")


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("POST", "/pair", {}, 200),
        ("POST", "/pair", {"origin": "http://127.0.0.1:8765", "sec-fetch-site": "same-origin"}, 200),
        ("POST", "/pair", {"origin": "http://evil.example"}, 403),
        ("POST", "/pair", {"origin": "http://127.0.0.1:9999"}, 403),
        ("POST", "/pair", {"origin": "null"}, 403),
        ("POST", "/pair", {"sec-fetch-site": "cross-site"}, 403),
        ("POST", "/pair", {"sec-fetch-site": "same-site"}, 403),
        ("POST", "/", {"sec-fetch-site": "cross-site"}, 403),
        ("GET", "/pictures/0", {"sec-fetch-site": "cross-site"}, 403),
        ("GET", "/pictures/0", {"sec-fetch-site": "same-origin"}, 200),
        ("GET", "/", {"sec-fetch-site": "cross-site"}, 200),
        ("GET", "/", {"sec-fetch-site": "none"}, 200),
    ],
)
def test_other_sites_may_only_lead_to_the_page(method: str, path: str, headers: dict[str, str], status: int) -> None:
    assert ASKED.request(method, path, headers=headers).status_code == status


@pytest.mark.parametrize("host", ["127.0.0.1", "evil.example"])
def test_every_answer_has_the_policy(host: str) -> None:
    headers = ASKED.get("/", headers={"host": host}).headers
    assert headers["content-security-policy"] == POLICY
    assert headers["cache-control"] == "no-store"
    assert headers["x-content-type-options"] == "nosniff"
    assert "unsafe" not in POLICY
    assert "http" not in POLICY


def test_a_web_socket_is_refused() -> None:
    sent: list[MutableMapping[str, Any]] = []

    async def receive() -> MutableMapping[str, Any]:
        return {"type": "websocket.connect"}

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    scope = {"type": "websocket", "path": "/", "headers": [(b"host", b"localhost")]}
    asyncio.run(Guard(PlainTextResponse("answer"))(scope, receive, send))
    assert all(message["type"] != "websocket.accept" for message in sent)
