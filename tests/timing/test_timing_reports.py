"""Throughput of a stream of requests, energy, and the exported trace."""

from __future__ import annotations

import json
import pickle

import pytest
from timing_plans import device, exchange, one_exchange, plan, work

from prism_sim.plan import Plan, Start, Wait
from prism_sim.timing import Switch, energy_j, play_once, play_stream, to_trace_events

RATE, LATENCY_S = 80e6, 0.01
FAST = Switch(1e15, 1e15)


def near(value: object) -> object:
    return pytest.approx(value, rel=1e-9)


def boards(count: int, **fields: float) -> list:
    return [device(f"board {number}", **fields) for number in range(count)]


def pipeline(stages_ms: list[float], payload_bytes: int) -> Plan:
    """The terminal sends to the first stage, each stage to the next, the last one back."""
    n = len(stages_ms)
    ways = [(n, 0), *((stage, stage + 1) for stage in range(n - 1)), (n - 1, n)]
    crossings = [exchange("send", [payload_bytes, 0], source, (source, to)) for source, to in ways]
    stages = [[Wait(stage), work(stages_ms[stage]), Start(stage + 1)] for stage in range(n)]
    return plan([*stages, [Start(0), Wait(n)]], crossings)


@pytest.mark.parametrize("stages_ms", [[5.0, 20.0, 5.0], [20.0, 5.0, 5.0], [5.0, 5.0, 20.0], [7.0]])
def test_a_pipeline_answers_at_the_pace_of_its_slowest_stage(stages_ms: list[float]):
    a_plan, n = pipeline(stages_ms, 1_000), len(stages_ms)
    network = Switch(RATE, RATE, LATENCY_S)
    stream = play_stream(a_plan, boards(n + 1), range(n + 1), network)
    assert stream.throughput_per_s == near(1e3 / max(stages_ms))
    latency_s = play_once(a_plan, boards(n + 1), range(n + 1), network).latency_s
    assert stream.completions_s[0] == near(latency_s)
    if n > 1:
        assert stream.throughput_per_s > 1 / latency_s


def test_a_pipeline_answers_at_the_pace_of_its_slowest_link():
    a_plan = pipeline([5.0, 5.0], 10**6)
    stream = play_stream(a_plan, boards(3), (0, 1, 2), Switch(RATE, RATE, LATENCY_S))
    assert stream.throughput_per_s == near(RATE / 8e6)


def test_ranks_that_work_together_on_each_request_answer_once_a_latency():
    gather = exchange("all_gather", [10_000] * 3)
    a_plan = plan([[work(5.0), Start(0), Wait(0)]] * 3 + [[]], [gather])
    network = Switch(RATE, RATE, LATENCY_S)
    latency_s = play_once(a_plan, boards(3), (0, 1, 2, 0), network).latency_s
    assert play_stream(a_plan, boards(3), (0, 1, 2, 0), network).throughput_per_s == near(1 / latency_s)


def test_ranks_that_all_wait_for_each_other_need_no_request_for_each_of_them_under_way():
    # as a pipeline's last stage, one of them sends the output to the terminal
    n, sums = 12, exchange("all_reduce", [10_000] * 12)
    answer = exchange("send", [1_000, 0], 0, (0, n))
    ranks = [[work(5.0), Start(0), Wait(0), *([] if rank else [Start(1)])] for rank in range(n)]
    a_plan = plan([*ranks, [Wait(1)]], [sums, answer])
    where = boards(n), (*range(n), 1), Switch(RATE, RATE, LATENCY_S)
    stream = play_stream(a_plan, *where)
    assert stream.throughput_per_s == near(play_stream(a_plan, *where, in_flight=2 * n + 4).throughput_per_s)
    assert stream.n_played < 2 * n + 4


def test_one_device_that_does_everything_answers_at_the_pace_of_its_work():
    a_plan = plan([[Wait(0), work(5.0)], [work(2.0), Start(0)]], [exchange("send", [10_000, 0], 1, (1, 0))])
    assert play_stream(a_plan, boards(1), (0, 0), FAST).throughput_per_s == near(1 / 7e-3)


