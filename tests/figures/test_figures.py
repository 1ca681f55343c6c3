"""The timeline's data, labels and legend, never pixels; the look; that figures are the same files every time."""

from __future__ import annotations

import subprocess
import sys
from itertools import combinations
from pathlib import Path

import matplotlib as mpl
import pandas
import pytest
from figure_tables import compressed, legend
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from prism_sim.figures import draw_compression, draw_pareto, draw_spans
from prism_sim.figures.bars import draw_parts
from prism_sim.figures.quantities import quantity
from prism_sim.figures.style import (
    MARKERS,
    PART_COLOURS,
    PART_HATCHES,
    STRATEGY_STYLES,
    look,
    saved,
    shaded,
    strategy_style,
)
from prism_sim.figures.timeline import draw_timeline
from prism_sim.plan import Compute, Exchange, Kernel, Plan, Start, Wait
from prism_sim.timing import Device, Switch, Timeline, play_once

ROOT = Path(__file__).parents[2]
NAMES = ["left", "right", "left (terminal)"]


def played(slow: float = 1.0) -> Timeline:
    """Rank 0 computes 1 s and sends 1 MB to rank 1 (8 s at 1 Mbit/s, latency 0.5 s), which then computes 2 s."""
    send = Exchange("send", (0, 1), (1_000_000, 0), 0, "rows")
    plan = Plan(
        n_ranks=2,
        programs=(
            (Compute("first", (Kernel("matmul", 1000, 0),)), Start(0), Wait(0)),
            (Start(0), Wait(0), Compute("second", (Kernel("matmul", 2000, 0),))),
            (),
        ),
        exchanges=(send,),
        weight_bytes=(0, 0, 0),
        activation_bytes=(0, 0, 0),
    )
    devices = [Device(name, 1000 * slow, 1e12) for name in ("left", "right")]
    network = Switch(up_bits_per_s=1e6 * slow, down_bits_per_s=1e6 * slow, latency_s=0.5 / slow)
    return play_once(plan, devices, (0, 1, 0), network)


def bars(figure: Figure) -> dict[str, list[tuple[float, float]]]:
    """Begin and length of the bars of each kind, in the axes' unit."""
    found: dict[str, list[tuple[float, float]]] = {}
    for collection in figure.axes[0].collections:
        for path in collection.get_paths():
            box = path.get_extents()
            found.setdefault(str(collection.get_label()), []).append((box.x0, box.width))
    return found


# --- timeline


def test_a_timeline_shows_every_stretch_of_time_and_nothing_else():
    timeline = played()
    shown = bars(draw_timeline(timeline, NAMES, "case"))
    spans = {
        kind: sorted(
            (span.start_s, span.end_s - span.start_s)
            for span in timeline.spans
            if span.kind == kind and span.end_s > span.start_s
        )
        for kind in {span.kind for span in timeline.spans}
    }
    assert {kind for kind, stretches in spans.items() if stretches} == set(shown)
    for kind, stretches in shown.items():
        assert sorted(stretches) == [pytest.approx(stretch) for stretch in spans[kind]], kind
    assert sorted(shown["compute"]) == [pytest.approx((0, 1)), pytest.approx((9.5, 2))]
    assert shown["transfer"] == [pytest.approx((1.5, 8))]
    assert shown["propagation"] == [pytest.approx((1, 0.5))]


def test_a_timeline_names_its_lanes_its_axis_and_its_colours():
    figure = draw_timeline(played(), NAMES, "case")
    (axes,) = figure.axes
    assert [label.get_text() for label in axes.get_yticklabels()] == ["left\nworks", "left\nsends", "right\nworks"]
    assert axes.yaxis_inverted()  # the first participant on top
    assert axes.get_xlabel() == "time (s)"
    assert figure.get_suptitle() == "case"
    assert legend(figure) == ["compute", "wait", "transfer", "propagation"]
    assert axes.get_xlim() == (0, pytest.approx(11.5))
    for collection in axes.collections:
        assert to_hex(collection.get_facecolor()[0]).upper() == PART_COLOURS[str(collection.get_label())].upper()


