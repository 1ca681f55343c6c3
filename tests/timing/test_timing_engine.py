"""Laws of the engine on a switch with FIFO ports.

| case                      | latency                                                         |
|---------------------------|-----------------------------------------------------------------|
| one message               | 8 bytes / rate + latency                                        |
| uplink and downlink differ| 8 bytes / the slower + latency                                  |
| P - 1 senders, 1 receiver | (P - 1) 8 bytes / down + latency, if down is no faster than up  |
| all-gather, P devices     | (P - 1) 8 bytes / rate + latency                                |
"""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from timing_plans import GIGA, apart, assert_explained, device, exchange, one_exchange, plan, plans, rigs, work

from prism_sim.plan import Compute, Kernel, Plan, Start, Wait
from prism_sim.timing import Switch, play_once

FAST_ETHERNET = Switch(100e6, 100e6, latency_s=0.12e-3)
MEGABYTE = 10**6


def near(value: float) -> object:
    return pytest.approx(value, rel=1e-12)


def boards(count: int, **fields: float) -> list:
    return [device(f"board {number}", **fields) for number in range(count)]


def all_gathers(n_blocks: int, n_ranks: int, payload_bytes: int, compute_ms: float) -> Plan:
    steps = [step for block in range(n_blocks) for step in (work(compute_ms), Start(block), Wait(block))]
    return plan([steps] * n_ranks + [()], [exchange("all_gather", [payload_bytes] * n_ranks)] * n_blocks)


def test_twelve_all_gathers_among_four_devices_take_497_17_ms():
    timeline = play_once(all_gathers(12, 4, 151_296, 5.0), boards(4), (0, 1, 2, 3, 0), FAST_ETHERNET)
    transfer_s = 12 * 3 * 151_296 * 8 / 100e6
    assert timeline.latency_s == near(12 * (5e-3 + 0.12e-3) + transfer_s)
    assert timeline.latency_s == pytest.approx(497.17e-3, abs=5e-6)
    assert timeline.breakdown_s == {
        "compute": near(60e-3),
        "staging": 0,
        "overhead": 0,
        "transfer": near(transfer_s),
        "propagation": near(12 * 0.12e-3),
        "queue": pytest.approx(0, abs=1e-12),
    }
    assert timeline.sent_bytes == timeline.received_bytes == (12 * 3 * 151_296,) * 4 + (0,)
    assert timeline.wait_s[:4] == near((transfer_s + 12 * 0.12e-3,) * 4)


def test_computing_alone_takes_the_sum_of_its_kernels():
    kernels = (Kernel("product", 3 * GIGA, 0), Kernel("norm", 0, 500_000_000), Kernel("both", GIGA, 4 * GIGA))
    lonely = plan([[Compute("block", kernels)], []])
    timeline = play_once(lonely, [device(op_overhead_s=0.25)], (0, 0), FAST_ETHERNET)
    assert timeline.latency_s == near(3 + 0.5 + 4 + 3 * 0.25)
    assert timeline.breakdown_s["compute"] == near(7.5)
    assert timeline.breakdown_s["overhead"] == near(0.75)
    assert timeline.busy_s == (near(8.25),)


@pytest.mark.parametrize(("up", "down"), [(100e6, 100e6), (10e6, 100e6), (100e6, 10e6)])
def test_a_message_takes_its_bytes_over_the_slower_port_and_one_latency(up: float, down: float):
    timeline = play_once(one_exchange("send", [MEGABYTE, 0], 0), boards(2), (0, 1, 0), Switch(up, down, 0.02))
    assert timeline.latency_s == near(8 * MEGABYTE / min(up, down) + 0.02)
    assert timeline.breakdown_s["propagation"] == near(0.02)
    assert timeline.breakdown_s["queue"] == 0
    assert_explained(timeline)


