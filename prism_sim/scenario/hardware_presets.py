"""Devices and networks in a presets file: what its section of a scenario takes, each number with its source.

A device may have numbers by runtime, and a number that was fitted the interval of its fit.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NoReturn

from pydantic import ValidationError

from prism_sim.catalogue import nearest
from prism_sim.scenario.network import USED_BY
from prism_sim.scenario.preset_checks import NO_FIELD, check_has, check_key, check_mapping, check_name, check_text
from prism_sim.scenario.ranged import RANGED
from prism_sim.syntax import presets, problems
from prism_sim.syntax.errors import FieldPath, shown
from prism_sim.syntax.fields import Section
from prism_sim.syntax.sections import DeviceSection, NetworkSection
from prism_sim.syntax.yaml_source import Source

OF_A_SCENARIO = {"preset", "runtime", "name", "count", "links", "access_point"}  # fields that are no preset's
OF_A_DEVICE = ("runtime", "runtimes")  # of a preset, beside its section's
NEEDED = ("compute", "memory_bandwidth")


def device_entry(name: str, entry: Mapping[str, Any], here: FieldPath, source: Source) -> presets.HardwarePreset:
    """Raises ScenarioError, as the next."""
    check_text(entry, "summary", here, source)
    common = stated_numbers(DeviceSection, entry, here, source, OF_A_DEVICE)
    if "runtimes" not in entry:
        if "runtime" in entry:
            rule = f"{shown(entry['runtime'])} has no numbers of its own: runtimes is missing; write them there"
            raise source.error((*here, "runtime"), f"{rule}, or remove this line", at_key=True)
        check_has(common, NEEDED, here, source)
    else:
        _check_runtimes(entry, common, here, source)
    return presets.hardware_preset(name, entry)


def network_entry(name: str, entry: Mapping[str, Any], here: FieldPath, source: Source) -> presets.HardwarePreset:
    check_text(entry, "summary", here, source)
    _check_network(stated_numbers(NetworkSection, entry, here, source), here, source)
    return presets.hardware_preset(name, {"medium": "switch", **entry})


def _check_runtimes(entry: Mapping[str, Any], common: Mapping[str, Any], here: FieldPath, source: Source) -> None:
    known = entry["runtimes"]
    check_mapping(known, (*here, "runtimes"), source)
    for runtime, numbers in known.items():
        inside: FieldPath = (*here, "runtimes", runtime)
        check_name(runtime, inside, source)
        check_mapping(numbers, inside, source)
        stated = {**common, **stated_numbers(DeviceSection, numbers, inside, source)}
        if lacking := next((field for field in NEEDED if field not in stated), None):
            rule = "is missing: neither this runtime states it nor the device for all of them; write it in one place"
            raise source.error((*inside, lacking), rule)
    check_text(entry, "runtime", here, source)
    if (usual := entry["runtime"]) not in known:
        rule = f"{shown(usual)} is not among its runtimes{nearest(usual, known)} (it has: {', '.join(known)})"
        raise source.error((*here, "runtime"), rule)


def stated_numbers(
    form: type[Section], entry: Mapping[str, Any], here: FieldPath, source: Source, more: tuple[str, ...] = ()
) -> dict[str, Any]:
    """What its fields say, once they are what `form` takes; more: those that are checked elsewhere."""
    known = [*(field for field in form.model_fields if field not in OF_A_SCENARIO), *more]
    values: dict[str, Any] = {}
    for field, stated in entry.items():
        if field == "summary":
            continue
        check_key(field, known, NO_FIELD, here, source)
        if field not in more:
            values[field] = _value(stated, (*here, field), source)
    try:
        checked = form.model_validate(values)
    except ValidationError as problem:
        _refuse(problem, entry, here, source)
    for field in values:
        if isinstance(entry[field], dict) and "range" in entry[field]:
            _check_interval(
                form, field, getattr(checked, field), entry[field]["range"], (*here, field, "range"), source
            )
    return values


def _value(stated: Any, here: FieldPath, source: Source) -> Any:
    """What a field says: a word or true or false as it stands, a number with its source."""
    if isinstance(stated, dict):
        if strange := next((key for key in stated if key not in ("value", "range", "source")), None):
            raise source.error((*here, strange), f"{shown(strange)} is neither value, range nor source", at_key=True)
        check_has(stated, ("value",), here, source)
        check_text(stated, "source", here, source)
        return stated["value"]
    if not isinstance(stated, bool) and not (isinstance(stated, str) and stated.isidentifier()):
        rule = f"{shown(stated)} has no source; write {{value: {stated}, source: ...}}, and assumption where it is one"
        raise source.error(here, rule)
    return stated


def _check_interval(
    form: type[Section], field: str, value: float, stated: Any, here: FieldPath, source: Source
) -> None:
    """[low, high] around the value, as it is written."""
    if field not in RANGED:
        raise source.error(
            here, f"is not for {field}: a range is the interval of a fitted rate or time; remove it", True
        )
    if not isinstance(stated, list) or len(stated) != 2:
        raise source.error(here, f"{shown(stated)} is no range; write [low, high], each as the value is")
    ends = []
    for number, end in enumerate(stated):
        try:
            ends.append(getattr(form.model_validate({field: end}), field))
        except ValidationError as problem:
            detail = problem.errors()[0]
            raise source.error((*here, number), problems.message(detail["type"], detail)) from None
    low, high = ends
    if not 0 < low <= value <= high < float("inf"):
        rule = f"{shown(stated)} must be 0 < low <= value <= high; the value of {field} lies in the interval of its fit"
        raise source.error(here, rule)


def _refuse(problem: ValidationError, entry: Mapping[str, Any], here: FieldPath, source: Source) -> NoReturn:
    detail = next(one for one in problem.errors() if one["type"] != "none_required")
    field = str(detail["loc"][0])
    place = (*here, field, "value") if isinstance(entry[field], dict) else (*here, field)
    raise source.error(place, problems.message(detail["type"], detail)) from None


def _check_network(values: Mapping[str, Any], here: FieldPath, source: Source) -> None:
    medium = values.get("medium", "switch")
    if medium == "links":
        rule = "links are a scenario's own; a preset is a switch or a shared channel"
        raise source.error((*here, "medium"), rule)
    for field in values:
        if medium not in (media := USED_BY.get(field, (medium,))):
            rule = f"is used by medium {' and '.join(media)}, but the medium is {medium}; remove it"
            raise source.error((*here, field), rule, at_key=True)
    if "bandwidth" not in values:
        check_has(values, ("up", "down") if values.keys() & {"up", "down"} else ("bandwidth",), here, source)
    elif both := values.keys() & {"up", "down"}:
        rule = f"cannot stand beside {min(both)}; keep bandwidth (both ways), or up and down"
        raise source.error((*here, "bandwidth"), rule, at_key=True)
