"""TCP's slow start on every medium: what its windows (`test_congestion_window.py`) make of messages."""

from __future__ import annotations

from math import inf
from types import SimpleNamespace

import pytest
from simpy import Environment
from timing_plans import assert_explained, device, exchange, plan, stalls_s, work

from prism_sim.plan import Plan, Start, Wait
from prism_sim.timing import Link, Links, SharedRadio, Switch, Timeline, play_once
from prism_sim.timing.collectives import Message
from prism_sim.timing.media.base import Flight, Network
from prism_sim.timing.media.congestion_window import INITIAL_WINDOW_BYTES as W
from prism_sim.timing.media.slow_start import SlowStart

RATE, LATENCY_S = 1e9, 0.1
ROUND_TRIP_S = 2 * LATENCY_S
TIMEOUT_S = ROUND_TRIP_S + 0.2
MEDIA = {
    "fifo": Switch(RATE, RATE, LATENCY_S, slow_start=True),
    "fair": Switch(RATE, RATE, LATENCY_S, sharing="fair", slow_start=True),
    "radio": SharedRadio(RATE, LATENCY_S, direct=True, slow_start=True),
    "links": Links((Link(0, "r", RATE, latency_s=0.04), Link("r", 1, RATE, latency_s=0.06)), slow_start=True),
}


def near(value: object) -> object:
    return pytest.approx(value, rel=1e-9)


def play(a_plan: Plan, network: Network) -> Timeline:
    timeline = play_once(a_plan, [device()] * a_plan.n_ranks, (*range(a_plan.n_ranks), 0), network)
    assert_explained(timeline)
    return timeline


def rounds_s(payload_bytes: int, window_bytes: float = W) -> float:
    return stalls_s(payload_bytes, window_bytes, RATE, ROUND_TRIP_S)


def stream(*payload_bytes: int, pause_ms: float = 0.0) -> Plan:
    """Messages from 0 to 1, each after a pause."""
    crossings = [exchange("send", [n_bytes, 0], 0) for n_bytes in payload_bytes]
    pauses = [work(pause_ms)] if pause_ms else []
    numbers = range(len(crossings))
    return plan([[step for k in numbers for step in (*pauses, Start(k))], [Wait(k) for k in numbers], []], crossings)


@pytest.mark.parametrize("medium", MEDIA)
def test_524_kilobytes_over_an_idle_connection_take_six_windows_and_five_stalls(medium: str):
    # 14.6, 29.2, 58.4, 116.8 and 233.6 kB are 31 windows of 14 600 bytes = 452.6 kB; the sixth window takes the rest
    stalled_s = 5 * ROUND_TRIP_S - 31 * 14_600 * 8 / RATE
    timeline = play(stream(524_288), MEDIA[medium])
    assert timeline.latency_s == near(stalled_s + 8 * 524_288 / RATE + LATENCY_S)
    assert timeline.breakdown_s["propagation"] == near(stalled_s + LATENCY_S)
    assert timeline.breakdown_s["transfer"] == near(8 * 524_288 / RATE)