def test_rates_may_differ_from_device_to_device():
    network = Switch(up_bits_per_s=(8e6, 1e9), down_bits_per_s=(1e9, 2e6))
    assert play_once(one_exchange("send", [MEGABYTE, 0], 0), boards(2), (0, 1, 0), network).latency_s == near(4.0)
    back = plan([[Wait(0)], [Start(0)], []], [exchange("send", [MEGABYTE, 0], 1, (1, 0))])
    assert play_once(back, boards(2), (0, 1, 0), network).latency_s == near(8e-3)


def test_messages_of_one_sender_follow_each_other_on_its_uplink():
    timeline = play_once(one_exchange("broadcast", [MEGABYTE, 0, 0, 0], 0), boards(4), (0, 1, 2, 3, 0), FAST_ETHERNET)
    assert timeline.latency_s == near(3 * 0.08 + 0.12e-3)
    assert timeline.breakdown_s["transfer"] == near(0.24)


def test_senders_that_meet_at_one_receiver_queue_for_its_downlink():
    gather = one_exchange("gather", [0] + [MEGABYTE] * 5, 0)
    timeline = play_once(gather, boards(6), (*range(6), 0), FAST_ETHERNET)
    assert timeline.latency_s == near(5 * 0.08 + 0.12e-3)
    assert timeline.breakdown_s["queue"] == near(4 * 0.08)
    assert timeline.breakdown_s["transfer"] == near(0.08)


def test_a_busy_receiver_does_not_block_its_senders_other_messages():
    # 1 and 2 both send to 3; 2 then sends to 0, whose port is idle: that message must not wait for 3's port
    three, zero = exchange("send", [MEGABYTE, 0], 1, (1, 3)), exchange("send", [MEGABYTE, 0], 2, (2, 3))
    onward = exchange("send", [MEGABYTE, 0], 2, (2, 0))
    programs = [[Wait(2)], [Start(0)], [Start(1), Start(2)], [], []]
    timeline = play_once(plan(programs, [three, zero, onward]), boards(4), (0, 1, 2, 3, 0), Switch(100e6, 100e6))
    assert timeline.latency_s == near(2 * 0.08)


def test_a_slow_downlink_behind_own_messages_is_transfer_and_behind_others_is_queue():
    own = plan([[Start(0), Start(1)], [Wait(0), Wait(1)], []], [exchange("send", [MEGABYTE, 0], 0)] * 2)
    timeline = play_once(own, boards(2), (0, 1, 0), Switch(100e6, 10e6))
    assert timeline.breakdown_s["transfer"] == near(1.6)
    assert timeline.breakdown_s["queue"] == 0


def test_copies_to_and_from_the_accelerator_come_before_the_first_and_after_the_last_message():
    gather = all_gathers(1, 3, MEGABYTE, 5.0)
    staged = boards(3, staging_bytes_per_s=1e8, staging_latency_s=2e-3)
    timeline = play_once(gather, staged, (0, 1, 2, 0), FAST_ETHERNET)
    copy_s = 2e-3 + 1e-2
    assert timeline.breakdown_s["staging"] == near(3 * copy_s)  # one out, one in for each of two messages
    assert timeline.latency_s == near(5e-3 + 3 * copy_s + 2 * 0.08 + 0.12e-3)


def test_a_scatter_copies_piece_by_piece_while_earlier_pieces_travel():
    staged = boards(3, staging_bytes_per_s=1e8, staging_latency_s=2e-3)
    timeline = play_once(one_exchange("scatter", [0, MEGABYTE, MEGABYTE], 0), staged, (0, 1, 2, 0), FAST_ETHERNET)
    copy_s = 2e-3 + 1e-2
    first, second = timeline.messages
    assert (first.posted_s, second.posted_s) == (near(copy_s), near(2 * copy_s))
    assert timeline.latency_s == near(copy_s + 2 * 0.08 + 0.12e-3 + copy_s)


def test_message_overhead_holds_the_senders_processor_once_a_message():
    network = replace(FAST_ETHERNET, message_overhead_s=0.1)
    program = [Start(0), work(5.0)]
    busy = plan([program, [Wait(0)], [Wait(0)], []], [exchange("broadcast", [MEGABYTE, 0, 0], 0)])
    timeline = play_once(busy, boards(3), (0, 1, 2, 0), network)
    assert [message.posted_s for message in timeline.messages] == [near(0.1), near(0.2)]  # pipelined with the uplink
    assert timeline.busy_s == (near(0.205), 0, 0)
    assert timeline.latency_s == near(0.2 + 0.08 + 0.12e-3)
    assert timeline.breakdown_s["overhead"] == near(0.2)


