"""What of a scenario can be moved on the page, and what each place of a control writes, as `--set` takes it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from prism_sim import families, strategies
from prism_sim.exploring.more_devices import device_overrides, most_devices
from prism_sim.scenario import Scenario, ScenarioError
from prism_sim.simulation.model_config import model_config
from prism_sim.simulation.simulate import job_of, split_of
from prism_sim.strategies.options import declared
from prism_sim.strategies.prism import DEFAULT_SEGMENTS
from prism_sim.syntax import units
from prism_sim.syntax.units import Unit
from prism_sim.why.varied import varied

# steps of a decade: near to even on a log scale, and each a number that people write
NICE = (1.0, 1.2, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0)
WHOLE_STEPS = 64  # up to here each number of segments is a step
MOST_BATCH, MOST_TOKENS = 64, 8192  # that a slider offers, unless the scenario has more
RATE, DELAY = "Mbit/s", "ms"


@dataclass(frozen=True, slots=True)
class Stop:
    """Where a control can stand. overrides: what it writes; nothing where the scenario itself stands."""

    shown: str | float
    overrides: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Control:
    """stops: in order; numbers make a slider, texts a list to choose from. start: where the scenario is."""

    name: str
    label: str
    stops: tuple[Stop, ...]
    start: int

    @property
    def is_slider(self) -> bool:
        return not isinstance(self.stops[0].shown, str)

    def overrides(self, shown: str | float) -> tuple[str, ...]:
        """What standing there writes."""
        return next(stop.overrides for stop in self.stops if stop.shown == shown)


@dataclass(frozen=True, slots=True)
class Controls:
    """controls: in the order of the page. left_out: strategies that this scenario cannot have, and why."""

    controls: tuple[Control, ...]
    left_out: Mapping[str, str]

    @staticmethod
    def of(scenario: Scenario) -> Controls:
        offered, left_out = _strategies(scenario)
        found = [_strategy(scenario, offered), *_compression(scenario, offered)]
        found += [*_devices(scenario), *_network(scenario), *_workload(scenario)]
        return Controls(tuple(control for control in found if len(control.stops) > 1), left_out)


def overrides_of(typed: str) -> tuple[str, ...]:
    """Lines of `field=value`, each perhaps with the `--set` of a command line before it."""
    lines = (line.strip().removeprefix("--set ").strip() for line in typed.splitlines())
    return tuple(line for line in lines if line)


def kind_text(name: str, scenario: Scenario) -> str:
    """'prism (lossy)': whether the strategy gives the undistributed model's own output, with this file's options."""
    if name == strategies.AUTO.name:
        return f"{name} (fastest exact)"
    exact = strategies.find(name).lossless(scenario.strategy_options(name))
    return f"{name} ({'exact' if exact else 'lossy'})"


def segment_steps(scenario: Scenario) -> list[int]:
    """From one to all rows of a device: each number, or where they are many, those that people write."""
    most = round(varied(scenario, "strategy.segments").high)
    amounts = range(1, most + 1) if most <= WHOLE_STEPS else _nice(1, most)
    return [int(amount) for amount in amounts if float(amount).is_integer()]


def _strategies(scenario: Scenario) -> tuple[list[str], dict[str, str]]:
    """Names of those that can be played here, whether or not they fit the memory; of others the reason."""
    own = scenario.strategy.name
    offered, left_out = list[str](), dict[str, str]()
    for name in (*strategies.catalogue(), *([own] if own == strategies.AUTO.name else [])):
        if name != own:
            try:
                split_of(scenario.with_overrides({"strategy.name": name}))
            except ScenarioError as error:
                left_out[name] = error.reason
                continue
        offered.append(name)
    return offered, left_out


def _strategy(scenario: Scenario, offered: Sequence[str]) -> Control:
    own = scenario.strategy.name
    stops = [Stop(kind_text(name, scenario), _written("strategy.name", name, name == own)) for name in offered]
    return Control("strategy", "Strategy", tuple(stops), offered.index(own))


def _compression(scenario: Scenario, offered: Sequence[str]) -> Iterator[Control]:
    """Of segments, or of the rate where the file speaks of that; nothing where it lists one for each block."""
    compressing = [name for name in offered if "segments" in declared(strategies.find(name).options)]
    given = scenario.written.strategy_fields
    field = "compression_rate" if given.get("compression_rate") else "segments"
    own = given.get(field) or DEFAULT_SEGMENTS
    if not compressing or isinstance(own, tuple):
        return
    if field == "compression_rate":
        amounts = _nice(1, varied(scenario, f"strategy.{field}").high)
        yield _slider("compression", "Compression rate CR", f"strategy.{field}", amounts, own)
    else:
        yield _slider("compression", "Segments L a device", f"strategy.{field}", segment_steps(scenario), own)


def _devices(scenario: Scenario) -> Iterator[Control]:
    own, most = len(scenario.ranks), most_devices(scenario)
    stops = (Stop(n, () if n == own else tuple(device_overrides(scenario, n))) for n in range(1, most + 1))
    yield Control("devices", "Devices that compute", tuple(stops), own - 1)


def _network(scenario: Scenario) -> Iterator[Control]:
    """Of links, each is a field of its own: those are typed."""
    network = scenario.network
    if network.medium == "links":
        return
    slider = partial(_quantities, scenario)
    if network.up_bits_per_s == network.down_bits_per_s:
        yield slider(
            "bandwidth", f"Bandwidth, {RATE}", "network.bandwidth", network.up_bits_per_s, units.BIT_RATE, RATE
        )
    else:
        yield slider("up", f"From a device, {RATE}", "network.up", network.up_bits_per_s, units.BIT_RATE, RATE)
        yield slider("down", f"To a device, {RATE}", "network.down", network.down_bits_per_s, units.BIT_RATE, RATE)
    yield slider("latency", f"Network latency, {DELAY}", "network.latency", network.latency_s, units.TIME, DELAY)


def _workload(scenario: Scenario) -> Iterator[Control]:
    work = scenario.workload
    yield _slider("batch", "Batch", "workload.batch", _doubling(1, MOST_BATCH), work.batch)
    config = model_config(scenario)
    family = families.find(str(config["model_type"]))
    if family.fixed_tokens(family.dimensions(config)) is not None or work.input is not None:
        return
    n_tokens = job_of(scenario, scenario.strategy.name, len(scenario.active_ranks)).n_tokens
    for name, label, own in (("tokens", "Tokens", n_tokens), ("new_tokens", "New tokens", work.new_tokens)):
        if own:
            along = varied(scenario, f"workload.{name}")
            amounts = _doubling(along.low, min(along.high, MOST_TOKENS))
            yield _slider(name, label, f"workload.{name}", amounts, own)


def _quantities(
    scenario: Scenario, name: str, label: str, field: str, own: float | None, unit: Unit, shown_in: str
) -> Control:
    """On a log scale over the usual range of the field, in one unit; zero below it where the unit knows a zero."""
    assert own is not None
    along, factor = varied(scenario, field), unit.factors[shown_in]
    scale = _nice(along.low / factor, along.high / factor)
    return _slider(name, label, field, [0.0, *scale] if unit.zero else scale, own / factor, f" {shown_in}")


def _slider(name: str, label: str, field: str, amounts: Iterable[float], own: float, unit: str = "") -> Control:
    """Its steps, and among them the scenario's own."""
    own = _tidy(own)
    steps = sorted({*map(_tidy, amounts), own})
    stops = [Stop(step, _written(field, f"{step}{unit}", step == own)) for step in steps]
    return Control(name, label, tuple(stops), steps.index(own))


def _nice(low: float, high: float) -> list[float]:
    """Numbers that people write, from low to high, both included."""
    steps = (_tidy(step * 10.0**power) for power in range(-6, 12) for step in NICE)
    return [low, *(step for step in steps if low < step < high), high]


def _doubling(low: float, high: float) -> list[float]:
    """Powers of two between, and both ends."""
    powers = (2.0**power for power in range(math.ceil(math.log2(high))))
    return [low, *(power for power in powers if power > low), high]


def _tidy(amount: float) -> float:
    """Without what binary fractions add, and a whole number as one."""
    near = float(f"{amount:.9g}")
    return int(near) if near.is_integer() else near


def _written(field: str, text: str, is_own: bool) -> tuple[str, ...]:
    return () if is_own else (f"{field}={text}",)
