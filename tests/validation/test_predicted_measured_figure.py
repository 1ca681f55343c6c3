"""The scatter figure shows every row that has a strategy, and no other."""

from __future__ import annotations

from typing import Any

import pandas
import pytest
from matplotlib.colors import to_hex

from prism_sim.figures import draw_predicted_measured
from prism_sim.figures.predicted_measured import LINK_COLOURS
from prism_sim.progress import SILENT
from prism_sim.validation.base import JudgedRow, PartOutcome, ValidationPart, ValidationSettings
from prism_sim.validation.run import table, validate

ROWS = (
    JudgedRow("a", 0.1, 0.2, (0.18, 0.25), {"strategy": "prism", "link": "fast"}),
    JudgedRow("b", 2.0, 1.0, None, {"strategy": "voltage", "link": "slow"}),
    JudgedRow("c", 0.3, 0.3, None, {"strategy": "prism", "link": "slow"}, "fitted"),
    JudgedRow("d", 7.0, 7.0),
)


def drawn(*rows: JudgedRow) -> Any:
    part = ValidationPart("some", "?", "measured", lambda settings, progress: PartOutcome(rows))
    report = validate([part], ValidationSettings(), SILENT)
    (axes,) = draw_predicted_measured(pandas.DataFrame(table(report))).axes
    return axes


def points(axes: Any) -> list[Any]:
    return [line for line in axes.get_lines() if line.get_linestyle() == "None" and len(line.get_xdata()) == 1]


def test_a_point_a_row_that_has_a_strategy():
    found = points(drawn(*ROWS))
    assert [(line.get_xdata()[0], line.get_ydata()[0]) for line in found] == [(200, 100), (1000, 2000), (300, 300)]


def test_colour_tells_the_link_marker_the_strategy_and_hollow_what_is_not_judged():
    fast, slow, fitted = points(drawn(*ROWS))
    assert [to_hex(line.get_markerfacecolor()).upper() for line in (fast, slow)] == list(LINK_COLOURS[:2])
    assert fast.get_marker() == fitted.get_marker() != slow.get_marker()
    assert fitted.get_markerfacecolor() == "none"
    assert to_hex(fitted.get_markeredgecolor()).upper() == LINK_COLOURS[1]


def test_the_spread_is_a_bar_over_what_was_measured():
    (bar,) = [line for line in drawn(*ROWS).get_lines() if list(line.get_xdata()) == [180, 250]]
    assert list(bar.get_ydata()) == [100, 100]


def test_bands_and_diagonal_cover_the_axes():
    axes = drawn(*ROWS)
    (low, high), (bottom, top) = axes.get_xlim(), axes.get_ylim()
    assert (low, high) == (bottom, top)
    (diagonal,) = [line for line in axes.get_lines() if len(line.get_xdata()) == 2 and line.get_zorder() == 1]
    assert list(diagonal.get_xdata()) == list(diagonal.get_ydata())
    assert diagonal.get_xdata()[0] < low < high < diagonal.get_xdata()[1]
    labels = axes.get_legend_handles_labels()[1]
    assert labels[:2] == ["within 25 %", "within 10 %"]


def test_rows_without_a_strategy_give_no_picture():
    with pytest.raises(ValueError, match="predicted-measured"):
        drawn(ROWS[3])
