"""What bound a start is told apart by name."""

from __future__ import annotations

import pytest

from prism_sim.timing.ids import FlightId, HoldId, flight_of, hold_of, is_flight, of_flight, of_hold


@pytest.mark.parametrize("index", [0, 1, 1000])
def test_a_hold_and_a_flight_of_one_index_are_two_causes_and_each_gives_its_index_back(index: int) -> None:
    hold, flight = of_hold(HoldId(index)), of_flight(FlightId(index))
    assert hold != flight
    assert (is_flight(hold), is_flight(flight)) == (False, True)
    assert (hold_of(hold), flight_of(flight)) == (index, index)
