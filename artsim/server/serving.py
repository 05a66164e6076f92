"""The socket of the page, and the server that answers on it until it is stopped."""

from __future__ import annotations

import errno
import os
import socket
import sys
import webbrowser
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from ipaddress import ip_address

import uvicorn

from artsim.decoders import DECODERS
from artsim.errors import UsageError
from artsim.jobs.ui import Ui
from artsim.server.app import Limits, build_app
from artsim.server.workers import Workers

CONNECTIONS = 64  # at one time; a page opens a few
END_SECONDS = 3  # for the last requests


@contextmanager
def listening(host: str, port: int) -> Iterator[socket.socket]:
    """A socket that listens; requests wait until they are served. Port 0 is a free one.

    Raises:
        UsageError: the port is in use or not allowed, or the host is none of this computer.
    """
    try:
        families = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        opened = socket.create_server((host, port), family=families[0][0])
    except (OSError, UnicodeError) as error:
        raise UsageError(_reason(host, port, error)) from error
    with opened:
        yield opened


def _reason(host: str, port: int, error: Exception) -> str:
    code = getattr(error, "errno", None)
    if code == errno.EADDRINUSE:
        return f"port {port} of {host} is in use. Name another one by --port, or --port 0 for a free one."
    if code == errno.EACCES:
        return f"port {port} of {host} is not allowed. Name one above 1023 by --port."
    if isinstance(error, socket.gaierror | UnicodeError) or code == errno.EADDRNOTAVAIL:
        return f"--host {host}: this computer has no such address. Leave it out for 127.0.0.1."
    return f"port {port} of {host} can't be opened ({getattr(error, 'strerror', None) or error}). Name another one."


def address_of(opened: socket.socket) -> str:
    """The address of the page, for a browser on this computer."""
    host, port = opened.getsockname()[:2]
    if ip_address(host).is_unspecified:
        host = "localhost"
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"


def is_private(opened: socket.socket) -> bool:
    """Whether only this computer can reach the socket."""
    return ip_address(opened.getsockname()[0]).is_loopback


def open_browser(address: str) -> None:
    """Open the page in a browser with windows, if there is one. A browser of the terminal would take the terminal."""
    if sys.platform == "linux" and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        return
    with suppress(webbrowser.Error, OSError):
        webbrowser.open(address)


def serve(ui: Ui, limits: Limits, opened: socket.socket) -> None:
    """Answer requests until Ctrl-C or SIGTERM."""
    names = [] if is_private(opened) else [socket.gethostname(), socket.getfqdn()]
    app = build_app(ui, replace(limits, hosts=[*limits.hosts, *names]))
    config = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        lifespan="off",
        ws="none",
        http="h11",
        loop="asyncio",
        proxy_headers=False,
        server_header=False,
        limit_concurrency=CONNECTIONS,
        timeout_graceful_shutdown=END_SECONDS,
    )
    with suppress(KeyboardInterrupt):  # uvicorn raises the signal again once it has ended
        _Server(config, limits.workers).run(sockets=[opened])


class _Server(uvicorn.Server):
    """A server that first ends what its threads wait for, so that it ends soon."""

    def __init__(self, config: uvicorn.Config, workers: Workers) -> None:
        super().__init__(config)
        self._workers = workers

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End the threads and the decoders, then the connections."""
        self._workers.close()
        DECODERS.close()
        await super().shutdown(sockets)
