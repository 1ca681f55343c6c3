"""What `prism-sim explain` shows in the terminal."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from prism_sim.study.explain import Explanation
from prism_sim.study.path import Load
from prism_sim.study.what_if import WhatIf
from prism_sim.tables import NarrowName, new_table
from prism_sim.timing.critical_path import PARTS
from prism_sim.units_text import seconds_text

BAR_CELLS = 24
MOST_LOADS = 8
NOTICEABLE = 0.001  # of the latency; what changes it by less has no effect worth a line


def show_explanation(found: Explanation, console: Console) -> None:
    """Prints where the time goes and why, the answer in words last."""
    scenario, job = found.scenario, found.simulation.job
    console.print(f"\n[bold]{escape(scenario.name)}[/bold]")
    console.print(
        f"{job.strategy} over {job.n_ranks} rank(s) takes {seconds_text(found.latency_s)}", style="dim", highlight=False
    )
    for table in (_parts(found), _stages(found), _loads(found), _waiting(found), _what_ifs(found)):
        console.print(table)
    without = [one.resource.name for one in found.what_ifs if not _matters(one, found)]
    if without:
        console.print(f"no effect: {escape(', '.join(without))}", style="dim", highlight=False)
    console.print(_bounds(found))
    console.print(f"\n[bold]{escape(' '.join(sentences(found)))}[/bold]\n", highlight=False)


def sentences(found: Explanation) -> Iterator[str]:
    """What bounds the latency, and the single most useful change."""
    part = max(found.breakdown_s, key=lambda name: found.breakdown_s[name])
    heaviest = next((load for load in found.loads if load.part == part), None)
    if heaviest is None:
        yield "Nothing takes time."
        return
    share = _percent(found.breakdown_s[part], found.latency_s)
    whole, where = seconds_text(found.latency_s), _where(found, heaviest)
    yield f"{part.capitalize()} bounds it: {share} of {whole}, most of it {where}."
    best = found.what_ifs[0]
    if best.gain_s < 0.01 * found.latency_s:
        yield "No single resource that is twice as good gains 1 %."
        return
    better, gain = seconds_text(best.better_s), found.latency_s / best.better_s
    yield f"The most useful single change: {best.resource.better} makes it {better}, {gain:.2f} times as fast."


def _where(found: Explanation, load: Load) -> str:
    if load.destination is None:
        return f"in {load.label} on {found.device(load.participant)}"
    return f"in {load.label} from {found.device(load.participant)} to {found.device(load.destination)}"


def _parts(found: Explanation) -> Table:
    table = new_table("part", "time", "share", "", title="Where the latency goes (critical path)")
    table.columns[-1].justify = "left"
    for part, seconds in found.breakdown_s.items():
        share = seconds / found.latency_s if found.latency_s else 0.0
        table.add_row(part, seconds_text(seconds), f"{100 * share:.1f} %", "█" * round(BAR_CELLS * share))
    table.add_row("sum", seconds_text(sum(found.breakdown_s.values())), "", style="dim")
    return table


def _stages(found: Explanation) -> Table:
    """Parts that take no time have no column."""
    parts = [part for part in PARTS if found.breakdown_s[part] > 0]
    heads = [part if part != "propagation" else "propag." for part in parts]
    table = new_table("step", "ranks", *heads, "sum", title="Along the path")
    table.columns[1].justify = "left"
    for stage in found.stages:
        times = [seconds_text(stage.parts_s[part]) if part in stage.parts_s else "" for part in parts]
        table.add_row(stage.label, _roles(found, stage.participants), *times, seconds_text(stage.length_s))
    return table


def _roles(found: Explanation, participants: tuple[int, ...]) -> str:
    """'0 2 t': the terminal comes last and short."""
    shown = [found.role(one) for one in sorted(participants)]
    shown = shown if len(shown) <= 4 else [*shown[:2], "…", shown[-1]]
    return " ".join("term." if role == "terminal" else role for role in shown)


def _loads(found: Explanation) -> Table:
    table = new_table(
        "part", "rank", "device", "in", "time", "share", title="What it is made of, the heaviest first", names=2
    )
    for number in (1, 3):
        table.columns[number].justify = "left"
    for load in found.loads[:MOST_LOADS]:
        rank = found.role(load.participant)
        if load.destination is not None:
            rank = f"{rank} → {found.role(load.destination)}"
        times = f" ({load.n_steps} x)" if load.n_steps > 1 else ""
        table.add_row(
            load.part,
            rank,
            NarrowName(found.device(load.participant)),
            f"{load.label}{times}",
            seconds_text(load.length_s),
            _percent(load.length_s, found.latency_s),
        )
    rest = found.loads[MOST_LOADS:]
    if rest:
        left_s = sum(load.length_s for load in rest)
        table.add_row(
            "", "", "", f"{len(rest)} more", seconds_text(left_s), _percent(left_s, found.latency_s), style="dim"
        )
    return table


def _waiting(found: Explanation) -> Table:
    table = new_table(
        "rank",
        "device",
        "busy",
        "waits",
        "sender late",
        "on the way",
        "mostly for",
        title="Who waits, and for whom",
        names=1,
    )
    table.columns[-1].justify = "left"
    for one in found.waiting:
        whom = next(iter(one.for_s), None)
        table.add_row(
            found.role(one.participant),
            NarrowName(found.device(one.participant)),
            *map(seconds_text, (one.busy_s, one.wait_s, one.late_s, one.way_s)),
            "" if whom is None else f"{found.role(whom)} ({_percent(one.for_s[whom], one.wait_s, 0)})",
        )
    return table


def _what_ifs(found: Explanation) -> Table:
    table = new_table("", "twice as good", "", "twice as bad", "", title="What would help most (simulated again)")
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
    table = new_table("", "", "for", "at", title="It cannot be faster than")
    table.columns[2].justify = table.columns[3].justify = "left"
    meaning = {"compute": "kernels alone", "processor": "all that a processor does", "transfer": "bytes alone"}
    for bound in found.bounds:
        share = _percent(bound.length_s, found.latency_s)
        table.add_row(seconds_text(bound.length_s), share, meaning[bound.name], escape(bound.where))
    return table


def _change(seconds: float, before_s: float) -> str:
    return f"{100 * (seconds / before_s - 1):+.1f} %"


def _percent(seconds: float, whole_s: float, digits: int = 1) -> str:
    return f"{100 * seconds / whole_s:.{digits}f} %" if whole_s else ""
