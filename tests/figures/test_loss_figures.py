"""Figures of the residual stream's error: data, labels and what is left out, never pixels."""

from __future__ import annotations

import pandas
import pytest
from figure_tables import cells, legend, lines

from prism_sim.figures import catalogue, draw_loss_blocks, draw_loss_distance
from prism_sim.figures.loss import losing, pooled
from prism_sim.figures.results import read_results


def test_errors_are_pooled_by_their_squares():
    table = pandas.DataFrame(
        {"rank": [0, 0], "squared_error": [0.25, 0.75], "squared_added": [0.0, 0.0], "squared_norm": [1.0, 3.0]}
    )
    found = pooled(table, "rank")
    assert list(found["error"]) == [0.5]
    assert list(found["added"]) == [0.0]


def test_each_rank_has_a_line_of_its_accumulated_error_and_one_of_what_blocks_add():
    figure = draw_loss_blocks(cells(), title="case")
    (axes,) = figure.axes
    assert legend(figure) == ["rank 0", "rank 1", "accumulated", "added by the block alone"]
    drawn = lines(axes)
    assert drawn["rank 1"][0] == [0, 1, 2]
    assert drawn["rank 1"][1] == pytest.approx([0.11, 0.22, 0.33])
    added = [list(line.get_ydata()) for line in axes.get_lines() if line.get_linestyle() == "--"]
    assert added[:2] == [pytest.approx([0.05] * 3), pytest.approx([0.055] * 3)]
    assert axes.get_xlabel() == "block"
    assert "relative error" in axes.get_ylabel()
    assert axes.get_ylim()[0] == 0
    assert figure.get_suptitle() == "case"


def test_a_rank_that_loses_nothing_is_named_and_not_drawn():
    figure = draw_loss_blocks(cells(lossless=(0,)))
    assert legend(figure)[0] == "rank 0: no error"
    assert lines(figure.axes[0])["rank 0: no error"] == ([], [])


def test_errors_of_many_magnitudes_are_drawn_on_a_logarithmic_axis():
    assert draw_loss_blocks(cells(n_blocks=20)).axes[0].get_yscale() == "log"
    assert draw_loss_blocks(cells(n_blocks=2)).axes[0].get_yscale() == "linear"


def test_no_error_at_all_is_drawn_too():
    for draw in (draw_loss_blocks, draw_loss_distance):
        (axes,) = draw(cells(lossless=(0, 1))).axes
        assert axes.get_ylim() == (0, 1)


def test_many_ranks_share_a_line_and_show_their_range():
    figure = draw_loss_blocks(cells(n_ranks=9))
    assert legend(figure) == ["accumulated", "least to most of 9 ranks", "added by the block alone"]
    low, high = 0.1, 0.18
    assert low < lines(figure.axes[0])["accumulated"][1][0] < high


def test_distances_are_ticks_and_blocks_are_lines():
    figure = draw_loss_distance(cells(n_blocks=5))
    (axes,) = figure.axes
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ["1", "2", "3–4"]
    accumulated = [f"accumulated to block {block}" for block in (0, 2, 4)]
    assert legend(figure) == [*accumulated, "added by one block (root mean square)"]
    drawn = lines(axes)
    assert drawn[accumulated[0]][1] == pytest.approx([drawn[accumulated[0]][1][0]] * 3)
    assert "tokens" in axes.get_xlabel()


def test_ranks_that_lose_nothing_do_not_hide_what_distance_does():
    whole, half = cells(n_ranks=1), cells(n_ranks=2, lossless=(1,))
    assert losing(pooled(half, "rank", "block")) == [0]
    one, other = (lines(draw_loss_distance(table).axes[0]) for table in (whole, half))
    assert one == other


def test_rows_without_a_border_have_no_distance():
    table = cells().assign(nearest=None, furthest=None)
    with pytest.raises(ValueError, match="no row has a value in the column 'nearest'"):
        draw_loss_distance(table)


@pytest.mark.parametrize("name", ["loss-blocks", "loss-distance"])
def test_another_table_is_refused_by_the_column_that_it_lacks(name):
    with pytest.raises(ValueError, match=f"{name} needs the column"):
        catalogue()[name].draw(pandas.DataFrame({"latency_s": [1.0]}))


def test_a_result_of_another_kind_is_no_table_of_cells(tmp_path):
    (tmp_path / "loss.json").write_text('{"schema": "prism-sim/loss/1"}')
    with pytest.raises(ValueError, match=r"loss\.json: is damaged"):
        read_results(tmp_path)
