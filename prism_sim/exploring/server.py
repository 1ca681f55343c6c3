"""Serves the page of one scenario on this machine alone, until it is interrupted."""

from __future__ import annotations

import secrets
import socket
import webbrowser
from collections.abc import Callable
from pathlib import Path
from typing import Any

import marimo
import uvicorn

from prism_sim.exploring.gate import AsgiApp, Gate
from prism_sim.exploring.page_state import PageState

HERE = Path(__file__).parent
HOST = "127.0.0.1"  # nobody else's machine reaches it
SECONDS_TO_END = 1  # for what is under way when the server is interrupted


def listening(port: int) -> socket.socket:
    """At this port, or with 0 at one that is free. Raises OSError where it may not be had."""
    return socket.create_server((HOST, port))


def serve(at: socket.socket, page: Callable[[], PageState], browse: bool, told: Callable[[str], None]) -> None:
    """Until Ctrl-C, which raises KeyboardInterrupt. at: see `listening`; closed at the end.

    page: makes one for each browser that opens it. browse: open it in the browser. told: is given the address, with its
    token, once it answers.
    """
    host = f"{HOST}:{at.getsockname()[1]}"
    token = secrets.token_urlsafe()
    notebook: list[Any] = []  # marimo's app, as it hands it to what stands before it

    def kept(app: AsgiApp) -> AsgiApp:
        notebook.append(app)
        return app

    def begun() -> None:
        address = f"http://{host}/?token={token}"
        told(address)
        if browse:
            webbrowser.open(address)

    style = f"<style>{(HERE / 'page.css').read_text(encoding='utf-8')}</style>"
    builder = marimo.create_asgi_app(quiet=True, html_head=style)
    pages = builder.with_app(path="", root=str(HERE / "page.py"), middleware=[kept]).build()
    gate = Gate(pages, host, token, page)
    config = uvicorn.Config(gate, log_level="error", timeout_graceful_shutdown=SECONDS_TO_END, lifespan="off")
    with at:
        _Server(config, notebook, begun).run(sockets=[at])


class _Server(uvicorn.Server):
    """begun: called once it answers. notebook: marimo's app, whose kernels end with the server."""

    def __init__(self, config: uvicorn.Config, notebook: list[Any], begun: Callable[[], None]) -> None:
        super().__init__(config)
        self.notebook, self.begun = notebook, begun

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.begun()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for app in self.notebook:
            await app.state.session_manager.shutdown()
        await super().shutdown(sockets)
