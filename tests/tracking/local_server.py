"""MLflow's server in a thread of this process, on a free port; it goes away and comes back in milliseconds."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable, Iterable
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest
from werkzeug.serving import BaseWSGIServer, make_server

SERVER = "_MLFLOW_SERVER_"  # begins the names of the variables by which MLflow's command tells its server


class LocalServer:
    """A tracking server. `fault` is the status that requests to paths with `faulty` in them get; None: it works."""

    def __init__(self, folder: Path, store: Path, patch: pytest.MonkeyPatch) -> None:
        for name, value in {
            "FILE_STORE": f"sqlite:///{store}",
            "ARTIFACT_DESTINATION": str(folder / "artifacts"),
            "SERVE_ARTIFACTS": "true",
        }.items():
            patch.setenv(SERVER + name, value)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # MLflow's server uses a part of starlette that will go away
            from mlflow.server import app, fastapi_app, handlers  # noqa: F401 - imported by the first request otherwise

        # MLflow would open the store itself, and make it the store of the whole process.
        registry: Any = handlers._tracking_store_registry
        opened = registry.get_store(f"sqlite:///{store}", "mlflow-artifacts:/")
        patch.setattr(handlers, "_tracking_store", opened)
        patch.setattr(handlers, "_artifact_repo", None)
        self._app = app
        self._server: BaseWSGIServer | None = None
        self._port = 0
        self.fault: HTTPStatus | None = None
        self.faulty = "/"
        self.requests: list[str] = []
        self.start()
        self.uri = f"http://127.0.0.1:{self._port}"

    def start(self) -> None:
        """Listen, on the same port as before."""
        self._server = make_server("127.0.0.1", self._port, self._answer, threaded=True)
        self._port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def stop(self) -> None:
        """Refuse connections."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def _answer(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        self.requests.append(f"{environ['REQUEST_METHOD']} {path}")
        if self.fault is not None and self.faulty in path:
            environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
            start_response(f"{self.fault.value} {self.fault.phrase}", [("Content-Type", "text/plain")])
            return [b"a proxy's page"]
        return self._app(environ, start_response)
