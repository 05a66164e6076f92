"""Downloaded weights: kept in the library's cache, whole or not at all."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import keras
import pytest

from artsim.errors import ModelError
from artsim.training.networks import backbones
from artsim.training.networks.backbones import build_backbone
from tests.training.networks.makers import SIZE, assert_close, outputs, pixels

Answer = Callable[[BaseHTTPRequestHandler], None]


@contextmanager
def server(answer: Answer) -> Iterator[str]:
    """An HTTP server on this machine; its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer(self)

        def log_message(self, *arguments: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        def handle_error(self, *arguments: object) -> None:
            """A client that has gone, as one that waits no longer, is no news of the server's."""

    with Server(("127.0.0.1", 0), Handler) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{running.server_address[1]}/"
        finally:
            running.shutdown()
            thread.join()


@pytest.fixture
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Keras's cache, empty, and no proxy between the tests and their server."""
    # Keras reads KERAS_HOME once, on import, and has no public way to set the folder later.
    monkeypatch.setattr("keras.src.backend.config._KERAS_DIR", str(tmp_path))
    monkeypatch.setenv("no_proxy", "*")
    return tmp_path / "models"


def sent(handler: BaseHTTPRequestHandler, body: bytes, length: int) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", str(length))
    handler.end_headers()
    handler.wfile.write(body)


def test_a_download_is_cached_by_keras(
    monkeypatch: pytest.MonkeyPatch,
    cache: Path,
    weights: Path,
    network: keras.Model,
    capsys: pytest.CaptureFixture[str],
) -> None:
    body = weights.with_name("mobilenet.h5").read_bytes()
    with server(lambda handler: sent(handler, body, len(body))) as address:
        monkeypatch.setattr("keras.src.applications.mobilenet.BASE_WEIGHT_PATH", address)
        # 64 px is none of the sizes that the network was trained at, of which Keras would warn.
        loaded = build_backbone("mobilenet", SIZE, "imagenet")
    again = build_backbone("mobilenet", SIZE, "imagenet")  # the server is gone
    wanted = [network.get_layer(f"conv_pw_{block}_relu").output for block in (11, 12)]
    expected = outputs(network, wanted, pixels(SIZE) / 127.5 - 1)
    for backbone in (loaded, again):
        assert_close(backbone.predict_on_batch(pixels(SIZE))[-2:], expected)
    assert len(list(cache.iterdir())) == 1
    assert capsys.readouterr() == ("", "")


def never(handler: BaseHTTPRequestHandler) -> None:
    time.sleep(1.5)


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(lambda handler: sent(handler, b"x" * 1000, 100_000), id="half"),
        pytest.param(lambda handler: handler.send_error(404), id="not found"),
        pytest.param(never, id="never"),
    ],
)
def test_a_failed_download_is_an_error_and_leaves_no_file(
    monkeypatch: pytest.MonkeyPatch, cache: Path, answer: Answer, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(backbones, "TIMEOUT", 0.3)
    with server(answer) as address:
        monkeypatch.setattr("keras.src.applications.mobilenet.BASE_WEIGHT_PATH", address)
        with pytest.raises(ModelError, match=r"could not be downloaded .*--weights FILE.*--weights none") as caught:
            build_backbone("mobilenet", SIZE, "imagenet")
    assert "\n" not in str(caught.value)
    assert list(cache.iterdir()) == []
    assert socket.getdefaulttimeout() is None
    assert capsys.readouterr() == ("", "")


def test_a_damaged_file_in_the_cache_is_an_error(cache: Path) -> None:
    cache.mkdir()
    (cache / "mobilenet_1_0_224_tf_no_top.h5").write_bytes(b"half of a file")
    with pytest.raises(ModelError, match=r"damaged in the library's cache .*delete.*--weights FILE"):
        build_backbone("mobilenet", SIZE, "imagenet")


def test_a_preset_that_cannot_be_downloaded_is_an_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with socket.socket() as free:  # a port that nobody listens on, for a proxy
        free.bind(("127.0.0.1", 0))
        monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{free.getsockname()[1]}")
    monkeypatch.setenv("KAGGLEHUB_CACHE", str(tmp_path))
    with pytest.raises(ModelError, match=r"dinov2-small could not be downloaded .*--weights FILE"):
        build_backbone("dinov2-small", 70, "dinov2_small")
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
