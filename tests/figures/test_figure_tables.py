"""What each plot shows of a sweep's table: data, labels, units, scales, legends; and what it refuses."""

from __future__ import annotations

import pandas
import pytest
from figure_tables import accurate, bandwidths, cells, compressed, legend, lines, row, table, texts
from matplotlib.colors import to_hex

from prism_sim import figures
from prism_sim.figures import (
    draw_accuracy_compression,
    draw_best_strategy,
    draw_bytes_compression,
    draw_compression,
    draw_energy,
    draw_latency,
    draw_latency_bandwidth,
    draw_latency_compression,
    draw_latency_parts,
    draw_pareto,
    draw_speedup_devices,
)
from prism_sim.figures.latency import crossings
from prism_sim.figures.panels import PanelLine
from prism_sim.figures.pareto import front
from prism_sim.figures.style import COLUMN_INCHES, PART_COLOURS, STRATEGY_STYLES, WIDE_INCHES

CR = "compression rate CR = ⌈N/P⌉ / L"


# --- latency and bytes against compression


def test_compression_shows_milliseconds_and_megabytes_over_a_growing_rate():
    figure = draw_compression(compressed(), title="case")
    latency, sent = figure.axes
    assert latency.get_ylabel() == "latency (ms)"
    assert sent.get_ylabel() == "sent by all devices (MB)"
    assert lines(latency)["prism"] == ([9.9, 49.5, 99.0], pytest.approx([250, 200, 190]))
    assert lines(sent)["prism"] == ([9.9, 49.5, 99.0], pytest.approx([5, 1, 0.5]))
    assert latency.get_ylim()[0] == 0
    assert sent.get_yscale() == "log"
    for axes in figure.axes:
        assert axes.get_xscale() == "log"
        assert axes.get_xlabel() == CR
        assert axes.get_xlim()[0] > 5  # what runs across does not stretch the axis
    assert figure.get_suptitle() == "case"


def test_what_does_not_compress_runs_across_and_is_in_the_legend():
    figure = draw_compression(compressed())
    latency, sent = figure.axes
    assert legend(figure) == ["single", "voltage", "prism"]
    assert lines(latency)["single"][1] == [485, 485]
    assert lines(latency)["voltage"][1] == [1288, 1288]
    assert "single" not in lines(sent)  # it sends nothing: no place on a logarithmic axis
    assert lines(sent)["voltage"][1] == [58, 58]


def test_without_their_rows_single_and_voltage_come_from_what_the_rows_were_compared_with():
    bare = compressed()[lambda rows: rows["strategy"] == "prism"]
    bare = bare.assign(versus_single_latency_s=0.485, versus_voltage_latency_s=1.288)
    assert lines(draw_latency_compression(bare).axes[0]) == lines(draw_latency_compression(compressed()).axes[0])


def test_the_order_of_the_rows_does_not_matter():
    one, other = (draw_compression(rows) for rows in (compressed(), compressed()[::-1]))
    assert lines(one.axes[0]) == lines(other.axes[0])
    assert legend(one) == legend(other)


def test_fidelity_gets_a_panel_and_a_cosine_says_that_it_is_no_accuracy():
    rows = compressed().assign(fidelity_cosine=[1.0, 1.0, 0.8, 0.95, 0.7], fidelity_kl=0.1)
    latency, fidelity = draw_latency_compression(rows).axes
    assert fidelity.get_ylabel() == "cosine similarity of outputs"
    assert lines(fidelity)["prism"][1] == [0.95, 0.8, 0.7]
    assert texts(fidelity) == ["random weights: not an accuracy estimate"]
    assert not texts(latency)
    without_head = draw_latency_compression(rows.assign(fidelity_kl=None)).axes[1]
    assert texts(without_head) == ["not an accuracy estimate"]
    (axes,) = draw_pareto(rows).axes
    assert texts(axes) == ["random weights: not an accuracy estimate"]


def test_agreement_is_drawn_in_percent_where_it_was_measured():
    rows = compressed().assign(fidelity_cosine=0.9, fidelity_top1_agreement=[1, 1, 0.75, 1, 0.5])
    fidelity = draw_latency_compression(rows).axes[1]
    assert fidelity.get_ylabel() == "top-1 agreement (%)"
    assert lines(fidelity)["prism"][1] == pytest.approx([100, 75, 50])
    assert not texts(fidelity)


