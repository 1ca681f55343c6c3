"""`strategy: {name: auto}`: the choice that it stands for."""

from __future__ import annotations

from typing import Any

from prism_sim.choice.compare import Candidate, Comparison, compare
from prism_sim.outputs.fidelity import fidelity_of
from prism_sim.progress import SILENT, Progress
from prism_sim.scenario import Scenario
from prism_sim.simulation.memory import remedies_text
from prism_sim.strategies import AUTO


def resolved(scenario: Scenario, progress: Progress = SILENT) -> Scenario:
    """The scenario with its strategy chosen: the fastest exact way, one device alone included, or a faster lossy one
    whose outputs' cosine to the exact ones is at least 1 - max_loss.

    Any other strategy stays as it is. Raises ScenarioError where nothing fits the devices.
    """
    if scenario.strategy.name != AUTO.name:
        return scenario
    max_loss: float | None = scenario.strategy.options.max_loss
    comparison = compare(scenario, numerics=False, progress=progress)
    chosen = comparison.best_lossless
    if max_loss is not None:
        chosen = _within(scenario, comparison, max_loss, progress) or chosen
    if not chosen.fits:
        rule = "auto finds nothing that fits: no device can hold the model, nor a part of it"
        remedies = remedies_text(scenario.with_overrides({"strategy.name": "single", "strategy.max_loss": None}))
        raise scenario.error(("strategy", "name"), f"{rule}; {remedies}")
    progress.line(f"auto: {chosen.strategy} over {len(chosen.devices)} device(s)")
    choice = {"strategy.name": chosen.strategy, "strategy.max_loss": None, "ranks": list(chosen.devices)}
    return scenario.with_overrides(choice | _shares(scenario, chosen))


def _shares(scenario: Scenario, chosen: Candidate) -> dict[str, Any]:
    """Those that the choice was played with, unless the scenario states them for its devices."""
    assert chosen.simulation is not None
    stated = scenario.written.strategy_fields.get("shares")
    if stated is not None and not (isinstance(stated, tuple) and chosen.devices != scenario.ranks):
        return {}
    shares = getattr(chosen.simulation.job.options, "shares", None)
    return {"strategy.shares": None if shares is None else list(shares)}


def _within(scenario: Scenario, comparison: Comparison, max_loss: float, progress: Progress) -> Candidate | None:
    """The fastest lossy candidate that beats the exact ones and loses no more than it may."""
    exact_s = comparison.best_lossless.latency_s
    lossy = [one for one in comparison.candidates if not one.lossless and one.latency_s < exact_s]
    for candidate in sorted(lossy, key=lambda one: one.latency_s):
        assert candidate.simulation is not None
        if 1 - fidelity_of(scenario, candidate.simulation.job, progress).cosine <= max_loss:
            return candidate
    return None
