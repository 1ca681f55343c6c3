"""Tables in the terminal: one look, numbers whole, names that give way where the terminal is narrow."""

from __future__ import annotations

from collections.abc import Container, Mapping

from rich import box
from rich.console import Console, ConsoleOptions, RenderResult
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from prism_sim.simulation.simulate import Simulation
from prism_sim.units_text import bytes_text, seconds_text

BAR_CELLS = 24
SHORTEST_NAME = 10  # characters of a name that are always shown


class NarrowName:
    """A name that gives way where a table is too wide: its middle goes, for its end may be what tells it apart."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        return Measurement(min(SHORTEST_NAME, len(self.name)), len(self.name))

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        name, room = self.name, max(options.max_width, 1)
        if len(name) > room:
            name = f"{name[: room // 2]}…{name[len(name) - (room - 1) // 2 :]}"
        yield Text(name, no_wrap=True, overflow="ellipsis")


def new_table(*columns: str, title: str = "", names: int | None = 0, left: Container[int] = ()) -> Table:
    """names: the column that gives way where the terminal is narrow; numbers are never cut.

    left: columns of text, beside the first one and that of names.
    """
    table = Table(
        box=box.SIMPLE_HEAD,
        show_edge=False,
        title=f"\n{title}" if title else None,
        title_justify="left",
        title_style="bold",
        pad_edge=False,
        padding=(0, 1, 0, 0),
    )
    for number, column in enumerate(columns):
        of_text = number in (0, names) or number in left
        table.add_column(column, justify="left" if of_text else "right", no_wrap=number != names, overflow="fold")
    return table


def memory_text(simulation: Simulation, device: int) -> str:
    """What a device holds, and what it reads from storage besides: '8.00 GB + 1.20 GB'."""
    streamed = simulation.streamed_bytes[device]
    beside = f" + {bytes_text(streamed)}" if streamed else ""
    return f"{bytes_text(simulation.device_bytes[device] - streamed)}{beside}"


def bar(share: float) -> str:
    return "█" * round(BAR_CELLS * share)


def parts_table(breakdown_s: Mapping[str, float], latency_s: float) -> Table:
    """Parts of a latency, with bars."""
    table = new_table("part", "time", "share", "", title="Where the latency goes (critical path)", left=[3])
    for part, seconds in breakdown_s.items():
        share = seconds / latency_s if latency_s else 0.0
        table.add_row(part, seconds_text(seconds), f"{100 * share:.1f} %", bar(share))
    return table