def test_participants_of_one_device_exchange_for_free():
    gather = all_gathers(2, 2, MEGABYTE, 5.0)
    staged = boards(2, staging_bytes_per_s=1.0, staging_latency_s=1.0)
    timeline = play_once(gather, staged, (1, 1, 0), replace(FAST_ETHERNET, message_overhead_s=1.0))
    assert timeline.latency_s == near(2 * 2 * 5e-3)
    assert timeline.sent_bytes == timeline.received_bytes == (0, 0, 0)
    assert timeline.messages == ()


def test_participants_of_one_device_compute_one_at_a_time():
    timeline = play_once(plan([[work(5.0)], [work(7.0)], [work(11.0)]]), boards(2), (0, 0, 1), FAST_ETHERNET)
    assert timeline.latency_s == near(12e-3)
    assert timeline.busy_s == (near(12e-3), near(11e-3))
    assert [span.participant for span in timeline.spans] == [0, 2, 1]  # 0 before 1: in order of issue


def test_work_between_start_and_wait_hides_the_transfer():
    def latency_s(steps: list) -> float:
        return play_once(
            plan([steps, steps, []], [exchange("all_gather", [MEGABYTE] * 2)]), boards(2), (0, 1, 0), FAST_ETHERNET
        ).latency_s

    assert latency_s([Start(0), work(100.0), Wait(0)]) == near(0.1)
    assert latency_s([Start(0), Wait(0), work(100.0)]) == near(0.1 + 0.08 + 0.12e-3)


def test_waiting_for_a_straggler_is_the_others_wait_and_not_part_of_the_path():
    gather = exchange("all_gather", [1000, 1000])
    programs = [[work(1.0), Start(0), Wait(0)], [work(50.0), Start(0), Wait(0)], []]
    timeline = play_once(plan(programs, [gather]), boards(2), (0, 1, 0), Switch(8e6, 8e6))
    assert timeline.wait_s == (near(50e-3), 0, 0)
    assert timeline.breakdown_s["compute"] == near(50e-3)
    assert timeline.critical_path[0].participant == 1


def test_messages_without_bytes_are_not_sent():
    timeline = play_once(one_exchange("gather", [0, 0, 5], 0), boards(3), (0, 1, 2, 0), FAST_ETHERNET)
    assert [message.source for message in timeline.messages] == [2]


def test_a_wait_for_what_nobody_sends_is_an_error():
    stuck = plan([[Wait(0)], [], []], [exchange("send", [1, 0], 1, (1, 0))])
    with pytest.raises(ValueError, match="participant 0 waits for ever: 1 messages of exchange 'send'"):
        play_once(stuck, boards(2), (0, 1, 0), FAST_ETHERNET)


def test_starting_an_exchange_twice_is_an_error():
    with pytest.raises(ValueError, match="starts exchange 'send' twice"):
        play_once(plan([[Start(0)] * 2, [], []], [exchange("send", [1, 0], 0)]), boards(2), (0, 1, 0), FAST_ETHERNET)


@pytest.mark.parametrize(("device_of", "message"), [((0, 1), "for each of 3 participants"), ((0, 1, 2), "of the 2")])
def test_device_of_must_fit_the_plan_and_the_devices(device_of: tuple[int, ...], message: str):
    with pytest.raises(ValueError, match=message):
        play_once(one_exchange("send", [1, 0], 0), boards(2), device_of, FAST_ETHERNET)


@st.composite
def cases(draw: st.DrawFn) -> tuple:
    a_plan = draw(plans())
    devices, device_of = draw(rigs(len(a_plan.programs)))
    rate = st.sampled_from((1e6, 30e6, 1e9))
    overhead_s = draw(st.sampled_from((0.0, 3e-4)))
    network = Switch(draw(rate), draw(rate), draw(st.sampled_from((0.0, 1e-3))), overhead_s)
    return a_plan, devices, device_of, network


