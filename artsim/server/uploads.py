"""The pictures of a request: read within limits into a folder that is removed with the request.

A picture becomes a file, because files are decoded in worker processes. Its file has a number; the name that the
browser gives is only shown.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import Message, Receive

from artsim.escaping import one_line
from artsim.messages import shortened
from artsim.server.refused import TooMuchError

MEGABYTE = 1_000_000
ENVELOPE = 64 * 1024  # bytes of a request beside its pictures
SECONDS = 120.0  # for a request to arrive


@dataclass(frozen=True)
class Uploads:
    """The pictures of a request by the name that is shown, in the order of the fields."""

    paths: Mapping[str, Path]

    def worded(self, message: str) -> str:
        """A message about these files with the names that the user knows."""
        for name, path in self.paths.items():
            message = message.replace(str(path), name)
        return message


async def read_uploads(request: Request, fields: Sequence[str], folder: Path, most: int) -> Uploads:
    """Write the pictures of a form into a folder.

    Args:
        request: with a form of the kind multipart/form-data.
        fields: the names of its fields, each of which is a file.
        folder: an empty folder.
        most: the bytes that a picture may have.

    Raises:
        TooMuchError: a picture, or the whole request, has more bytes.
        HTTPException: the request is no such form, or does not arrive in time.
    """
    whole = len(fields) * most + ENVELOPE
    if _declared_length(request) > whole:
        raise _too_much("this upload", most)
    bounded = Request(request.scope, _bounded(request.receive, whole, most))
    try:
        async with asyncio.timeout(SECONDS):
            form = await bounded.form(max_files=len(fields), max_fields=0)
    except TimeoutError as error:
        raise HTTPException(408, "the pictures did not arrive in time.") from error
    try:
        return await _written([form.get(field) for field in fields], fields, folder, most)
    finally:
        await form.close()


async def _written(files: Sequence[object], fields: Sequence[str], folder: Path, most: int) -> Uploads:
    given = [file for file in files if isinstance(file, UploadFile)]
    if len(given) < len(fields):
        raise HTTPException(400, f"the form has no file in the field {' or '.join(fields)}.")
    names = _shown_names([file.filename or "" for file in given])
    for name, file in zip(names, given, strict=True):
        if (file.size or 0) > most:
            raise _too_much(name, most)
    paths = {name: folder / str(number) for number, name in enumerate(names, start=1)}
    await asyncio.to_thread(_copy, given, list(paths.values()))
    return Uploads(paths)


def _copy(files: Sequence[UploadFile], paths: Sequence[Path]) -> None:
    for upload, path in zip(files, paths, strict=True):
        with path.open("wb") as file:
            shutil.copyfileobj(upload.file, file)


def _shown_names(names: Sequence[str]) -> list[str]:
    """Names that are different, and can be shown."""
    shown = [shortened(one_line(name)) or "the picture" for name in names]
    if len(set(shown)) == len(shown):
        return shown
    return [f"{name} ({number})" for number, name in enumerate(shown, start=1)]


def _declared_length(request: Request) -> int:
    """The bytes that a request says it has; 0 if it does not say."""
    text = request.headers.get("content-length", "")
    return int(text) if text.isdecimal() else 0


def _bounded(receive: Receive, whole: int, most: int) -> Receive:
    """The same messages, with an error once their bodies have more bytes than `whole`."""
    seen = 0

    async def counted() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > whole:
            raise _too_much("this upload", most)
        return message

    return counted


def _too_much(name: str, most: int) -> TooMuchError:
    return TooMuchError(f"{name}: larger than {most // MEGABYTE:,} MB for a picture (--max-upload)")
