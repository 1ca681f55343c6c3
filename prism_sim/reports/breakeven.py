"""What `prism-sim breakeven` shows in the terminal."""

from __future__ import annotations

import math
from collections.abc import Iterator

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from prism_sim.reports.tables import new_table
from prism_sim.simulation.fit_samples import N_SAMPLES
from prism_sim.units_text import seconds_text
from prism_sim.why.breakeven import BreakEven
from prism_sim.why.breakeven_range import moved_interval
from prism_sim.why.order_change import OrderChange, VariedPoint

ROUGHLY = 3  # digits of an amount that samples give


def show_break_even(found: BreakEven, console: Console) -> None:
    """Both ends of the range and every place where the order changes, then the answer in words."""
    along = found.varied
    console.print(f"\n[bold]{escape(found.scenario.name)}[/bold]")
    what = (
        f"{found.own} against {found.other}, {along.field} from {along.shown(along.low)} to {along.shown(along.high)}"
    )
    console.print(escape(what), style="dim", highlight=False)
    console.print(_table(found))
    for low, high, n_points, reason in found.skipped:
        where = along.shown(low) if n_points == 1 else f"{along.shown(low)} to {along.shown(high)}, {n_points} points"
        console.print(escape(f"skipped ({where}): {reason}"), style="yellow", highlight=False)
    console.print(f"\n[bold]{escape(' '.join(sentences(found)))}[/bold]", highlight=False)
    shares = "" if found.shares is None else f" --set strategy.shares={found.shares}"
    for crossing in found.crossings:
        if crossing.at is not None:
            console.print(escape(f"  --set {_override(found, crossing.at)}{shares}"), highlight=False, soft_wrap=True)
    if shares:
        console.print(f"each with the shares that serve it ({shares.strip()})", style="dim", highlight=False)
    console.print()


def _table(found: BreakEven) -> Table:
    table = new_table(found.varied.field, found.own, found.other, "faster", "by", left=[3])
    first, last = found.simulated[0], found.simulated[-1]
    rows = [first]
    for crossing in found.crossings:
        rows += [crossing.low, crossing.high] if crossing.at is None else [crossing.at]
    rows.append(last)
    equal = {crossing.at for crossing in found.crossings}
    for point in dict.fromkeys(rows):
        even = point in equal
        table.add_row(
            found.varied.shown(point.amount),
            _latency(point.own_s),
            _latency(point.other_s),
            "equal" if even or found.winner(point) is None else found.winner(point),
            "" if even or _is_alone(point) else f"{_factor(point)}x",
            style="bold" if even else None,
        )
    return table


def sentences(found: BreakEven) -> Iterator[str]:
    """Who is faster where."""
    first, last, field = found.simulated[0], found.simulated[-1], found.varied.field
    if not found.changes and first is not last:
        yield f"{field} changes neither latency."
    if first is last:
        yield f"Only {field} {found.varied.shown(first.amount)} can be simulated: there {_who(found, first)}."
        return
    if not found.crossings:
        ends = f"{found.varied.shown(first.amount)} and {found.varied.shown(last.amount)}"
        winner = found.winner(first)
        if winner is None:
            yield f"There is no break-even between {ends}: both are equally fast throughout."
            return
        if _is_alone(first) or _is_alone(last):
            yield f"There is no break-even between {ends}: {winner} is the faster or the only one that fits throughout."
            return
        yield (
            f"There is no break-even between {ends}: {winner} is faster throughout, "
            f"{_factor(first)} times as fast at the low end and {_factor(last)} at the high end."
        )
        if found.scan is not None and found.scan.n_changing:
            in_samples = f"in {found.scan.n_changing} of {N_SAMPLES} samples the order changes"
            yield f"Within what the numbers' ranges leave open: {in_samples} (docs/trust.md)."
        return
    for crossing in found.crossings:
        yield f"{_place(found, crossing)} {_who(found, crossing.low)}, {_beyond(found, crossing)}."
        yield from _moved(found, crossing)


def _moved(found: BreakEven, crossing: OrderChange) -> Iterator[str]:
    if found.scan is None or crossing.at is None:
        return
    places = found.moved(crossing)
    within = moved_interval(places)
    where = "" if within is None else " to ".join(found.varied.shown(amount, ROUGHLY) for amount in within)
    missing = N_SAMPLES - len(places)
    absent = f"in {missing} of {N_SAMPLES} samples it is not there" if missing else ""
    yield f"Within what the numbers' ranges leave open: {', '.join(filter(None, (where, absent)))} (docs/trust.md)."


def _place(found: BreakEven, crossing: OrderChange) -> str:
    along, field = found.varied, found.varied.field
    low, high = along.shown(crossing.low.amount), along.shown(crossing.high.amount)
    between = f"between {field} {low} and {high}"
    match crossing.kind:
        case "equal":
            assert crossing.at is not None
            return f"Break-even at {field} {along.shown(crossing.at.amount)}: below it"
        case "jumps":
            return f"A latency jumps at {field} {high}: below it"
        case "fits":
            return f"What fits the devices changes {between}: up to there"
        case "flips":
            return f"The order changes {between}: up to there"
        case _:
            return f"The order changes somewhere {between}, which cannot be simulated: up to there"


def _beyond(found: BreakEven, crossing: OrderChange) -> str:
    return f"{'above it' if crossing.kind in ('equal', 'jumps') else 'beyond'} {_who(found, crossing.high)}"


def _who(found: BreakEven, point: VariedPoint) -> str:
    winner = found.winner(point)
    if winner is not None and _is_alone(point):
        return f"only {winner} fits"
    return "both are equally fast" if winner is None else f"{winner} is faster"


def _is_alone(point: VariedPoint) -> bool:
    return math.isinf(point.own_s) or math.isinf(point.other_s)


def _latency(seconds: float) -> str:
    return "does not fit" if math.isinf(seconds) else seconds_text(seconds)


def _factor(point: VariedPoint) -> str:
    times = max(point.own_s, point.other_s) / min(point.own_s, point.other_s)
    return f"{times:.2f}" if times < 10 else f"{times:.1f}" if times < 100 else f"{times:.0f}"


def _override(found: BreakEven, point: VariedPoint) -> str:
    """As a shell takes it: a field with brackets needs quotes."""
    field, text = found.varied.field, found.varied.text(point.amount)
    return f"'{field}={text}'" if "[" in field else f"{field}='{text}'"
