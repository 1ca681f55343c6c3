"""Who may ask the page's server what: the browser that was given the token, for what the page itself needs."""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qs

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
AsgiApp = Callable[[Scope, Receive, Send], Awaitable[None]]

# All that the page asks of its server; the rest of marimo (files, code, export, packages, AI, ...) is not there.
PAGE = ("/", "/health", "/favicon.ico", "/manifest.json", "/public-files-sw.js")
CHANGED = "/api/kernel/set_ui_element_value"
ASSETS = "/assets/"
HEADERS = {
    "cache-control": "no-store",
    # whatever a page may contain, it reaches nothing but this server
    "content-security-policy": "default-src 'self' data: blob: 'unsafe-inline' 'unsafe-eval'; frame-ancestors 'none'",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}


@dataclass(frozen=True)
class Gate:
    """Lets through to `app` what brings the token, with `page` for the notebook; the token's first use is a link.

    host: of the server, as in the browser's address; another one is refused, so that no name that somebody points here
    (DNS rebinding) and no other page of this machine reaches it.
    """

    app: AsgiApp
    host: str
    token: str
    page: Any

    @property
    def cookie(self) -> str:
        """Its name: cookies know no port, and several pages may be open."""
        return f"prism_sim_{self.host.rpartition(':')[2]}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
        elif not self._is_from_here(scope) or not (self._has_cookie(scope) or self._is_link(scope)):
            await _refuse(scope, send, 403, "needs the address that `prism-sim explore` printed, with its token")
        elif self._is_link(scope):
            await self._enter(send)
        elif not _is_part_of_page(scope):
            await _refuse(scope, send, 404, "is no part of the page")
        else:
            scope["meta"] = {"page": self.page}
            await self.app(scope, receive, _with_headers(scope, send))

    def _is_from_here(self, scope: Scope) -> bool:
        return _header(scope, b"host") == self.host and _header(scope, b"origin") in ("", f"http://{self.host}")

    def _has_cookie(self, scope: Scope) -> bool:
        try:
            found = SimpleCookie(_header(scope, b"cookie")).get(self.cookie)
        except CookieError:  # which another page of this machine may have left
            return False
        return found is not None and hmac.compare_digest(found.value.encode(), self.token.encode())

    def _is_link(self, scope: Scope) -> bool:
        """The address that was printed, or opened."""
        if scope["type"] != "http" or scope["path"] != "/" or scope["method"] != "GET":
            return False
        given = parse_qs(scope["query_string"].decode("latin-1")).get("token", [""])[0]
        return hmac.compare_digest(given.encode(), self.token.encode())

    async def _enter(self, send: Send) -> None:
        """The token becomes a cookie and leaves the address, which stays in a browser's history."""
        cookie = f"{self.cookie}={self.token}; Path=/; HttpOnly; SameSite=Strict"
        await _answer(send, 303, {"location": "/", "set-cookie": cookie}, b"")


def _is_part_of_page(scope: Scope) -> bool:
    path = str(scope["path"])
    if scope["type"] == "websocket":
        return path == "/ws" and b"file=" not in scope["query_string"]
    if scope["method"] == "POST":
        return path == CHANGED
    return scope["method"] in ("GET", "HEAD") and (path in PAGE or path.startswith(ASSETS)) and not _names_file(scope)


def _names_file(scope: Scope) -> bool:
    return "file" in parse_qs(scope["query_string"].decode("latin-1"))


def _header(scope: Scope, name: bytes) -> str:
    """The only one of this name; of several, which no browser sends, one that is nobody's."""
    found = [value.decode("latin-1") for key, value in scope["headers"] if key == name]
    return "" if not found else found[0] if len(found) == 1 else "several"


def _with_headers(scope: Scope, send: Send) -> Send:
    async def sending(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            kept = [(key, value) for key, value in message["headers"] if key.decode("latin-1") not in HEADERS]
            message["headers"] = [*kept, *_encoded(_headers_of(scope))]
        await send(message)

    return sending


def _headers_of(scope: Scope) -> dict[str, str]:
    """Files of the browser's side never change while the server runs."""
    is_asset = str(scope.get("path", "")).startswith(ASSETS)
    return HEADERS | ({"cache-control": "private, max-age=3600"} if is_asset else {})


async def _refuse(scope: Scope, send: Send, status: int, reason: str) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008})
        return
    await _answer(send, status, {"content-type": "text/plain; charset=utf-8"}, f"prism-sim: {reason}\n".encode())


async def _answer(send: Send, status: int, headers: dict[str, str], body: bytes) -> None:
    await send({"type": "http.response.start", "status": status, "headers": _encoded(HEADERS | headers)})
    await send({"type": "http.response.body", "body": body})


def _encoded(headers: dict[str, str]) -> list[tuple[bytes, bytes]]:
    return [(key.encode("latin-1"), value.encode("latin-1")) for key, value in headers.items()]
