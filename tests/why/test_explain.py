"""Explanations: parts sum to the latency, nothing beats its bounds, better is not slower, who waits for whom."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import fields
from itertools import pairwise
from math import fsum, isfinite
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from prism_sim import strategies
from prism_sim.scenario import DeviceSpec, NetworkSpec, Scenario, ScenarioError, load_scenario
from prism_sim.scenario.spec import LinkSpec
from prism_sim.simulation.simulate import simulate
from prism_sim.why.explain import Explanation, bounds, explain, waiting
from prism_sim.why.path import MOST_STAGES, Stretch, loads, stages, stretches
from prism_sim.why.what_if import improved, resources

READY = sorted((Path(__file__).parents[2] / "scenarios").glob("*.yaml"))
N, D, F, BLOCKS, FLOPS_PER_S, BITS_PER_S, LATENCY_S = 12, 16, 32, 3, 1e9, 100e6, 1e-3  # of the tiny scenario

ANY = """\
model:
  dims: {model_type: bert, hidden_size: 16, num_hidden_layers: 4, num_attention_heads: 4, intermediate_size: 32,
    vocab_size: 300, max_position_embeddings: 64, type_vocab_size: 2}
devices:
  - {name: slow, compute: 1 GFLOP/s, memory_bandwidth: 1 GB/s}
  - {name: fast, compute: 3 GFLOP/s, memory_bandwidth: 2 GB/s}
