"""A report of results that a command has written: a sweep's table, or the JSON of run, compare or breakeven."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

from markupsafe import Markup

from prism_sim.figures.quantities import quantity
from prism_sim.figures.results import command_of, read_results, rows_of_json
from prism_sim.pages.charts import accuracy_chart, break_even_chart, parts_chart, strategies_chart
from prism_sim.pages.document import PageHead, PageSection, page
from prism_sim.pages.markup import PageTable, drawing, joined, paragraph
from prism_sim.pages.origin import described_provenance
from prism_sim.pages.sweep_report import sweep_report
from prism_sim.units_text import seconds_text, speedup_text

TABLES = (".csv", ".parquet")
PARTICIPANT = ("busy_s", "wait_s", "sent_bytes", "received_bytes", "peak_memory_bytes")


def results_report(path: Path) -> str:
    """The page, as text of HTML.

    Raises OSError if there is no such file, ValueError if it is no result that a report is made of.
    """
    rows = read_results(path)  # refuses what is none of a command's
    if path.suffix.lower() in TABLES or path.is_dir():
        return sweep_report(rows, path)
    found = json.loads(path.read_text(encoding="utf-8"))
    written_by = command_of(found)
    if written_by not in _BODIES:
        raise ValueError(f"{path}: a report is made of what run, compare, breakeven or sweep has written")
    try:
        body = joined(_BODIES[written_by](found))
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{path}: is damaged: {error!r}") from error
    foot = [paragraph(f"Written on {date.today().isoformat()} by prism-sim from {path.name}.")]
    if "provenance" in found:
        foot.append(described_provenance(found["provenance"]).__html__())
    head = PageHead(str(found["name"]), Markup(), joined(foot))
    return page(head, [PageSection(_TITLES[written_by], body)])


def _of_run(found: Mapping[str, Any]) -> Iterator[Markup]:
    versus = found["versus_single"]
    yield paragraph(
        f"{found['strategy']} over {len(found['ranks'])} devices takes {seconds_text(found['latency_s'])}", "verdict"
    )
    yield drawing(parts_chart({found["strategy"]: found["breakdown_s"]}))
    rows = [(quantity(name).label, _text(name, found[name])) for name in RUN_COLUMNS if found.get(name) is not None]
    if versus["speedup"] is not None:
        rows.append(("speed-up over the terminal alone", speedup_text(versus["speedup"])))
    yield PageTable.of("The run", ["", "value"], rows).__html__()
    ranks = [
        (str(number), one["device"], *(_text(name, one[name]) for name in PARTICIPANT))
        for number, one in enumerate(found["ranks"])
    ]
    columns = ["rank", "device", *(quantity(name).label for name in PARTICIPANT)]
    yield PageTable.of("Who does what", columns, ranks, text=(0, 1)).__html__()
    if found.get("accuracy") is not None:
        yield drawing(accuracy_chart(found))


RUN_COLUMNS = ("latency_s", "throughput_per_s", "energy_j", "gflops_per_device", "compression_rate", "segments")


def _of_compare(found: Mapping[str, Any]) -> Iterator[Markup]:
    rows = rows_of_json(found).sort_values("latency_s", kind="stable")
    yield drawing(strategies_chart(found))
    columns = [one for one in ("latency_s", *COMPARE_COLUMNS) if one in rows and rows[one].notna().any()]
    cells = [
        (_way(row), "exact" if row["lossless"] else "lossy", *(_text(one, row[one]) for one in columns))
        for _, row in rows.iterrows()
    ]
    headings = ["", "outputs", *(quantity(one).label for one in columns)]
    yield PageTable.of("Strategies on the same hardware", headings, cells, text=(0, 1)).__html__()
    parts = {
        _way(row): {name[len("breakdown_") : -len("_s")]: row[name] for name in rows if name.startswith("breakdown_")}
        for _, row in rows.iterrows()
    }
    yield drawing(parts_chart(parts))


COMPARE_COLUMNS = ("versus_single_speedup", "throughput_per_s", "sent_bytes", "peak_memory_bytes", "energy_j")


def _way(row: Any) -> str:
    return f"{row['strategy']} x{row['n_ranks']}" if row["n_ranks"] > 1 else f"{row['on']} alone"


def _of_break_even(found: Mapping[str, Any]) -> Iterator[Markup]:
    yield drawing(break_even_chart(found))
    columns = [found["field"], found["strategy"], found["against"]]
    rows = [
        (point["text"], *(_latency(point[name]) for name in ("latency_s", "against_latency_s")))
        for point in found["points"]
    ]
    yield PageTable.of("The points of the scan", columns, rows).__html__()


def _latency(seconds: float | None) -> str:
    return "does not fit" if seconds is None else seconds_text(seconds)


def _text(name: str, value: Any) -> str:
    if value is None or value != value:
        return ""
    return seconds_text(value) if name.endswith("_s") and not name.endswith("_per_s") else quantity(name).text(value)


_BODIES: Mapping[str, Callable[[Mapping[str, Any]], Iterator[Markup]]] = {
    "run": _of_run,
    "compare": _of_compare,
    "breakeven": _of_break_even,
}
_TITLES = {"run": "The run", "compare": "Strategies on the same hardware", "breakeven": "Where the order changes"}
