"""Which points a sweep has: lists, ranges, zipped fields, points written out; what is wrong is said with its place."""

from __future__ import annotations

import pytest

from prism_sim.scenario import ScenarioError, sweep_axes
from prism_sim.sweeping.points import Grid, unit_in_name


def points(grid: Grid) -> list[dict[str, object]]:
    """Per point, the swept fields' columns."""
    columns = dict(grid.columns())
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def test_every_value_meets_every_other_the_last_field_fastest(load):
    grid = Grid.of(load("sweep:\n  seed: [1, 2]\n  strategy.segments: [1, 2, 3]\n"))
    assert [(p["seed"], p["strategy.segments"]) for p in points(grid)] == [
        (1, 1), (1, 2), (1, 3), (2, 1), (2, 2), (2, 3)
    ]  # fmt: skip


def test_a_quantity_has_its_text_and_its_number_with_the_unit_in_the_name(load):
    (first, second) = points(Grid.of(load("sweep: {network.bandwidth: [10 Mbit/s, 12.5 MB/s]}")))
    assert first == {"network.bandwidth": "10 Mbit/s", "network.bandwidth_bits_per_s": 1e7}
    assert second == {"network.bandwidth": "12.5 MB/s", "network.bandwidth_bits_per_s": 1e8}


def test_a_log_range_multiplies_and_a_linear_range_adds(load):
    ranges = "{network.bandwidth: {from: 1 Mbit/s, to: 100 Mbit/s, points: 3, scale: log}}"
    assert [p["network.bandwidth_bits_per_s"] for p in points(Grid.of(load(f"sweep: {ranges}")))] == [1e6, 1e7, 1e8]
    ranges = "{network.latency: {from: 0 s, to: 4 ms, points: 3}}"
    numbers = [p["network.latency_s"] for p in points(Grid.of(load(f"sweep: {ranges}")))]
    assert numbers == pytest.approx([0, 2e-3, 4e-3])


def test_zipped_fields_vary_together(load):
    grid = Grid.of(load("sweep:\n  strategy.segments, network.latency: [[1, 1 ms], [5, 2 ms]]\n  seed: [0, 1]\n"))
    assert [(p["strategy.segments"], p["network.latency"], p["seed"]) for p in points(grid)] == [
        (1, "1 ms", 0), (1, "1 ms", 1), (5, "2 ms", 0), (5, "2 ms", 1)
    ]  # fmt: skip


def test_points_are_taken_as_written_and_what_they_leave_out_stays_as_in_the_file(load):
    sweep = "sweep:\n  points:\n  - {strategy.segments: 5, network.latency: 9 ms}\n  - {strategy.compression_rate: 3}\n"
    first, second = points(Grid.of(load(sweep)))
    assert first["strategy.segments"] == 5
    assert first["strategy.compression_rate"] is None
    assert (second["strategy.segments"], second["network.latency_s"]) == (None, None)
    assert second["strategy.compression_rate"] == 3


def test_an_option_that_a_strategy_has_no_use_for_makes_no_new_question(load):
    grid = Grid.of(load())
    assert len(grid.task_of) == 60
    assert len(grid.tasks) == 10 * (3 + 1)  # prism with three numbers of segments, voltage once


def test_an_unused_option_that_takes_away_a_used_one_is_not_ignored(load):
    """Setting an option drops its rivals, taking it away does not: these are different questions."""
    grid = Grid.of(load("sweep: {strategy.name: [voltage], strategy.segments: [null, 1, 2]}"))
    assert len(grid.tasks) == 2


def test_questions_on_the_same_hardware_are_side_by_side(load):
    sweep = "sweep:\n  strategy.segments: [1, 2]\n  network.latency: [1 ms, 2 ms]\n"
    latencies = [task.overrides["network.latency"] for task in Grid.of(load(sweep)).tasks]
    assert latencies == ["1 ms", "1 ms", "2 ms", "2 ms"]