def test_bytes_alone_have_one_panel():
    (axes,) = draw_bytes_compression(compressed()).axes
    assert axes.get_ylabel() == "sent by all devices (MB)"


def test_a_sweeps_mean_over_ranks_and_the_terminals_bytes_make_the_sum():
    rows = compressed().drop(columns="sent_bytes").assign(mean_rank_sent_bytes=2e6, terminal_sent_bytes=1e6)
    (axes,) = draw_bytes_compression(rows).axes
    assert lines(axes)["prism"][1] == pytest.approx([5, 5, 5])


def test_repeated_seeds_make_a_band_around_their_mean():
    rows = pandas.concat(
        [compressed().assign(seed=seed, fidelity_cosine=[1, 1, 0.8 + off, 0.95, 0.7 - off]) for seed, off in SEEDS]
    )
    figure = draw_latency_compression(rows)
    latency, fidelity = figure.axes
    assert lines(fidelity)["prism"][1] == pytest.approx([0.95, 0.81, 0.69])
    (band,) = fidelity.collections
    reached = band.get_paths()[0].vertices[:, 1]
    assert (reached.min(), reached.max()) == pytest.approx((0.68, 0.95))
    assert "least to most of 3 seeds" in legend(figure)
    assert not latency.collections  # the same for every seed


SEEDS = [(0, 0.0), (1, 0.01), (2, 0.02)]


# --- panels and variants


def test_a_further_field_makes_panels_side_by_side_and_a_second_one_rows():
    rows = pandas.concat(
        [
            compressed(workload__batch=batch, model__preset=model, network__bandwidth_bits_per_s=1e6 * mbit)
            for batch, model in ((1, "vit"), (8, "gpt2"))  # these vary together: one of them is enough
            for mbit in (50, 100, 200)
        ]
    )
    rows["network.bandwidth"] = "as written"
    figure = draw_latency_compression(rows)
    assert figure.get_figwidth() == WIDE_INCHES
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["50 Mbit/s", "100 Mbit/s", "200 Mbit/s", "", "", ""]
    assert [axes.get_ylabel() for axes in figure.axes] == [
        "batch size 1\nlatency (ms)", "", "", "batch size 8\nlatency (ms)", "", ""
    ]  # fmt: skip
    assert [axes.get_xlabel() for axes in figure.axes] == ["", "", "", "", CR, ""]
    assert len({axes.get_ylim() for axes in figure.axes}) == 1
    assert legend(figure) == ["single", "voltage", "prism"]


def test_three_further_fields_are_refused_with_a_remedy():
    rows = pandas.concat(
        [
            compressed(workload__batch=batch, workload__tokens=tokens, terminal=terminal)
            for batch in (1, 8)
            for tokens in (9, 99)
            for terminal in (0, 1)
        ]
    )
    with pytest.raises(ValueError, match="--where 'terminal=0'"):
        draw_latency_compression(rows)


def test_variants_of_a_strategy_are_lines_of_their_own_where_they_matter():
    rows = table(
        *(
            row(strategy, latency_s / batch, workload__batch=batch, strategy__segments=segments)
            for batch in (1, 2, 4)
            for strategy, segments, latency_s in (
                ("voltage", 1, 3),
                ("voltage", 9, 3),
                ("prism", 1, 1),
                ("prism", 9, 2),
            )
        )
    )
    figure = draw_latency(rows)
    assert legend(figure) == ["voltage", "prism, 1 segments", "prism, 9 segments"]
    first, second = (line for line in figure.axes[0].get_lines() if "prism" in str(line.get_label()))
    assert first.get_marker() != second.get_marker()
    assert first.get_color() != second.get_color()


# --- latency along a field


def test_bandwidth_is_drawn_in_mbit_on_logarithmic_axes_with_the_break_even():
    rows = bandwidths({"single": [0.5, 0.5, 0.5], "prism": [5.0, 0.5 * 10**0.5, 0.05]}, [1, 10, 100])
    (axes,) = draw_latency_bandwidth(rows, title="case").axes
    assert axes.get_xlabel() == "bandwidth (Mbit/s)"
    assert axes.get_ylabel() == "latency (s)"
    assert (axes.get_xscale(), axes.get_yscale()) == ("log", "log")
    assert lines(axes)["prism"][0] == [1, 10, 100]
    at, level = lines(axes)["as fast as single"]
    assert at == [pytest.approx(10 ** (1 + 1 / 3))]  # straight on logarithmic axes
    assert level == [pytest.approx(0.5)]
    assert texts(axes) == ["21.5 Mbit/s"]


