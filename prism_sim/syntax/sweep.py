"""A sweep: which fields take which values, each by itself, together with others, or point by point.

    sweep:
      strategy.name: [prism, voltage]                                               # a list
      network.bandwidth: {from: 10 Mbit/s, to: 1 Gbit/s, points: 20, scale: log}    # a range, linear or log
      strategy.segments, workload.batch: [[5, 1], [10, 8]]                          # zipped: these vary together
      points: [{network.latency: 1 ms}, {network.latency: 9 ms, seed: 1}]           # written out one by one

Every entry is combined with every step of the others, the last varying fastest.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from itertools import combinations
from typing import Any

from pydantic import ValidationError

from prism_sim.syntax import schema
from prism_sim.syntax.errors import FieldPath, Place, dotted, shown
from prism_sim.syntax.overrides import Override, apply, path_of
from prism_sim.syntax.problems import first_error
from prism_sim.syntax.ranges import spread
from prism_sim.syntax.yaml_source import Source

POINTS = "points"  # the key of points that are written out; no field of a scenario has this name
_NOT_SWEPT = ("name", "sweep")  # they change no result


class Unset(Enum):
    """What a point that does not name a field has in its place: the field stays as the file has it."""

    UNSET = "unset"


UNSET = Unset.UNSET


@dataclass(frozen=True, slots=True)
class Axis:
    """A swept field. values: as overrides take them, or UNSET. numbers: the same in SI for quantities.

    unit: "" if none.
    """

    field: str
    values: tuple[Any, ...]
    numbers: tuple[Any, ...]
    unit: str


Group = tuple[Axis, ...]  # fields that vary together: as many values each


@dataclass(frozen=True, slots=True)
class _Setting:
    """A field's value in one step of a sweep, and where it is written."""

    path: FieldPath
    value: Any
    here: FieldPath


_Step = tuple[_Setting, ...]


def axes(sweep: Mapping[str, Any], source: Source) -> tuple[Axis, ...]:
    """All swept fields in the order of the file; raises as `groups`."""
    return tuple(axis for group in groups(sweep, source) for axis in group)


def groups(sweep: Mapping[str, Any], source: Source) -> tuple[Group, ...]:
    """The sweep's fields in the order of the file, those that vary together as one.

    Raises ScenarioError for an unknown field, a value that it cannot take, an empty list or a range without sense,
    and for two fields that exclude each other.
    """
    found, before = [], set[FieldPath]()
    for text, values in sweep.items():
        here: FieldPath = ("sweep", text)
        steps = _points(here, values, source) if text == POINTS else _listed(here, values, source)
        paths = list(dict.fromkeys(setting.path for step in steps for setting in step))
        for path in paths:
            if path in before:
                raise source.error(here, f"{dotted(path)} is swept twice; sweep it once", at_key=True)
            if rival := next((rival for rival in schema.rivals(path) if rival in before), None):
                rule = f"cannot be swept together with {dotted(rival)}; sweep only one"
                raise source.error(here, rule, at_key=True)
        before.update(paths)
        _refuse_repeats(steps, here, source)
        for path in () if isinstance(values, Mapping) else paths:  # of a range, both ends have been checked
            _check_values([setting for step in steps for setting in step if setting.path == path], source)
        found.append(tuple(_axis(path, steps) for path in paths))
    return tuple(found)


def check_value(field: FieldPath, value: Any, here: FieldPath, source: Source) -> None:
    """Raises ScenarioError, placed at `here`, if the field cannot take the value, whatever else the file says."""
    _check(field, value, source.place(here), stripped(source))


def _check(field: FieldPath, value: Any, place: Place, source: Source) -> None:
    trial = apply(source, [Override(field, value, place)])
    try:
        schema.validated(trial.tree, trial.presets)
    except ValidationError as problem:
        wrong = [detail for detail in problem.errors() if detail["loc"][: len(field)] == field]
        if wrong:
            raise first_error(problem, trial) from None


def stripped(source: Source) -> Source:
    """The source without its sweep, which may be long."""
    keys, values = (
        {path: place for path, place in places.items() if path[:1] != ("sweep",)}
        for places in (source.keys, source.values)
    )
    tree = {key: value for key, value in source.tree.items() if key != "sweep"}
    return Source(source.file, tree, keys, values, source.presets)


