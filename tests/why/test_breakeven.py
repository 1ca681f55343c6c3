"""Break-evens: closed forms, all crossings of any curve, whole numbers, ranges, and refusals."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from prism_sim import strategies
from prism_sim.reports.breakeven import sentences
from prism_sim.scenario import Scenario, ScenarioError, load_scenario
from prism_sim.scenario.ranged import sampled
from prism_sim.simulation.fit_samples import N_SAMPLES, interval
from prism_sim.simulation.simulate import simulate
from prism_sim.syntax import units
from prism_sim.why import breakeven
from prism_sim.why.breakeven import BreakEven, break_even
from prism_sim.why.varied import quantity_text

READY = sorted((Path(__file__).parents[2] / "scenarios").glob("*.yaml"))
N, D, F, BLOCKS, FLOPS_PER_S = 12, 16, 32, 3, 1e9  # of the tiny scenario
VOLTAGE = ["strategy.name=voltage"]


def block_s(rows: int, keys: int) -> float:
    return 2 * (2 * rows * D * D + 2 * keys * D * D + 2 * rows * D * F + 2 * rows * keys * D) / FLOPS_PER_S


SAVED_S = BLOCKS * (block_s(N, N) - block_s(N // 2, N))  # by two ranks of Voltage, exchanges left out
SENT_BITS = BLOCKS * (N // 2) * D * 4 * 8


def test_voltage_breaks_even_where_its_exchanges_cost_what_it_saves(load):
    found = break_even(load([*VOLTAGE, "network.latency=0 s"]), "network.bandwidth", "single")
    (crossing,) = found.crossings
    assert crossing.kind == "equal"
    assert crossing.at.amount == pytest.approx(SENT_BITS / SAVED_S, rel=1e-5)
    assert (found.winner(crossing.low), found.winner(crossing.high)) == ("single", "voltage")


def test_the_latency_that_voltage_bears_is_what_its_bytes_leave(load):
    found = break_even(load([*VOLTAGE, "network.bandwidth=1 Gbit/s"]), "network.latency", "single", "1 us")
    (crossing,) = found.crossings
    assert crossing.at.amount == pytest.approx((SAVED_S - SENT_BITS / 1e9) / BLOCKS, rel=1e-4)
    assert (found.winner(crossing.low), found.winner(crossing.high)) == ("voltage", "single")


def test_a_range_may_begin_at_nothing(load):
    found = break_even(load([*VOLTAGE, "network.bandwidth=1 Gbit/s"]), "network.latency", "single", "0 s", "1 ms")
    (crossing,) = found.crossings
    assert crossing.at.amount == pytest.approx((SAVED_S - SENT_BITS / 1e9) / BLOCKS, rel=1e-4)


@pytest.mark.parametrize("file", READY, ids=lambda file: file.stem)
@pytest.mark.parametrize("field", ["network.bandwidth", "network.message_overhead", "devices[0].compute"])
def test_a_break_even_put_back_gives_equal_latencies(file, field):
    scenario = load_scenario(file)
    try:
        found = break_even(scenario, field, "single", n_points=16)
    except ScenarioError as refusal:
        pytest.skip(str(refusal))
    for crossing in found.crossings:
        if crossing.at is not None:
            silent = [] if found.shares is None else [f"strategy.shares={found.shares}"]
            again = scenario.with_overrides([f"{field}={found.varied.text(crossing.at.amount)}", *silent])
            assert simulate(again).latency_s == pytest.approx(simulate(again, "single").latency_s, rel=1e-3)


def test_who_wins_between_the_crossings_is_who_is_said_to(load):
    found = break_even(load([*VOLTAGE, "network.latency=0 s"]), "network.bandwidth", "single")
    (crossing,) = found.crossings
    for point in found.simulated:
        below = point.amount < crossing.at.amount
        assert found.winner(point) == ("single" if below else "voltage")


def test_where_one_strategy_always_wins_there_is_no_crossing(load):
    """A pipeline that gets one request computes as much as one device, and sends besides."""
    found = break_even(load(["strategy.name=pipeline"]), "network.bandwidth", "single")
    assert found.crossings == ()
    assert found.to_json()["winner_throughout"] == "single"
    assert all(point.own_s > point.other_s for point in found.simulated)


def test_prism_with_as_many_segments_as_rows_is_as_fast_as_voltage_and_faster_with_fewer(load):
    found = break_even(load(), "strategy.segments", "voltage")
    assert (found.varied.low, found.varied.high) == (1, N // 2)
    (crossing,) = found.crossings
    assert crossing.kind == "flips"
    assert (crossing.low.amount, crossing.high.amount) == (N // 2 - 1, N // 2)
    assert (found.winner(crossing.low), found.winner(crossing.high)) == ("prism", None)


def test_ranks_are_the_first_so_many_devices_those_of_the_scenario_in_front(load):
    scenario = load(["devices[0].count=3", "ranks=[2, 0]"])
    found = break_even(scenario, "ranks", "single")
    assert [found.varied.value(amount) for amount in (1, 2, 3)] == [[2], [2, 0], [2, 0, 1]]
    assert [point.amount for point in found.points] == [1, 2, 3]
    assert break_even(scenario, "devices", "single").varied == found.varied
    assert found.varied.text(2) == "[2, 0]"
    assert scenario.with_overrides([f"ranks={found.varied.text(3)}"]).ranks == (2, 0, 1)


def test_points_that_cannot_be_simulated_are_left_out_and_named(load):
    found = break_even(load(), "devices[0].count", "pipeline", "1", "6")
    assert [point.amount for point in found.simulated] == [1, 2, 3]
    ((low, high, n_points, reason),) = found.skipped
    assert (low, high, n_points) == (4, 6, 3)
    assert "blocks" in reason
    assert found.to_json()["skipped"][0]["points"] == 3


def test_where_neither_fits_is_left_out(load):
    need = simulate(load()).plan
    room = max(weights + held for weights, held in zip(need.weight_bytes, need.activation_bytes, strict=True))
    found = break_even(load([f"devices[0].memory={4 * room} B"]), "workload.batch", "voltage", "1", "64")
    assert 1 <= len(found.simulated) < len(found.points)
    assert "does not fit the memory of" in found.skipped[0][3]


def test_a_field_that_nothing_depends_on_changes_neither_latency(load):
    found = break_even(load(), "seed", "single")
    assert not found.changes
    assert found.crossings == ()


@pytest.fixture
def curves(load, monkeypatch) -> Callable[..., BreakEven]:
    """A break-even of latencies that are given as functions of the batch, or of the bandwidth in Mbit/s."""

    def searched(own, other, field="network.bandwidth", **options) -> BreakEven:
        def amount(scenario: Scenario) -> float:
            return scenario.workload.batch if field == "workload.batch" else scenario.network.up_bits_per_s / 1e6

        def played(scenario: Scenario, strategy: str | None, silent_shares: str) -> SimpleNamespace:
            return SimpleNamespace(
                latency_s=(own if strategy is None else other)(amount(scenario)), fits=True, share_kind=None
            )

        monkeypatch.setattr(breakeven, "simulate", played)
        return break_even(load(), field, "single", **options)

    return searched


def test_every_crossing_is_found(curves):
    found = curves(lambda x: 2 + math.sin(x), lambda x: 2.0, start="1 Mbit/s", stop="20 Mbit/s")
    amounts = [crossing.at.amount / 1e6 for crossing in found.crossings]
    assert amounts == pytest.approx([number * math.pi for number in range(1, 7)], rel=1e-5)
    winners = [(found.winner(crossing.low), found.winner(crossing.high)) for crossing in found.crossings]
    assert winners == [("single", "prism"), ("prism", "single")] * 3


def test_a_latency_that_jumps_has_a_place_but_no_break_even(curves):
    found = curves(lambda x: 1.0 if x < 7 else 3.0, lambda x: 2.0, start="1 Mbit/s", stop="20 Mbit/s")
    (crossing,) = found.crossings
    assert (crossing.kind, crossing.at) == ("jumps", None)
    assert crossing.low.amount < 7e6 <= crossing.high.amount
    assert crossing.high.amount == pytest.approx(7e6, rel=1e-5)


def test_equal_over_a_stretch_has_two_ends(curves):
    found = curves(
        lambda x: 2.0, lambda x: 2 + max(0, 5 - x) - max(0, x - 10) / 100, start="1 Mbit/s", stop="20 Mbit/s"
    )
    assert [crossing.at.amount / 1e6 for crossing in found.crossings] == pytest.approx([5, 10], rel=1e-5)
    winners = [(found.winner(crossing.low), found.winner(crossing.high)) for crossing in found.crossings]
    assert winners == [("prism", None), (None, "single")]


def test_latencies_that_only_touch_do_not_cross(curves):
    found = curves(lambda x: 2.0, lambda x: 2.0 + abs(x - 4), field="workload.batch", stop="8")
    assert found.crossings == ()
    assert found.winner(found.simulated[0]) == found.winner(found.simulated[-1]) == "prism"


def test_latencies_that_are_equal_at_a_whole_number_cross_there(curves):
    found = curves(lambda x: 2.0, lambda x: 6.0 - x, field="workload.batch", stop="8")
    (crossing,) = found.crossings
    assert (crossing.kind, crossing.at.amount) == ("equal", 4)
    assert (found.winner(crossing.low), found.winner(crossing.high)) == ("prism", "single")


def test_whole_numbers_between_the_points_of_a_scan_are_searched(curves):
    found = curves(lambda x: 100.5, lambda x: x, field="workload.batch", stop="1000", n_points=5)
    (crossing,) = found.crossings
    assert (crossing.kind, crossing.low.amount, crossing.high.amount) == ("flips", 100, 101)


def test_a_gap_between_the_sides_is_said_to_be_one(curves):
    def own(x: float) -> float:
        if 3 < x < 6:
            raise ScenarioError("case.yaml: workload.batch: too many, or too few")
        return x

    (crossing,) = curves(own, lambda x: 4.5, field="workload.batch", stop="8").crossings
    assert (crossing.kind, crossing.low.amount, crossing.high.amount) == ("gap", 3, 6)


@pytest.mark.parametrize("amount", [1.0, 123456789.0, 1e6, 9.99999999e9, 1e10, 137401057.0, 0.5])
def test_a_bit_rate_as_text_is_that_bit_rate(amount):
    assert units.BIT_RATE.parse(quantity_text(units.BIT_RATE, amount)) == pytest.approx(amount, rel=1e-8)


@pytest.mark.parametrize("unit", [units.BIT_RATE, units.TIME, units.COMPUTE, units.MEMORY_RATE, units.STAGING_RATE])
@pytest.mark.parametrize("exponent", range(-8, 13, 2))
def test_any_quantity_as_text_is_that_quantity(unit, exponent):
    amount = 1.23456789 * 10.0**exponent
    assert unit.parse(quantity_text(unit, amount)) == pytest.approx(amount, rel=1e-8)


def test_a_quantity_is_shown_in_the_unit_that_fits_it():
    assert quantity_text(units.BIT_RATE, 123456789.0) == "123.456789 Mbit/s"
    assert quantity_text(units.TIME, 9.89e-3) == "9.89 ms"
    assert quantity_text(units.TIME, 0.0) == "0 s"
    assert quantity_text(units.TIME, 90.0) == "90 s"


REFUSED = [
    (("network.bandwith", "single"), {}, "did you mean 'network.bandwidth'"),
    (("nothing", "single"), {}, "is not a field"),
    (("strategy.name", "single"), {}, "is no number"),
    (("strategy.shares", "single"), {}, "is no number"),
    (("terminal", "single"), {}, "is no number"),
    (("network", "single"), {}, "is no number"),
    (("strategy.overlap", "single"), {}, "is no number"),
    (("network.bandwidth", "singel"), {}, "did you mean 'single'"),
    (("network.bandwidth", "prism"), {}, "the scenario's own strategy"),
    (("network.bandwidth", "single"), {"start": "10"}, "bare number"),
    (("network.bandwidth", "single"), {"start": "10 Mbps"}, "did you mean 'Mbit/s'"),
    (("network.bandwidth", "single"), {"start": "0 bit/s"}, "must be > 0"),
    (("network.bandwidth", "single"), {"start": "2 Gbit/s", "stop": "1 Gbit/s"}, "must be less than"),
    (("network.bandwidth", "single"), {"start": "1 Gbit/s", "stop": "1 Gbit/s"}, "must be less than"),
    (("network.bandwidth", "single"), {"n_points": 1}, "must be >= 2"),
    (("workload.batch", "single"), {"start": "1.5"}, "not a whole number"),
    (("workload.batch", "single"), {"start": "0"}, "must be >= 1"),
    (("workload.batch", "single"), {"stop": "nan"}, "not a whole number"),
    (("strategy.compression_rate", "single"), {"stop": "inf"}, "not a real number"),
    (("ranks", "single"), {"stop": "3"}, "at most 2"),
    (("ranks", "single"), {"start": "0"}, "at least one"),
    (("devices[0].idle_power", "single"), {}, "has no usual range"),
    (("devices[7].compute", "single"), {}, "out of range"),
]


@pytest.mark.parametrize(("arguments", "options", "part"), REFUSED, ids=lambda value: str(value)[:40])
def test_what_cannot_be_varied_or_compared_is_refused(load, arguments, options, part):
    with pytest.raises(ScenarioError) as refusal:
        break_even(load(), *arguments, **options)
    assert part in str(refusal.value)


def test_a_range_of_which_no_point_can_be_simulated_is_refused(load):
    with pytest.raises(ScenarioError, match="no point of the range can be simulated"):
        break_even(load(), "devices[0].count", "pipeline", "4", "9")


@pytest.mark.parametrize("against", [name for name in strategies.catalogue() if name != "prism"])
def test_every_strategy_can_be_compared_with_and_the_result_is_json(load, against):
    found = json.loads(json.dumps(break_even(load(), "workload.batch", against, "1", "8").to_json(), allow_nan=False))
    assert found["schema"] == "prism-sim/breakeven/1"
    assert (found["strategy"], found["against"], found["field"]) == ("prism", against, "workload.batch")
    assert [point["value"] for point in found["points"]] == list(range(1, 9))


def test_overrides_that_came_before_hold(load):
    slow = break_even(load([*VOLTAGE, "devices[0].compute=100 MFLOP/s"]), "network.latency", "single")
    fast = break_even(load([*VOLTAGE, "devices[0].compute=500 MFLOP/s"]), "network.latency", "single", "1 us")
    assert slow.crossings[0].at.amount > fast.crossings[0].at.amount


RANGED = """\
devices:
  board:
    summary: arithmetic alone
    compute: {value: 1 GFLOP/s, range: [0.7 GFLOP/s, 1.5 GFLOP/s], source: assumption}
    memory_bandwidth: {value: 1000000 TB/s, source: assumption}
