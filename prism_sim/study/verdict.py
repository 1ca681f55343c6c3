"""The answer in one sentence: distribute or not, and why."""

from __future__ import annotations

from prism_sim.study.compare import Candidate, Comparison
from prism_sim.study.result import RunResult
from prism_sim.units_text import seconds_text

FEW = 3  # devices that are named one by one
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
        return f"Distribute: {over}, {against} ({gain}). {_reason(result)}{_next_best(result)}"
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


def _next_best(result: RunResult) -> str:
    """Another device than the terminal, where it is the one to beat."""
    best = result.fastest_single
    if best.device_of[0] == result.scenario.terminal or best.latency_s > (1 - NOTICEABLE) * result.single.latency_s:
        return ""
    device, gain = result.scenario.devices[best.device_of[0]].name, best.latency_s / result.latency_s
    return f" Shipping all of it to {device} takes {seconds_text(best.latency_s)}; that is beaten {gain:.2f} times."


def _elsewhere(result: RunResult) -> str:
    best = result.fastest_single
    device = result.scenario.devices[best.device_of[0]].name
    if best.device_of[0] == result.scenario.terminal or best.latency_s > (1 - NOTICEABLE) * result.latency_s:
        return ""
    return f" Shipping all of it to {device} takes {seconds_text(best.latency_s)}."


def comparison_verdict(comparison: Comparison) -> list[str]:
    """The best exact way, the best lossy one with what it costs, and whether to distribute at all; a line each."""
    single, exact, lossy = comparison.single, comparison.best_lossless, comparison.best_lossy
    if exact.simulation is None or not exact.fits:
        lines = ["Nothing exact fits: no device holds the whole model, and no exact strategy can split it."]
    elif exact is single:
        lines = [f"Without loss: do not distribute. {_named(comparison, single)} is fastest{_runner_up(comparison)}."]
    else:
        lines = [f"Without loss: distribute. {_named(comparison, exact)}{_gain(comparison, exact)}."]
    if lossy is None:
        return lines
    cost = "" if lossy.fidelity is None else f", at a cosine of {lossy.fidelity.cosine:.4f} to the exact outputs"
    if lossy.fidelity is not None and lossy.fidelity.random_weights:
        cost += " (random weights)"
    if lossy.latency_s < (1 - NOTICEABLE) * exact.latency_s:
        lines.append(f"With loss: {_named(comparison, lossy)}{_gain(comparison, lossy)}{cost}.")
    else:
        lines.append(f"With loss: nothing to gain; {_named(comparison, lossy)}{cost}.")
    return lines


def _named(comparison: Comparison, candidate: Candidate) -> str:
    devices = [comparison.scenario.devices[device].name for device in candidate.devices]
    some = len(devices) < len(comparison.scenario.ranks)
    over = " and ".join(devices) if some and len(devices) <= FEW else f"{len(devices)} devices"
    who = f"{devices[0]} alone" if len(devices) == 1 else f"{candidate.strategy} over {over}"
    return f"{who} ({seconds_text(candidate.latency_s)})"


def _gain(comparison: Comparison, candidate: Candidate) -> str:
    if comparison.single.simulation is None or not comparison.single.fits:
        return ", where no device could hold the model alone"
    single = comparison.single
    name = comparison.scenario.devices[single.devices[0]].name
    return (
        f" is {single.latency_s / candidate.latency_s:.2f} times as fast as {name} alone "
        f"({seconds_text(single.latency_s)})"
    )


def _runner_up(comparison: Comparison) -> str:
    """The fastest exact way to distribute, and what eats its gain."""
    exact = [candidate for candidate in comparison.candidates if candidate.lossless and candidate.fits]
    if not exact:
        return "; no exact strategy can split it"
    best = min(exact, key=lambda candidate: candidate.latency_s)
    assert best.simulation is not None
    parts, alone = dict(best.simulation.timeline.breakdown_s), comparison.single.simulation
    computing_s = parts.pop("compute")
    if alone is not None and computing_s > 0.9 * alone.timeline.breakdown_s["compute"]:
        return f"; the next, {_named(comparison, best)}, saves no computing on the way to one answer"
    largest = max(parts, key=lambda name: parts[name])
    return f"; the next, {_named(comparison, best)}, spends {seconds_text(parts[largest])} on {largest}"
