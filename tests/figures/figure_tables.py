"""What tests of figures share: small tables as a sweep writes them, and what a figure shows."""

from __future__ import annotations

from typing import Any

import pandas
from matplotlib.figure import Figure

PARTS = ("compute", "staging", "overhead", "transfer", "propagation", "queue")


def row(strategy: str = "prism", latency_s: float = 0.2, **more: Any) -> dict[str, Any]:
    """One point. Names with two underscores stand for fields: network__bandwidth."""
    parts = {f"breakdown_{part}_s": latency_s / len(PARTS) for part in PARTS}
    known = {
        "strategy.name": strategy,
        "strategy": strategy,
        "latency_s": latency_s,
        "n_ranks": 1 if strategy == "single" else 2,
        **parts,
    }
    return known | {name.replace("__", "."): value for name, value in more.items()}


def table(*rows: dict[str, Any]) -> pandas.DataFrame:
    return pandas.DataFrame(list(rows))


def bandwidths(latencies: dict[str, list[float]], mbit_per_s: list[float]) -> pandas.DataFrame:
    """As a sweep over the bandwidth writes it: the field as written, and in SI beside it."""
    return table(
        *(
            row(
                strategy,
                latency_s,
                network__bandwidth=f"{bandwidth:g} Mbit/s",
                network__bandwidth_bits_per_s=1e6 * bandwidth,
            )
            for strategy, own in latencies.items()
            for latency_s, bandwidth in zip(own, mbit_per_s, strict=True)
        )
    )


def compressed(**more: Any) -> pandas.DataFrame:
    """Single, voltage, and three compression rates of prism."""
    steps = [(49.5, 2, 0.2, 1_000_000), (9.9, 10, 0.25, 5_000_000), (99.0, 1, 0.19, 500_000)]
    points = [
        row(latency_s=latency_s, compression_rate=rate, strategy__segments=segments, sent_bytes=sent_bytes, **more)
        for rate, segments, latency_s, sent_bytes in steps
    ]
    single = row("single", 0.485, compression_rate=None, strategy__segments=1, sent_bytes=0, **more)
    voltage = row("voltage", 1.288, compression_rate=1.0, strategy__segments=1, sent_bytes=58_000_000, **more)
    return table(single, voltage, *points)


def accurate(metric: str = "accuracy", checkpoints: tuple[str, ...] = ("reference",)) -> pandas.DataFrame:
    """Three compression rates of prism on each checkpoint, as `accuracy` and `sweep` write them."""
    undistributed = {"accuracy_undistributed": 0.98, "accuracy_undistributed_low": 0.97}
    shared = {**undistributed, "accuracy_undistributed_high": 0.99, "versus_single_latency_s": 0.485}
    steps = [(8.25, 4, 0.25, 0.8), (16.5, 2, 0.2, 0.6), (33.0, 1, 0.19, 0.4)]
    points = [
        row(latency_s=latency_s, compression_rate=rate, strategy__segments=segments, task__checkpoint=checkpoint)
        | {"accuracy": value + better / 10, "accuracy_low": value - 0.05, "accuracy_high": value + 0.15}
        for better, checkpoint in enumerate(checkpoints)
        for rate, segments, latency_s, value in steps
    ]
    return table(*points).assign(accuracy_metric=metric, **shared)


DISTANCES = ((1, 1), (2, 2), (3, 4))


def cells(n_ranks: int = 2, n_blocks: int = 3, lossless: tuple[int, ...] = ()) -> pandas.DataFrame:
    """As of `prism-sim loss`: errors 0.1 a block accumulated, 0.05 added, a tenth more on each later rank."""
    return pandas.DataFrame(
        {
            "block": block,
            "rank": rank,
            "nearest": nearest,
            "furthest": furthest,
            "n_rows": 1,
            "squared_norm": 4.0,
            "squared_error": 4 * (0.0 if rank in lossless else 0.1 * (block + 1) * (1 + 0.1 * rank)) ** 2,
            "squared_added": 4 * (0.0 if rank in lossless else 0.05 * (1 + 0.1 * rank)) ** 2,
            "cosines": 1.0,
        }
        for block in range(n_blocks)
        for rank in range(n_ranks)
        for nearest, furthest in DISTANCES
    )


def legend(figure: Figure) -> list[str]:
    (found,) = figure.legends
    return [text.get_text() for text in found.get_texts()]


def lines(axes: Any) -> dict[str, tuple[list[float], list[float]]]:
    """Data by label; what has none is left out."""
    found = {str(line.get_label()): (list(line.get_xdata()), list(line.get_ydata())) for line in axes.get_lines()}
    return {label: data for label, data in found.items() if not label.startswith("_")}


def texts(axes: Any) -> list[str]:
    """What is written into an axes, beside its labels."""
    return [text.get_text() for text in axes.texts if text.get_text()]
