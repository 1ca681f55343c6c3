"""Messages between processes: what the interpreter needs of them, and torch.distributed's (gloo)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any, Protocol

import torch
import torch.distributed as dist
from torch import Tensor

from prism_sim.live.voice import ProcessIndex

FIRST_TAG = 1 << 24  # torch numbers messages of its own barrier from 0 on


class Incoming(Protocol):
    """A message expected from another process."""

    def wait(self, limit_s: float) -> Tensor:
        """Its bytes. Raises LinkError if they do not come."""
        ...


class Channel(Protocol):
    """Messages are told apart by their tags; a message sent before it is expected is kept."""

    def expect(self, source: ProcessIndex, tag: int, payload_bytes: int) -> Incoming: ...
    def send(self, destination: ProcessIndex, tag: int, payload: Tensor) -> None:
        """Hands it over and returns."""
        ...

    def flush(self, limit_s: float) -> None:
        """Returns when all that was sent has left. Raises LinkError if it does not."""
        ...


class LinkError(RuntimeError):
    """A message did not come or did not leave. peer: the other process."""

    def __init__(self, peer: ProcessIndex, reason: str) -> None:
        super().__init__(reason)
        self.peer = peer


class GlooIncoming:
    def __init__(self, source: ProcessIndex, buffer: Tensor, work: Any) -> None:
        self.source, self.buffer, self.work = source, buffer, work

    def wait(self, limit_s: float) -> Tensor:
        _finish(self.source, lambda: self.work.wait(timedelta(seconds=limit_s)))
        return self.buffer


class GlooChannel:
    """Between the processes of the default group."""

    def __init__(self) -> None:
        self.leaving: list[tuple[ProcessIndex, Any, Tensor]] = []

    def expect(self, source: ProcessIndex, tag: int, payload_bytes: int) -> GlooIncoming:
        buffer = torch.empty(payload_bytes, dtype=torch.uint8)
        return GlooIncoming(source, buffer, dist.irecv(buffer, source, tag=FIRST_TAG + tag))

    def send(self, destination: ProcessIndex, tag: int, payload: Tensor) -> None:
        _finish(destination, lambda: self._send(destination, tag, payload))

    def _send(self, destination: ProcessIndex, tag: int, payload: Tensor) -> None:
        self.leaving.append((destination, dist.isend(payload, destination, tag=FIRST_TAG + tag), payload))

    def flush(self, limit_s: float) -> None:
        while self.leaving:
            destination, work, _ = self.leaving.pop()
            _finish(destination, lambda work=work: work.wait(timedelta(seconds=limit_s)))  # type: ignore[misc]


def _finish(peer: ProcessIndex, act: Callable[[], Any]) -> None:
    try:
        act()
    except RuntimeError as error:  # gloo raises no narrower kind
        raise LinkError(peer, reason_of(error)) from error


def reason_of(error: Exception) -> str:
    """What torch.distributed says of a failure, without the `[place in its source] ` that it begins with."""
    text = str(error).splitlines()[0]
    return text.rpartition("] ")[2] if text.startswith("[") else text
