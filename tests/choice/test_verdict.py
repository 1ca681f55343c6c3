"""The verdict, in each of the cases that a user can meet; and the words for quantities."""

from __future__ import annotations

import math

import pytest

from prism_sim import run
from prism_sim.choice.verdict import verdict
from prism_sim.units_text import bytes_text, flops_text, interval_text, rate_text, seconds_text

COSTLY = {
    "model.dims": {
        "model_type": "bert",
        "hidden_size": 64,
        "num_hidden_layers": 3,
        "num_attention_heads": 2,
        "intermediate_size": 256,
        "vocab_size": 300,
        "max_position_embeddings": 512,
    },
    "workload.tokens": 256,
}


def said(load, overrides, **options) -> str:
    return verdict(run(load(COSTLY | overrides, **options), numerics=False))


def test_distribute_where_it_is_faster_than_any_device_alone(load):
    text = said(load, {})
    assert text.startswith("Distribute: prism over 2 devices takes ")
    assert "board-0 alone takes" in text
    assert "times as fast" in text
    assert "Splitting saves" in text


def test_do_not_distribute_over_a_slow_network_and_say_what_costs_most(load):
    text = said(load, {"network.bandwidth": "10 kbit/s"})
    assert text.startswith("Do not distribute: prism over 2 devices takes ")
    assert text.endswith("most of it transfer.")
    assert said(load, {"network.latency": "10 s"}).endswith("most of it propagation.")


def test_no_gain_where_exchange_eats_what_is_saved(load):
    free = run(load(COSTLY | {"network.latency": "0 s"}), numerics=False)
    per_exchange_s = (free.single.latency_s - free.latency_s) / 3
    text = said(load, {"network.latency": f"{per_exchange_s * 1e6:.6f} us"})
    assert text.startswith("No gain: prism over 2 devices takes ")


UNEQUAL = {
    "devices": [
        {"name": "slow", "compute": "1 GFLOP/s", "memory_bandwidth": "1000 GB/s"},
        {"name": "fast", "compute": "50 GFLOP/s", "memory_bandwidth": "1000 GB/s"},
    ]
}


def test_faster_but_not_worth_it_where_shipping_elsewhere_is_faster_still(load):
    text = said(load, UNEQUAL)
    assert text.startswith("Faster than slow, but not worth it: ")
    assert "Shipping all of it to fast takes" in text


def test_do_not_distribute_but_ship(load):
    text = said(load, UNEQUAL | {"strategy": {"name": "prism", "segments": 2, "shares": [0.99, 0.01]}})
    assert text.startswith(("Do not distribute", "No gain", "Faster than slow, but not worth it"))
    assert "Shipping all of it to fast takes" in text


def test_one_device_says_that_it_is_one_and_where_it_would_be_faster(load):
    assert said(load, {"ranks": [0]}).startswith("One device: board-0 asks and the answer takes ")
    assert "Shipping all of it to fast takes" in said(load, UNEQUAL | {"ranks": [0]})
    assert "Shipping" not in said(load, {"ranks": [0]})


@pytest.mark.parametrize(
    ("text", "value", "expected"),
    [
        (seconds_text, 0, "0 s"),
        (seconds_text, 0.4147, "415 ms"),
        (seconds_text, 1.288, "1.29 s"),
        (seconds_text, 12.34, "12.3 s"),
        (seconds_text, 1234.5, "1234 s"),
        (seconds_text, 59e-6, "59.0 µs"),
        (seconds_text, 1.5e-9, "1.50 ns"),
        (seconds_text, 0.99999, "1.00 s"),
        (seconds_text, -0.25, "-250 ms"),
        (bytes_text, 5898240, "5.90 MB"),
        (bytes_text, 0, "0 B"),
        (bytes_text, 1, "1.00 B"),
        (bytes_text, 999, "999 B"),
        (bytes_text, 1000, "1.00 kB"),
        (bytes_text, 8 * 2**30, "8.59 GB"),
        (rate_text, 400e6, "400 Mbit/s"),
        (rate_text, 1e9, "1.00 Gbit/s"),
        (flops_text, 35.15e9, "35.1 GFLOP"),
        (flops_text, 281e12, "281 TFLOP"),
    ],
)
def test_quantities_have_three_digits_and_a_unit(text, value, expected):
    assert text(value) == expected


def test_an_interval_says_its_unit_once_where_it_is_one():
    assert interval_text(0.38, 0.45) == "380 to 450 ms"
    assert interval_text(0.95, 1.2) == "950 ms to 1.20 s"
    assert interval_text(0.0, 2.0) == "0 to 2.00 s"


@pytest.mark.parametrize("text", [seconds_text, bytes_text, rate_text, flops_text])
def test_a_written_quantity_is_within_half_a_percent_and_short(text):
    scales = {"n": 1e-9, "µ": 1e-6, "m": 1e-3, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12}
    for exponent in range(0 if text is not seconds_text else -36, 57):
        value = 10 ** (exponent / 4) * 1.0001
        number, unit = text(value).split(" ")
        scale = scales.get(unit[0], 1) if len(unit) > 1 and unit not in ("bit/s", "FLOP") else 1
        assert float(number) * scale == pytest.approx(value, rel=6e-3), (value, text(value))
        assert len(number) <= 5 or value > 1e4 * max(scale, 1), (value, text(value))
        assert math.isfinite(float(number))