def test_a_short_run_is_drawn_in_milliseconds():
    slow, fast = played(), played(slow=100)
    in_s, in_ms = draw_timeline(slow, NAMES, ""), draw_timeline(fast, NAMES, "")
    assert in_ms.axes[0].get_xlabel() == "time (ms)"
    assert in_ms.axes[0].get_xlim()[1] == pytest.approx(1e3 * fast.latency_s)
    assert bars(in_ms)["transfer"][0] == pytest.approx(tuple(10 * value for value in bars(in_s)["transfer"][0]))


def test_a_timeline_needs_a_name_for_each_participant():
    with pytest.raises(ValueError, match="2 names are given for 3 participants"):
        draw_timeline(played(), NAMES[:2], "case")


def spans(timeline: Timeline) -> pandas.DataFrame:
    """As a trace gives them."""
    rows = [
        {"participant": one.participant, "name": NAMES[one.participant], "kind": one.kind}
        | {"start_s": one.start_s, "end_s": one.end_s}
        for one in timeline.spans
    ]
    return pandas.DataFrame(rows)


def test_the_spans_of_a_trace_make_the_same_picture():
    timeline = played()
    one, other = draw_timeline(timeline, NAMES, "case"), draw_spans(spans(timeline), title="case")
    assert bars(one) == bars(other)
    assert legend(one) == legend(other)
    assert one.axes[0].get_xlim() == other.axes[0].get_xlim()
    assert [text.get_text() for text in one.axes[0].get_yticklabels()] == [
        text.get_text() for text in other.axes[0].get_yticklabels()
    ]


# --- all figures

DRAWN = {
    "timeline": lambda title: draw_timeline(played(), NAMES, title),
    "compression": lambda title: draw_compression(compressed(), title=title),
    "latency-parts": lambda title: draw_parts([("prism", {"compute": 0.2, "transfer": 0.1})], title),
    "pareto": lambda title: draw_pareto(compressed(), y="sent_bytes", title=title),
}


@pytest.mark.parametrize("name", DRAWN)
@pytest.mark.parametrize("suffix", ["svg", "pdf", "png"])
def test_the_same_data_makes_the_same_file(tmp_path, name, suffix):
    for turn in ("one", "two"):
        saved(DRAWN[name]("case"))(tmp_path / f"{turn}.{suffix}")
    assert (tmp_path / f"one.{suffix}").read_bytes() == (tmp_path / f"two.{suffix}").read_bytes()


@pytest.mark.parametrize("name", DRAWN)
def test_a_title_is_shown_as_it_is_written(tmp_path, name):
    saved(DRAWN[name]("from $5 to $x_{ and \\frac"))(tmp_path / "figure.png")
    assert (tmp_path / "figure.png").exists()


def test_names_are_shown_as_they_are_written(tmp_path):
    saved(draw_timeline(played(), ["$a", "b$_", "c"], "case"))(tmp_path / "figure.png")
    assert (tmp_path / "figure.png").exists()


def test_a_picture_has_the_resolution_of_the_look(tmp_path):
    from PIL import Image

    figure = DRAWN["timeline"]("case")
    saved(figure)(tmp_path / "figure.png")
    with Image.open(tmp_path / "figure.png") as picture:
        assert picture.width == round(200 * figure.get_size_inches()[0])