@pytest.mark.parametrize(
    ("unit", "name"),
    [
        ("bit/s", "bits_per_s"),
        ("FLOP/s", "flops_per_s"),
        ("B/s", "bytes_per_s"),
        ("B", "bytes"),
        ("s", "s"),
        ("W", "w"),
    ],
)
def test_units_are_spelt_as_in_the_code(unit, name):
    assert unit_in_name(unit) == name


WRONG = [
    ("sweep: {strategy.segmnts: [1]}", "10:9", "strategy.segmnts", ["did you mean 'strategy.segments'"]),
    ("sweep: {'seed, strategy.segmnts': [[1, 1]]}", "10:9", "strategy.segmnts", ["did you mean 'strategy.segments'"]),
    ("sweep: {'seed, workload.batch': [[1, 1], [2]]}", "10:42", "sweep.seed, workload.batch[1]", ["list of 2 values"]),
    ("sweep: {'seed, workload.batch': [[1, 1], [1, 1]]}", "10:42", "sweep.seed, workload.batch[1]", ["twice"]),
    ("sweep: {'seed, workload.batch': 1}", "10:33", "sweep.seed, workload.batch", ["one list of 2 values"]),
    ("sweep: {'seed, workload.batch': [[1, 0]]}", "10:38", "workload.batch", ["0", ">= 1"]),
    ("sweep: {'seed, seed': [[1, 0]]}", "10:9", "sweep.seed, seed", ["cannot both be set"]),
    ("sweep: {'strategy.segments, strategy.compression_rate': [[1, 2]]}", "10:9", "", ["cannot both be set"]),
    ("sweep: {seed: [1], 'seed, workload.batch': [[1, 1]]}", "10:20", "sweep.seed, workload.batch", ["swept twice"]),
    ("sweep: {points: [{seed: 1}, {sed: 2}]}", "10:30", "sed", ["did you mean 'seed'"]),
    ("sweep: {points: [{seed: -1}]}", "10:25", "seed", ["-1", ">= 0"]),
    ("sweep: {points: [{seed: 1}, {seed: 1}]}", "10:29", "sweep.points[1]", ["twice"]),
    ("sweep: {points: [3]}", "10:18", "sweep.points[0]", ["3", "no point"]),
    ("sweep: {points: {seed: 1}}", "10:17", "sweep.points", ["no list of points"]),
    (
        "sweep: {points: [{strategy.segments: 1, strategy.compression_rate: 2}]}",
        "10:41", "sweep.points[0].strategy.compression_rate", ["together with strategy.segments"],
    ),
    (
        "sweep: {strategy.segments: [1], points: [{strategy.compression_rate: 2}]}",
        "10:33", "sweep.points", ["together with strategy.segments"],
    ),
    ("sweep: {points: [{name: a}]}", "10:19", "sweep.points[0].name", ["changes no result"]),
]  # fmt: skip


@pytest.mark.parametrize(("sweep", "place", "field", "words"), WRONG, ids=[case[0] for case in WRONG])
def test_what_is_wrong_is_said_with_its_place(written, sweep, place, field, words):
    from prism_sim.scenario import load_scenario

    path = written(sweep)
    with pytest.raises(ScenarioError) as refused:
        load_scenario(path)
    message = str(refused.value)
    assert message.startswith(f"{path}:{place}: ")
    assert field in message
    assert all(word in message for word in words)


def test_a_scenario_without_a_sweep_says_what_to_add(load):
    with pytest.raises(ScenarioError, match=r"tiny\.yaml: sweep: is missing"):
        Grid.of(load(""))


def test_too_many_points_are_refused_before_they_are_made(load):
    axes = "seed: {from: 0, to: 99999, points: 100000}, workload.batch: {from: 1, to: 20, points: 20}"
    with pytest.raises(ScenarioError, match="2000000 points are more than"):
        Grid.of(load(f"sweep: {{{axes}}}"))


def test_axes_of_zipped_fields_are_listed_field_by_field(load):
    axes = sweep_axes(load("sweep:\n  seed, workload.batch: [[1, 2], [3, 4]]\n"))
    assert [(axis.field, axis.values) for axis in axes] == [("seed", (1, 3)), ("workload.batch", (2, 4))]
