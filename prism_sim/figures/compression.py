"""What compressing buys and costs: latency, bytes, fidelity or a task's metric against the compression rate."""

from __future__ import annotations

from typing import TYPE_CHECKING

from matplotlib.figure import Figure

from prism_sim.figures.base import Plot
from prism_sim.figures.charts import NEAR_ONE, Chart, draw_chart
from prism_sim.figures.rows import canonical, checked, numeric, with_references

if TYPE_CHECKING:
    from pandas import DataFrame

NO_ACCURACY = "not an accuracy estimate"


def draw_latency_compression(table: DataFrame, *, title: str = "") -> Figure:
    """A line for what compresses; what does not (single, voltage) runs across. Panels for one or two further fields.

    table: `latency_s`, `compression_rate` (null where there is none) and `strategy`; `fidelity_top1_agreement` or
    `fidelity_cosine` get a panel of their own. Raises ValueError for a missing column or nothing to draw.
    """
    return _draw(table, "latency-compression", ("latency_s",), title, fidelity=True)


def draw_bytes_compression(table: DataFrame, *, title: str = "") -> Figure:
    """Bytes that all devices send. table: `sent_bytes`, `compression_rate` (null where there is none), `strategy`."""
    return _draw(table, "bytes-compression", ("sent_bytes",), title)


def draw_compression(table: DataFrame, *, title: str = "") -> Figure:
    """table: `latency_s`, `sent_bytes`, `compression_rate` (null where there is none) and `strategy`."""
    return _draw(table, "compression", ("latency_s", "sent_bytes"), title)


def draw_accuracy_compression(table: DataFrame, *, title: str = "") -> Figure:
    """Latency beside the metric of a task, a line for each compressor and checkpoint; the undistributed model across.

    table: as `accuracy` and `sweep` write it: `accuracy`, `latency_s`, `compression_rate` (null where there is none)
    and `strategy`; bars from `accuracy_low` to `accuracy_high`; `accuracy_metric` names what `accuracy` is.
    Raises ValueError for a missing column, several metrics or nothing to draw.
    """
    plot = "accuracy-compression"
    checked(table, plot, "accuracy", "latency_s", "compression_rate", "strategy")
    rows = with_references(canonical(table).dropna(subset=["latency_s"]).reset_index(drop=True))
    names = list(rows["accuracy_metric"].dropna().unique()) if "accuracy_metric" in rows else ["accuracy"]
    if len(names) > 1:
        raise ValueError(
            f"{plot}: {', '.join(names)} cannot share an axis; keep one, as in --where accuracy_metric={names[0]}"
        )
    rows = rows.rename(columns={f"accuracy{end}": f"{names[0]}{end}" for end in ("", "_low", "_high")})
    return _draw(rows, plot, ("latency_s", names[0]), title)


def _draw(table: DataFrame, plot: str, ys: tuple[str, ...], title: str, fidelity: bool = False) -> Figure:
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
    return draw_chart(
        Chart(plot, rows, "compression_rate", ys, title, across=lambda line: max(line.x) <= 1, notes=notes)
    )


def fidelity_column(rows: DataFrame) -> str | None:
    """Agreement on the first class if it was measured (weights are real), else the outputs' cosine, else nothing."""
    return next((column for column in NEAR_ONE if column in rows and rows[column].notna().any()), None)


def fidelity_note(rows: DataFrame, measure: str) -> str:
    """What must stand beside a measure without accuracy; where there are logits, only random weights lack one."""
    if measure != "fidelity_cosine":
        return ""
    has_logits = "fidelity_kl" in rows and rows["fidelity_kl"].notna().any()
    return f"random weights: {NO_ACCURACY}" if has_logits else NO_ACCURACY


PLOTS = (
    Plot(
        "latency-compression",
        "latency against the compression rate, and fidelity if computed",
        draw_latency_compression,
        ("latency_s", "compression_rate", "strategy"),
    ),
    Plot(
        "bytes-compression",
        "bytes that all devices send, against the compression rate",
        draw_bytes_compression,
        ("sent_bytes", "compression_rate", "strategy"),
    ),
    Plot(
        "compression",
        "latency and bytes against the compression rate, side by side",
        draw_compression,
        ("latency_s", "sent_bytes", "compression_rate", "strategy"),
    ),
    Plot(
        "accuracy-compression",
        "latency and a task's accuracy against the compression rate, side by side",
        draw_accuracy_compression,
        ("accuracy", "latency_s", "compression_rate", "strategy"),
    ),
)