@pytest.mark.parametrize("name", ["figure.frob", "figure.jpg", "figure"])
def test_another_ending_is_an_error_that_names_the_known_ones(tmp_path, name):
    with pytest.raises(ValueError, match=r"a figure ends in \.png, \.svg, \.pdf"):
        saved(DRAWN["timeline"]("case"))(tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_drawing_changes_nothing_global():
    before = dict(mpl.rcParams)
    for draw in DRAWN.values():
        draw("case")
    with look():
        assert dict(mpl.rcParams) != before
    assert dict(mpl.rcParams) == before


def test_every_strategy_and_part_has_a_colour_and_keeps_it():
    assert len({style.colour for style in STRATEGY_STYLES.values()}) == len(STRATEGY_STYLES)
    assert len(set(PART_COLOURS.values())) == len(PART_COLOURS)
    assert all(strategy_style(name) == style for name, style in STRATEGY_STYLES.items())
    assert strategy_style("of tomorrow") == strategy_style("of tomorrow")
    assert len(set(MARKERS)) == len(MARKERS)


def test_strategies_are_told_apart_without_colour_by_marker_line_and_hatch():
    for one, other in combinations(STRATEGY_STYLES.values(), 2):
        assert one.marker != other.marker
        assert one.line != other.line
        assert one.hatch != other.hatch


def luminance(colour: str) -> float:
    """What is left of a colour in greyscale, 0 to 1 (ITU-R BT.709 weights)."""
    red, green, blue = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_parts_are_told_apart_without_colour_by_brightness_or_hatch():
    for one, other in combinations(PART_COLOURS, 2):
        difference = abs(luminance(PART_COLOURS[one]) - luminance(PART_COLOURS[other]))
        assert PART_HATCHES.get(one) != PART_HATCHES.get(other) or difference > 0.15, (one, other)


def test_variants_of_a_colour_grow_paler():
    shades = [luminance(shaded("#0072B2", share / 4)) for share in range(5)]
    assert shades == sorted(shades)
    assert (shaded("#0072B2", 0), shaded("#0072B2", 1)) == ("#0072B2", "#FFFFFF")


@pytest.mark.parametrize(
    ("column", "amount", "text"),
    [
        ("latency_s", 0.4147, "415 ms"),
        ("latency_s", 12.3, "12.3 s"),
        ("network.bandwidth", 1.37401e8, "137 Mbit/s"),
        ("network.bandwidth", 2e9, "2000 Mbit/s"),
        ("network.latency", 2e-3, "2 ms"),
        ("devices[0].compute", 5.7e10, "57 GFLOP/s"),
        ("devices[1].memory", 4e9, "4 GB"),
        ("workload.batch", 8, "8"),
        ("max_rank_wait_s", 0.05, "50 ms"),
        ("terminal_sent_bytes", 2.5e6, "2.5 MB"),
        ("throughput_per_s", 3.0, "3 requests/s"),
        ("energy_j", 0.0, "0 µJ"),
    ],
)
def test_amounts_are_read_in_the_unit_of_their_column(column, amount, text):
    assert quantity(column).text(amount) == text


# --- the script of the gallery


def script(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "plots" / "compression.py"), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_compression_script_draws_a_ready_scenario(tmp_path):
    out = tmp_path / "new" / "figure.svg"
    ended = script(ROOT / "scenarios" / "vit-base-orin-nano.yaml", "-o", out)
    assert ended.returncode == 0, ended.stderr
    assert out.read_text().startswith("<?xml")


@pytest.mark.parametrize(
    ("count", "out", "message"),
    [(1, "figure.png", "compression_rate"), (2, "figure.frob", "frob"), (2, "taken/figure.png", "taken")],
)
def test_what_the_compression_script_cannot_draw_is_one_message(tmp_path, count, out, message):
    (tmp_path / "taken").write_text("mine")
    scenario = tmp_path / "case.yaml"
    scenario.write_text(
        f"model: {{preset: bert-tiny}}\ndevices: [{{preset: raspberry-pi-5, count: {count}}}]\n"
        "network: {preset: gigabit-ethernet}\nstrategy: {name: prism, segments: 4}\n"
    )
    ended = script(scenario, "-o", tmp_path / out)
    assert ended.returncode == 2
    assert message in ended.stderr
    assert "Traceback" not in ended.stderr
    assert not list(tmp_path.glob("**/.writing*"))
