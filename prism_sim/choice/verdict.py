"""The answer of a run in one sentence: distribute or not, and why."""

from __future__ import annotations

from prism_sim.choice.result import RunResult
from prism_sim.shares.choice import sizes_text
from prism_sim.simulation.memory import lacking
from prism_sim.simulation.simulate import Simulation
from prism_sim.units_text import bytes_text, seconds_text, times_text

NOTICEABLE = 0.02  # a difference below 2 % is called none
TOLD_APART = 0.15  # where predictions differ by more, measurements have confirmed their order (docs/trust.md)


def verdict(result: RunResult) -> str:
    """One line for the terminal. What does not fit its devices is no alternative."""
    if result.simulation.plan.n_ranks == 1:
        taken = f"the answer takes {seconds_text(result.latency_s)}"
        return f"One device: {_terminal(result)} asks and {taken}.{_elsewhere(result)}"
    if result.fastest_single is None:
        return f"Distribute: {_own(result)}. {_nobody(result)} {_reason(result)}{_better_shares(result)}"
    if result.served is not None and _wins(result.served, result) and not _wins(result.simulation, result):
        return _with_better_shares(result, result.served)
    return f"{_judged(result)}{_uncertain(result.simulation, result)}{_better_shares(result)}"


def uncertain_text(ratio: float) -> str:
    """What to say of two latencies of this ratio; nothing where they are known to be apart, or called equal."""
    apart = max(ratio, 1 / ratio) - 1
    if not NOTICEABLE <= apart < TOLD_APART:
        return ""
    return f" A difference below {100 * TOLD_APART:.0f} % is within the uncertainty of a prediction (docs/trust.md)."


def _judged(result: RunResult) -> str:
    """Of the split as it is, against one device alone."""
    assert result.fastest_single is not None
    own, latency = _own(result), result.latency_s
    if not result.single.fits:
        ratio = result.fastest_single.latency_s / latency
        name = "No gain" if abs(ratio - 1) < NOTICEABLE else "Distribute" if ratio > 1 else "Do not distribute"
        shipped = f"shipping all of it to {_place(result.fastest_single)} takes"
        against = f"{shipped} {seconds_text(result.fastest_single.latency_s)}"
        return f"{name}: {own}, {against}. {_too_small(result)} {_reason(result)}"
    alone = result.single.latency_s
    against = f"{_terminal(result)} alone takes {seconds_text(alone)}"
    if abs(alone / latency - 1) < NOTICEABLE:
        return f"No gain: {own}, {against}. {_reason(result)}{_elsewhere(result)}"
    if latency > alone:
        return f"Do not distribute: {own}, {against}. {_reason(result)}{_elsewhere(result)}"
    gain = times_text(alone / latency)
    if (better := _elsewhere(result)) and result.fastest_single.latency_s < latency:
        return f"Faster than {_terminal(result)}, but not worth it: {own}, {against} ({gain}).{better}"
    return f"Distribute: {own}, {against} ({gain}). {_reason(result)}{_next_best(result)}"


def _wins(simulation: Simulation, result: RunResult) -> bool:
    """Noticeably, over every device alone that can hold the model."""
    best = result.fastest_single
    return best is not None and simulation.latency_s < (1 - NOTICEABLE) * best.latency_s


def _with_better_shares(result: RunResult, served: Simulation) -> str:
    best = result.fastest_single
    assert best is not None
    alone = "alone" if best.device_of[0] == result.scenario.terminal else "alone, shipping included,"
    gain = times_text(best.latency_s / served.latency_s)
    return (
        f"Distribute, but not evenly: {_shared(served)} over {served.plan.n_ranks} devices takes "
        f"{seconds_text(served.latency_s)}, {_place(best)} {alone} takes {seconds_text(best.latency_s)} ({gain}). "
        f"Split evenly, as here, it takes {seconds_text(result.latency_s)}; write strategy.shares: auto."
        f"{_uncertain(served, result)}"
    )


def _better_shares(result: RunResult) -> str:
    if result.served is None:
        return ""
    taken = f"takes {seconds_text(result.served.latency_s)}"
    return f" With shares that serve it, {_shared(result.served)}, it {taken}: write strategy.shares: auto."


def _shared(simulation: Simulation) -> str:
    return f"{simulation.job.strategy} with {sizes_text(simulation.setting.sizes(simulation.job.options.shares))}"


def _uncertain(simulation: Simulation, result: RunResult) -> str:
    best = result.fastest_single
    if best is None:
        return ""
    return f"{uncertain_text(best.latency_s / simulation.latency_s)}{result.flips(simulation) or ''}"


def _own(result: RunResult) -> str:
    simulation = result.simulation
    return f"{simulation.job.strategy} over {simulation.plan.n_ranks} devices takes {seconds_text(result.latency_s)}"


def _terminal(result: RunResult) -> str:
    return result.scenario.devices[result.scenario.terminal].name


def _place(single: Simulation) -> str:
    """The device that one device alone is on."""
    return single.devices[single.device_of[0]].name


def _nobody(result: RunResult) -> str:
    """Why one device alone is no alternative."""
    need = bytes_text(result.single.device_bytes[result.scenario.terminal])
    most = max(device.memory_bytes or 0 for device in result.scenario.devices)
    return (
        f"No device can hold the model alone: that needs {need}, and the largest has {bytes_text(most)}, "
        f"so splitting is what makes it possible."
    )


def _too_small(result: RunResult) -> str:
    short = lacking(result.single)
    assert short is not None
    return f"{short.device} cannot hold the model alone: {short}."


def _reason(result: RunResult) -> str:
    parts, alone = result.simulation.breakdown_s, result.single.breakdown_s
    exchanging = {name: s for name, s in parts.items() if name != "compute"}
    largest = max(exchanging, key=lambda name: exchanging[name])
    cost = f"{seconds_text(sum(exchanging.values()))} of exchange and overhead, most of it {largest}."
    if not result.single.fits:  # what it saves of an impossible plan is nothing
        return f"Splitting costs {cost}"
    computing = alone["compute"] + alone["overhead"] - parts["compute"]
    verb = f"saves {seconds_text(computing)}" if computing > 0 else f"adds {seconds_text(-computing)}"
    return f"Splitting {verb} of computing and costs {cost}"


def _next_best(result: RunResult) -> str:
    """Another device than the terminal, where it is the one to beat."""
    best = result.fastest_single
    if best is None or best.device_of[0] == result.scenario.terminal:
        return ""
    if best.latency_s > (1 - NOTICEABLE) * result.single.latency_s:
        return ""
    taken = f"Shipping all of it to {_place(best)} takes {seconds_text(best.latency_s)}"
    return f" {taken}; splitting is {times_text(best.latency_s / result.latency_s)} as that."


def _elsewhere(result: RunResult) -> str:
    """Another device that is noticeably faster alone."""
    best = result.fastest_single
    if best is None or best.device_of[0] == result.scenario.terminal:
        return ""
    if best.latency_s > (1 - NOTICEABLE) * result.latency_s:
        return ""
    return f" Shipping all of it to {_place(best)} takes {seconds_text(best.latency_s)}."
