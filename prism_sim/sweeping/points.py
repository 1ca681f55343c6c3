"""The points of a sweep, and which of them are one and the same question."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from math import prod
from typing import Any

from prism_sim import strategies
from prism_sim.scenario import UNSET, Group, Scenario, sweep_groups, without_sweep
from prism_sim.syntax.strategy_section import unused

MAX_POINTS = 1_000_000
HARDWARE = ("devices", "network", "ranks", "terminal")  # sections that comparisons depend on

Overrides = dict[str, Any]


@dataclass(frozen=True)
class GridQuestion:
    """A question to be computed: the number of its first point, and what that changes in the scenario."""

    number: int
    overrides: Overrides


@dataclass(frozen=True)
class Grid:
    """All points of a sweep, the last group of fields varying fastest.

    base: the scenario without its sweep. tasks: distinct questions, those on the same hardware side by side.
    task_of: per point, the number of the task that answers it.
    """

    base: Scenario
    groups: tuple[Group, ...]
    tasks: tuple[GridQuestion, ...]
    task_of: tuple[int, ...]

    @staticmethod
    def of(scenario: Scenario) -> Grid:
        """Raises ScenarioError for a sweep that is missing, wrong or too large."""
        groups = sweep_groups(scenario)
        if not groups:
            remedy = "add a section such as sweep: {strategy.segments: [1, 5, 10]}"
            raise scenario.error_of_file(("sweep",), f"is missing: nothing to vary; {remedy}")
        if (n_points := prod(len(group[0].values) for group in groups)) > MAX_POINTS:
            rule = f"{n_points} points are more than {MAX_POINTS}; sweep fewer values"
            raise scenario.error_of_file(("sweep",), rule)
        base = without_sweep(scenario)
        first: dict[Any, int] = {}
        tasks, task_of = [], []
        for number, overrides in enumerate(_overrides(groups)):
            known = first.setdefault(_identity(base, overrides), number)
            task_of.append(known)
            if known == number:
                tasks.append(GridQuestion(number, overrides))
        return Grid(base, groups, _side_by_side(tasks), tuple(task_of))

    def columns(self) -> Iterator[tuple[str, list[Any]]]:
        """The swept fields' columns: values as written and, of quantities, numbers with their unit in the name."""
        steps = list(product(*(range(len(group[0].values)) for group in self.groups)))
        for place, group in enumerate(self.groups):
            for axis in group:
                yield axis.field, [_cell(axis.values[step[place]]) for step in steps]
                if axis.unit:
                    yield (
                        f"{axis.field}_{unit_in_name(axis.unit)}",
                        [_cell(axis.numbers[step[place]]) for step in steps],
                    )


def unit_in_name(unit: str) -> str:
    """'bit/s' -> 'bits_per_s', 'FLOP/s' -> 'flops_per_s', 'B' -> 'bytes', 'W' -> 'w'."""
    names = {"bit": "bits", "B": "bytes", "FLOP": "flops"}
    return "_per_".join(names.get(part, part.lower()) for part in unit.split("/"))


def _cell(value: Any) -> Any:
    return None if value is UNSET else value


def _overrides(groups: tuple[Group, ...]) -> Iterator[Overrides]:
    for steps in product(*(range(len(group[0].values)) for group in groups)):
        yield {
            axis.field: axis.values[step]
            for group, step in zip(groups, steps, strict=True)
            for axis in group
            if axis.values[step] is not UNSET
        }


def _identity(base: Scenario, overrides: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """Equal for points that ask the same: an option that the strategy has no use for counts only as set or taken away.

    (As set, since it may stand in for an option that excludes it and is used.)
    """
    name = overrides.get("strategy.name", base.strategy.name)
    options = {field: _option(field) for field in overrides if field.startswith("strategy.")}
    known = isinstance(name, str) and "strategy" not in overrides and name in strategies.nameable()
    idle = set(unused(name, dict.fromkeys(options.values()))) - {"name"} if known else set()
    return tuple(
        (field, str(value is None) if options.get(field) in idle else repr(value)) for field, value in overrides.items()
    )


def _option(field: str) -> str:
    return re.split(r"[.\[]", field.removeprefix("strategy."))[0]


def _side_by_side(tasks: list[GridQuestion]) -> tuple[GridQuestion, ...]:
    """Those on the same hardware after each other: what they are compared with is then played once."""
    first: dict[Any, int] = {}

    def place(task: GridQuestion) -> int:
        hardware = tuple((f, repr(v)) for f, v in task.overrides.items() if re.split(r"[.\[]", f)[0] in HARDWARE)
        return first.setdefault(hardware, task.number)

    return tuple(sorted(tasks, key=place))
