"""Whatever the hardware: what is recommended fits, and nothing that was simulated and fits is faster than it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from prism_sim import ScenarioError, load_scenario, run
from prism_sim.choice.auto import resolved
from prism_sim.choice.compare import Candidate, compare
from prism_sim.choice.comparison_verdict import comparison_verdict
from prism_sim.choice.verdict import verdict
from prism_sim.simulation.simulate import simulate

TEXT = """\
model:
  dims: {model_type: bert, hidden_size: 96, num_hidden_layers: 3, num_attention_heads: 6, intermediate_size: 384,
    vocab_size: 1000, max_position_embeddings: 256, type_vocab_size: 2}
workload: {batch: 2, tokens: 48}
devices: [{name: d0, compute: 1 GFLOP/s, memory_bandwidth: 1 GB/s}]
network: {bandwidth: 100 Mbit/s, latency: 1 ms}
strategy: {name: prism, segments: 4}
"""
MODEL_BYTES = 4 * (3 * (12 * 96**2 + 13 * 96) + 1258 * 96)  # blocks, and tables of words, positions and types

speeds = st.sampled_from([50e6, 100e6, 400e6, 2e9])
memories = st.sampled_from([None, 3 * MODEL_BYTES, 1.2 * MODEL_BYTES, 0.8 * MODEL_BYTES, 0.5 * MODEL_BYTES])
devices = st.lists(st.tuples(speeds, memories), min_size=1, max_size=5)
networks = st.fixed_dictionaries(
    {
        "bandwidth": st.sampled_from(["2 Mbit/s", "50 Mbit/s", "1 Gbit/s"]),
        "latency": st.sampled_from(["0 s", "0.2 ms", "5 ms"]),
        "medium": st.sampled_from(["switch", "shared"]),
    }
)


def hardware(drawn: list[tuple[float, float | None]], network: dict[str, Any], batch: int) -> dict[str, Any]:
    boards = [
        {"name": f"d{number}", "compute": f"{speed} FLOP/s", "memory_bandwidth": "4 GB/s"}
        | ({} if memory is None else {"memory": f"{memory:.0f} B"})
        for number, (speed, memory) in enumerate(drawn)
    ]
    return {"devices": boards, "network": network, "workload.batch": batch}


def really_fits(candidate: Candidate, memory: list[float | None]) -> bool:
    """By the plan alone: what all participants on a device hold; of replicas each the blocks, for other requests."""
    played = candidate.simulation
    assert played is not None
    held = [0] * len(memory)
    weights = list(played.plan.weight_bytes)
    if candidate.strategy == "replicas":
        weights[:-1] = [max(weights[:-1])] * (len(weights) - 1)
    for one, device in enumerate(played.device_of):
        held[device] += weights[one] + played.plan.activation_bytes[one]
    return all(have is None or need <= round(have) for need, have in zip(held, memory, strict=True))


@pytest.mark.slow
@given(drawn=devices, network=networks, batch=st.sampled_from([1, 2, 5]))
@settings(max_examples=12, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_recommended_fits_and_is_the_fastest_of_its_class(tmp_path: Path, drawn, network, batch):
    file = tmp_path / "hardware.yaml"
    file.write_text(TEXT)
    scenario = load_scenario(file, hardware(drawn, network, batch))
    memory = [have for _, have in drawn]
    comparison = compare(scenario, numerics=False)
    assert comparison_verdict(comparison)
    known = [one for one in (comparison.alone, comparison.fastest_alone, *comparison.candidates) if one.simulation]
    for one in known:
        assert one.fits is really_fits(one, memory)
    exact, lossy = comparison.best_lossless, comparison.best_lossy
    fitting = [one for one in known if one.fits]
    assert exact.fits is any(one.lossless for one in fitting)
    assert all(exact.latency_s <= one.latency_s for one in fitting if one.lossless)
    assert all(lossy is not None and lossy.latency_s <= one.latency_s for one in fitting if not one.lossless)
    rates = [one.simulation.throughput_per_s for one in fitting if one.lossless and one.simulation]
    if rates:
        assert comparison.best_throughput.simulation.throughput_per_s == max(rates)

    even = compare(scenario.with_overrides({"strategy.shares": "equal"}), numerics=False)
    assert exact.latency_s <= even.best_lossless.latency_s * (1 + 1e-9)
    if even.best_lossy is not None:
        assert lossy is not None
        assert lossy.latency_s <= even.best_lossy.latency_s * (1 + 1e-9)

    automatic = scenario.with_overrides({"strategy.name": "auto"})
    if exact.fits:
        chosen = simulate(resolved(automatic))
        assert chosen.fits
        assert chosen.latency_s == pytest.approx(exact.latency_s, rel=1e-12)
    else:
        with pytest.raises(ScenarioError, match="nothing that fits"):
            resolved(automatic)

    if not simulate(scenario).fits:
        with pytest.raises(ScenarioError, match="does not fit"):
            run(scenario, numerics=False)
        return
    result = run(scenario, numerics=False)
    said = verdict(result)
    assert result.simulation.fits
    alone = [one.latency_s for one in (comparison.alone, comparison.fastest_alone) if one.fits]
    if not alone:
        assert said.startswith("Distribute: ")
    elif said.startswith("Distribute, but not evenly"):
        assert result.served is not None
        assert result.served.latency_s < min(alone)
    elif said.startswith("Distribute"):
        assert result.latency_s < min(alone)
    elif len(drawn) > 1:
        assert result.latency_s > 0.98 * min(alone)