@pytest.mark.parametrize("medium", MEDIA)
@pytest.mark.parametrize("n", [2, 7, 64])
def test_cutting_a_message_up_is_no_cure(medium: str, n: int):
    whole, pieces = play(stream(448_000), MEDIA[medium]), play(stream(*[448_000 // n] * n), MEDIA[medium])
    assert pieces.latency_s == near(whole.latency_s)
    assert pieces.breakdown_s == {part: near(whole.breakdown_s[part]) for part in whole.breakdown_s}


def test_a_pipeline_that_sends_as_it_computes_still_waits_for_its_window():
    # 64 x 8 kB within 43 ms: what is beyond 31 windows waits for 5 round trips after the first byte, cut up or not
    timeline = play(stream(*[8192] * 64, pause_ms=0.67), MEDIA["fifo"])
    last = timeline.messages[-1].arrival_s
    assert last >= 0.67e-3 + 5 * ROUND_TRIP_S + LATENCY_S
    assert last <= 64 * 0.67e-3 + rounds_s(524_288) + 8 * 524_288 / RATE + LATENCY_S


def test_what_fits_the_first_window_is_not_held_back():
    for n_bytes, stalled_s in ((W, 0.0), (W + 1, ROUND_TRIP_S - 8 * W / RATE)):
        latency_s = play(stream(n_bytes), MEDIA["fifo"]).latency_s
        assert latency_s == near(stalled_s + 8 * n_bytes / RATE + LATENCY_S)


@pytest.mark.parametrize(("pause_s", "window"), [(0.0, 4 * W), (0.35, 4 * W), (0.6, 2 * W), (1.1, W)])
def test_the_pause_between_two_messages_decides_what_is_left_of_the_window(pause_s: float, window: int):
    # the first, of 3 W, leaves a window of 4 W; the second is started when the answer to it and a pause are over
    crossings = [exchange("send", [n, 0], 0, (0, 1)) for n in (3 * W, 7 * W)] + [exchange("send", [1, 0], 1, (1, 0))]
    pause = [work(1e3 * (pause_s - ROUND_TRIP_S))] if pause_s > ROUND_TRIP_S else []
    asks = [Start(0), Wait(2), *pause, Start(1)]
    timeline = play(plan([asks, [Wait(0), Start(2), Wait(1)], []], crossings), MEDIA["fifo"])
    second = max(timeline.messages, key=lambda message: message.posted_s)
    assert second.uplink_start_s - second.posted_s == pytest.approx(rounds_s(7 * W, window), abs=1e-9)


def test_what_the_window_takes_waits_at_the_port_and_not_before_it():
    timeline = play(stream(W // 2, W // 2), MEDIA["fifo"])
    assert [flight.held_since_s for flight in timeline.log.flights] == [None, None]
    assert timeline.latency_s == near(8 * W / RATE + LATENCY_S)


@pytest.mark.parametrize("medium", MEDIA)
def test_no_message_overtakes_another_of_its_connection(medium: str):
    # 0.3 ms is no binary fraction: sums of such pauses and stalls round
    timeline = play(stream(*[9_000, 100] * 20, pause_ms=0.3), MEDIA[medium])
    arrivals_s = [message.arrival_s for message in timeline.messages]
    assert arrivals_s == sorted(arrivals_s)


def test_what_is_posted_at_the_moment_at_which_another_is_let_go_comes_after_it():
    env, let_go = Environment(), list[Flight]()
    connection = SlowStart(SimpleNamespace(env=env, post=let_go.append), lambda source, destination: (inf, 0.25))
    large, small = (Flight(k, k, Message(0, 1, n), 0, 1, None, None) for k, n in enumerate((W + 1, 10)))
    env.timeout(0.25).callbacks.append(lambda event: connection.post(small))  # set before the large one's release is
    connection.post(large)
    env.run()
    assert (large.posted_s, let_go) == (0.25, [large, small])


def test_other_connections_have_windows_of_their_own():
    crossings = [exchange("send", [W, 0], 0, (0, to)) for to in (1, 2, 3)]
    a_plan = plan([[Start(0), Start(1), Start(2)], [Wait(0)], [Wait(1)], [Wait(2)], []], crossings)
    assert play(a_plan, MEDIA["fifo"]).latency_s == near(3 * 8 * W / RATE + LATENCY_S)


def test_a_connection_whose_message_waits_for_others_is_not_idle():
    # 0 sends 250 MB to 2, and 3 W to 1, which then wait for its port; 7 W more follow 0.3 s after they left: the window
    # is still the 4 W that they opened. Since they could have left, more than three timeouts have passed
    large, begin_s, pause_s = 250_000_000, 2.1, 0.3
    end_s = rounds_s(large) + 8 * (large + 3 * W) / RATE
    assert end_s + pause_s - (begin_s + ROUND_TRIP_S) > 3 * TIMEOUT_S
    crossings = [exchange("send", [n, 0], 0, (0, to)) for n, to in ((large, 2), (3 * W, 1), (7 * W, 1))]
    sends = [Start(0), work(1e3 * begin_s), Start(1), work(1e3 * (end_s + pause_s - begin_s)), Start(2)]
    timeline = play(plan([sends, [Wait(1), Wait(2)], [Wait(0)], []], crossings), MEDIA["fifo"])
    waits, last = (next(m for m in timeline.messages if m.payload_bytes == n * W) for n in (3, 7))
    assert waits.uplink_end_s == near(end_s)
    assert last.uplink_start_s - last.posted_s == near(rounds_s(7 * W, 4 * W))


BROADCASTS = {
    "fifo": Switch(RATE, RATE, LATENCY_S, collective="broadcast", slow_start=True),
    "radio": SharedRadio(RATE, LATENCY_S, collective="broadcast", direct=True, slow_start=True),
}


@pytest.mark.parametrize("medium", BROADCASTS)
@pytest.mark.parametrize("opened_to", [1, 2])
def test_a_broadcast_is_of_no_connection(medium: str, opened_to: int):
    # one of the two connections has a window of 8 W, but the one transmission to both waits for neither
    crossings = [exchange("send", [7 * W, 0], 0, (0, opened_to)), exchange("broadcast", [10 * W, 0, 0], 0)]
    waits = [[Wait(0), Wait(1)] if rank == opened_to else [Wait(1)] for rank in (1, 2)]
    a_plan = plan([[Start(0), work(500), Start(1)], *waits, []], crossings)
    assert play(a_plan, BROADCASTS[medium]).latency_s == near(0.5 + 8 * 10 * W / RATE + LATENCY_S)
