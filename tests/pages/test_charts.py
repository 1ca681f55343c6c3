"""Charts say what their results say: a mark a result, places in the axis's unit, a title, words for who cannot see."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from prism_sim.figures.style import PART_COLOURS, strategy_style
from prism_sim.pages.charts import (
    accuracy_chart,
    along_chart,
    break_even_chart,
    parts_chart,
    points_chart,
    strategies_chart,
)

MBIT = 1e6
PARTS = {
    "prism": {"compute": 0.2, "transfer": 0.1, "queue": 0.0},
    "single": {"compute": 0.4, "transfer": 0, "queue": 0},
}
ALONG = pd.DataFrame(
    {
        "strategy": ["single"] * 2 + ["voltage"] * 2,
        "network.bandwidth": [1 * MBIT, 100 * MBIT] * 2,
        "latency_s": [1.0, 1.0, 10.0, 0.1],
    }
)
COMPARED = pd.DataFrame(
    {
        "strategy": ["prism", "single", "voltage"],
        "latency_s": [0.3, 0.2, 0.4],
        "lossless": [False, True, True],
        "n_ranks": [2, 1, 2],
        "on": [None, "pi", None],
        "latency_low_s": [0.25, None, 0.35],
        "latency_high_s": [0.5, None, 0.45],
    }
)
SWEPT = pd.DataFrame(
    {
        "strategy": ["prism", "prism", "voltage", "single"],
        "n_ranks": [2, 4, 2, 1],
        "strategy.segments": [1, 2, 1, 1],
        "latency_s": [0.1, 0.2, 0.3, 0.4],
        "energy_j": [4.0, 2.0, 3.0, 1.0],
    }
)
ACCURATE = pd.DataFrame(
    {
        "strategy": ["prism", "voltage"],
        "latency_s": [0.1, 0.2],
        "accuracy": [0.9, 0.95],
        "accuracy_low": [0.88, 0.93],
        "accuracy_high": [0.92, 0.97],
        "accuracy_undistributed": [0.95, 0.95],
    }
)
POINT = {"latency_range_s": None, "against_latency_range_s": None}
BROKEN = {
    "schema": "prism-sim/breakeven/1",
    "field": "network.bandwidth",
    "strategy": "prism",
    "against": "single",
    "winner_throughout": None,
    "points": [
        {**POINT, "value": 1e6, "latency_s": 4.0, "against_latency_s": 1.0},
        {**POINT, "value": 1e8, "latency_s": None, "against_latency_s": 1.0},
    ],
    "crossings": [
        {
            "at": {"value": 5e6, "latency_s": 1.0},
            "high": {"value": 5e6},
            "winner_below": "single",
            "winner_above": "prism",
        }
    ],
}
CHARTS = {
    "parts": lambda: parts_chart(PARTS),
    "along": lambda: along_chart(ALONG, "network.bandwidth", present=50 * MBIT),
    "strategies": lambda: strategies_chart(COMPARED),
    "points": lambda: points_chart(SWEPT),
    "accuracy": lambda: accuracy_chart(ACCURATE),
    "break-even": lambda: break_even_chart(BROKEN),
}


def layers(spec: dict[str, Any]) -> list[dict[str, Any]]:
    """All marks, those within layers too, each with its data."""
    each = [{"data": spec.get("data"), **one} for one in spec["layer"]]
    return [found for one in each for found in (layers(one) if "layer" in one else [one])]


def drawn(spec: dict[str, Any], mark: str) -> list[dict[str, Any]]:
    """The rows under the first mark of a kind."""
    return rows_under(spec, next(one for one in layers(spec) if one["mark"]["type"] == mark))


def rows_under(spec: dict[str, Any], layer: dict[str, Any]) -> list[dict[str, Any]]:
    data = layer["data"]
    found: list[dict[str, Any]] = data["values"] if "values" in data else spec["datasets"][data["name"]]
    return found


@pytest.mark.parametrize("kind", CHARTS)
def test_a_chart_has_a_title_words_and_units(kind: str) -> None:
    spec = CHARTS[kind]().to_dict()
    assert spec["title"]["text"]
    assert spec["description"].endswith(".")
    encodings = [one["encoding"] for one in layers(spec)]
    axes = [one["x"].get("title") or one["x"].get("axis", {}).get("title") for one in encodings if "x" in one]
    assert any(title and title.endswith(")") for title in axes)  # '(ms)'
    assert any("tooltip" in one for one in encodings)


def test_parts_stand_in_the_figures_colours_and_add_up() -> None:
    spec = parts_chart(PARTS).to_dict()
    scale = layers(spec)[0]["encoding"]["color"]["scale"]
    assert dict(zip(scale["domain"], scale["range"], strict=True)) == {
        part: PART_COLOURS[part] for part in ("compute", "transfer")
    }
    bars = [(row["name"], row["part"], row["seconds"], row["share"]) for row in drawn(spec, "bar")]
    assert bars[0] == ("prism", "compute", pytest.approx(200), "66.7 %")
    assert sum(seconds for name, _, seconds, _ in bars if name == "prism") == pytest.approx(300)
    assert [(row["name"], row["text"]) for row in drawn(spec, "text")] == [("prism", "300 ms"), ("single", "400 ms")]
    with pytest.raises(ValueError, match="no bar"):
        parts_chart({})


def test_lines_meet_where_they_are_equally_fast() -> None:
    """10 s at 1 Mbit/s and 0.1 s at 100 Mbit/s: straight on logarithmic axes, so 1 s at 10 Mbit/s."""
    spec = along_chart(ALONG, "network.bandwidth", present=50 * MBIT).to_dict()
    *_, rings = (one for one in layers(spec) if one["mark"]["type"] == "point")
    assert [(row["x"], row["y"]) for row in rows_under(spec, rings)] == [(pytest.approx(10), pytest.approx(1))]
    assert [row["text"] for row in drawn(spec, "text")] == ["as in the scenario: 50 Mbit/s"]
    scale = layers(spec)[0]["encoding"]["color"]["scale"]
    assert scale["range"] == [strategy_style(name).colour for name in ("single", "voltage")]


def test_what_does_not_compress_runs_across() -> None:
    table = pd.DataFrame(
        {
            "strategy": ["prism", "prism"],
            "compression_rate": [2.0, 8.0],
            "latency_s": [0.4, 0.2],
            "versus_single_latency_s": [0.3, 0.3],
        }
    )
    rows = drawn(along_chart(table, "compression_rate").to_dict(), "line")
    assert [(row["x"], row["y"]) for row in rows if row["name"] == "single"] == [(1, 300), (8, 300)]


def test_several_surroundings_are_refused_with_their_names() -> None:
    table = ALONG.assign(**{"workload.batch": [1, 1, 2, 2]})
    with pytest.raises(ValueError, match=r"workload\.batch vary beside network\.bandwidth"):
        along_chart(table, "network.bandwidth")


def test_lossy_and_exact_differ_in_shape_and_ranges_are_drawn_where_known() -> None:
    spec = strategies_chart(COMPARED).to_dict()
    rows = drawn(spec, "bar")
    assert [(row["name"], row["outputs"]) for row in rows] == [
        ("pi alone", "exact outputs"),
        ("prism x2", "loses something"),
        ("voltage x2", "exact outputs"),
    ]
    points = next(one for one in layers(spec) if one["mark"]["type"] == "point")["encoding"]["shape"]["scale"]
    assert dict(zip(points["domain"], points["range"], strict=True)) == {
        "exact outputs": "circle",
        "loses something": "diamond",
    }
    assert [(row["low"], row["high"]) for row in rows] == [
        (None, None),
        (pytest.approx(250), pytest.approx(500)),
        (pytest.approx(350), pytest.approx(450)),
    ]


def test_the_front_is_large_and_choices_are_there_where_there_is_something_to_choose() -> None:
    """In latency and energy only voltage is beaten: prism over 4 needs less of both."""
    spec = points_chart(SWEPT).to_dict()
    assert [(row["name"], row["devices"], row["best"]) for row in drawn(spec, "point")] == [
        ("prism", "2", True),
        ("prism", "4", True),
        ("voltage", "2", False),
        ("single", "1", True),
    ]
    choices = {one["name"]: one["bind"]["options"] for one in spec["params"] if "bind" in one}
    assert choices == {
        "strategy_chosen": ["all", "single", "voltage", "prism"],
        "devices_chosen": ["all", "1", "2", "4"],
    }
    alone = points_chart(SWEPT[:1]).to_dict()
    assert not [one for one in alone["params"] if "bind" in one]


def test_intervals_of_a_metric_are_in_percent() -> None:
    rows = drawn(accuracy_chart(ACCURATE).to_dict(), "point")
    assert [(row["y"], row["low"], row["high"]) for row in rows] == [
        (pytest.approx(90), pytest.approx(88), pytest.approx(92)),
        (pytest.approx(95), pytest.approx(93), pytest.approx(97)),
    ]
    with pytest.raises(ValueError, match="f1, accuracy cannot share an axis"):
        accuracy_chart(ACCURATE.assign(accuracy_metric=["f1", "accuracy"]))


def test_what_does_not_fit_has_no_point_in_a_break_even() -> None:
    spec = break_even_chart(BROKEN, present=2e6).to_dict()
    assert len(drawn(spec, "line")) == 3
    assert "below 5 Mbit/s single is faster, above it prism is faster" in spec["description"]


def test_what_is_no_result_is_refused() -> None:
    with pytest.raises(ValueError, match="str is no result"):
        strategies_chart("prism")
    with pytest.raises(ValueError, match="'prism-sim/plan/1' has no rows"):
        strategies_chart({"schema": "prism-sim/plan/1"})
