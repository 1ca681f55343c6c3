"""The answer of a comparison: the best way without loss, with loss, and for requests back to back."""

from __future__ import annotations

from collections.abc import Iterator

from prism_sim.choice.compare import Candidate, Comparison
from prism_sim.choice.verdict import NOTICEABLE, uncertain_text
from prism_sim.shares.choice import sizes_text
from prism_sim.simulation.memory import remedies_text
from prism_sim.units_text import per_second_text, seconds_text, times_text

FEW = 3  # devices that are named one by one


def comparison_verdict(comparison: Comparison) -> list[str]:
    """The best exact way, the best lossy one with what it costs, and whether to distribute at all; a line each."""
    return [*_without_loss(comparison), *_with_loss(comparison), *_back_to_back(comparison)]


def _without_loss(comparison: Comparison) -> Iterator[str]:
    single, exact = comparison.single, comparison.best_lossless
    if not exact.fits:
        why = "no device holds the whole model, and no exact strategy can split it"
        remedies = remedies_text(comparison.scenario) if comparison.best_lossy is None else ""
        yield f"Nothing exact fits: {why}{remedies and '; '}{remedies}."
    elif exact is single:
        fastest = f"{_named(comparison, single)} is fastest{_runner_up(comparison)}"
        yield f"Without loss: do not distribute. {fastest}.{_flips(comparison, single)}"
    else:
        gain = f"{_named(comparison, exact)}{_gain(comparison, exact)}"
        yield f"Without loss: distribute. {gain}.{_uncertain(comparison, exact)}"


def _with_loss(comparison: Comparison) -> Iterator[str]:
    exact, lossy = comparison.best_lossless, comparison.best_lossy
    if lossy is None:
        return
    cost = "" if lossy.fidelity is None else f", at a cosine of {lossy.fidelity.cosine:.4f} to the exact outputs"
    if lossy.fidelity is not None and lossy.fidelity.random_weights:
        cost += " (random weights)"
    if lossy.latency_s < (1 - NOTICEABLE) * exact.latency_s:
        gain = f"{_named(comparison, lossy)}{_gain(comparison, lossy)}{cost}"
        yield f"With loss: {gain}.{_uncertain(comparison, lossy)}"
    else:
        yield f"With loss: nothing to gain; {_named(comparison, lossy)}{cost}."


def _back_to_back(comparison: Comparison) -> Iterator[str]:
    """Requests without a pause: which exact way serves most of them."""
    best, single = comparison.best_throughput, comparison.single
    if best.simulation is None or not best.fits:
        return
    rate, batch = best.simulation.throughput_per_s, best.simulation.job.batch
    served = f"{per_second_text(rate)} requests/s"
    served += f" ({per_second_text(rate * batch)} samples/s)" if batch > 1 else ""
    in_turn = best.simulation.throughput_mode == "in turn"
    who = f"{_over(comparison, best)}, whole requests in turn," if in_turn else _named(comparison, best)
    text = f"Back to back, without loss: {who} serves most, {served}"
    if best is single or single.simulation is None or not single.fits:
        yield f"{text}."
    else:
        more = rate / single.simulation.throughput_per_s
        yield f"{text}, {more:.2f} times as many as {_who(comparison, single)}."


def _named(comparison: Comparison, candidate: Candidate) -> str:
    return f"{_who(comparison, candidate)} ({seconds_text(candidate.latency_s)})"


def _who(comparison: Comparison, candidate: Candidate) -> str:
    """The strategy, its devices and, where they are uneven, its parts."""
    shares = None if candidate.simulation is None else candidate.simulation.shares
    uneven = "" if shares is None or shares.kind in ("equal", "given") else f", {sizes_text(shares.sizes)}"
    return f"{_over(comparison, candidate)}{uneven}"


def _over(comparison: Comparison, candidate: Candidate) -> str:
    devices = [comparison.scenario.devices[device].name for device in candidate.devices]
    if len(devices) == 1:
        return f"{devices[0]} alone"
    some = len(devices) < len(comparison.scenario.ranks)
    over = " and ".join(devices) if some and len(devices) <= FEW else f"{len(devices)} devices"
    return f"{candidate.strategy} over {over}"


def _gain(comparison: Comparison, candidate: Candidate) -> str:
    """Against the best way not to distribute."""
    single = comparison.single
    if not single.fits:
        return ", where no device could hold the model alone"
    return f" is {times_text(single.latency_s / candidate.latency_s)} as {_named(comparison, single)}"


def _uncertain(comparison: Comparison, candidate: Candidate) -> str:
    single = comparison.single
    uncertain = uncertain_text(single.latency_s / candidate.latency_s) if single.fits else ""
    return f"{uncertain}{_flips(comparison, candidate)}"


def _flips(comparison: Comparison, candidate: Candidate) -> str:
    return str(comparison.flips(candidate) or "")


def _runner_up(comparison: Comparison) -> str:
    """The fastest exact way to distribute, and what eats its gain."""
    exact = [candidate for candidate in comparison.candidates if candidate.lossless and candidate.fits]
    if not exact:
        return "; no exact strategy can split it"
    best = min(exact, key=lambda candidate: candidate.latency_s)
    assert best.simulation is not None
    parts, alone = dict(best.simulation.breakdown_s), comparison.single.simulation
    computing_s = parts.pop("compute")
    if alone is not None and computing_s > 0.9 * alone.breakdown_s["compute"]:
        return f"; the next, {_named(comparison, best)}, saves no computing on the way to one answer"
    largest = max(parts, key=lambda name: parts[name])
    return f"; the next, {_named(comparison, best)}, spends {seconds_text(parts[largest])} on {largest}"
