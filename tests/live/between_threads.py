"""Messages between threads that stand for processes."""

from __future__ import annotations

from collections import defaultdict
from queue import Empty, SimpleQueue
from threading import Lock

from torch import Tensor

from prism_sim.live.channel import LinkError


class Post:
    """Messages between threads that stand for processes, as bytes."""

    def __init__(self) -> None:
        self.boxes: defaultdict[tuple[int, int, int], SimpleQueue[Tensor]] = defaultdict(SimpleQueue)
        self.lock = Lock()
        self.sent_bytes: defaultdict[tuple[int, int], int] = defaultdict(int)

    def box(self, source: int, destination: int, tag: int) -> SimpleQueue[Tensor]:
        with self.lock:
            return self.boxes[source, destination, tag]


class Letter:
    def __init__(self, box: SimpleQueue[Tensor], source: int, payload_bytes: int) -> None:
        self.box, self.source, self.payload_bytes = box, source, payload_bytes

    def wait(self, limit_s: float) -> Tensor:
        try:
            payload = self.box.get(timeout=limit_s)
        except Empty:
            raise LinkError(self.source, "nothing came") from None
        assert payload.numel() == self.payload_bytes
        return payload


class Thread:
    """The end of one process."""

    def __init__(self, post: Post, me: int) -> None:
        self.post, self.me = post, me

    def expect(self, source: int, tag: int, payload_bytes: int) -> Letter:
        return Letter(self.post.box(source, self.me, tag), source, payload_bytes)

    def send(self, destination: int, tag: int, payload: Tensor) -> None:
        self.post.sent_bytes[self.me, destination] += payload.numel()
        self.post.box(self.me, destination, tag).put(payload.clone())

    def flush(self, limit_s: float) -> None: ...
