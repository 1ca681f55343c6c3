"""A stream of requests that repeats itself is not played to its end, and gives what playing it all gives."""

from __future__ import annotations

import pytest

from prism_sim.families import find
from prism_sim.plan import Compute, Exchange, Kernel, Plan, Start, Wait
from prism_sim.shapes.interpreter import predict
from prism_sim.shapes.job import Job
from prism_sim.strategies import catalogue
from prism_sim.timing import Device, Link, Links, SharedRadio, Switch, play_stream
from prism_sim.timing.rhythm import Rhythm, StreamState

N_TOKENS, N_RANKS = 24, 3
NETWORKS = {
    "switch": Switch(80e6, 80e6, 1e-4),
    "unequal ports": Switch(20e6, 80e6, 1e-3, message_overhead_s=2e-4),
    "fair": Switch(80e6, 80e6, 1e-4, sharing="fair"),
    "ring": Switch(80e6, 80e6, 1e-4, collective="ring"),
    "slow start": Switch(80e6, 80e6, 5e-3, slow_start=True),
    "radio": SharedRadio(50e6, 1e-3),
    "links": Links((Link(0, "r", 80e6, 80e6, 1e-3), Link(1, "r", 40e6, 40e6, 2e-3), Link(2, "r", 10e6, 10e6))),
}


def plan_of(strategy: str) -> Plan:
    sizes = find("bert").dimensions(
        {"hidden_size": 48, "num_hidden_layers": 3, "num_attention_heads": 3, "intermediate_size": 96}
        | {"vocab_size": 100, "max_position_embeddings": 64}
    )
    entry, head = catalogue()[strategy], find("bert").head("none")
    n_ranks = 1 if entry.one_rank else N_RANKS
    return predict(Job(sizes, head, 1, N_TOKENS, head.tokens(N_TOKENS), n_ranks, strategy, entry.options()))


def boards(unlike: float) -> list[Device]:
    return [Device(f"board {number}", 1e8 * (1 + unlike * number), 1e9) for number in range(N_RANKS)]


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("unlike", [0.0, 1e-4, 0.7])
@pytest.mark.parametrize("strategy", sorted(catalogue()))
def test_what_is_not_played_would_have_gone_on_like_that(network: str, unlike: float, strategy: str) -> None:
    plan = plan_of(strategy)
    question = plan, boards(unlike), (*range(plan.n_ranks), 0), NETWORKS[network]
    continued, whole = play_stream(*question), play_stream(*question, whole=True)
    assert continued.throughput_per_s == pytest.approx(whole.throughput_per_s, rel=1e-9)
    assert whole.n_played == len(whole.completions_s) == len(continued.completions_s)


def test_requests_that_drift_without_meeting_are_known_after_a_few() -> None:
    """Two ranks that send to nobody, one of them a little slower: each goes on at its own pace."""
    kernels = [(Kernel("work", flops, 0),) for flops in (1_000_000, 1_001_000)]
    programs = (*((Compute("work", kernel),) for kernel in kernels), ())
    plan = Plan(2, programs, (), (0,) * 3, (0,) * 3)
    stream = play_stream(plan, boards(0.0), (0, 1, 2), NETWORKS["switch"])
    assert stream.throughput_per_s == pytest.approx(1e8 / 1_001_000, rel=1e-12)
    assert stream.n_played < 6


def test_a_drift_that_will_end_before_the_last_request_is_played() -> None:
    """The receiver is ahead of the messages at first; they catch up, and then it is the slower one that counts."""
    send = Exchange("send", (0, 1), (1000, 0), 0, "send")
    programs = (
        (Compute("a", (Kernel("a", 100_000, 0),)), Start(0)),
        (Compute("b", (Kernel("b", 90_000, 0),)), Wait(0), Compute("c", (Kernel("c", 20_000, 0),))),
        (),
    )
    plan = Plan(2, programs, (send,), (0,) * 3, (0,) * 3)
    question = plan, boards(0.0), (0, 1, 2), Switch(80e6, 80e6, 5e-3)
    continued, whole = play_stream(*question), play_stream(*question, whole=True)
    assert continued.throughput_per_s == pytest.approx(whole.throughput_per_s, rel=1e-9)


@pytest.mark.parametrize("strategy", ["tensor_parallel", "galaxy", "prism", "pipeline"])
def test_how_many_requests_may_wait_does_not_matter_for_how_many_are_played(strategy: str) -> None:
    plan = plan_of(strategy)
    question = plan, boards(0.0), (*range(plan.n_ranks), 0), NETWORKS["switch"]
    few, many = (play_stream(*question, in_flight=in_flight) for in_flight in (2 * N_RANKS + 4, 40))
    assert many.throughput_per_s == pytest.approx(few.throughput_per_s, rel=1e-9)
    assert many.n_played <= 2 * few.n_played < len(few.completions_s)


def test_moments_that_differ_by_rounding_are_one() -> None:
    """Every third time something is an ulp late, so that somebody is woken, which is an event more."""
    rhythm, now_s = Rhythm(3), 0.0
    for number in range(5):
        woken = [now_s + 0.25, now_s + 0.25 * (1 + 1e-15)][: 1 + (number % 3 == 0)]
        rhythm.moments_s += [*woken, now_s + 0.5]
        now_s += 1.0
        known = rhythm.completed(now_s, StreamState((0, 0), number + 1, number + 1), 10)
        assert known == (number == 2)
        if known:
            break
    assert (rhythm.n_period, rhythm.period_s) == (1, 1.0)


def test_who_gets_further_ahead_does_not_repeat_itself() -> None:
    """Until as many requests are compared as are under way: by then the one who is ahead has no more to take."""
    known = []
    rhythm = Rhythm(4)
    for number in range(7):
        rhythm.moments_s.append(number + 0.5)
        known.append(rhythm.completed(number + 1.0, StreamState((number, 0), number + 1, number + 1), 10))
    assert known == [False] * 5 + [True] * 2


@pytest.mark.parametrize(("n_late", "is_known"), [(5, True), (15, False)])
def test_what_is_compared_goes_back_to_where_the_oldest_message_on_its_way_was_sent(
    n_late: int, is_known: bool
) -> None:
    """Of ten messages a request, the 26th was sent while the third was served, which began later than the second."""
    rhythm = Rhythm(40)
    for number, begin_s in enumerate((0.1, 0.1, 0.2, 0.2)):
        rhythm.moments_s.append(number + begin_s)
        state = StreamState((0, 0), 10 * (number + 1), max(0, 10 * (number + 1) - n_late))
        known = rhythm.completed(number + 1.0, state, 10)
    assert known == is_known
