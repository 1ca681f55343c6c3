"""A measured row of several devices as a scenario, and what it is predicted to take with the presets as they are."""

from __future__ import annotations

from typing import Any

from prism_sim.boards.cases import BASE, model_section
from prism_sim.boards.rows import ClusterRow
from prism_sim.scenario import Scenario, load_scenario
from prism_sim.simulation.simulate import simulate

NEW_TOKENS = {"prefill": 1, "decode": 2, "request": 64}
COLLECTIVES = {"distributed-llama": "star"}  # how a runtime's exchanges become messages; others: as is quickest


def cluster_scenario(row: ClusterRow) -> Scenario:
    network: dict[str, Any] = {"preset": row.network, "collective": COLLECTIVES.get(row.runtime, "quickest")}
    if row.bandwidth_mbit is not None:
        network["bandwidth"] = f"{row.bandwidth_mbit:g} Mbit/s"
    model = model_section(row.model, dtype=row.dtype, weight_dtype=row.weight_dtype, wire_dtype=row.wire_dtype)
    strategy: dict[str, Any] = {"name": row.strategy}
    strategy |= {name: int(value) if value.isdigit() else value for name, value in row.options.items()}
    return load_scenario(
        BASE,
        {
            "model": model,
            "workload": {"tokens": row.tokens, "new_tokens": NEW_TOKENS[row.phase]},
            "devices": [{"preset": row.device, "runtime": row.runtime, "count": row.n_devices}],
            "network": network,
            "strategy": strategy,
        },
    )


def predicted_s(row: ClusterRow) -> float:
    """With several requests in flight, stages take turns at their steps, and each request waits for as many."""
    simulation = simulate(cluster_scenario(row))
    generation = simulation.generation
    assert generation is not None  # every row has new tokens
    if row.phase == "request":
        return simulation.latency_s
    if row.phase == "prefill":
        return generation.ttft_s
    assert generation.tpot_s is not None
    return generation.tpot_s / row.in_flight
