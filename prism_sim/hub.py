"""Whether the Hugging Face hub can be reached, found out in a second or two instead of by the client's retries."""

from __future__ import annotations

import os
import socket
import threading
import urllib.request
from functools import cache
from urllib.parse import urlsplit

PATIENCE_S = 2.0  # for a name to be resolved and a connection to be made; a satellite link takes about one
PORTS = {"http": 80, "https": 443}


def endpoint() -> str:
    """The hub's address, as its client has it, from the environment or its own."""
    from huggingface_hub import constants

    return os.environ.get("HF_ENDPOINT") or constants.ENDPOINT


@cache
def unreachable() -> str | None:
    """Why nothing can be fetched from the hub, in a few words; None if it answers. Asked once a process."""
    for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"):
        if os.environ.get(name, "").upper() in ("1", "ON", "YES", "TRUE"):
            return f"{name} is set"
    host, port = _first_stop(endpoint())
    problem = _connection(host, port)
    return None if problem is None else f"{host} cannot be reached ({problem})"


def _first_stop(url: str) -> tuple[str, int]:
    """Host and port that a request for this address goes to first: a proxy, where there is one."""
    parts = urlsplit(url)
    proxy = urllib.request.getproxies().get(parts.scheme)
    if proxy and not urllib.request.proxy_bypass(parts.hostname or ""):
        parts = urlsplit(proxy if "//" in proxy else f"//{proxy}")
    return parts.hostname or "", parts.port or PORTS.get(parts.scheme, PORTS["http"])


def _connection(host: str, port: int) -> str | None:
    """Why none is made; in a thread, for the time that a name takes to be resolved has no limit of its own."""
    said: list[str | None] = []

    def connect() -> None:
        try:
            socket.create_connection((host, port), timeout=PATIENCE_S).close()
            said.append(None)
        except (OSError, UnicodeError, OverflowError) as error:  # the latter two: an address that is none
            said.append(getattr(error, "strerror", None) or str(error))

    thread = threading.Thread(target=connect, daemon=True)
    thread.start()
    thread.join(PATIENCE_S)
    return said[0] if said else f"no answer within {PATIENCE_S:g} s"