"""


@pytest.fixture
def ranged(load, tmp_path):
    """Both devices' rate has the interval of a fit."""
    (tmp_path / "boards.yaml").write_text(RANGED)
    more = ["presets=[boards.yaml]", "devices=[{preset: board, count: 2}]", "network.latency=0 s", *VOLTAGE]
    return load(more)


def test_a_break_even_moves_with_the_numbers_as_its_closed_form_does(ranged):
    """Voltage saves SAVED_S x 1 GFLOP/s / compute, so the bandwidth that serves it grows with compute."""
    at = SENT_BITS / SAVED_S
    found = break_even(ranged, "network.bandwidth", "single", f"{at / 20!r} bit/s", f"{at * 20!r} bit/s", 24)
    drawn = sampled(ranged.devices, ranged.network, ranged.seed, N_SAMPLES)
    (crossing,) = found.crossings
    assert crossing.at.amount == pytest.approx(at, rel=1e-5)
    expected = [crossing.at.amount * devices[0].flops_per_s / FLOPS_PER_S for devices, _ in drawn]
    assert found.moved(crossing) == pytest.approx(expected, rel=0.02)  # straight between points of the scan
    (described,) = found.to_json()["crossings"]
    assert described["at_samples"] == N_SAMPLES
    assert described["at_range"] == pytest.approx(interval(expected), rel=0.02)
    low, high = described["at"]["latency_range_s"]
    assert low < described["at"]["latency_s"] < high
    assert "Within what the numbers' ranges leave open: " in " ".join(sentences(found))


