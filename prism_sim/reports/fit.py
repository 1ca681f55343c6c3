"""What `prism-sim fit` shows in the terminal."""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from prism_sim.boards.own_fit import OwnFit
from prism_sim.calibration.fit import CONFIDENCE, FEW, Fit
from prism_sim.calibration.fragment import interval
from prism_sim.calibration.table import PARTS
from prism_sim.reports.tables import new_table
from prism_sim.units_text import seconds_text


def show_fit(found: Fit, console: Console) -> None:
    """The parameters, every row beside what was measured, and how straight lines do on the same rows."""
    console.print(f"\n[bold]{escape(found.scenario.name)}[/bold]")
    counts = (
        f"{len(found.found)} parameters from {found.table.n_numbers} measured numbers of {len(found.table.rows)} rows, "
        f"{found.degrees_of_freedom} degrees of freedom"
    )
    console.print(counts, style="dim", highlight=False)
    console.print(_parameters(found))
    if found.degrees_of_freedom < FEW:
        console.print("Few degrees of freedom: the intervals are rough.", style="yellow", highlight=False)
    if found.untold:
        console.print(f"The rows say nothing of {', '.join(found.untold)}: left as they are.", highlight=False)
    console.print(_rows(found))
    for sentence in sentences(found):
        console.print(f"[bold]{escape(sentence)}[/bold]", highlight=False)
    console.print()


def show_board_fit(found: OwnFit, console: Console) -> None:
    """A board's numbers by runtime, and its rows beside what the fit says, with and without the rows of their model."""
    console.print(f"\n[bold]{escape(found.fit.board.name)}[/bold]")
    numbers = new_table("number", "expected", "fitted", "90% interval", "rows", title="Numbers")
    for one in found.numbers:
        numbers.add_row(f"{one.runtime} {one.name}", one.expected, one.fitted, one.interval, str(one.n_rows or ""))
    console.print(numbers)
    rows = new_table("row", "fitted", "measured", "error", "not seen", title="Rows")
    for unseen in found.unseen:
        without = None if unseen.unseen_s is None else unseen.unseen_s / unseen.row.seconds - 1
        error = unseen.fitted_s / unseen.row.seconds - 1
        times = seconds_text(unseen.fitted_s), seconds_text(unseen.row.seconds)
        rows.add_row(unseen.row.name, *times, f"{error:+.1%}", "" if without is None else f"{without:+.1%}")
    console.print(rows)
    told = "not seen: the error of a fit without the rows of this model; empty where its runtime has no other model."
    console.print(told, style="dim", highlight=False)
    console.print()


def _parameters(found: Fit) -> Table:
    table = new_table("parameter", "value", f"{CONFIDENCE:.0%} interval", title="Numbers")
    for one in found.found:
        table.add_row(one.parameter.name, one.parameter.text(one.value), interval(one))
    return table


def _rows(found: Fit) -> Table:
    title = "Simulated, in ms, beside its distance from what was measured"
    table = new_table("row", "batch", *PARTS, "total", "error", "measured", title=title)
    for row, one in zip(found.table.rows, found.predicted_s, strict=True):
        error = "" if not row.total_s else f"{one['total'] / row.total_s - 1:+.1%}"
        parts = [_part(one[part], row.times_s.get(part)) for part in PARTS]
        measured = "" if row.total_s is None else _milliseconds(row.total_s)
        table.add_row(row.mode, str(row.batch), *parts, _milliseconds(one["total"]), error, measured)
    return table


def _part(simulated_s: float, measured_s: float | None) -> str:
    if not measured_s:
        return _milliseconds(simulated_s)
    return f"{_milliseconds(simulated_s)} {simulated_s / measured_s - 1:+4.0%}"


def _milliseconds(seconds: float) -> str:
    return f"{1e3 * seconds:.0f}" if seconds >= 0.1 else f"{1e3 * seconds:.3g}"


def sentences(found: Fit) -> list[str]:
    """How large the errors are, and those of straight lines."""
    errors = [abs(error) for error in found.errors()]
    if not errors:
        return []
    own = f"Totals: {sum(errors) / len(errors):.1%} off in the mean, {max(errors):.1%} at worst."
    lines = [abs(error) for error in found.errors(found.lines.predicted_s)]
    other = f"Straight lines over the batch, {found.lines.n_parameters} parameters: {sum(lines) / len(lines):.1%}"
    why = ", for they have as many parameters as points." if found.lines.exact else f", {max(lines):.1%} at worst."
    return [own, f"{other}{why}"]
