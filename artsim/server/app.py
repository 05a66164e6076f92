"""The routes of the page.

    GET  /                 the page, with its style, script and icon below /page/
    POST /pair             a form with the files image1 and image2  ->  their score
    POST /nearest          a form with the file image  ->  the nearest works of the gallery
    GET  /pictures/N       a picture of the gallery, as WebP
    GET  /examples/N       a painting to try, as JPEG

Answers and errors are JSON; an error is `{"error": sentence}` with a status of 4xx or 5xx. Nothing is kept.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from artsim.errors import ArtsimError, ImageError, InputError
from artsim.escaping import printable
from artsim.jobs.ui import Ui
from artsim.server import examples
from artsim.server.answers import nearest_answer, pair_answer
from artsim.server.guard import Guard
from artsim.server.page import PageFile, page_files
from artsim.server.refused import RefusedError
from artsim.server.uploads import Uploads, read_uploads
from artsim.server.workers import Workers

DEFECT = "artsim has a defect. The terminal in which it runs says more."


@dataclass(frozen=True)
class Limits:
    """What a request may ask for."""

    upload_bytes: int  # of a picture
    hosts: Collection[str] = ()  # names under which the page is answered, beside localhost
    workers: Workers = field(default_factory=Workers)


def build_app(ui: Ui, limits: Limits) -> ASGIApp:
    """The page as an ASGI application."""
    page = _Page(ui, limits)
    routes = [
        Route("/pair", page.pair, methods=["POST"]),
        Route("/nearest", page.nearest, methods=["POST"]),
        Route("/pictures/{number:int}", page.picture),
        Route("/examples/{number:int}", page.example),
        *(Route(path, _fixed(file)) for path, file in page_files(ui, limits.upload_bytes).items()),
    ]
    handlers: dict[Any, Any] = {
        ArtsimError: _no_answer,
        RefusedError: _refused,
        HTTPException: _http_error,
        ClientDisconnect: _gone,
        Exception: _defect,
    }
    return Guard(Starlette(routes=routes, exception_handlers=handlers), limits.hosts)


class _Page:
    """The requests that need the opened tower."""

    def __init__(self, ui: Ui, limits: Limits) -> None:
        self._ui = ui
        self._most = limits.upload_bytes
        self._workers = limits.workers

    async def pair(self, request: Request) -> Response:
        return await self._answer(request, ["image1", "image2"], lambda paths: pair_answer(self._ui.pair(paths)))

    async def nearest(self, request: Request) -> Response:
        return await self._answer(request, ["image"], self._nearest)

    async def picture(self, request: Request) -> Response:
        try:
            content = await self._workers.run(partial(self._ui.picture, request.path_params["number"]))
        except ImageError as error:
            raise HTTPException(404, "the picture cannot be read any more.") from error
        if content is None:
            raise HTTPException(404, "there is no such picture.")
        return Response(content, media_type="image/webp")

    async def example(self, request: Request) -> Response:
        try:
            content = await self._workers.run(partial(examples.picture, request.path_params["number"]))
        except IndexError as error:
            raise HTTPException(404, "there is no such picture.") from error
        return Response(content, media_type="image/jpeg")

    def _nearest(self, paths: dict[str, Path]) -> dict[str, Any]:
        ((name, path),) = paths.items()
        result = self._ui.nearest(name, path)
        assert self._ui.gallery is not None  # noqa: S101 - `nearest` raises without one
        return nearest_answer(result, self._ui.gallery)

    async def _answer(self, request: Request, fields: list[str], job: Callable[[Any], dict[str, Any]]) -> Response:
        """Read the pictures, run the job on them in a thread, and remove them."""
        folder = TemporaryDirectory(prefix="artsim-ui-", ignore_cleanup_errors=True)
        try:
            reading = read_uploads(request, fields, Path(folder.name), self._most)
            uploads = await self._workers.unless_closed(reading)
        except BaseException:
            folder.cleanup()
            raise
        found = await self._workers.run(partial(_worded, uploads, job), at_end=folder.cleanup)
        return _json(found)


def _worded(uploads: Uploads, job: Callable[[Any], dict[str, Any]]) -> dict[str, Any]:
    """Run a job; its errors name the pictures as the user knows them."""
    try:
        return job(uploads.paths)
    except InputError as error:
        raise InputError(uploads.worded(str(error))) from error


def _fixed(file: PageFile) -> Callable[[Request], Any]:
    async def answer(_: Request) -> Response:
        return Response(file.content, media_type=file.media_type)

    return answer


def _json(value: object, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(json.dumps(value, allow_nan=False), status, headers, "application/json")


async def _refused(_: Request, error: RefusedError) -> Response:
    return _json({"error": printable(_sentence(str(error)))}, error.status)


async def _no_answer(_: Request, error: ArtsimError) -> Response:
    status = 422 if isinstance(error, InputError) else 500
    return _json({"error": printable(_sentence(str(error)))}, status)


async def _http_error(_: Request, error: HTTPException) -> Response:
    headers = dict(error.headers or {})
    return _json({"error": printable(_sentence(error.detail))}, error.status_code, headers)


async def _gone(_: Request, __: ClientDisconnect) -> Response:
    return Response(status_code=400)  # nobody reads it


async def _defect(_: Request, error: Exception) -> Response:  # noqa: ARG001 - Starlette raises it again, for the log
    return _json({"error": DEFECT}, 500)


def _sentence(text: str) -> str:
    return text if text.endswith(".") else f"{text}."
