"""Many points as a page: the front, choices, curves and a table that follows what is chosen."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

from markupsafe import Markup
from pandas import DataFrame

from prism_sim.figures.latency import swept_number
from prism_sim.figures.quantities import quantity
from prism_sim.figures.rows import canonical, named_text, text_of, varying
from prism_sim.pages.charts import accuracy_chart, along_chart, points_chart
from prism_sim.pages.charts.look import AxisAmounts
from prism_sim.pages.charts.points import chosen_rows, second_column
from prism_sim.pages.document import PageHead, PageSection, page
from prism_sim.pages.markup import PageTable, TableRow, drawing, joined, paragraph
from prism_sim.scenario import Scenario
from prism_sim.sweeping.sweep import sweep

MOST_ROWS = 500  # of a table; the fastest
NAME, X = "points", "latency_s"
SHOWN = ("latency_s", "ttft_s", "tpot_s", "throughput_per_s", "energy_j", "sent_bytes", "peak_memory_bytes")


def swept_section(scenario: Scenario, numerics: bool, jobs: int) -> PageSection:
    """Raises ScenarioError where the sweep is wrong."""
    table = sweep(scenario, jobs, numerics)
    if table[X].isna().all():
        return PageSection("Its sweep", joined(_failures(table)))
    return PageSection("Its sweep", joined(_points(table)))


def sweep_report(table: DataFrame, path: Path) -> str:
    """Of the table that a sweep wrote. Raises ValueError where there is nothing to draw."""
    lead = joined([paragraph(_fastest(canonical(table)), "verdict")])
    sections = [PageSection("The points", joined(_points(table)))]
    foot = paragraph(f"Written on {date.today().isoformat()} by prism-sim from {path.name}.")
    return page(PageHead(f"Points of {path.name}", lead, foot), sections)


def _points(swept: DataFrame) -> Iterator[Markup]:
    table = canonical(swept)
    y = second_column(table)
    yield drawing(points_chart(table, X, y), NAME)
    yield Markup('<p id="{}-count" role="status"></p>').format(NAME)
    yield _table(chosen_rows(table, X, y), y).__html__()
    yield from _failures(swept)
    yield from _curves(table)


def _failures(table: DataFrame) -> Iterator[Markup]:
    """Why points have no figures, the most frequent reason first."""
    if "reason" in table:
        for reason, count in table["reason"].dropna().value_counts().items():
            if str(reason):
                yield paragraph(f"{count} without figures: {reason}", "warning")


def _curves(table: DataFrame) -> Iterator[Markup]:
    """Along what was swept, where it is one number; accuracy, where it is known."""
    try:
        yield drawing(along_chart(table.dropna(subset=[X]), swept_number(table.dropna(subset=[X]), "a curve")))
    except ValueError as error:
        yield paragraph(f"No curve along one field: {error}", "quiet")
    if "accuracy" in table and table["accuracy"].notna().any():
        yield drawing(accuracy_chart(table))


def _fastest(table: DataFrame) -> str:
    found = table.dropna(subset=[X])
    if found.empty:
        return f"None of {len(table)} points has figures."
    best = found.loc[found[X].idxmin()]
    at = ", ".join(named_text(field, best[field]) for field in varying(found))
    fastest = f"{best['strategy']} takes {AxisAmounts.of(X, [best[X]]).text(best[X])}{' at ' if at else ''}{at}"
    return f"The fastest of {len(found)} points: {fastest}."


def _table(rows: DataFrame, y: str) -> PageTable:
    """The fastest first; each row says where its point is."""
    fields = varying(rows)
    results = [one for one in dict.fromkeys((*SHOWN, y)) if one in rows and rows[one].notna().any()]
    places = AxisAmounts.of(X, rows[X]), AxisAmounts.of(y, rows[y])
    ordered = rows.sort_values(X, kind="stable").head(MOST_ROWS)
    columns = ["strategy", "devices", *fields, *(quantity(one).label for one in results)]
    made = []
    for _, row in ordered.iterrows():
        devices = "" if _is_missing(row.get("n_ranks")) else f"{row['n_ranks']:.0f}"
        cells = [str(row["strategy"]), devices, *(text_of(one, row[one]) for one in fields)]
        cells += ["" if _is_missing(row[one]) else AxisAmounts.of(one, [row[one]]).text(row[one]) for one in results]
        marks = {"strategy": cells[0], "devices": devices}
        marks |= {axis: repr(float(row[one.column]) / one.factor) for axis, one in zip("xy", places, strict=True)}
        made.append(TableRow(cells, marks=marks))
    left_out = f", the fastest {MOST_ROWS} of {len(rows)}" if len(rows) > MOST_ROWS else ""
    right = frozenset(range(1, len(columns)))
    return PageTable(f"The points, the fastest first{left_out}", columns, made, right, NAME)


def _is_missing(value: Any) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))
