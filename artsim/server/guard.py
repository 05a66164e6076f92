"""Which requests are answered, and the headers of every answer.

A browser may send requests to this computer for any page that it shows. So the page answers only requests

- whose `Host` is an address of numbers, `localhost`, or a name that the user gave. A foreign name that leads here
  (DNS rebinding) is refused.
- that the page itself sends, by `Sec-Fetch-Site` and `Origin`. Programs send neither, and are answered. The page itself
  may be opened from anywhere, for example from a bookmark.
"""

from __future__ import annotations

from collections.abc import Collection
from ipaddress import ip_address

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' blob:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "content-security-policy": POLICY,
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "cache-control": "no-store",
}
OWN_SITE = ("same-origin", "none")  # none: the user has typed the address


class Guard:
    """Refuses requests of other sites, and adds the headers to every answer."""

    def __init__(self, app: ASGIApp, hosts: Collection[str] = ()) -> None:
        """Guard an app; `hosts` are the names of this computer that are answered beside `localhost`."""
        self._app = app
        self._hosts = {"localhost", *(name.lower() for name in hosts)}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or refuse it."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        reason = self._refusal(scope) if scope["type"] == "http" else "only HTTP is answered."
        answer = self._app if reason is None else PlainTextResponse(reason, 403)
        await answer(scope, receive, send_with_headers)

    def _refusal(self, scope: Scope) -> str | None:
        """Why a request is refused; None: it is not."""
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if not self._is_own(host):
            return "This page is not answered under this name. Open the address that artsim ui has printed."
        origin = headers.get("origin")
        is_page = scope["path"] == "/" and scope["method"] in ("GET", "HEAD")
        is_own_site = headers.get("sec-fetch-site", "none") in OWN_SITE and origin in (None, f"http://{host}")
        return None if is_page or is_own_site else "Only the page of artsim ui may ask this."

    def _is_own(self, host: str) -> bool:
        name = host.rpartition("]")[0].removeprefix("[") if host.startswith("[") else host.partition(":")[0]
        return name.lower() in self._hosts or _is_address(name)


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True