network: {bandwidth: 100 Mbit/s}
strategy: {name: prism, segments: 2}
"""


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Scenario:
    path = tmp_path_factory.mktemp("any") / "any.yaml"
    path.write_text(ANY)
    return load_scenario(path)


@st.composite
def hardware(draw: st.DrawFn, most_of_a_kind: int = 2) -> dict[str, Any]:
    """Overrides: devices of two kinds, and a network."""
    n_slow, n_fast = draw(st.integers(1, most_of_a_kind)), draw(st.integers(1, most_of_a_kind))
    some = st.sampled_from
    medium = draw(some(("switch", "shared")))
    found = {
        "devices[0].count": n_slow,
        "devices[1].count": n_fast,
        "devices[0].op_overhead": draw(some(("0 s", "10 us"))),
        "devices[1].staging_bandwidth": draw(some(("none", "100 MB/s"))),
        "devices[1].staging_latency": draw(some(("0 s", "200 us"))),
        "terminal": draw(st.integers(0, n_slow + n_fast - 1)),
        "network.medium": medium,
        "network.bandwidth": draw(some(("1 Mbit/s", "20 Mbit/s", "1 Gbit/s"))),
        "network.latency": draw(some(("0 s", "100 us", "20 ms"))),
        "network.message_overhead": draw(some(("0 s", "300 us"))),
        "network.collective": draw(some(("direct", "ring", "star", "tree"))),
    }
    return found | ({"network.sharing": draw(some(("fifo", "fair")))} if medium == "switch" else {})


@st.composite
def workloads(draw: st.DrawFn) -> dict[str, Any]:
    """Overrides: a strategy of the catalogue, and what it is asked to do."""
    return {
        "workload.batch": draw(st.integers(1, 3)),
        "workload.tokens": draw(st.integers(4, 40)),
        "placement.input": draw(st.sampled_from(("terminal", "replicated"))),
        "placement.output": draw(st.sampled_from(("terminal", "in_place"))),
        "strategy.name": draw(st.sampled_from(tuple(strategies.catalogue()))),
        "strategy.segments": draw(st.integers(1, 6)),
        "strategy.overlap": draw(st.booleans()),
        "strategy.micro_batches": draw(st.integers(1, 3)),
    }


def made(base: Scenario, *overrides: dict[str, Any]) -> Scenario:
    """Combinations that a strategy refuses are no examples."""
    scenario = base.with_overrides({field: value for some in overrides for field, value in some.items()})
    try:
        simulate(scenario)
    except ScenarioError:
        assume(False)
    return scenario


def assert_explained(found: Explanation) -> None:
    """Of a request that generates text, of its prompt, and beside it of a step."""
    if found.token is None:
        assert found.pass_s == found.latency_s
    else:
        n_steps = found.simulation.job.new_tokens - 1
        assert found.pass_s + n_steps * found.token.tpot_s == pytest.approx(found.latency_s, rel=1e-9)
        for parts in (found.token.breakdown_s.values(), [load.length_s for load in found.token.loads]):
            assert fsum(parts) == pytest.approx(found.token.length_s, rel=1e-9)
    latency_s = pytest.approx(found.pass_s, rel=1e-9)
    assert fsum(found.breakdown_s.values()) == latency_s
    assert fsum(stretch.length_s for stretch in found.path) == latency_s
    assert fsum(stage.length_s for stage in found.stages) == latency_s
    assert fsum(load.length_s for load in found.loads) == latency_s
    assert all(earlier.end_s == later.start_s for earlier, later in pairwise(found.path))
    for bound in found.bounds:
        assert 0 <= bound.length_s <= found.pass_s * (1 + 1e-9), bound
    for one in found.waiting:
        assert one.late_s >= 0
        assert one.way_s >= -1e-12
        assert one.late_s + one.way_s == pytest.approx(one.wait_s)
        assert fsum(one.for_s.values()) == pytest.approx(one.wait_s)
        assert one.participant not in one.for_s
        assert one.busy_s <= found.pass_s * (1 + 1e-9)


@pytest.mark.parametrize("file", READY, ids=lambda file: file.stem)
@pytest.mark.parametrize("strategy", strategies.catalogue())
def test_the_parts_of_every_ready_scenario_sum_to_its_latency_and_no_bound_is_above_it(file, strategy):
    try:
        found = explain(load_scenario(file, [f"strategy.name={strategy}"]))
    except ScenarioError as refusal:
        pytest.skip(str(refusal))
    assert_explained(found)
    assert len(found.stages) <= MOST_STAGES
    for one in found.what_ifs:
        assert isfinite(one.better_s)
        assert one.better_s > 0
        # first, come first served may serve better work worse, but by little
        assert one.better_s <= found.latency_s * 1.25


@given(hardware=hardware(), workload=workloads())
@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_parts_of_any_scenario_sum_to_its_latency_and_no_bound_is_above_it(base, hardware, workload):
    assert_explained(explain(made(base, hardware, workload)))


# powers of two: they scale times without rounding, which else decides ties of messages on one medium
@given(hardware=hardware(), workload=workloads(), factor=st.sampled_from((0.5, 2.0, 4.0)))
@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_where_everything_is_so_many_times_as_good_the_latency_is_that_much_shorter(base, hardware, workload, factor):
    scenario = better = made(base, hardware, workload)
    for resource in resources(scenario, simulate(scenario)):
        if not resource.name.startswith("all of"):
            better = improved(better, resource, factor)
    assert simulate(better).latency_s * factor == pytest.approx(simulate(scenario).latency_s, rel=1e-9)


@given(hardware=hardware(most_of_a_kind=1), workload=workloads())
@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_between_two_devices_on_ports_of_their_own_better_is_never_slower(base, hardware, workload):
    """With more of them, or one medium for all, messages may queue in another order, and that may be a worse one."""
    hardware = {**hardware, "network.medium": "switch"}
    found = explain(made(base, hardware, workload))
    for one in found.what_ifs:
        assert not one.anomalous, one


def test_every_rate_and_time_of_the_hardware_belongs_to_a_resource(load):
    scenario = load().with_overrides({"devices[0].memory": "1 GB", "devices[0].storage_bandwidth": "1 GB/s"})
    known = {field for resource in resources(scenario, simulate(scenario)) for field in resource.fields}
    specs = (DeviceSpec, NetworkSpec, LinkSpec)
    assert known == {field.name for spec in specs for field in fields(spec) if field.name.endswith("_s")}


def test_one_device_is_bound_by_what_it_computes(load):
    found = explain(load(["strategy.name=single"]))
    compute, processor = found.bounds
    assert compute.length_s == processor.length_s == pytest.approx(found.latency_s, rel=1e-9)
    (whole,) = found.waiting
    assert (whole.wait_s, whole.for_s) == (0.0, {})
    assert found.what_ifs[0].resource.name == "compute"
    assert found.what_ifs[0].better_s == pytest.approx(found.latency_s / 2, rel=1e-6)


def test_the_bounds_of_two_ranks_have_their_closed_form(load):
    found = explain(load(["strategy.name=voltage"]))
    rows = N // 2
    flops = BLOCKS * 2 * (2 * rows * D * D + 2 * N * D * D + 2 * rows * D * F + 2 * rows * N * D)
    sent_bits = BLOCKS * rows * D * 4 * 8
    lengths = {bound.name: bound.length_s for bound in found.bounds}
    assert lengths["compute"] == pytest.approx(flops / FLOPS_PER_S, rel=1e-6)
    assert lengths["transfer"] == pytest.approx(sent_bits / BITS_PER_S, rel=1e-9)
    assert found.latency_s == pytest.approx(lengths["compute"] + lengths["transfer"] + BLOCKS * LATENCY_S, rel=1e-6)


def test_a_better_resource_saves_half_of_its_part_where_there_is_but_one_path(load):
    found = explain(load(["strategy.name=voltage"]))
    gains = {one.resource.name: one.gain_s for one in found.what_ifs}
    parts = found.breakdown_s
    assert gains["compute"] == pytest.approx(parts["compute"] / 2, rel=1e-5)
    assert gains["bandwidth"] == pytest.approx(parts["transfer"] / 2, rel=1e-9)
    assert gains["propagation"] == pytest.approx(parts["propagation"] / 2, rel=1e-9)
    assert gains["message overhead"] == gains["staging"] == gains["kernel overhead"] == 0
    assert [one.gain_s for one in found.what_ifs] == sorted(gains.values(), reverse=True)


def test_the_fast_rank_waits_for_the_slow_one(base):
    found = explain(base.with_overrides({"placement.input": "replicated", "placement.output": "in_place"}))
    slow, fast = found.waiting
    assert fast.for_s.keys() == {slow.participant}
    assert fast.late_s > 10 * slow.late_s
    assert [one.resource.name for one in found.what_ifs if one.resource.name.startswith("all")] == [
        "all of slow",
        "all of fast",
    ]
    gains = {one.resource.name: one.gain_s for one in found.what_ifs}
    assert gains["all of slow"] > 5 * abs(gains["all of fast"])


def test_a_shared_channel_bounds_the_latency_by_all_that_is_sent_twice(base):
    """Through an access point every message is on the air two times."""
    scenario = base.with_overrides({"network.medium": "shared", "network.bandwidth": "1 Mbit/s"})
    simulation = simulate(scenario)
    transfer = next(bound for bound in bounds(simulation) if bound.name == "transfer")
    assert transfer.where == "the air"
    assert transfer.length_s == pytest.approx(2 * 8 * sum(simulation.timeline.sent_bytes) / 1e6, rel=1e-9)


def stretch(label: str, start_s: float, length_s: float = 1.0, part: str = "compute", rank: int = 0) -> Stretch:
    return Stretch(part, rank, None, label, start_s, start_s + length_s)


def test_blocks_alike_are_one_stage_and_one_that_differs_stands_alone():
    lengths = [1.0, 1.0, 3.0, 1.0, 1.01]
    path = [stretch(f"block {number}", number * 10.0, length) for number, length in enumerate(lengths)]
    assert [stage.label for stage in stages(path)] == ["block 0-1", "block 2", "block 3-4"]


def test_a_path_of_many_unlike_blocks_is_one_stage():
    path = [stretch(f"block {number}", 0.0, 1.0 + number) for number in range(2 * MOST_STAGES)]
    (stage,) = stages(path)
    assert stage.label == f"block 0-{2 * MOST_STAGES - 1}"
    assert stage.parts_s == {"compute": fsum(one.length_s for one in path)}


def test_what_the_same_rank_does_in_every_block_is_one_load():
    path = [stretch(f"block {n}{end}", 0.0, rank=n % 2) for n in range(4) for end in ("", ": summary")]
    found = [(load.label, load.participant, load.n_steps, load.length_s) for load in loads(path)]
    assert sorted(found) == [
        ("block 0-2", 0, 2, 2.0),
        ("block 0-2: summary", 0, 2, 2.0),
        ("block 1-3", 1, 2, 2.0),
        ("block 1-3: summary", 1, 2, 2.0),
    ]


def test_stretches_say_to_whom_bytes_go(load):
    path = stretches(simulate(load(["strategy.name=voltage"])).timeline)
    assert {one.part: one.destination is None for one in path} == {
        "compute": True,
        "transfer": False,
        "propagation": False,
    }
    assert all(one.destination != one.participant for one in path)


def test_a_participant_without_a_program_waits_for_nobody(load):
    assert [one.participant for one in waiting(simulate(load()))] == [0, 1]


def assert_nested(events: list[dict[str, Any]]) -> None:
    """Complete events of one thread lie within each other or apart (Chrome's trace format)."""
    for thread in {(event["pid"], event["tid"]) for event in events}:
        ends: list[float] = []
        spans = [(e["ts"], -e["dur"]) for e in events if (e["pid"], e["tid"]) == thread]
        for start, length in sorted(spans):
            while ends and ends[-1] <= start + 1e-6:
                ends.pop()
            assert not ends or start - length <= ends[-1] + 1e-6
            ends.append(start - length)


@given(hardware=hardware(), workload=workloads())
@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_trace_is_what_chrome_s_format_asks_for(base, hardware, workload):
    found = explain(made(base, hardware, workload))
    events = json.loads(json.dumps(found.trace_events(), allow_nan=False))["traceEvents"]
    named = {(e["pid"], e.get("tid")) for e in events if e["ph"] == "M"}
    processes = {event["args"]["name"] for event in events if event["name"] == "process_name"}
    assert processes == {device.name for device in found.scenario.devices} | {"critical path"}
    open_spans: dict[tuple[Any, ...], float] = {}
    for event in events:
        assert {"ph", "name", "pid"} <= event.keys()
        if event["ph"] == "M":
            continue
        assert (event["pid"], None) in named
        assert 0 <= event["ts"] <= 1e6 * found.latency_s * (1 + 1e-9)
        span = (event["pid"], event["cat"], event.get("id"), event["name"])
        if event["ph"] == "X":
            assert event["dur"] >= 0
        elif event["ph"] == "b":
            assert span not in open_spans
            open_spans[span] = event["ts"]
        else:
            assert event["ts"] >= open_spans.pop(span)
    assert not open_spans
    assert_nested([event for event in events if event["ph"] == "X"])


def test_an_explanation_is_the_same_twice_and_is_json(load: Callable[..., Scenario]):
    texts = [json.dumps(explain(load()).to_json(), allow_nan=False) for _ in range(2)]
    assert texts[0] == texts[1]
    found = json.loads(texts[0])
    assert found["schema"] == "prism-sim/explain/1"
    assert [one["role"] for one in found["participants"]] == ["0", "1", "terminal"]
    assert {one["resource"] for one in found["what_if"]} >= {"bandwidth", "compute", "staging", "memory bandwidth"}


def test_what_does_not_fit_its_devices_is_refused_as_run_refuses_it(load):
    with pytest.raises(ScenarioError, match="does not fit"):
        explain(load(["devices[0].memory=1 B"]))