def _check_values(settings: list[_Setting], source: Source) -> None:
    """Each value once."""
    known, trial = set[str](), stripped(source)
    for setting in settings:
        if (text := repr(setting.value)) not in known:
            _check(setting.path, setting.value, source.place(setting.here), trial)
            known.add(text)


def _listed(here: FieldPath, values: Any, source: Source) -> list[_Step]:
    """One field's values, or rows of values of several fields."""
    fields = [_field(text.strip(), here, source) for text in str(here[1]).split(",")]
    for first, second in combinations(fields, 2):
        if first == second or second in schema.rivals(first):
            rule = f"{dotted(first)} and {dotted(second)} cannot both be set; sweep only one"
            raise source.error(here, rule, at_key=True)
    if isinstance(values, Mapping) and len(fields) == 1:
        values = spread(fields[0], here, values, source, check_value)
    elif not isinstance(values, list):
        raise source.error(here, _no_list(fields, values))
    if not values:
        raise source.error(here, "is an empty list; write at least one value")
    if len(fields) == 1:
        return [(_Setting(fields[0], value, (*here, number)),) for number, value in enumerate(values)]
    return [tuple(_row(fields, row, (*here, number), source)) for number, row in enumerate(values)]


def _no_list(fields: list[FieldPath], values: Any) -> str:
    if len(fields) > 1:
        return f"{shown(values)} is no list of rows; write one list of {len(fields)} values for each step"
    rule = f"{shown(values)} is neither a list of values nor a range {{from, to, points, scale}}"
    return f"{rule}; write for example [{shown(values)}]"


def _row(fields: list[FieldPath], row: Any, here: FieldPath, source: Source) -> Iterator[_Setting]:
    if not isinstance(row, list) or len(row) != len(fields):
        rule = f"{shown(row)} must be a list of {len(fields)} values, one for each of {here[1]}"
        raise source.error(here, rule)
    for place, (field, value) in enumerate(zip(fields, row, strict=True)):
        yield _Setting(field, value, (*here, place))


def _points(here: FieldPath, values: Any, source: Source) -> list[_Step]:
    if not isinstance(values, list) or not values:
        rule = f"{shown(values)} is no list of points; write for example [{{network.latency: 1 ms}}]"
        raise source.error(here, rule)
    return [tuple(_point(point, (*here, number), source)) for number, point in enumerate(values)]


def _point(point: Any, here: FieldPath, source: Source) -> Iterator[_Setting]:
    if not isinstance(point, Mapping) or not point:
        raise source.error(here, f"{shown(point)} is no point; write for example {{network.latency: 1 ms}}")
    before = list[FieldPath]()
    for text, value in point.items():
        path = _field(text, (*here, text), source)
        if rival := next((rival for rival in schema.rivals(path) if rival in before), None):
            rule = f"cannot be set together with {dotted(rival)}; set only one"
            raise source.error((*here, text), rule, at_key=True)
        before.append(path)
        yield _Setting(path, value, (*here, text))


def _field(text: str, here: FieldPath, source: Source) -> FieldPath:
    path = path_of(text, source.place(here, at_key=True), source.file)
    if path[0] in _NOT_SWEPT:
        raise source.error(here, "changes no result, so it cannot be swept; remove it", at_key=True)
    return path


def _refuse_repeats(steps: list[_Step], here: FieldPath, source: Source) -> None:
    known = set[str]()
    for number, step in enumerate(steps):
        text = json.dumps(sorted((dotted(setting.path), setting.value) for setting in step), default=repr)
        if text in known:
            what = shown(step[0].value) if len(step) == 1 else "this"
            raise source.error((*here, number), f"{what} is listed twice; remove one")
        known.add(text)


def _axis(path: FieldPath, steps: list[_Step]) -> Axis:
    values = [next((setting.value for setting in step if setting.path == path), UNSET) for step in steps]
    unit = schema.unit_of(path)
    numbers = [value if value is None or value is UNSET else unit.parse(value) for value in values] if unit else values
    return Axis(dotted(path), tuple(values), tuple(numbers), unit.base if unit else "")
