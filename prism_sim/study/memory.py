"""Does a plan fit its devices, and what would?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from prism_sim import strategies
from prism_sim.plan import Plan
from prism_sim.scenario import Scenario, ScenarioError
from prism_sim.shapes.interpreter import predict
from prism_sim.study.model_config import model_spec
from prism_sim.study.simulation import Simulation, job_of, setting_of
from prism_sim.units_text import bytes_text


@dataclass(frozen=True, slots=True)
class Demand:
    """What the participants on one device hold at their peak, and what the device has (None: unknown)."""

    device: str
    need_bytes: int
    have_bytes: int | None

    @property
    def fits(self) -> bool:
        return self.have_bytes is None or self.need_bytes <= self.have_bytes


def demands(scenario: Scenario, plan: Plan, device_of: tuple[int, ...]) -> tuple[Demand, ...]:
    """Weights and peak activations of each device that takes part, in the order of devices."""
    need: dict[int, int] = {}
    for participant, device in enumerate(device_of):
        held = plan.weight_bytes[participant] + plan.activation_bytes[participant]
        need[device] = need.get(device, 0) + held
    return tuple(
        Demand(scenario.devices[device].name, need[device], scenario.devices[device].memory_bytes)
        for device in sorted(need)
    )


def fits(scenario: Scenario, simulation: Simulation) -> bool:
    return all(demand.fits for demand in demands(scenario, simulation.plan, simulation.device_of))


def refuse_unless_it_fits(scenario: Scenario, simulation: Simulation) -> None:
    """Raises ScenarioError with need, have and what would fit."""
    short = [demand for demand in demands(scenario, simulation.plan, simulation.device_of) if not demand.fits]
    if not short:
        return
    worst = max(short, key=lambda demand: demand.need_bytes - (demand.have_bytes or 0))
    remedies = list(what_would_fit(scenario)) or ["nothing that was tried: fewer tokens, or devices with more memory"]
    message = (
        f"{simulation.job.strategy} does not fit {worst.device}: it needs {bytes_text(worst.need_bytes)} for weights "
        f"and activations, but has {bytes_text(worst.have_bytes or 0)}; what would fit: {'; '.join(remedies)}"
    )
    raise scenario.origin.overridden().error(("strategy",), message)


def what_would_fit(scenario: Scenario) -> Iterator[str]:
    """Changes of one thing each that make the plan fit: strategy, ranks, batch, dtype."""
    name, ranks = scenario.strategy.name, scenario.active_ranks
    others = [other for other, entry in strategies.catalogue().items() if other != name and not entry.one_rank]
    found = [other for other in others if _would_fit(scenario, other, scenario.ranks)]
    if found:
        yield f"strategy.name {' or '.join(found)}"
    everyone = tuple(range(len(scenario.devices)))
    if not strategies.find(name).one_rank and len(ranks) < len(everyone) and _would_fit(scenario, name, everyone):
        yield f"all {len(everyone)} devices as ranks"
    batch = scenario.workload.batch // 2
    while batch:
        smaller = replace(scenario, workload=replace(scenario.workload, batch=batch))
        if _would_fit(smaller, name, ranks):
            yield f"workload.batch {batch}"
            break
        batch //= 2
    if (model := model_spec(scenario)).dtype == "float32":
        narrower = replace(scenario, model=replace(model, dtype="float16"))
        if _would_fit(narrower, name, ranks):
            yield "model.dtype float16"


def _would_fit(scenario: Scenario, strategy: str, ranks: tuple[int, ...]) -> bool:
    try:
        plan = predict(setting_of(scenario, job_of(scenario, strategy, len(ranks)), ranks).job)
    except (ScenarioError, ValueError):  # the strategy cannot serve so many ranks: no remedy
        return False
    return all(demand.fits for demand in demands(scenario, plan, (*ranks, scenario.terminal)))