def test_lines_that_do_not_meet_have_no_break_even():
    (axes,) = draw_latency_bandwidth(bandwidths({"single": [2, 2], "prism": [1, 1]}, [1, 100])).axes
    assert "as fast as single" not in lines(axes)


def test_a_crossing_lies_between_its_neighbours_straight_on_the_drawn_axes():
    def line(strategy: str, y: list[float]) -> PanelLine:
        return PanelLine(strategy, "", [1.0, 2.0, 4.0], y, y, y, "repeats")

    assert list(crossings(line("prism", [2, 1, 0.5]), line("single", [1.5, 1.5, 1.5])))
    ((at, level),) = crossings(line("prism", [4.0, 2.0, 1.0]), line("single", [8.0, 4.0, 0.5]))
    assert 2 < at < 4
    assert 0.5 < level < 4
    assert not list(crossings(line("prism", [1, 1, 1]), line("single", [2, 2, 2])))


def test_latency_finds_the_one_field_of_numbers_or_asks_for_it():
    rows = table(*(row(latency_s=1 / batch, workload__batch=batch) for batch in (1, 2, 4)))
    (axes,) = draw_latency(rows).axes
    assert axes.get_xlabel() == "batch size"
    with pytest.raises(ValueError, match=r"--x FIELD.*workload.batch, network.latency"):
        draw_latency(pandas.concat([rows.assign(**{"network.latency": latency_s}) for latency_s in (1e-3, 2e-3)]))


def test_powers_of_two_are_labelled_as_such():
    rows = table(*(row(latency_s=batch, workload__batch=batch) for batch in (1, 2, 4, 8, 16)))
    (axes,) = draw_latency(rows).axes
    assert axes.get_xscale() == "log"
    assert list(axes.get_xticks()) == [1, 2, 4, 8, 16]


# --- the others


def test_speed_up_has_whole_devices_and_the_ideal_line():
    rows = table(*(row(n_ranks=n, versus_single_speedup=0.8 * n, devices__count=n) for n in (2, 3, 4)), row("single"))
    figure = draw_speedup_devices(rows)
    (axes,) = figure.axes
    assert lines(axes)["prism"] == ([2, 3, 4], pytest.approx([1.6, 2.4, 3.2]))
    assert lines(axes)["ideal"] == ([1, 4], [1, 4])
    assert list(axes.get_xticks()) == [2, 3, 4]
    assert axes.get_xlabel() == "devices that take part"
    assert "single" not in legend(figure)


def test_the_map_gives_each_cell_to_the_fastest():
    rows = pandas.concat(
        [
            bandwidths(latencies, [10, 100]).assign(**{"devices[0].count": count})
            for count, latencies in (
                (2, {"single": [1, 1], "voltage": [2, 3], "prism": [4, 0.5]}),
                (3, {"single": [1, 1], "voltage": [0.25, 2], "prism": [3, float("nan")]}),
            )
        ]
    )
    figure = draw_best_strategy(rows, x="network.bandwidth", y="devices[0].count")
    (axes,) = figure.axes
    cells = {
        str(collection.get_label()): [tuple(path.get_extents().min + 0.5) for path in collection.get_paths()]
        for collection in axes.collections
    }
    assert cells == {"single": [(0, 0), (1, 1)], "voltage": [(0, 1)], "prism": [(1, 0)]}
    assert sorted(texts(axes)) == ["2.0×", "4.0×"]
    assert legend(figure) == ["single", "voltage", "prism"]
    assert figure.legends[0].get_title().get_text() == "fastest"
    assert axes.get_xlabel() == "bandwidth (Mbit/s)"
    assert [label.get_text() for label in axes.get_xticklabels()] == ["10", "100"]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["2", "3"]
    for collection in axes.collections:
        style = STRATEGY_STYLES[str(collection.get_label())]
        assert to_hex(collection.get_facecolor()[0]).upper() == style.colour.upper()
        assert (collection.get_hatch() or None) == style.hatch