def test_a_break_even_that_some_samples_lack_says_in_how_many(ranged):
    at = SENT_BITS / SAVED_S
    found = break_even(ranged, "network.bandwidth", "single", f"{at / 1.2!r} bit/s", f"{at * 1.2!r} bit/s", 8)
    drawn = sampled(ranged.devices, ranged.network, ranged.seed, N_SAMPLES)
    missing = sum(not 1 / 1.2 < devices[0].flops_per_s / FLOPS_PER_S < 1.2 for devices, _ in drawn)
    assert 0 < missing < N_SAMPLES
    (crossing,) = found.crossings
    assert len(found.moved(crossing)) == N_SAMPLES - missing
    assert f"in {missing} of 16 samples it is not there" in " ".join(sentences(found))


def test_where_nothing_crosses_samples_that_do_are_counted(ranged):
    at = SENT_BITS / SAVED_S
    found = break_even(ranged, "network.bandwidth", "single", f"{at * 1.1!r} bit/s", f"{at * 9!r} bit/s", 8)
    drawn = sampled(ranged.devices, ranged.network, ranged.seed, N_SAMPLES)
    changing = sum(devices[0].flops_per_s / FLOPS_PER_S > 1.1 for devices, _ in drawn)
    assert (found.crossings, found.to_json()["ranges"]) == ((), {"samples": 16, "changing": changing})
    assert f"in {changing} of 16 samples the order changes" in " ".join(sentences(found))


def test_a_number_that_is_varied_has_no_range(ranged):
    found = break_even(ranged, "devices[0].compute", "single", "1 GFLOP/s", "2 GFLOP/s", 4)
    assert found.scan is found.to_json()["ranges"] is None
    assert {point["latency_range_s"] for point in found.to_json()["points"]} == {None}