def test_one_request_in_flight_answers_once_a_latency():
    a_plan = pipeline([5.0, 20.0, 5.0], 1_000)
    network = Switch(RATE, RATE, LATENCY_S)
    latency_s = play_once(a_plan, boards(4), range(4), network).latency_s
    stream = play_stream(a_plan, boards(4), range(4), network, n_requests=3, in_flight=1)
    assert stream.throughput_per_s == near(1 / latency_s)
    assert len(stream.completions_s) == 5


def test_a_stream_that_waits_for_ever_is_an_error():
    stuck = plan([[Wait(0)], []], [exchange("send", [1, 0], 1, (1, 0))])
    with pytest.raises(ValueError, match="participant 0 waits for ever"):
        play_stream(stuck, boards(2), (0, 1), FAST)
    with pytest.raises(ValueError, match=r"in_flight\(=0\) must be >= 1"):
        play_stream(stuck, boards(2), (0, 1), FAST, in_flight=0)


def test_energy_is_idle_power_all_the_time_and_more_while_busy_or_on_the_air():
    crossing = exchange("send", [10**6, 0], 0)
    a_plan = plan([[work(200.0), Start(0)], [Wait(0), work(50.0)], []], [crossing])
    powered = [device("left", idle_w=2, busy_w=7, radio_w=1), device("right", idle_w=3, busy_w=5)]
    timeline = play_once(a_plan, powered, (0, 1, 0), Switch(RATE, RATE, LATENCY_S))
    latency_s = 0.2 + 0.1 + LATENCY_S + 0.05
    assert energy_j(timeline, powered) == (
        near(2 * latency_s + 5 * 0.2 + 1 * 0.1),
        near(3 * latency_s + 2 * 0.05),
    )


def test_a_radio_that_sends_and_receives_at_once_is_on_once():
    powered = boards(2, idle_w=0, busy_w=0, radio_w=10)
    timeline = play_once(one_exchange("all_gather", [10**6] * 2), powered, (0, 1, 0), Switch(RATE, RATE))
    assert energy_j(timeline, powered) == near((10 * 0.1, 10 * 0.1))


def test_the_energy_of_a_device_without_stated_power_is_unknown():
    timeline = play_once(plan([[work(1.0)], []]), boards(1), (0, 0), FAST)
    assert energy_j(timeline, boards(1)) == (None,)
    assert energy_j(timeline, boards(1, idle_w=1.0)) == (None,)


def test_a_trace_holds_every_span_in_microseconds_and_is_json():
    timeline = play_once(one_exchange("send", [10**6, 0], 0), boards(2), (0, 1, 0), Switch(RATE, RATE, LATENCY_S))
    trace = json.loads(json.dumps(to_trace_events(timeline, ["left", "right"])))
    events = trace["traceEvents"]
    assert {event["args"]["name"] for event in events if event["ph"] == "M"} == {
        *("left", "right", "rank 0", "rank 1", "terminal"),
        *("rank 0 waits", "rank 1 waits", "terminal waits"),
    }
    (wait,) = [event for event in events if event["ph"] == "X"]
    assert (wait["name"], wait["pid"], wait["tid"], wait["ts"]) == ("wait: send", 2, 4, 0)
    assert wait["dur"] == near(1e6 * (0.1 + LATENCY_S))
    begins = {event["cat"]: event["ts"] for event in events if event["ph"] == "b"}
    ends = {event["cat"]: event["ts"] for event in events if event["ph"] == "e"}
    assert begins == {"propagation": 0, "transfer": near(1e6 * LATENCY_S)}
    assert ends == {"propagation": near(1e6 * LATENCY_S), "transfer": near(1e6 * (0.1 + LATENCY_S))}


def test_a_timeline_can_be_handed_to_another_process():
    timeline = play_once(
        one_exchange("all_gather", [10**6] * 3), boards(3), (0, 1, 2, 0), Switch(RATE, RATE, LATENCY_S)
    )
    copy = pickle.loads(pickle.dumps(timeline))
    assert copy.latency_s == timeline.latency_s
    assert copy.spans == timeline.spans
    assert copy.breakdown_s == timeline.breakdown_s
