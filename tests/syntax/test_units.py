"""Quantities are SI inside, whatever unit they are written in."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prism_sim.syntax import units

UNITS = [units.BIT_RATE, units.COMPUTE, units.MEMORY_RATE, units.MEMORY, units.TIME, units.POWER]

# (unit, text, SI value)
WRITTEN = [
    (units.BIT_RATE, "100 Mbit/s", 1e8),
    (units.BIT_RATE, "100Mbit/s", 1e8),
    (units.BIT_RATE, " 1 Gbit/s ", 1e9),
    (units.BIT_RATE, "120 kbit/s", 120e3),
    (units.BIT_RATE, "5 bit/s", 5.0),
    (units.BIT_RATE, "12.5 MB/s", 1e8),
    (units.BIT_RATE, "1 MiB/s", 8 * 2**20),
    (units.BIT_RATE, "1e2 Mbit/s", 1e8),
    (units.BIT_RATE, ".5 Gbit/s", 5e8),
    (units.TIME, "5 ms", 0.005),
    (units.TIME, "0.45 ms", 0.00045),
    (units.TIME, "20 us", 20e-6),
    (units.TIME, "20 \u00b5s", 20e-6),
    (units.TIME, "20 \u03bcs", 20e-6),
    (units.TIME, "7 ns", 7e-9),
    (units.TIME, "2 min", 120.0),
    (units.TIME, "0 s", 0.0),
    (units.COMPUTE, "1.28 TFLOP/s", 1.28e12),
    (units.COMPUTE, "57 GFLOP/s", 57e9),
    (units.MEMORY_RATE, "68 GB/s", 68e9),
    (units.MEMORY_RATE, "1 GiB/s", 2**30),
    (units.MEMORY, "8 GiB", 8 * 2**30),
    (units.MEMORY, "8 GB", 8e9),
    (units.POWER, "7 W", 7.0),
    (units.POWER, "25 mW", 0.025),
    (units.STAGING_RATE, "none", math.inf),
]


@pytest.mark.parametrize(("unit", "text", "value"), WRITTEN)
def test_a_text_with_its_unit_is_the_si_number(unit, text, value):
    assert unit.parse(text) == value


def test_a_megabit_is_a_million_bits_and_a_byte_eight():
    assert units.BIT_RATE.parse("1 MB/s") == 8 * units.BIT_RATE.parse("1 Mbit/s") == 8e6


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.quantity)
@given(amount=st.floats(min_value=1e-12, max_value=1e18))
def test_the_text_of_a_value_reads_back_as_the_same_value(unit, amount):
    assert unit.parse(unit.text(amount)) == amount


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.quantity)
def test_the_example_that_errors_show_is_valid(unit):
    assert unit.parse(unit.example) > 0


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.quantity)
@pytest.mark.parametrize("value", ["", " ", "1", 1, 1.5, True, None, [], "ms", "1 1 ms", "1 m s", "nan s", "1 furlong"])
def test_what_is_no_quantity_is_refused_with_an_example(unit, value):
    with pytest.raises(ValueError, match=r"such as '"):
        unit.parse(value)


# (what is often written, the unit, what is meant)
MISSPELT = [
    ("Mbps", units.BIT_RATE, "Mbit/s"),
    ("Mb/s", units.BIT_RATE, "Mbit/s"),
    ("MBps", units.BIT_RATE, "MB/s"),
    ("GBit/s", units.BIT_RATE, "Gbit/s"),
    ("mbps", units.BIT_RATE, "Mbit/s"),
    ("TFLOPS", units.COMPUTE, "TFLOP/s"),
    ("GFlops", units.COMPUTE, "GFLOP/s"),
    ("gb/s", units.MEMORY_RATE, "GB/s"),
    ("gib", units.MEMORY, "GiB"),
    ("MS", units.TIME, "ms"),
    ("w", units.POWER, "W"),
]


@pytest.mark.parametrize(("written", "unit", "meant"), MISSPELT)
def test_a_common_spelling_is_answered_with_the_one_that_is_meant(written, unit, meant):
    with pytest.raises(ValueError, match=rf"did you mean .*'{meant}'"):
        unit.parse(f"3 {written}")
