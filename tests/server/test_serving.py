"""The page as a process: where it listens, and how it ends."""

from __future__ import annotations

import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest

import artsim
from artsim.errors import UsageError
from artsim.server.serving import address_of, is_private, listening, open_browser
from tests.server.pages import files, running_page
from tests.towers import write_paintings, write_tower

PATIENCE = 120  # seconds


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    write_tower(tmp_path / "tower.onnx")
    write_paintings(tmp_path, "a.png", "b.png")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_page_answers_until_ctrl_c_also_with_half_a_request_and_ends_with_0(folder: Path) -> None:
    with running_page("--model", "tower.onnx", cwd=folder) as (process, address):
        assert address.startswith("http://127.0.0.1:")
        answer = httpx2.post(f"{address}pair", files=files(image1="a.png", image2="b.png"), timeout=PATIENCE)
        assert answer.json()["distance"] == artsim.load("tower.onnx", "cpu").score("a.png", "b.png").distance
        assert httpx2.get(address, headers={"host": "evil.example"}).status_code == 403
        with half_a_form(address):  # a browser that goes away
            assert httpx2.get(address).status_code == 200
        with half_a_form(address):
            assert httpx2.get(address).status_code == 200
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=PATIENCE)
    assert (process.returncode, out) == (0, "")
    assert err.splitlines() == ["Press Ctrl-C to end."]


def test_sigterm_ends_the_page_with_0(folder: Path) -> None:
    with running_page("--model", "tower.onnx", "--quiet", cwd=folder) as (process, address):
        assert httpx2.get(address, timeout=PATIENCE).status_code == 200
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=PATIENCE)
    assert (process.returncode, out, err) == (0, "", "")


@contextmanager
def half_a_form(address: str) -> Iterator[None]:
    """A connection that has begun to send pictures, and sends no more."""
    host, port = address.removeprefix("http://").rstrip("/").split(":")
    with socket.create_connection((host, int(port))) as half:
        head = f"POST /pair HTTP/1.1\r\nHost: {host}\r\nContent-Length: 999\r\n"
        half.sendall(f"{head}Content-Type: multipart/form-data; boundary=x\r\n\r\n--x\r\n".encode())
        yield


def test_a_port_in_use_is_wrong_usage() -> None:
    with listening("127.0.0.1", 0) as opened:
        port = opened.getsockname()[1]
        with pytest.raises(UsageError, match=f"port {port} of 127.0.0.1 is in use. Name another one"):
            listening("127.0.0.1", port).__enter__()
    with listening("127.0.0.1", port) as again:  # free again
        assert again.getsockname()[1] == port


@pytest.mark.parametrize("host", ["no.such.host.invalid", "203.0.113.7", "a" * 300, "a..b"])
def test_a_host_of_no_computer_is_wrong_usage(host: str) -> None:
    with pytest.raises(UsageError, match="this computer has no such address"):
        listening(host, 0).__enter__()


@pytest.mark.parametrize(
    ("host", "address", "private"),
    [("127.0.0.1", "http://127.0.0.1:", True), ("localhost", "http://", True), ("0.0.0.0", "http://localhost:", False)],  # noqa: S104
)
def test_the_address_is_one_for_a_browser(host: str, address: str, private: bool) -> None:
    with listening(host, 0) as opened:
        assert address_of(opened).startswith(address)
        assert address_of(opened).endswith(f":{opened.getsockname()[1]}/")
        assert is_private(opened) is private


def test_requests_wait_until_they_are_served() -> None:
    with listening("127.0.0.1", 0) as opened, socket.create_connection(opened.getsockname()[:2]) as waiting:
        assert waiting.getpeername() == opened.getsockname()


@pytest.mark.parametrize(("display", "opens"), [("", []), (":0", ["http://127.0.0.1:1/"])])
def test_a_browser_opens_where_there_are_windows(
    display: str, opens: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setattr("webbrowser.open", opened.append)
    monkeypatch.setenv("DISPLAY", display)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    open_browser("http://127.0.0.1:1/")
    assert opened == opens