@settings(deadline=None, max_examples=300)
@given(cases())
def test_parts_of_the_critical_path_sum_to_the_latency(case: tuple):
    assert_explained(play_once(*case))


@settings(deadline=None, max_examples=50)
@given(cases())
def test_the_same_case_gives_the_same_run_to_the_bit(case: tuple):
    first, second = play_once(*case), play_once(*case)
    assert first.latency_s == second.latency_s
    assert first.spans == second.spans
    assert first.messages == second.messages
    assert first.critical_path == second.critical_path


@settings(deadline=None, max_examples=100)
@given(cases())
def test_no_run_beats_its_processors_or_its_ports(case: tuple):
    a_plan, devices, device_of, network = case
    timeline = play_once(*case)
    sent_bytes = [0] * len(devices)
    for participant, payload_bytes in enumerate(timeline.sent_bytes):
        sent_bytes[device_of[participant]] += payload_bytes
    compute_s = [0.0] * len(devices)
    for participant in range(len(a_plan.programs)):
        board = device_of[participant]
        compute_s[board] += sum(devices[board].compute_s(step.kernels) for step in a_plan.computes(participant))
    slack = 1 + 1e-12
    assert timeline.latency_s * slack >= max(compute_s)
    for board, busy_s in enumerate(timeline.busy_s):
        assert busy_s * slack >= compute_s[board]
    assert timeline.latency_s * slack >= 8 * max(sent_bytes) / network.up_bits_per_s
    assert sum(timeline.sent_bytes) == sum(timeline.received_bytes)


def test_doubling_bandwidth_halves_transfer_but_not_latency():
    def parts(rate: float) -> dict[str, float]:
        case = all_gathers(3, 4, 151_296, 5.0)
        return play_once(case, boards(4), (0, 1, 2, 3, 0), Switch(rate, rate, 1e-3)).breakdown_s

    slow, fast = parts(100e6), parts(200e6)
    assert fast["transfer"] == near(slow["transfer"] / 2)
    assert fast["propagation"] == near(slow["propagation"])
    assert fast["compute"] == near(slow["compute"])


@settings(deadline=None, max_examples=50)
@given(plans())
def test_without_fixed_costs_doubling_every_rate_halves_the_latency(a_plan: Plan):
    slow = boards(len(a_plan.programs), staging_bytes_per_s=1e8)
    fast = boards(len(a_plan.programs), flops_per_s=2e9, memory_bytes_per_s=2e9, staging_bytes_per_s=2e8)
    slow_s = play_once(a_plan, slow, apart(a_plan), Switch(100e6, 70e6)).latency_s
    fast_s = play_once(a_plan, fast, apart(a_plan), Switch(200e6, 140e6)).latency_s
    assert fast_s == near(slow_s / 2)


@pytest.mark.parametrize("field", ["up_bits_per_s", "down_bits_per_s"])
@pytest.mark.parametrize("value", [0, -1.0, float("nan"), (1e6, 0.0)])
def test_a_switch_needs_rates_above_zero(field: str, value: object):
    with pytest.raises(ValueError, match=rf"{field}\(=.*\) must be > 0"):
        replace(FAST_ETHERNET, **{field: value})


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"latency_s": -1}, r"latency_s\(=-1\) must be finite and >= 0"),
        ({"sharing": "fifi"}, r"sharing\(='fifi'\) must be one of fifo"),
    ],
)
def test_a_wrong_field_of_a_switch_is_named_with_its_value(fields: dict, message: str):
    with pytest.raises(ValueError, match=message):
        replace(FAST_ETHERNET, **fields)


def test_rates_must_be_as_many_as_devices():
    with pytest.raises(ValueError, match="one rate for each of the 2 devices"):
        play_once(one_exchange("send", [1, 0], 0), boards(2), (0, 1, 0), Switch((1e6, 1e6, 1e6), 1e6))
