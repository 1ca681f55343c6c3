"""The points of a sweep, and which of them are one and the same question."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass
from itertools import product
from math import prod
from operator import itemgetter
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from prism_sim import strategies
from prism_sim.scenario import UNSET, Group, Scenario, sweep_groups, without_sweep
from prism_sim.syntax.strategy_section import unused

MAX_POINTS = 1_000_000
HARDWARE = ("devices", "network", "ranks", "terminal")  # sections that comparisons depend on

Overrides = dict[str, Any]


class GridQuestion(NamedTuple):
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
        identities = _Identities(base)
        first: dict[Any, int] = {}
        beside: dict[Any, int] = {}
        tasks, task_of = [], []
        for number, point in enumerate(product(*map(_steps, groups))):
            overrides = {field: value for step in point for field, value in step.values}
            known = first.setdefault(identities.of(overrides, point), number)
            task_of.append(known)
            if known == number:
                # those on the same hardware after each other: what they are compared with is then played once
                place = beside.setdefault(tuple(step.hardware for step in point), number)
                tasks.append((place, number, GridQuestion(number, overrides)))
        return Grid(base, groups, tuple(task for *_, task in sorted(tasks, key=itemgetter(0, 1))), tuple(task_of))

    def columns(self) -> Iterator[tuple[str, list[Any]]]:
        """The swept fields' columns: values as written and, of quantities, numbers with their unit in the name."""
        for name, values, steps in self.steps():
            yield name, [values[step] for step in steps.tolist()]

    def steps(self) -> Iterator[tuple[str, list[Any], NDArray[np.int64]]]:
        """The same: of each column the values by step, and the step of each point."""
        n_steps = [len(group[0].values) for group in self.groups]
        step_of = np.indices(n_steps).reshape(len(n_steps), -1)
        for group, steps in zip(self.groups, step_of, strict=True):
            for axis in group:
                yield axis.field, list(map(_cell, axis.values)), steps
                if axis.unit:
                    yield f"{axis.field}_{unit_in_name(axis.unit)}", list(map(_cell, axis.numbers)), steps


def unit_in_name(unit: str) -> str:
    """'bit/s' -> 'bits_per_s', 'FLOP/s' -> 'flops_per_s', 'B' -> 'bytes', 'W' -> 'w'."""
    names = {"bit": "bits", "B": "bytes", "FLOP": "flops"}
    return "_per_".join(names.get(part, part.lower()) for part in unit.split("/"))


def _cell(value: Any) -> Any:
    return None if value is UNSET else value


class _Step(NamedTuple):
    """What a group's fields are at one of its steps, and as text. hardware: those of them that comparisons depend on.

    options: of the fields that are a strategy's options, which one.
    """

    values: tuple[tuple[str, Any], ...]
    texts: tuple[tuple[str, str], ...]
    hardware: tuple[tuple[str, str], ...]
    options: tuple[str, ...]

    def identity(self, idle: Set[str]) -> tuple[tuple[str, str], ...]:
        if idle.isdisjoint(self.options):
            return self.texts
        return tuple(
            (field, str(value is None) if _option(field) in idle else text)
            for (field, value), (_, text) in zip(self.values, self.texts, strict=True)
        )


def _steps(group: Group) -> list[_Step]:
    found = []
    for number in range(len(group[0].values)):
        values = tuple((axis.field, axis.values[number]) for axis in group if axis.values[number] is not UNSET)
        texts = tuple((field, repr(value)) for field, value in values)
        hardware = tuple(one for one in texts if re.split(r"[.\[]", one[0])[0] in HARDWARE)
        options = tuple(option for field, _ in values if (option := _option(field)) is not None)
        found.append(_Step(values, texts, hardware, options))
    return found


class _Identities:
    """Equal for points that ask the same: an option that the strategy has no use for counts only as set or taken away.

    (As set, since it may stand in for an option that excludes it and is used.)
    """

    def __init__(self, base: Scenario) -> None:
        self.base = base
        self.idle: dict[tuple[str, tuple[str, ...]], frozenset[str]] = {}

    def of(self, overrides: Mapping[str, Any], point: tuple[_Step, ...]) -> tuple[Any, ...]:
        name = overrides.get("strategy.name", self.base.strategy.name)
        if not isinstance(name, str) or "strategy" in overrides:
            return tuple(step.texts for step in point)
        options = tuple(option for step in point for option in step.options)
        if (idle := self.idle.get((name, options))) is None:
            known = unused(name, dict.fromkeys(options)) if name in strategies.nameable() else ()
            idle = self.idle[name, options] = frozenset(known) - {"name"}
        return tuple(step.identity(idle) for step in point)


def _option(field: str) -> str | None:
    """'strategy.shares[0]' -> 'shares'; None: no option of a strategy."""
    return re.split(r"[.\[]", field.removeprefix("strategy."))[0] if field.startswith("strategy.") else None
