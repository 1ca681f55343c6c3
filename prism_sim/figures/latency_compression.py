"""What compressing buys and costs: latency against the compression rate, and fidelity where the table has it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from matplotlib.figure import Figure

from prism_sim.figures.base import Plot
from prism_sim.figures.charts import Chart, draw_chart
from prism_sim.figures.panels import PanelLine
from prism_sim.figures.rows import checked, numeric, with_references

if TYPE_CHECKING:
    from pandas import DataFrame

NAME = "latency-compression"
COLUMNS = ("latency_s", "compression_rate", "strategy")
NO_ACCURACY = "not an accuracy estimate"


def draw_latency_compression(table: DataFrame, *, title: str = "") -> Figure:
    """A line for what compresses; what does not (single, voltage) runs across. Panels for one or two further fields.

    table: `latency_s`, `compression_rate` (null where there is none) and `strategy`; `fidelity_top1_agreement` or
    `fidelity_cosine` get a panel of their own. Raises ValueError for a missing column or nothing to draw.
    """
    return draw_against_compression(table, NAME, ("latency_s",), title, fidelity=True)


def draw_against_compression(
    table: DataFrame, plot: str, ys: tuple[str, ...], title: str, fidelity: bool = False
) -> Figure:
    """Any results against the compression rate, a row or column of panels each."""
    rows = with_references(checked(table, plot, *dict.fromkeys((ys[0], "compression_rate", "strategy", *ys))))
    rows = numeric(rows, plot, "compression_rate")
    if not (rows["compression_rate"] > 1).any():
        raise ValueError(f"{plot}: no row has a compression_rate above 1, so there is nothing to draw against it")
    if "sent_bytes" in ys:  # what sends nothing has no place on a logarithmic axis
        rows["sent_bytes"] = rows["sent_bytes"].where(rows["sent_bytes"] > 0)
    rows["compression_rate"] = rows["compression_rate"].fillna(1.0)  # rows that are sent as they are
    notes = dict[str, str]()
    if fidelity and (measure := fidelity_column(rows)) is not None:
        ys = (*ys, measure)
        notes = {measure: note} if (note := fidelity_note(rows, measure)) else {}
    return draw_chart(Chart(plot, rows, "compression_rate", ys, title, across=_across, notes=notes))


def _across(line: PanelLine) -> bool:
    return max(line.x) <= 1


def fidelity_column(rows: DataFrame) -> str | None:
    """Agreement on the first class if it was measured (weights are real), else the outputs' cosine, else nothing."""
    for column in ("fidelity_top1_agreement", "fidelity_cosine"):
        if column in rows and rows[column].notna().any():
            return column
    return None


def fidelity_note(rows: DataFrame, measure: str) -> str:
    """What must stand beside a measure without accuracy; where there are logits, only random weights lack one."""
    if measure != "fidelity_cosine":
        return ""
    has_logits = "fidelity_kl" in rows and rows["fidelity_kl"].notna().any()
    return f"random weights: {NO_ACCURACY}" if has_logits else NO_ACCURACY


PLOT = Plot(NAME, "latency against the compression rate, and fidelity if computed", draw_latency_compression, COLUMNS)