def test_the_map_finds_its_two_fields_and_shows_where_nothing_is_possible():
    rows = table(
        *(row(latency_s=a + b, workload__batch=a, network__preset=b * "x") for a in (1, 2, 3) for b in (1, 2) if a != b)
    )
    figure = draw_best_strategy(rows)
    assert figure.axes[0].get_xlabel() == "batch size"
    assert figure.axes[0].get_ylabel() == "preset"
    assert legend(figure) == ["prism", "none possible"]
    with pytest.raises(ValueError, match=r"--x FIELD --y FIELD.*workload.batch"):
        draw_best_strategy(rows.drop(columns="network.preset"))


def test_the_map_can_ask_for_less_energy():
    rows = table(
        *(row(s, 1, energy_j=e, workload__batch=b, seed__x=b) for s, e in (("a", 2), ("b", 1)) for b in (1, 2))
    )
    figure = draw_best_strategy(rows.assign(ranks=["[0]", "[0, 1]"] * 2), x="workload.batch", y="ranks", by="energy_j")
    assert figure.legends[0].get_title().get_text() == "least energy"
    assert "b" in legend(figure)
    assert "a" not in legend(figure)


def test_parts_are_stacked_in_milliseconds_and_add_up():
    rows = table(row("single", 0.3), row("prism", 0.12))
    figure = draw_latency_parts(rows)
    (axes,) = figure.axes
    assert axes.get_xlabel() == "latency (ms)"
    assert [label.get_text() for label in axes.get_yticklabels()] == ["single", "prism x2"]
    ends = [max(bar.get_x() + bar.get_width() for bars in axes.containers for bar in [bars[n]]) for n in (0, 1)]
    assert ends == pytest.approx([300, 120])
    assert legend(figure) == [str(bars.get_label()) for bars in axes.containers] == list(PART_COLOURS)[:-1]
    assert [text.strip() for text in texts(axes)] == ["300 ms", "120 ms"]
    assert axes.yaxis_inverted()


def test_bars_are_named_by_what_varies():
    rows = table(*(row("prism", 1, workload__batch=batch, network__preset="lte") for batch in (1, 8)))
    (axes,) = draw_latency_parts(rows.assign(**{"network.latency_s": [0.001, 0.002], "network.latency": "x"})).axes
    assert [label.get_text() for label in axes.get_yticklabels()] == ["batch size 1", "batch size 8"]
    with pytest.raises(ValueError, match="too many bars"):
        draw_latency_parts(table(*(row("prism", 1, workload__batch=batch) for batch in range(1, 60))))


def test_energy_is_in_joules_as_bars_or_along_the_devices():
    rows = table(row("single", energy_j=3.0), row("prism", energy_j=5.0))
    figure = draw_energy(rows)
    (axes,) = figure.axes
    assert axes.get_xlabel() == "energy per inference (J)"
    assert [bar.get_width() for bars in axes.containers for bar in bars] == [3, 5]
    assert legend(figure) == ["single", "prism"]
    grown = table(row("single", energy_j=3.0), *(row("prism", energy_j=2.0 * n, n_ranks=n) for n in (2, 3)))
    (axes,) = draw_energy(grown).axes
    assert axes.get_ylabel() == "energy per inference (J)"
    assert lines(axes)["prism"] == ([2, 3], [4, 6])
    assert lines(axes)["single"][1] == [3, 3]


def test_the_front_is_what_nothing_beats():
    points = [(1.0, 5.0), (2.0, 4.0), (2.0, 6.0), (3.0, 4.0), (4.0, 1.0), (5.0, 9.0)]
    assert front(points, ("low", "low")) == [0, 1, 4]
    assert front(points, ("low", "high")) == [0, 2, 5]
    assert front(points, ("high", "high")) == [5]
    assert front([(1.0, 1.0), (1.0, 1.0)], ("low", "low")) == [0, 1]


def test_pareto_fills_the_front_and_points_to_the_better_side():
    rows = table(
        row("single", 0.4, energy_j=1.0), row("prism", 0.1, energy_j=2.0), row("voltage", 0.5, energy_j=3.0)
    ).assign(**{"network.preset": ["lte", "lte", "5g"]})
    figure = draw_pareto(rows, limit=0.25)
    (axes,) = figure.axes
    assert axes.get_xlabel() == "← better   latency (ms)"
    assert axes.get_ylabel() == "← better   energy per inference (J)"
    drawn = {str(line.get_label()): line for line in axes.get_lines()}
    assert lines(axes)["prism"] == ([100], [2])
    assert drawn["voltage"].get_markerfacecolor() == "white"
    assert drawn["prism"].get_markerfacecolor() != "white"
    assert lines(axes)["front (filled points)"] == ([100, 400], [2, 1])
    assert list(lines(axes)["limit 250 ms"][0]) == [250, 250]
    assert texts(axes) == ["1", "2", "1  prism x2: lte\n2  single: lte"]


