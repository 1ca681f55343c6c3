"""What `prism-sim explain` shows in the terminal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial

from rich.console import Console
from rich.markup import escape
from rich.measure import Measurement
from rich.table import Table

from prism_sim.reports.collectives import exchanges_lines
from prism_sim.reports.tables import NarrowName, new_table, parts_table
from prism_sim.timing.storage import STORAGE
from prism_sim.units_text import seconds_text
from prism_sim.why.explain import Explanation
from prism_sim.why.path import Load
from prism_sim.why.what_if import WhatIf

MOST_LOADS = 8
CAUSES = {
    "Compute": ("compute",),
    "Storage": (STORAGE,),
    "Staging": ("staging",),
    "Overhead": ("overhead",),
    "The network": ("transfer", "propagation", "queue"),
}
NOTICEABLE = 0.001  # of the latency; what changes it by less has no effect worth a line


def show_explanation(found: Explanation, console: Console) -> None:
    """Prints where the time goes and why, the answer in words last."""
    scenario, job = found.scenario, found.simulation.job
    console.print(f"\n[bold]{escape(scenario.name)}[/bold]")
    console.print(
        f"{job.strategy} over {job.n_ranks} rank(s) takes {seconds_text(found.latency_s)}", style="dim", highlight=False
    )
    for line in exchanges_lines([("", found.simulation)]):
        console.print(line, style="dim", highlight=False)
    parts = parts_table(found.breakdown_s, found.pass_s)
    parts.add_row("sum", seconds_text(sum(found.breakdown_s.values())), "", style="dim")
    console.print(parts)
    n_parts = sum(seconds > 0 for seconds in found.breakdown_s.values())
    console.print(_fitting(console, (_stages(found, n_columns) for n_columns in range(n_parts, 0, -1))))
    console.print(_fitting(console, (_loads(found, wide, found.loads, found.pass_s) for wide in (True, False))))
    console.print(_fitting(console, (_waiting(found, wide) for wide in (True, False))))
    if found.token is not None:
        token = found.token
        title = f"What a token after {token.past} is made of"
        console.print(
            _fitting(console, (_loads(found, wide, token.loads, token.length_s, title) for wide in (True, False)))
        )
    console.print(_what_ifs(found))
    without = [one.resource.name for one in found.what_ifs if not _matters(one, found)]
    if without:
        console.print(f"no effect: {escape(', '.join(without))}", style="dim", highlight=False)
    odd = [one.resource.name for one in found.what_ifs if one.anomalous and _matters(one, found)]
    if odd:
        why = "slower when better or faster when worse, for messages then queue in another order"
        console.print(f"{escape(', '.join(odd))}: {why}", style="dim", highlight=False)
    console.print(_bounds(found))
    console.print(f"\n[bold]{escape(' '.join(sentences(found)))}[/bold]\n", highlight=False)


def sentences(found: Explanation) -> Iterator[str]:
    """What bounds the latency, and the single most useful change."""
    if not found.loads:
        yield "Nothing takes time."
        return
    subject = "it" if found.token is None else "the first token"
    yield _bounding(found, subject, found.breakdown_s, found.loads, found.pass_s)
    if (token := found.token) is not None:
        yield _bounding(found, "each later one", token.breakdown_s, token.loads, token.length_s)
    best = found.what_ifs[0]
    if best.gain_s < 0.01 * found.latency_s:
        yield "No single resource that is twice as good gains 1 %."
        return
    better, gain = seconds_text(best.better_s), found.latency_s / best.better_s
    whole = "it" if found.token is None else "the whole request"
    yield f"The most useful single change: {best.resource.better} makes {whole} {better}, {gain:.2f} times as fast."


def _bounding(
    found: Explanation, subject: str, breakdown_s: Mapping[str, float], loads: Sequence[Load], whole_s: float
) -> str:
    """'Compute bounds it: 70.1 % of 12 ms; the largest piece is ...'"""
    shares_s = {name: sum(breakdown_s.get(part, 0.0) for part in parts) for name, parts in CAUSES.items()}
    cause = max(shares_s, key=lambda name: shares_s[name])
    largest = next(load for load in loads if load.part in CAUSES[cause])
    share, piece = _percent(shares_s[cause], whole_s), _percent(largest.length_s, whole_s)
    whole = seconds_text(whole_s)
    return f"{cause} bounds {subject}: {share} of {whole}; the largest piece is {_where(found, largest)} ({piece})."


def _where(found: Explanation, load: Load) -> str:
    if load.destination is None:
        return f"{load.part} in {load.label} on {found.device(load.participant)}"
    ends = f"from {found.device(load.participant)} to {found.device(load.destination)}"
    return f"{load.part} in {load.label} {ends}"


def _fitting(console: Console, variants: Iterable[Table]) -> Table:
    """The first that the terminal is wide enough for, or else the last."""
    for table in variants:
        if _least_width(console, table) <= console.width:
            break
    return table


def _least_width(console: Console, table: Table) -> int:
    """Where nothing is cut but names that give way."""
    unlimited, widths = console.options.update(max_width=1000), []
    for column in table.columns:
        sizes = [Measurement.get(console, unlimited, cell) for cell in (column.header, *column.cells)]
        widths.append(max(size.maximum if column.no_wrap else size.minimum for size in sizes))
    return sum(widths) + 2 * (len(widths) - 1)  # a cell of padding and one of line between two columns


def _stages(found: Explanation, n_columns: int) -> Table:
    """The `n_columns` parts that take longest have a column, and what remains has one together."""
    scale, unit = (1.0, "s") if found.pass_s >= 1 else (1e3, "ms") if found.pass_s >= 1e-3 else (1e6, "µs")
    longest = sorted(found.breakdown_s, key=lambda part: -found.breakdown_s[part])[:n_columns]
    columns: dict[str, tuple[str, ...]] = {part: (part,) for part in found.breakdown_s if part in longest}
    rest = tuple(part for part, seconds in found.breakdown_s.items() if part not in longest and seconds > 0)
    columns |= {"other": rest} if rest else {}
    heads = [{"propagation": "propag."}.get(name, name) for name in columns]
    title = f"Along the path, in {unit} (t: the terminal)"
    table = new_table("step", "ranks", *heads, "sum", title=title, names=None, left=[1])
    for stage in found.stages:
        times_s = [sum(stage.parts_s.get(part, 0.0) for part in parts) for parts in columns.values()]
        cells = [_digits(seconds * scale) for seconds in (*times_s, stage.length_s)]
        table.add_row(stage.label, _roles(found, stage.participants), *cells)
    return table


def _digits(amount: float) -> str:
    """Three digits, but no more than three after the point; nothing for 0."""
    decimals = 3 if amount < 1 else 2 if amount < 9.995 else 1 if amount < 99.95 else 0
    return f"{amount:.{decimals}f}" if amount else ""


def _roles(found: Explanation, participants: tuple[int, ...]) -> str:
    """'0…3 t': who appears; of many, the first and the last."""
    shown = [_short(found, one) for one in sorted(participants)]
    if len(shown) > 3:
        shown = [f"{shown[0]}…{shown[-2]}", "t"] if shown[-1] == "t" else [f"{shown[0]}…{shown[-1]}"]
    return " ".join(shown)


def _short(found: Explanation, participant: int) -> str:
    return "t" if found.role(participant) == "terminal" else found.role(participant)


def _loads(
    found: Explanation,
    wide: bool,
    loads: Sequence[Load],
    whole_s: float,
    title: str = "What it is made of, the heaviest first",
) -> Table:
    device = ["device"] if wide else []
    table = new_table(
        *("part", "rank", *device, "in", "time", "share"),
        title=title,
        names=2 if wide else None,
        left=range(1, 3 + wide),
    )
    for load in loads[:MOST_LOADS]:
        role = found.role if wide else partial(_short, found)
        rank = role(load.participant)
        if load.destination is not None:
            rank = f"{rank} → {role(load.destination)}"
        steps = f"{load.label} ({load.n_steps} x)" if load.n_steps > 1 else load.label
        names = [NarrowName(found.device(load.participant))] if wide else []
        share = _percent(load.length_s, whole_s)
        table.add_row(load.part, rank, *names, steps, seconds_text(load.length_s), share)
    if rest := loads[MOST_LOADS:]:
        left_s = sum(load.length_s for load in rest)
        cells = (*[""] * (2 + wide), f"{len(rest)} more", seconds_text(left_s), _percent(left_s, whole_s))
        table.add_row(*cells, style="dim")
    return table


def _waiting(found: Explanation, wide: bool) -> Table:
    reasons = ["sender late", "on the way"] if wide else []
    columns = ("rank", "device", "busy", "waits", *reasons, "mostly for")
    table = new_table(*columns, title="Who waits, and for whom", names=1, left=[len(columns) - 1])
    for one in found.waiting:
        whom = next(iter(one.for_s), None)
        table.add_row(
            found.role(one.participant),
            NarrowName(found.device(one.participant)),
            seconds_text(one.busy_s),
            seconds_text(one.wait_s),
            *(map(seconds_text, (one.late_s, one.way_s)) if wide else ()),
            "" if whom is None else f"{found.role(whom)} ({_percent(one.for_s[whom], one.wait_s, 0)})",
        )
    return table


def _what_ifs(found: Explanation) -> Table:
    table = new_table("simulated again", "2 x better", "", "2 x worse", "", title="What would help most", names=None)
    for one in found.what_ifs:
        if _matters(one, found):
            table.add_row(
                escape(one.resource.name),
                seconds_text(one.better_s),
                _change(one.better_s, found.latency_s),
                seconds_text(one.worse_s),
                _change(one.worse_s, found.latency_s),
            )
    return table


def _matters(one: WhatIf, found: Explanation) -> bool:
    return max(abs(one.gain_s), abs(one.loss_s)) >= NOTICEABLE * found.latency_s


def _bounds(found: Explanation) -> Table:
    table = new_table("", "", "for", "at", title="It cannot be faster than", names=3, left=[2])
    meaning = {"compute": "kernels alone", "processor": "all that a processor does", "transfer": "bytes alone"}
    for bound in found.bounds:
        share = _percent(bound.length_s, found.pass_s)
        table.add_row(seconds_text(bound.length_s), share, meaning[bound.name], NarrowName(bound.where))
    return table


def _change(seconds: float, before_s: float) -> str:
    return f"{100 * (seconds / before_s - 1):+.1f} %"


def _percent(seconds: float, whole_s: float, digits: int = 1) -> str:
    return f"{100 * seconds / whole_s:.{digits}f} %" if whole_s else ""
