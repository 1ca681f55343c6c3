"""A link's numbers are found again from times that follow its law, also where some do not."""

from __future__ import annotations

import dataclasses

import pytest

from prism_sim.live.link import PROBES, LinkEstimate, Probe, fit_link, measure_link

TRUE = LinkEstimate(latency_s=2e-3, bits_per_s=80e6, message_overhead_s=150e-6, typical_error=0.0, probes=())


def probes(estimate: LinkEstimate = TRUE) -> list[Probe]:
    return [Probe(count, size, estimate.fitted_s(count, size)) for count, size in PROBES]


def test_the_numbers_behind_exact_times_are_found():
    found = fit_link(probes())
    assert found.latency_s == pytest.approx(TRUE.latency_s, rel=1e-3)
    assert found.bits_per_s == pytest.approx(TRUE.bits_per_s, rel=1e-3)
    assert found.message_overhead_s == pytest.approx(TRUE.message_overhead_s, rel=1e-3)


@pytest.mark.parametrize("struck", range(0, len(PROBES), 3))
def test_one_probe_that_a_busy_machine_spoilt_changes_little(struck: int):
    given = probes()
    given[struck] = dataclasses.replace(given[struck], seconds=8 * given[struck].seconds)
    found = fit_link(given)
    assert found.latency_s == pytest.approx(TRUE.latency_s, rel=0.25)
    assert found.bits_per_s == pytest.approx(TRUE.bits_per_s, rel=0.25)
    assert found.message_overhead_s == pytest.approx(TRUE.message_overhead_s, rel=0.25)


def test_too_few_probes_are_refused():
    with pytest.raises(ValueError, match="at least two sizes and two numbers of messages"):
        fit_link(probes()[:3])


@pytest.mark.slow
def test_loopback_has_a_latency_and_a_rate():
    """Orders of magnitude only: other work may share the machine."""
    found = measure_link(seconds=3.0, timeout_s=60.0)
    assert 1e-6 < found.latency_s < 0.1
    assert found.bits_per_s > 10e6
    assert found.message_overhead_s < 0.1
