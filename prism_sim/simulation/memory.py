"""Does a plan fit its devices, and what would?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations, islice
from typing import Any

from prism_sim import strategies
from prism_sim.devices import kinds_of
from prism_sim.scenario import Scenario, ScenarioError
from prism_sim.scenario.spec import RATES_BY_WEIGHTS
from prism_sim.shares.choice import sizes_text
from prism_sim.simulation import hardware
from prism_sim.simulation.back_to_back import fits
from prism_sim.simulation.back_to_back import lacking as lacking_bytes
from prism_sim.simulation.model_config import model_spec
from prism_sim.simulation.simulate import Simulation, split_of
from prism_sim.units_text import bytes_text

MOST_PAIRS = 4  # of changes: they are many, and one is enough to go on with
SHARES, BATCH = "strategy.shares", "workload.batch"
SMALLER_WEIGHTS: dict[str | None, tuple[str, ...]] = {
    None: ("int8", "q8_0", "q4_0"),
    "q8_0": ("int8", "q4_0"),
    "int8": ("q4_0",),
    "q4_0": (),
}
TOKENS, NEW_TOKENS = "workload.tokens", "workload.new_tokens"


@dataclass(frozen=True, slots=True)
class Demand:
    """What the participants on one device need at their peak, and what the device has (None: unknown).

    streamed_bytes: weights that are read from storage for each pass in place of being held.
    """

    device: str
    need_bytes: int
    have_bytes: int | None
    streamed_bytes: int = 0

    @property
    def resident_bytes(self) -> int:
        return self.need_bytes - self.streamed_bytes

    @property
    def fits(self) -> bool:
        return self.have_bytes is None or self.resident_bytes <= self.have_bytes

    def __str__(self) -> str:
        have = "" if self.have_bytes is None else f", but has {bytes_text(self.have_bytes)}"
        what = "activations alone, all weights in storage" if self.streamed_bytes else "weights and activations"
        return f"it needs {bytes_text(self.resident_bytes)} for {what}{have}"


def demands(simulation: Simulation) -> tuple[Demand, ...]:
    """Weights and peak activations of each device that takes part, in the order of devices."""
    return tuple(
        Demand(simulation.devices[device].name, held, simulation.devices[device].memory_bytes, streamed)
        for (device, held), streamed in zip(
            simulation.device_bytes.items(), simulation.streamed_bytes.values(), strict=True
        )
    )


def lacking(simulation: Simulation) -> Demand | None:
    """Of the devices whose memory is too small, the one that lacks most; None: the plan fits."""
    short = [demand for demand in demands(simulation) if not demand.fits]
    return max(short, key=lambda demand: demand.resident_bytes - (demand.have_bytes or 0), default=None)


def refuse_unless_it_fits(scenario: Scenario, simulation: Simulation) -> None:
    """Raises ScenarioError with need, have and what would fit."""
    worst = lacking(simulation)
    if worst is not None:
        message = f"{simulation.job.strategy} does not fit {worst.device}: {worst}; {remedies_text(scenario)}"
        raise scenario.error(("strategy",), message)


def remedies_text(scenario: Scenario) -> str:
    remedies = what_would_fit(scenario) or ["nothing that was tried: fewer tokens, or devices with more memory"]
    return f"what would fit: {'; '.join(remedies)}"


@dataclass(frozen=True, slots=True)
class _Change:
    """Something that may make a plan fit, as `--set` takes it. Two changes of one field are no pair."""

    field: str
    value: Any
    text: str

    def __str__(self) -> str:
        return f"{self.field} {self.text}"


def what_would_fit(scenario: Scenario) -> list[str]:
    """Changes that make the plan fit: of shares, strategy, ranks, batch or types; of two if no single one is enough."""
    changes = list(_changes(scenario))
    found: dict[str, list[str]] = {}
    for change in changes:
        if (split := _fitting_split(scenario, change)) is not None:
            found.setdefault(change.field, []).append(split if change.field == SHARES else change.text)
    if found:
        if BATCH in found:
            del found[BATCH][1:]  # halves of it: the largest is enough
        return [f"{field} {' or '.join(texts)}" for field, texts in found.items()]
    pairs = (pair for pair in combinations(changes, 2) if pair[0].field != pair[1].field)
    fitting = (f"{one} with {other}" for one, other in pairs if _fitting_split(scenario, one, other) is not None)
    return list(islice(fitting, MOST_PAIRS))


def _changes(scenario: Scenario) -> Iterator[_Change]:
    own, ranks, model = strategies.find(scenario.strategy.name), scenario.active_ranks, model_spec(scenario)
    if not own.one_rank:
        yield _Change(SHARES, "proportional", "proportional")
    for name, entry in strategies.catalogue().items():
        if name != own.name and not entry.one_rank:
            yield _Change("strategy.name", name, name)
    kinds = kinds_of(dict(enumerate(hardware.devices(scenario))))
    others = [alike[0] for alike in kinds if alike[0] not in ranks]
    if own.one_rank:
        for device in others:
            yield _Change("ranks", [device], f"[{scenario.devices[device].name}]")
    else:
        roomy = _roomy_ranks(scenario)
        if 0 < len(roomy) < len(ranks):
            left_out = [scenario.devices[device].name for device in ranks if device not in roomy]
            yield _Change("ranks", roomy, f"without {' and '.join(left_out[:2])}{' ...' if len(left_out) > 2 else ''}")
        if others:
            yield _Change("ranks", list(range(len(scenario.devices))), f"all {len(scenario.devices)} devices")
    for field, most in ((NEW_TOKENS, scenario.workload.new_tokens), (TOKENS, scenario.workload.tokens or 0)):
        if scenario.workload.new_tokens and (fitting := _most_fitting(scenario, field, most)):
            yield _Change(field, fitting, f"{fitting} (as many as fit)")
    batch = scenario.workload.batch // 2
    while batch:
        yield _Change(BATCH, batch, str(batch))
        batch //= 2
    if model.dtype == "float32":
        yield _Change("model.dtype", "float16", "float16")
    for kept in SMALLER_WEIGHTS[model.weight_dtype]:
        yield _Change("model.weight_dtype", kept, f"{kept}{_unstated_rate(scenario, kept)}")


def _unstated_rate(scenario: Scenario, kept: str) -> str:
    """That how fast one of the devices computes with such weights is not stated."""
    rates = [getattr(device, RATES_BY_WEIGHTS[kept]) for device in scenario.devices]
    return "" if all(rates) else f" (no compute_{kept} stated: at the plain rate)"


def _most_fitting(scenario: Scenario, field: str, asked: int) -> int:
    """Of the tokens that are asked for, as many as fit; 0: not even one. More need more memory."""
    low, high = 0, asked
    while high - low > 1:
        middle = (low + high) // 2
        if _fitting_split(scenario, _Change(field, middle, "")) is None:
            high = middle
        else:
            low = middle
    return low


def _roomy_ranks(scenario: Scenario) -> list[int]:
    """Those whose devices have the memory for their part."""
    try:
        setting = split_of(scenario).setting
    except ScenarioError:
        return []
    short = lacking_bytes(setting)
    return [device for device in scenario.active_ranks if device not in short]


def _fitting_split(scenario: Scenario, *changes: _Change) -> str | None:
    """The shares with which the changed scenario fits, as numbers and in words, if it does; None if not."""
    overrides = {change.field: change.value for change in changes}
    if "ranks" in overrides and isinstance(scenario.written.strategy_fields.get("shares"), tuple):
        overrides = {SHARES: None} | overrides  # given for the ranks as they are
    try:
        split = split_of(scenario.with_overrides(overrides))
    except (ScenarioError, ValueError):  # the strategy cannot serve so many ranks, or cannot be shared: no remedy
        return None
    setting = split.setting
    if not fits(setting):
        return None
    shares = getattr(setting.job.options, "shares", None)
    numbers = "equal" if shares is None else f"[{', '.join(f'{share:.6g}' for share in shares)}]"
    return numbers if split.kind is None else f"{numbers} ({sizes_text(setting.sizes(shares))})"
