"""Ranges `{from, to, points, scale}` of a swept field, spread into values."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

from pydantic import ValidationError

from prism_sim.syntax import schema
from prism_sim.syntax.errors import FieldPath, dotted, shown
from prism_sim.syntax.problems import first_error
from prism_sim.syntax.sections import RangeSection
from prism_sim.syntax.yaml_source import Source

Check = Callable[[FieldPath, Any, FieldPath, Source], None]


def spread(
    field: FieldPath, here: FieldPath, values: Mapping[str, Any], source: Source, check_value: Check
) -> list[Any]:
    """The values of a range, both ends among them; whole numbers stay whole and distinct.

    check_value: refuses what the field cannot take. Raises ScenarioError for a range without sense.
    """
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
