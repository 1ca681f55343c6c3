"""The window of a TCP connection. W: the initial one, r: round trip, R: rate.

| connection                          | message              | leaves                                             |
|-------------------------------------|----------------------|----------------------------------------------------|
| idle                                | (2^k - 1) W < s,     | k r - 8 (2^k - 1) W / R + 8 s / R; no more stalls  |
|                                     | s <= (2^(k+1) - 1) W | once 8 2^k W / R >= r                              |
| any                                 | s in n pieces        | as s in one                                        |
| with u under way at most            | later ones           | in a window of 2 u, W at least                     |
| idle for k timeouts of r + 200 ms   | later ones           | in a window halved k times, W at least             |
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from timing_plans import stalls_s

from prism_sim.timing.media.congestion_window import INITIAL_WINDOW_BYTES as W
from prism_sim.timing.media.congestion_window import CongestionWindow

RATE, ROUND_TRIP_S = 1e9, 0.2
TIMEOUT_S = ROUND_TRIP_S + 0.2


def near(value: object) -> object:
    return pytest.approx(value, rel=1e-9)


def rounds_s(payload_bytes: int, window_bytes: float = W) -> float:
    return stalls_s(payload_bytes, window_bytes, RATE, ROUND_TRIP_S)


def opened(most_bytes: int) -> CongestionWindow:
    """Long enough ago for all to be acknowledged, so many bytes were under way."""
    window = CongestionWindow(RATE, ROUND_TRIP_S)
    window.window_bytes = most_bytes
    assert window.send(most_bytes, 0.0) == 0
    return window


@given(
    n=st.integers(1, 40),
    piece_bytes=st.integers(1, 300_000),
    rate=st.sampled_from((1e6, 30e6, 1e9, 1e11)),
    round_trip_s=st.sampled_from((1e-3, 0.02, 0.2, 1.0)),
)
def test_n_pieces_leave_when_one_message_would(n: int, piece_bytes: int, rate: float, round_trip_s: float):
    whole, cut = CongestionWindow(rate, round_trip_s), CongestionWindow(rate, round_trip_s)
    stalled_s = whole.send(n * piece_bytes, 1.0)
    assert stalled_s == pytest.approx(stalls_s(n * piece_bytes, W, rate, round_trip_s), abs=1e-9)
    assert whole.left_s == near(1.0 + stalled_s + 8 * n * piece_bytes / rate)
    assert sum(cut.send(piece_bytes, 1.0) for _ in range(n)) == pytest.approx(stalled_s, abs=1e-9)
    assert cut.left_s == near(whole.left_s)
    for window in (whole, cut):
        window.send(0, window.left_s + 2 * round_trip_s)  # once all is acknowledged
    assert cut.window_bytes == near(whole.window_bytes)


traffic = st.lists(st.tuples(st.sampled_from((0, 1, 40, 150, 151, 300, 2000)), st.integers(1, 1500)), max_size=8)


@given(traffic, st.sampled_from((101, 150, 700)))
def test_bytes_leave_as_they_would_one_by_one(messages: list[tuple[int, int]], round_trip_s: int):
    """Counted in hundredths of the initial window, one a second; rounding to these is worth a few of them."""
    window, at_s, ready_s = CongestionWindow(8 * W / 100, round_trip_s), 0, list[int]()
    for pause_s, n in messages:
        at_s += pause_s
        window.send(n * W // 100, at_s)
        ready_s += [at_s] * n
    left_s = one_by_one(ready_s, 100, round_trip_s)
    for shift in (-6, 6) if left_s else ():
        there = min(len(left_s), max(1, len(left_s) + shift))
        assert (left_s[there - 1] + 1 + shift - window.left_s) * shift >= 0


def one_by_one(ready_s: list[int], window: float, round_trip_s: int) -> list[int]:
    """The clock goes on by the time of one: the acknowledgement that is due widens the window, one leaves if it may."""
    left_s, n_acknowledged, most, now_s = list[int](), 0, 0, 0
    while len(left_s) < len(ready_s):
        if n_acknowledged < len(left_s) and left_s[n_acknowledged] + round_trip_s <= now_s:
            n_acknowledged += 1
            window = max(window, min(window + 1, 2 * most))
        if ready_s[len(left_s)] <= now_s and len(left_s) - n_acknowledged < window:
            left_s.append(now_s)
            most = max(most, len(left_s) - n_acknowledged)
        now_s += 1
    return left_s


@given(st.integers(1, 10**8), st.integers(0, 10**7))
def test_more_bytes_never_leave_earlier(n_bytes: int, n_more: int):
    fewer, more = CongestionWindow(RATE, ROUND_TRIP_S), CongestionWindow(RATE, ROUND_TRIP_S)
    fewer.send(n_bytes, 0.0)
    more.send(n_bytes + n_more, 0.0)
    assert more.left_s >= fewer.left_s


def test_what_a_connection_has_sent_opens_its_window_for_what_comes_next():
    window = CongestionWindow(RATE, ROUND_TRIP_S)
    assert window.send(3 * W, 0.0) == near(rounds_s(3 * W))  # W, then 2 W under way: a window of 4 W
    at_s = window.left_s + ROUND_TRIP_S
    assert window.send(4 * W, at_s) == 0
    assert window.send(1, at_s) == near(ROUND_TRIP_S - 8 * 4 * W / RATE)


def test_once_the_window_covers_what_the_path_holds_nothing_stalls_again():
    window, path_bytes = CongestionWindow(RATE, ROUND_TRIP_S), RATE * ROUND_TRIP_S / 8
    assert window.send(10**8, 0.0) == near(rounds_s(10**8))
    assert path_bytes <= window.window_bytes <= 2 * path_bytes * (1 + 1e-9)
    for pause_s in (0.0, 0.1, 0.35):
        assert window.send(10**8, window.left_s + pause_s) == 0


@pytest.mark.parametrize(("n_timeouts", "window"), [(0, 8 * W), (1, 4 * W), (2, 2 * W), (3, W), (4, W), (5000, W)])
def test_each_timeout_of_idleness_halves_the_window_down_to_the_first(n_timeouts: int, window: int):
    connection = opened(4 * W)
    idle_s = (n_timeouts + 0.5) * TIMEOUT_S
    connection.idle(idle_s)
    at_s = connection.left_s + idle_s
    assert connection.send(window, at_s) == 0
    assert connection.send(1, at_s) == near(ROUND_TRIP_S - 8 * window / RATE)


def test_a_trickle_opens_no_window():
    window = CongestionWindow(RATE, ROUND_TRIP_S)
    assert all(window.send(1000, 0.3 * number) == 0 for number in range(1000))
    assert window.send(10 * W, 300.0) == near(rounds_s(10 * W))


def test_a_window_opens_to_twice_what_was_under_way():
    window = CongestionWindow(RATE, ROUND_TRIP_S)
    for number in range(100):
        assert window.send(10_000, 0.3 * number) == 0
    assert window.send(20_000, 30.0) == 0
    assert window.send(1, 30.0) == near(ROUND_TRIP_S - 8 * 20_000 / RATE)


def test_what_was_under_way_before_idleness_does_not_count_after_it():
    connection = opened(4 * W)  # a window of 8 W
    connection.idle(1.5 * TIMEOUT_S)  # of 4 W
    at_s = connection.left_s + 1.5 * TIMEOUT_S
    for _ in range(100):
        at_s += 1.5 * ROUND_TRIP_S
        assert connection.send(1000, at_s) == 0
    at_s += 1.5 * ROUND_TRIP_S
    assert connection.send(4 * W, at_s) == 0
    assert connection.send(1, at_s) == near(ROUND_TRIP_S - 8 * 4 * W / RATE)


@pytest.mark.parametrize("n", [1, 800])
def test_many_small_messages_that_are_under_way_together_open_it_as_one_does(n: int):
    window = opened(4 * W)
    assert window.under_way_bytes == 4 * W
    many = CongestionWindow(RATE, ROUND_TRIP_S)
    many.window_bytes = 4 * W
    assert sum(many.send(4 * W // n, 0.0) for _ in range(n)) == 0
    at_s = 2 * ROUND_TRIP_S
    assert many.send(4 * W, at_s) == window.send(4 * W, at_s) == 0
    assert many.window_bytes == window.window_bytes == 8 * W