def test_pareto_takes_fidelity_where_more_is_better():
    rows = compressed().assign(fidelity_top1_agreement=[1, 1, 0.8, 0.9, 0.7])
    (axes,) = draw_pareto(rows).axes
    assert axes.get_ylabel() == "top-1 agreement (%)   better →"


# --- accuracy against compression


def test_accuracy_stands_beside_latency_with_its_interval_and_the_undistributed_model_across():
    figure = draw_accuracy_compression(accurate(), title="case")
    latency, accuracy = figure.axes
    assert lines(latency)["prism"] == ([8.25, 16.5, 33], pytest.approx([250, 200, 190]))
    assert accuracy.get_ylabel() == "accuracy (%)"
    assert lines(accuracy)["prism"] == ([8.25, 16.5, 33], pytest.approx([80, 60, 40]))
    assert lines(accuracy)["single"][1] == pytest.approx([98, 98])
    assert lines(latency)["single"][1] == pytest.approx([485, 485])
    (bars,) = accuracy.collections  # of the intervals, the least and the most of each
    ends = [tuple(sorted(y for _, y in path.vertices)) for path in bars.get_paths()]
    assert ends == [pytest.approx(pair) for pair in ((75, 95), (55, 75), (35, 55))]
    assert "95 % interval" in legend(figure)
    assert not latency.collections
    assert accuracy.get_ylim()[0] > 0  # the interesting part, not all from zero


def test_every_checkpoint_has_a_line_of_accuracy_and_all_share_one_of_latency():
    figure = draw_accuracy_compression(accurate(checkpoints=("reference", "fine-tuned")))
    latency, accuracy = figure.axes
    assert set(lines(latency)) == {"single", "prism"}
    assert set(lines(accuracy)) == {"single", "prism, fine-tuned checkpoint", "prism, reference checkpoint"}


def test_no_two_names_of_a_legend_look_alike_not_even_without_colour():
    of_one_device = [
        row("single", 0.485, task__checkpoint=checkpoint)
        | dict.fromkeys(("accuracy", "accuracy_low", "accuracy_high"), value)
        for checkpoint, value in (("reference", 0.98), ("fine-tuned", 0.96))
    ]
    figure = draw_accuracy_compression(
        pandas.concat([accurate(checkpoints=("reference", "fine-tuned")), table(*of_one_device)])
    )
    drawn = {str(line.get_label()): line for axes in figure.axes for line in axes.get_lines()}
    named = {label: (line.get_linestyle(), line._dash_pattern, line.get_marker()) for label, line in drawn.items()}
    named = {label: named[label] for label in legend(figure) if label in named}
    assert {"single", "single, fine-tuned checkpoint", "single, reference checkpoint", "prism"} <= set(named)
    assert len({str(one) for one in named.values()}) == len(named)


def test_the_axis_is_named_by_the_metric_and_two_metrics_share_none():
    assert draw_accuracy_compression(accurate("perplexity")).axes[1].get_ylabel() == "perplexity"
    both = pandas.concat([accurate("perplexity"), accurate("accuracy")])
    with pytest.raises(ValueError, match=r"perplexity, accuracy cannot share an axis.*--where accuracy_metric="):
        draw_accuracy_compression(both)


def test_points_without_accuracy_keep_their_latency():
    rows = pandas.concat([accurate(), table(row("voltage", 1.288, compression_rate=1.0))])
    latency, accuracy = draw_accuracy_compression(rows).axes
    assert lines(latency)["voltage"][1] == [1288, 1288]
    assert "voltage" not in lines(accuracy)


# --- what all have in common

