"""A numeric field of a scenario and the range in which it is varied: from text to numbers and back."""

from __future__ import annotations

import math
import types
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from prism_sim import families, strategies
from prism_sim.scenario import Scenario
from prism_sim.simulation.model_config import model_config
from prism_sim.simulation.simulate import job_of
from prism_sim.syntax import schema, sweep, units
from prism_sim.syntax.errors import FieldPath, Place, shown
from prism_sim.syntax.overrides import path_of

SAME = 1e-6  # relative; amounts of a continuous field that lie nearer to each other are one
DIGITS = 9  # of an amount as text: more than `SAME` needs

# Where nothing else is said, a range holds what is met in practice, and a little more.
RANGES: dict[units.Unit, tuple[float, float]] = {
    units.BIT_RATE: (1e6, 1e10),
    units.TIME: (1e-6, 1.0),
    units.COMPUTE: (1e8, 1e13),
    units.MEMORY_RATE: (1e7, 1e12),
    units.STAGING_RATE: (1e7, 1e12),
    units.MEMORY: (1e6, 1e12),
}
WHOLE_RANGE = (1.0, 64.0)


@dataclass(frozen=True)
class Varied:
    """A field and its range, both ends included. unit: of a quantity. whole: it counts something.

    order: of the field `ranks`, devices in the order in which they join; its amount is how many take part.
    """

    field: str
    unit: units.Unit | None
    whole: bool
    low: float
    high: float
    order: tuple[int, ...] = ()

    @property
    def logarithmic(self) -> bool:
        return self.unit is not None and self.low > 0

    def points(self, n_points: int) -> list[float]:
        """Amounts from low to high: all of them if they are whole and no more than `n_points`."""
        if self.whole:
            n_points = min(n_points, round(self.high - self.low) + 1)
        shares = [number / (n_points - 1) for number in range(n_points)]
        if self.logarithmic:
            inner = [self.low * (self.high / self.low) ** share for share in shares[1:-1]]
        else:
            inner = [self.low + (self.high - self.low) * share for share in shares[1:-1]]
        found = [self.low, *inner, self.high]
        return list(dict.fromkeys(float(round(one)) for one in found)) if self.whole else found

    def between(self, a: float, b: float) -> float | None:
        """An amount between two; None if they are neighbours."""
        if self.whole:
            return None if b - a <= 1 else float((a + b) // 2)
        middle = math.sqrt(a * b) if self.logarithmic else (a + b) / 2
        return middle if a < middle < b and b - a > SAME * max(abs(a), abs(b)) else None

    def value(self, amount: float) -> Any:
        """As overrides take it."""
        if self.order:
            return list(self.order[: round(amount)])
        if self.unit is not None:
            return self.unit.text(amount)
        return round(amount) if self.whole else amount

    def text(self, amount: float) -> str:
        """As `--set` takes it, in `DIGITS` digits."""
        if self.unit is not None:
            return quantity_text(self.unit, amount)
        return f"{amount:.{DIGITS}g}" if not self.whole else str(self.value(amount))

    def shown(self, amount: float, digits: int = 6) -> str:
        """For a table."""
        if self.order:
            return f"{round(amount)} of {len(self.order)}"
        return quantity_text(self.unit, amount, digits) if self.unit is not None else f"{amount:.{digits}g}"


def quantity_text(unit: units.Unit, amount: float, digits: int = DIGITS) -> str:
    """123456789.0 -> '123.456789 Mbit/s': in the largest unit with a decimal prefix that is not above the amount."""
    if math.isinf(amount):
        return "none"
    own = {name: factor for name, factor in unit.factors.items() if name.endswith(unit.base) and "i" not in name[:2]}
    fitting = {name: factor for name, factor in own.items() if factor <= amount * (1 + 1e-12)}
    name, factor = max(fitting.items(), key=lambda one: one[1]) if fitting else min(own.items(), key=lambda one: one[1])
    return f"{amount / factor:.{digits}g} {name}" if amount else f"0 {unit.base}"


def varied(scenario: Scenario, field: str, start: str | None = None, stop: str | None = None) -> Varied:
    """The field with the range that these texts give, or the usual one.

    Raises ScenarioError for an unknown field, one that is no number, an end that it cannot take, and an empty range.
    """
    file, place = str(scenario.path), Place(f"--vary {field}")
    path = path_of("ranks" if field == "devices" else field, place, file)
    kind = _kind(path)
    if kind is None:
        rule = "is no number, so nothing lies between its values; vary for example network.bandwidth or workload.batch"
        raise place.error(file, path, rule)
    usual = _usual_range(scenario, path, kind)
    ends = []
    for option, text, default in (("--from", start, usual[0]), ("--to", stop, usual[1])):
        if text is None and math.isnan(default):
            raise place.error(file, path, f"has no usual range; say {option}")
        ends.append(default if text is None else _amount(scenario, path, kind, option, text))
    low, high = ends
    order = (*scenario.ranks, *(d for d in range(len(scenario.devices)) if d not in scenario.ranks))
    found = Varied(
        field="ranks" if path == ("ranks",) else field,
        unit=kind if isinstance(kind, units.Unit) else None,
        whole=kind == "whole",
        low=low,
        high=high,
        order=order if path == ("ranks",) else (),
    )
    if found.order and high > len(order):
        raise place.error(file, path, f"there are {len(order)} devices, so --to must be at most {len(order)}")
    if not low < high:
        ends_text = f"--from ({found.shown(low)}) must be less than --to ({found.shown(high)})"
        raise place.error(file, path, ends_text)
    return found


Kind = units.Unit | Literal["whole", "real"]


def _kind(path: FieldPath) -> Kind | None:
    if path == ("ranks",) or path[:2] == ("model", "dims"):
        return "whole"
    if (unit := schema.unit_of(path)) is not None:
        return unit
    info = schema.known_fields().get(schema.field_pattern(path))
    kinds = set() if info is None else set(_scalars(info.annotation)) - {types.NoneType}
    numbers = {kind for kind in kinds if get_origin(kind) not in (tuple, list)}  # a field may take a list as well
    if numbers == {int}:
        return "whole"
    return "real" if numbers and numbers <= {int, float} else None


def _scalars(annotation: Any) -> Iterator[Any]:
    if get_origin(annotation) is Annotated:
        yield from _scalars(get_args(annotation)[0])
    elif get_origin(annotation) in (Union, types.UnionType):
        for part in get_args(annotation):
            yield from _scalars(part)
    else:
        yield types.NoneType if annotation is None else annotation


def _usual_range(scenario: Scenario, path: FieldPath, kind: Kind) -> tuple[float, float]:
    """(nan, nan) where there is none."""
    match path:
        case ("ranks",):
            return 1.0, float(len(scenario.devices))
        case ("network", "latency"):
            return 1e-5, 1.0
        case ("workload", "tokens"):
            config = model_config(scenario)
            most = families.find(str(config.get("model_type"))).dimensions(config).max_tokens
            n_ranks = len(scenario.active_ranks)
            return float(strategies.find(scenario.strategy.name).least_tokens(n_ranks)), float(most)
        case ("workload", "new_tokens"):
            sizes = families.find(str(model_config(scenario).get("model_type"))).dimensions(model_config(scenario))
            job = job_of(scenario, scenario.strategy.name, len(scenario.active_ranks))
            return 1.0, float(sizes.most_tokens - job.n_tokens)
        case ("strategy", "segments" | "compression_rate"):
            n_ranks = len(scenario.ranks)
            return 1.0, float(math.ceil(job_of(scenario, scenario.strategy.name, n_ranks).n_tokens / n_ranks))
    if isinstance(kind, units.Unit):
        return RANGES.get(kind, (math.nan, math.nan))
    return WHOLE_RANGE if kind == "whole" and path[0] != "model" else (math.nan, math.nan)


def _amount(scenario: Scenario, path: FieldPath, kind: Kind, option: str, text: str) -> float:
    """The number that an end's text means; the field must be able to take it."""
    place = Place(f"{option} {text}")
    try:
        if isinstance(kind, units.Unit):
            amount = kind.parse(text)
        elif kind == "whole":
            amount = float(int(text))
        else:
            amount = float(text)
        if not math.isfinite(amount):
            raise ValueError(f"{shown(text)} must be finite")
    except ValueError as error:
        rule = str(error) if isinstance(kind, units.Unit) else f"{shown(text)} is not a {kind} number"
        raise place.error(str(scenario.path), path, rule) from None
    if path == ("ranks",):
        if amount < 1:
            raise place.error(str(scenario.path), path, "at least one device must take part")
        return amount
    source = scenario.written.source.copy()
    source.values[(option,)] = place
    value = kind.text(amount) if isinstance(kind, units.Unit) else int(amount) if kind == "whole" else amount
    sweep.check_value(path, value, (option,), source)
    return amount
