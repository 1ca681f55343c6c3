"""Axes of a sweep: which field takes which values."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from pydantic import ValidationError

from prism_sim.scenario import schema
from prism_sim.scenario.errors import FieldPath, dotted, shown
from prism_sim.scenario.overrides import Override, apply, path_of
from prism_sim.scenario.problems import first_error
from prism_sim.scenario.sections import RangeSection
from prism_sim.scenario.yaml_source import Source

_NOT_SWEPT = ("name", "sweep")  # they change no result


@dataclass(frozen=True, slots=True)
class Axis:
    """A swept field. values: as overrides take them. numbers: the same in SI for quantities. unit: "" if none."""

    field: str
    values: tuple[Any, ...]
    numbers: tuple[Any, ...]
    unit: str


def axes(sweep: Mapping[str, Any], source: Source) -> tuple[Axis, ...]:
    """The sweep's axes in the order of the file.

    Raises ScenarioError for an unknown field, a value that it cannot take, an empty list or a range without sense,
    and for two fields that exclude each other.
    """
    found, fields = [], list[FieldPath]()
    for text, values in sweep.items():
        place = source.place(("sweep", text), at_key=True)
        field = path_of(text, place, source.file)
        if field[0] in _NOT_SWEPT:
            raise source.error(("sweep", text), "changes no result, so it cannot be swept; remove it", at_key=True)
        for rival in schema.rivals(field):
            if rival in fields:
                rule = f"cannot be swept together with {dotted(rival)}; sweep only one"
                raise source.error(("sweep", text), rule, at_key=True)
        fields.append(field)
        found.append(_axis(field, text, values, source))
    return tuple(found)


def _axis(field: FieldPath, text: str, values: Any, source: Source) -> Axis:
    here: FieldPath = ("sweep", text)
    if isinstance(values, Mapping):
        values = _spread(field, here, values, source)
    elif not isinstance(values, list):
        rule = f"{shown(values)} is neither a list of values nor a range {{from, to, points, scale}}"
        raise source.error(here, f"{rule}; write for example [{shown(values)}]")
    if not values:
        raise source.error(here, "is an empty list; write at least one value")
    for number, value in enumerate(values):
        if value in values[:number]:
            raise source.error((*here, number), f"{shown(value)} is listed twice; remove one")
        check_value(field, value, (*here, number), source)
    unit = schema.unit_of(field)
    numbers = [unit.parse(value) for value in values] if unit and None not in values else values
    return Axis(text, tuple(values), tuple(numbers), unit.base if unit else "")


def check_value(field: FieldPath, value: Any, here: FieldPath, source: Source) -> None:
    """Raises ScenarioError, placed at `here`, if the field cannot take the value, whatever else the file says."""
    place = source.place(here)
    trial = apply(source, [Override(field, value, place)])
    trial.tree.pop("sweep", None)
    try:
        schema.scenario_model().model_validate(trial.tree)
    except ValidationError as problem:
        wrong = [detail for detail in problem.errors() if detail["loc"][: len(field)] == field]
        if wrong:
            raise first_error(problem, trial) from None


def _spread(field: FieldPath, here: FieldPath, values: Mapping[str, Any], source: Source) -> list[Any]:
    """The values of a range, both ends among them; whole numbers stay whole and distinct."""
    section = _range_section(here, values, source)
    check_value(field, section.start, (*here, "from"), source)
    check_value(field, section.stop, (*here, "to"), source)
    unit = schema.unit_of(field)
    if unit is not None:
        start, stop = unit.parse(section.start), unit.parse(section.stop)
    else:
        for end, value in (("from", section.start), ("to", section.stop)):
            if isinstance(value, bool) or not isinstance(value, (int, float)):
                rule = f"{shown(value)} is no number, so it begins no range; list the values of {dotted(field)} instead"
                raise source.error((*here, end), rule)
        start, stop = section.start, section.stop
    if not (math.isfinite(start) and math.isfinite(stop) and start < stop):
        rule = f"{shown(section.start)} must be less than to, which is {shown(section.stop)}"
        raise source.error((*here, "from"), rule)
    if section.scale == "log" and start <= 0:
        raise source.error((*here, "from"), f"{shown(section.start)} must be > 0 on a log scale; write scale: linear")
    points = _points(start, stop, section.points, section.scale)
    if unit is not None:
        return [unit.text(point) for point in points]
    if isinstance(section.start, int) and isinstance(section.stop, int):
        return list(dict.fromkeys(round(point) for point in points))
    return list(points)


def _range_section(here: FieldPath, values: Mapping[str, Any], source: Source) -> RangeSection:
    known = ("from", "to", "points", "scale")
    for key in values:
        if key not in known:
            hint = f"{shown(key)} is not a field of a range; known: {', '.join(known)}"
            raise source.error((*here, key), hint, at_key=True)
    try:
        return RangeSection.model_validate(dict(values))
    except ValidationError as problem:
        raise first_error(problem, source, here) from None


def _points(start: float, stop: float, n_points: int, scale: str) -> Sequence[float]:
    shares = [number / (n_points - 1) for number in range(1, n_points - 1)]
    if scale == "log":
        between = [cast(float, start * (stop / start) ** share) for share in shares]
    else:
        between = [start + (stop - start) * share for share in shares]
    return [start, *between, stop]
