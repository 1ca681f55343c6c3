"""What the later lessons say in prose is what the package computes, and what they do by hand is what formulas say."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pytest
from checks import QUICK
from grade import HERE, lessons, module_of

from prism_sim.timing import SharedRadio, Switch
from prism_sim.validation.small_plans import play, rounds

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(QUICK, "1")


@cache
def lesson(place: str) -> Any:
    """Its module, whose named cells run by themselves, after those that they need."""
    (path,) = (path for name, path in lessons().items() if name.startswith(place))
    return module_of(path)


@cache
def queue_by_hand() -> Callable[..., Any]:
    return lesson("08").queue_by_hand.run()[1]["responses_s"]


@cache
def design_hint() -> Callable[[str], str | None]:
    return lesson("10").design_verdict.run()[1]["hint_of"]


@cache
def designs() -> Any:
    return module_of(HERE / "solutions" / "10_a_design_project.py")


@pytest.mark.parametrize("n", [2, 4, 6])
@pytest.mark.parametrize(
    ("network", "times"),
    [
        (Switch(1e8, 1e8), lambda n: n - 1),
        (SharedRadio(1e8, direct=True), lambda n: n * (n - 1)),
        (SharedRadio(1e8), lambda n: 2 * n * (n - 1)),
    ],
    ids=["switch", "one channel", "access point"],
)
def test_an_all_gather_takes_a_medium_as_long_as_lesson_6_says(
    n: int, network: Any, times: Callable[[int], int]
) -> None:
    payload_bytes = 200_000
    one_s = 8 * payload_bytes / 1e8
    assert play(rounds("all_gather", [payload_bytes] * n), network).latency_s == pytest.approx(times(n) * one_s)


@pytest.mark.parametrize("n", [3, 6, 9])
def test_one_transmission_to_all_may_be_slower_by_the_number_of_its_receivers(n: int) -> None:
    exchange = rounds("all_gather", [20_000] * n)
    to_all = SharedRadio(1e8, direct=True, collective="broadcast", broadcast_bits_per_s=1e8 / (n - 1))
    one_by_one_s = play(exchange, SharedRadio(1e8, direct=True)).latency_s
    assert play(exchange, to_all).latency_s == pytest.approx(one_by_one_s)


@pytest.mark.parametrize(("exponential", "factor"), [(False, 2), (True, 1)], ids=["M/D/1", "M/M/1"])
def test_the_queue_by_hand_of_lesson_8_waits_as_the_formulas_say(exponential: bool, factor: int) -> None:
    rng, n, rho = np.random.default_rng(3), 20_000, 0.6
    services_s = rng.exponential(1, n) if exponential else np.ones(n)
    found_s = queue_by_hand()(rng.exponential(1 / rho, n), services_s)
    assert found_s.mean() == pytest.approx(1 + rho / (1 - rho) / factor, rel=0.05)
    if exponential:
        assert np.percentile(found_s, 95) == pytest.approx(math.log(20) / (1 - rho), rel=0.08)


def test_several_servers_serve_a_request_each() -> None:
    gaps_s = np.array([1.0, 0.0, 0.0, 0.0])
    assert queue_by_hand()(gaps_s, np.full(4, 2.0), 3).tolist() == [2, 2, 2, 4]


def test_a_fit_is_as_far_off_as_lesson_9_says() -> None:
    """Of the rows that it has seen, and at worst of one that it has not; their mean is an answer that is checked."""
    fitted = lesson("09").fitted
    everything, _nothing_unseen = fitted()
    assert round(100 * float(np.mean(np.abs(everything.errors())))) == 2
    last = everything.table.rows[-1]
    assert last.name == "voltage x2, batch 8"
    assert round(100 * (fitted(len(everything.table.rows) - 1)[1] / last.total_s - 1)) == 20


def test_several_designs_meet_the_demands_of_lesson_10() -> None:
    others = designs().OTHER_DESIGNS
    assert {design: design_hint()(design) for design in others} == dict.fromkeys(others)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("count: 4", "count: 4, compute: 1 TFLOP/s", "compute is stated"),
        ("count: 4", "count: 6", "price 620 euro"),
        ("raspberry-pi-5", "apple-m4", "apple-m4 is not in the shop"),
        ("llama-3.1-8b", "llama-3.2-1b", "the customer runs llama-3.1-8b"),
        ("weight_dtype: q8_0", "weight_dtype: q4_0", "q4_0 makes too many mistakes"),
        ("dtype: float16", "dtype: float16, head: none", "head is stated"),
        ("new_tokens: 64", "new_tokens: 8", "workload"),
        ("gigabit-ethernet", "gigabit-ethernet, bandwidth: 10 Gbit/s", "bandwidth is stated"),
        ("tensor_parallel", "prism", "another, but the limit is the model's own"),
        ("jetson-orin-nano, runtime: llama.cpp, count: 2", "jetson-orin-nano, runtime: llama.cpp", "memory 100%"),
        ("strategy", "stratgy", "design.yaml:7:1: stratgy"),
    ],
)
def test_a_design_is_refused_for_what_it_breaks(old: str, new: str, told: str) -> None:
    right = designs().design("jetson-orin-nano", 2) if "jetson" in old else designs().ANSWERS["answer_4"]
    assert old in right
    assert told in str(design_hint()(right.replace(old, new)))
