"""What figures show: data, labels, units and legends, never pixels; and that they are the same files every time."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import matplotlib as mpl
import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from prism_sim import figures
from prism_sim.figures.compression import CompressionPoint, draw_compression
from prism_sim.figures.style import MARKERS, PART_COLOURS, STRATEGY_COLOURS, look, saved, strategy_colour
from prism_sim.figures.timeline import draw_timeline
from prism_sim.plan import Compute, Exchange, Kernel, Plan, Start, Wait
from prism_sim.timing import Device, Switch, Timeline, simulate

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
    return simulate(plan, devices, (0, 1, 0), network)


def legend(figure: Figure) -> list[str]:
    (found,) = figure.legends
    return [text.get_text() for text in found.get_texts()]


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
    assert axes.get_title(loc="left") == "case"
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


# --- compression

POINTS = [
    CompressionPoint(compression_rate=49.5, segments=2, latency_s=0.2, sent_bytes=1_000_000),
    CompressionPoint(compression_rate=9.9, segments=10, latency_s=0.25, sent_bytes=5_000_000),
    CompressionPoint(compression_rate=99.0, segments=1, latency_s=0.19, sent_bytes=500_000),
]
REFERENCES = [("single", 0.485, 0), ("voltage", 1.288, 58_000_000)]


def lines(axes) -> dict[str, tuple[list[float], list[float]]]:
    return {str(line.get_label()): (list(line.get_xdata()), list(line.get_ydata())) for line in axes.get_lines()}


def test_compression_shows_milliseconds_and_megabytes_over_a_growing_rate():
    figure = draw_compression(POINTS, REFERENCES, "case")
    latency, sent = figure.axes
    assert latency.get_ylabel() == "latency (ms)"
    assert sent.get_ylabel() == "sent by all devices (MB)"
    assert lines(latency)["prism"] == ([9.9, 49.5, 99.0], pytest.approx([250, 200, 190]))
    assert lines(sent)["prism"] == ([9.9, 49.5, 99.0], pytest.approx([5, 1, 0.5]))
    assert latency.get_ylim()[0] == 0
    for axes in figure.axes:
        assert axes.get_xscale() == "log"
        assert axes.get_xlabel() == "compression rate CR = ⌈N/P⌉ / L"
        assert list(axes.get_xticks()) == [9.9, 49.5, 99.0]
    assert figure.get_suptitle() == "case"


def test_references_are_lines_across_and_in_the_legend():
    figure = draw_compression(POINTS, REFERENCES, "case")
    latency, sent = figure.axes
    assert legend(figure) == ["prism", "single", "voltage"]
    assert lines(latency)["single"][1] == [485, 485]
    assert lines(latency)["voltage"][1] == [1288, 1288]
    assert "single" not in lines(sent)  # it sends nothing: no place on a logarithmic axis
    assert lines(sent)["voltage"][1] == [58, 58]


def test_no_reference_is_lost_however_many_there_are():
    references = [(f"way {number}", 0.1 * number, number) for number in range(1, 6)]
    assert legend(draw_compression(POINTS, references, "case")) == ["prism", *(name for name, _, _ in references)]


def test_the_order_of_the_points_does_not_matter():
    one, other = (draw_compression(points, REFERENCES, "") for points in (POINTS, POINTS[::-1]))
    assert lines(one.axes[0]) == lines(other.axes[0])


def test_nothing_to_draw_is_an_error_that_says_so():
    with pytest.raises(ValueError, match="no point to draw"):
        draw_compression([], REFERENCES, "case")


# --- all figures

DRAWN = {
    "timeline": lambda title: draw_timeline(played(), NAMES, title),
    "compression": lambda title: draw_compression(POINTS, REFERENCES, title),
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


def test_an_unknown_format_is_an_error_that_names_the_known_ones(tmp_path):
    with pytest.raises(ValueError, match="svg"):
        saved(DRAWN["timeline"]("case"))(tmp_path / "figure.frob")


def test_drawing_changes_nothing_global():
    before = dict(mpl.rcParams)
    for draw in DRAWN.values():
        draw("case")
    with look():
        assert dict(mpl.rcParams) != before
    assert dict(mpl.rcParams) == before


def luminance(colour: str) -> float:
    red, green, blue = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_every_strategy_and_part_has_a_colour_and_keeps_it():
    assert len(set(STRATEGY_COLOURS.values())) == len(STRATEGY_COLOURS)
    assert len(set(PART_COLOURS.values())) == len(PART_COLOURS)
    assert all(strategy_colour(name) == colour for name, colour in STRATEGY_COLOURS.items())
    assert strategy_colour("of tomorrow") == strategy_colour("of tomorrow")
    assert luminance(strategy_colour("voltage")) > luminance(strategy_colour("prism")) + 0.2  # in greyscale too
    assert len(set(MARKERS)) == len(MARKERS)


def test_the_catalogue_finds_every_figure_and_says_who_draws_it():
    found = figures.catalogue()
    modules = {path.stem for path in Path(figures.__file__).parent.glob("*.py") if "\nPLOT = " in path.read_text()}
    assert set(found) == modules
    assert {"timeline", "compression"} <= set(found)
    for plot in found.values():
        assert plot.summary
        assert plot.written_by.startswith(("prism-sim ", "python plots/"))


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
    [(1, "figure.png", "no point to draw"), (2, "figure.frob", "frob"), (2, "taken/figure.png", "taken")],
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


def test_the_scripts_points_are_those_that_compress(tmp_path):
    import importlib.util

    spec = importlib.util.spec_from_file_location("compression_script", ROOT / "plots" / "compression.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    from prism_sim import load_scenario

    scenario = load_scenario(ROOT / "scenarios" / "vit-base-orin-nano.yaml")
    found = module.points(scenario, (1, 10, 98, 99, 200))
    assert [point.segments for point in found] == [1, 10, 98]  # 99 rows: no compression from there on
    assert [point.compression_rate for point in found] == [99, 9.9, pytest.approx(99 / 98)]
    assert found[0].sent_bytes < found[1].sent_bytes < found[2].sent_bytes
    assert replace(found[0], segments=2) != found[0]
