"""What compressing buys and costs: latency, and a task's metric with its interval, against the compression rate."""

from __future__ import annotations

from typing import TYPE_CHECKING

from matplotlib.figure import Figure

from prism_sim.figures.base import Plot
from prism_sim.figures.latency_compression import draw_against_compression
from prism_sim.figures.rows import canonical, checked, with_references

if TYPE_CHECKING:
    from pandas import DataFrame

NAME = "accuracy-compression"
COLUMNS = ("accuracy", "latency_s", "compression_rate", "strategy")


def draw_accuracy_compression(table: DataFrame, *, title: str = "") -> Figure:
    """Latency beside the metric of a task, a line for each compressor and checkpoint; the undistributed model across.

    table: as `accuracy` and `sweep` write it: `accuracy`, `latency_s`, `compression_rate` (null where there is none)
    and `strategy`; bars from `accuracy_low` to `accuracy_high`; `accuracy_metric` names what `accuracy` is.
    Raises ValueError for a missing column, several metrics or nothing to draw.
    """
    checked(table, NAME, *COLUMNS)
    rows = with_references(canonical(table).dropna(subset=["latency_s"]).reset_index(drop=True))
    names = list(rows["accuracy_metric"].dropna().unique()) if "accuracy_metric" in rows else ["accuracy"]
    if len(names) > 1:
        raise ValueError(
            f"{NAME}: {', '.join(names)} cannot share an axis; keep one, as in --where accuracy_metric={names[0]}"
        )
    rows = rows.rename(columns={f"accuracy{end}": f"{names[0]}{end}" for end in ("", "_low", "_high")})
    return draw_against_compression(rows, NAME, ("latency_s", names[0]), title)


PLOT = Plot(
    NAME, "latency and a task's accuracy against the compression rate, side by side", draw_accuracy_compression, COLUMNS
)
