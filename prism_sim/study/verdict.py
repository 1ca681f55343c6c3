"""The answer in one sentence: distribute or not, and why."""

from __future__ import annotations

from prism_sim.study.result import RunResult
from prism_sim.units_text import seconds_text

NOTICEABLE = 0.02  # a difference below 2 % is called none


def verdict(result: RunResult) -> str:
    """One line for the terminal."""
    name, n_ranks = result.simulation.job.strategy, result.simulation.plan.n_ranks
    latency, alone = result.latency_s, result.single.latency_s
    terminal = result.scenario.devices[result.scenario.terminal].name
    if n_ranks == 1:
        return f"One device: {terminal} asks and the answer takes {seconds_text(latency)}." + _elsewhere(result)
    over = f"{name} over {n_ranks} devices takes {seconds_text(latency)}"
    against = f"{terminal} alone takes {seconds_text(alone)}"
    if abs(alone / latency - 1) < NOTICEABLE:
        return f"No gain: {over}, {against}. {_reason(result)}{_elsewhere(result)}"
    if latency < alone:
        gain = f"{alone / latency:.2f} times as fast"
        if (better := _elsewhere(result)) and result.fastest_single.latency_s < latency:
            return f"Faster than {terminal}, but not worth it: {over}, {against} ({gain}).{better}"
        return f"Distribute: {over}, {against} ({gain}). {_reason(result)}"
    return f"Do not distribute: {over}, {against}. {_reason(result)}{_elsewhere(result)}"


def _reason(result: RunResult) -> str:
    parts, alone = result.simulation.timeline.breakdown_s, result.single.timeline.breakdown_s
    computing = alone["compute"] + alone["overhead"] - parts["compute"]
    exchanging = {name: s for name, s in parts.items() if name != "compute"}
    largest = max(exchanging, key=lambda name: exchanging[name])
    verb = f"saves {seconds_text(computing)}" if computing > 0 else f"adds {seconds_text(-computing)}"
    return (
        f"Splitting {verb} of computing and costs {seconds_text(sum(exchanging.values()))} of exchange and overhead, "
        f"most of it {largest}."
    )


def _elsewhere(result: RunResult) -> str:
    best = result.fastest_single
    device = result.scenario.devices[best.device_of[0]].name
    if best.device_of[0] == result.scenario.terminal or best.latency_s > (1 - NOTICEABLE) * result.latency_s:
        return ""
    return f" Shipping all of it to {device} takes {seconds_text(best.latency_s)}."