DRAWN = {
    "accuracy-compression": accurate(),
    "best-strategy": table(*(row(workload__batch=b, workload__tokens=t) for b in (1, 2) for t in (1, 2))),
    "bytes-compression": compressed(),
    "compression": compressed(),
    "energy": table(row("single", energy_j=3.0), row("prism", energy_j=5.0)),
    "latency": table(*(row(workload__batch=batch) for batch in (1, 2))),
    "latency-bandwidth": bandwidths({"single": [1, 1], "prism": [2, 1]}, [1, 2]),
    "latency-compression": compressed(),
    "latency-parts": table(row()),
    "loss-blocks": cells(),
    "loss-distance": cells(),
    "pareto": table(row("single", energy_j=3.0), row("prism", energy_j=5.0)),
    "predicted-measured": table(row(predicted_s=0.1, measured_s=0.2), row("single", predicted_s=0.3, measured_s=0.2)),
    "speedup-devices": table(*(row(n_ranks=n, versus_single_speedup=1.0 * n) for n in (2, 3))),
    "token-rate": table(*(row(workload__new_tokens=n, tokens_per_s=7.0 * n) for n in (2, 3))),
    "token-time": table(*(row(workload__new_tokens=n, ttft_s=1.0, tpot_s=0.1 * n) for n in (2, 3))),
    "timeline": pandas.DataFrame(
        [{"participant": 0, "name": "a", "kind": "compute", "start_s": 0.0, "end_s": 1.0}]
    ),
}  # fmt: skip


# what lies across, where an empty table cannot say
TEXT = {"x": "workload.new_tokens"}
ALONG = {"latency": {"x": "workload.batch"}, "token-rate": TEXT, "token-time": TEXT}
NAMING = [name for name in DRAWN if not name.startswith(("timeline", "latency-parts", "best-strategy", "loss-"))]


def test_every_plot_is_tried_here():
    assert set(DRAWN) == set(figures.catalogue())


@pytest.mark.parametrize("name", DRAWN)
def test_a_plot_fits_a_column_or_a_page_and_has_labels_and_a_title(name):
    plot = figures.catalogue()[name]
    figure = plot.draw(DRAWN[name], title="from $5 to $x_{")
    assert figure.get_figwidth() in (COLUMN_INCHES, WIDE_INCHES)
    assert figure.get_suptitle() == "from $5 to $x_{"
    for axes in figure.axes:
        assert axes.get_xlabel()
        assert axes.get_ylabel() or axes.get_yticklabels()
    figure.draw_without_rendering()


@pytest.mark.parametrize("name", DRAWN)
def test_a_missing_column_is_named_with_what_there_is(name):
    plot = figures.catalogue()[name]
    lacking = DRAWN[name].drop(columns=[plot.columns[0]])
    with pytest.raises(ValueError, match=f"{name} needs the column '{plot.columns[0]}'"):
        plot.draw(lacking)


@pytest.mark.parametrize("name", DRAWN)
def test_nothing_to_draw_is_an_error_that_says_so(name):
    plot = figures.catalogue()[name]
    with pytest.raises(ValueError, match="nothing to draw"):
        plot.draw(DRAWN[name].iloc[:0], **ALONG.get(name, {}))
    with pytest.raises(ValueError, match=f"{plot.columns[0]}.*nothing to draw"):
        plot.draw(DRAWN[name].assign(**{plot.columns[0]: None}), **ALONG.get(name, {}))


@pytest.mark.parametrize("name", DRAWN)
def test_drawing_leaves_the_table_as_it_was(name):
    before = DRAWN[name].copy(deep=True)
    figures.catalogue()[name].draw(DRAWN[name])
    pandas.testing.assert_frame_equal(DRAWN[name], before)


@pytest.mark.parametrize("name", NAMING)
def test_a_strategys_name_is_shown_as_it_is_written(name):
    rows = DRAWN[name].assign(strategy=[f"$x_{{ {strategy}$" for strategy in DRAWN[name]["strategy"]])
    figure = figures.catalogue()[name].draw(rows)
    figure.draw_without_rendering()
    assert any("$x_{" in text.replace("\\$", "$") for text in legend(figure))


def test_tables_of_pandas_own_kinds_are_drawn_too():
    rows = compressed().convert_dtypes()
    assert lines(draw_compression(rows).axes[0]) == lines(draw_compression(compressed()).axes[0])


def test_a_catalogue_of_functions_by_their_own_names():
    for plot in figures.catalogue().values():
        assert getattr(figures, plot.draw.__name__) is plot.draw
        assert plot.draw.__name__.startswith("draw_")
        assert plot.summary
        assert plot.written_by.startswith(f"prism-sim plot {plot.name}")
    with pytest.raises(AttributeError, match="draw_nothing"):
        figures.draw_nothing  # noqa: B018
