"""A progress that remembers what it was told."""

from __future__ import annotations

from collections.abc import Callable

from prism_sim.progress import Progress


class Told(Progress):
    """lines, seen: in the order in which they came. watched: is called with what is seen, and may raise."""

    def __init__(self, watched: Callable[[str, int, int], object] = lambda what, done, n: None) -> None:
        self.lines: list[str] = []
        self.seen: list[tuple[str, int, int]] = []
        self.watched = watched

    def line(self, text: str) -> None:
        self.lines.append(text)

    def watch(self, what: str, done: int, n: int, detail: str = "") -> None:
        self.seen.append((what, done, n))
        self.watched(what, done, n)
