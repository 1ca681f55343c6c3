"""What `prism-sim search` shows: how far it is and, at the end, the front and what it took."""

from __future__ import annotations

from collections import Counter

from rich.console import Console
from rich.markup import escape

from prism_sim.reports.tables import new_table
from prism_sim.searching.search import SearchResult

SHOWN_REASONS = 3
SHOWN_ROWS = 40


def show_search(found: SearchResult, console: Console) -> None:
    """The front, counts, and why points are not wanted."""
    goals = found.order.goals
    if found.front:
        _show_front(found, console)
    else:
        console.print("no point meets all conditions", style="bold yellow")
    conditions = f" where {' and '.join(map(str, goals.conditions))}" if goals.conditions else ""
    console.print(f"front: {', '.join(map(str, goals.objectives))}{conditions}", markup=False, highlight=False)
    console.print(
        f"{len(found.evaluated)} points evaluated, of {found.n_distinct} distinct ones among {found.n_points}"
        + (f"; {found.n_known} known from before" if found.n_known else "")
        + f"; {sum(found.reasons.values())} infeasible; {len(found.front)} on the front",
        highlight=False,
    )
    console.print(f"{found.n_played} played, {found.n_ruled_out} ruled out", highlight=False)
    for reason, count in found.reasons.most_common(SHOWN_REASONS):
        console.print(f"{count} infeasible: {escape(reason)}", style="yellow", highlight=False)
    if len(found.reasons) > SHOWN_REASONS:
        console.print(f"and {len(found.reasons) - SHOWN_REASONS} other reasons", style="yellow")


def _show_front(found: SearchResult, console: Console) -> None:
    rows = found.front_rows
    same = [name for name in found.fields if len(rows) > 1 and len({_text(row[name]) for row in rows}) == 1]
    if same:
        text = ", ".join(f"{name} {_text(rows[0][name])}" for name in same)
        console.print(f"on the whole front: {text}", markup=False, highlight=False)
    shown = [name for name in rows[0] if name not in same]
    table = new_table(*(escape(name) for name in _short(shown)))
    for column in table.columns:
        column.no_wrap = False  # names may take several lines
    for row in rows[:SHOWN_ROWS]:
        table.add_row(*(escape(_text(row[name])) for name in shown))
    console.print(table)
    if len(rows) > SHOWN_ROWS:
        console.print(f"and {len(rows) - SHOWN_ROWS} more (--out DIR writes all)", style="dim")


def _short(names: list[str]) -> list[str]:
    """The last steps of dotted names, as many as tell them apart."""
    last = Counter(name.rpartition(".")[2] for name in names)
    return [name if last[name.rpartition(".")[2]] > 1 else name.rpartition(".")[2] for name in names]


def _text(value: object) -> str:
    if value is None:
        return "as in the file"
    return f"{value:.4g}" if isinstance(value, float) else str(value)
