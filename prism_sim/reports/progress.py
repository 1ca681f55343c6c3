"""How far long work is, as bars: one for each thing that is counted, with rate and time left."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import rich.progress as rich
from rich.console import Console
from rich.markup import escape
from rich.text import Text

from prism_sim.progress import Progress


class _Rate(rich.ProgressColumn):
    """Of what is counted, so many a second."""

    max_refresh = 0.5

    def render(self, task: rich.Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text("- /s" if speed is None else f"{speed:.3g} /s", style="progress.data.speed")


@dataclass(frozen=True, slots=True)
class _Bars(Progress):
    shown: rich.Progress
    bars: dict[str, rich.TaskID] = field(default_factory=dict)

    def line(self, text: str) -> None:
        self.shown.console.print(text, style="dim", markup=False, highlight=False, soft_wrap=True)

    def watch(self, what: str, done: int, n: int, detail: str = "") -> None:
        """Begins at what is done already, so that the rate is that of now."""
        text = escape(detail or what)
        if what not in self.bars:
            self.bars[what] = self.shown.add_task(text, total=n, completed=done)
        self.shown.update(self.bars[what], description=text, completed=done, total=n)


@contextmanager
def progress_bars(transient: bool = False) -> Iterator[Progress]:
    """On standard error. transient: they go when all is done."""
    columns = (
        rich.TextColumn("{task.description}"),
        rich.BarColumn(),
        rich.MofNCompleteColumn(),
        _Rate(),
        rich.TimeRemainingColumn(),
    )
    with rich.Progress(*columns, console=Console(stderr=True), transient=transient) as shown:
        yield _Bars(shown)
