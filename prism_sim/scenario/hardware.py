"""Devices, ranks and terminal of a scenario: presets and overrides merged, counts expanded, names given."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from prism_sim.catalogue import nearest
from prism_sim.scenario.ranged import fitted_numbers, with_fitted
from prism_sim.scenario.spec import DeviceSpec
from prism_sim.syntax.errors import FieldPath, shown
from prism_sim.syntax.fields import Section
from prism_sim.syntax.sections import MAX_DEVICES, DeviceSection, ScenarioSection
from prism_sim.syntax.yaml_source import Source

QUANTISED_RATES = ("compute_q8_0", "compute_q4_0")


def devices(file: ScenarioSection, source: Source) -> tuple[DeviceSpec, ...]:
    """One spec a device, in the order of the file. Raises ScenarioError for missing numbers and names used twice."""
    if sum(section.count for section in file.devices) > MAX_DEVICES:
        raise source.error(("devices",), f"more than {MAX_DEVICES} devices altogether; lower count")
    names = _names(file.devices, source)
    found = []
    for index, section in enumerate(file.devices):
        runtime = _runtime(section, ("devices", index), source)
        numbers = _device_numbers(section, ("devices", index), source)
        try:
            made = DeviceSpec(name="", preset=section.preset, runtime=runtime, **numbers)
        except ValueError as error:  # a rule between its numbers
            raise source.error(("devices", index), str(error)) from None
        if section.preset is not None:
            preset = source.presets.device(section.preset)
            made = with_fitted(made, fitted_numbers(preset, runtime, DeviceSection, stated_in(section)))
        found += [replace(made, name=name) for name in names[index]]
    return tuple(found)


def check_rates(file: ScenarioSection, weight_dtype: str | None, source: Source) -> None:
    """Raises ScenarioError for a device that states rates with other weights in groups, but none with the model's."""
    if (needed := f"compute_{weight_dtype}") not in QUANTISED_RATES:
        return
    for index, section in enumerate(file.devices):
        known = merged(section, _of_preset(section, source))
        stated = [field for field in QUANTISED_RATES if known.get(field) is not None]
        if stated and needed not in stated:
            rule = f"is missing: the device states {stated[0]}, but the model's weights are in {weight_dtype}"
            raise source.error(("devices", index, needed), f"{rule}; write for example {needed}: 40 GFLOP/s")


def slowest_sender(devices: Sequence[DeviceSpec], taking_part: Iterable[int]) -> DeviceSpec | None:
    """Of these the one that states the largest overhead of a message: a network has one for all. None: none does."""
    stated = [devices[index] for index in sorted(taking_part) if devices[index].message_overhead_s is not None]
    return max(stated, key=lambda device: device.message_overhead_s or 0.0, default=None)


def _runtime(section: DeviceSection, path: FieldPath, source: Source) -> str | None:
    """Whose numbers of its preset a device has; None where the preset does not tell runtimes apart."""
    here = (*path, "runtime")
    chosen = section.runtime
    if section.preset is None:
        if chosen is not None:
            rule = f"{shown(chosen)} chooses numbers of a preset, but there is none; write one, or state compute itself"
            raise source.error(here, rule, at_key=True)
        return None
    preset = source.presets.device(section.preset)
    known = preset.by_runtime
    if chosen is None or chosen in known:
        return chosen or preset.runtime
    if not known:
        rule = f"{shown(chosen)} cannot be chosen: {preset.name} has the same numbers under every runtime; remove it"
        raise source.error(here, f"{rule} (prism-sim list devices)", at_key=True)
    has = f"{preset.name} has numbers for: {', '.join(known)}"
    raise source.error(here, f"{shown(chosen)} is none of its runtimes{nearest(chosen, known)} ({has})")


def _of_preset(section: DeviceSection, source: Source) -> dict[str, Any]:
    """What its preset states under its runtime, which is one of the preset's."""
    if section.preset is None:
        return {}
    preset = source.presets.device(section.preset)
    return preset.fields_under(section.runtime or preset.runtime)


def _device_numbers(section: DeviceSection, path: FieldPath, source: Source) -> dict[str, Any]:
    known = merged(section, _of_preset(section, source))
    for needed, example in (("compute", "57 GFLOP/s"), ("memory_bandwidth", "9.2 GB/s")):
        if known.get(needed) is None:
            remedy = f"write for example {needed}: {example}, or a preset"
            raise source.error((*path, needed), f"is missing: a device without preset must state it; {remedy}")
    if known.get("storage_bandwidth") is not None and "memory" not in known:
        rule = "makes no sense without memory: only what finds no room there is read from storage"
        raise source.error((*path, "storage_bandwidth"), f"{rule}; write for example memory: 8 GiB, or leave it out")
    staging = known.get("staging_bandwidth", math.inf)
    copies = math.isfinite(staging) or "staging_latency" in section.model_fields_set
    return {
        "flops_per_s": known["compute"],
        "float16_flops_per_s": known.get("compute_float16"),
        "int8_flops_per_s": known.get("compute_int8"),
        "q8_0_flops_per_s": known.get("compute_q8_0"),
        "q4_0_flops_per_s": known.get("compute_q4_0"),
        "memory_bytes_per_s": known["memory_bandwidth"],
        "memory_overlap": known.get("memory_overlap", 1.0),
        "attention_efficiency": known.get("attention_efficiency", 1.0),
        "memory_bytes": round(known["memory"]) if "memory" in known else None,
        "storage_bytes_per_s": known.get("storage_bandwidth"),
        "op_overhead_s": known.get("op_overhead", 0.0),
        "staging_bytes_per_s": staging,
        "staging_latency_s": known.get("staging_latency", 0.0) if copies else 0.0,
        "staging_ramp_s": known.get("staging_ramp", 0.0) if copies else 0.0,
        "dispatch_s": known.get("dispatch", 0.0),
        "restart_s": known.get("dispatch_restart", 0.0),
        "handling_bytes_per_s": known.get("handling_bandwidth", math.inf),
        "message_overhead_s": known.get("message_overhead"),
        "idle_w": known.get("idle_power"),
        "busy_w": known.get("busy_power"),
        "radio_w": known.get("radio_power"),
    }


def merged(section: Section, preset: Mapping[str, Any], kind: type[Section] | None = None) -> dict[str, Any]:
    """What the section states, and its preset where it is silent, validated alike or as another kind of section."""
    checked = (kind or type(section)).model_validate(preset)
    return {name: getattr(checked, name) for name in preset} | stated_in(section)


def stated_in(section: Section) -> dict[str, Any]:
    """What the section says itself."""
    written = {name: getattr(section, name) for name in section.model_fields_set}
    return {name: value for name, value in written.items() if value is not None}


def _names(sections: Sequence[DeviceSection], source: Source) -> list[list[str]]:
    """The file's own names, numbered from 0 where several devices share one; all distinct."""
    taken: dict[str, int] = {}
    bases = Counter[str]()
    for index, section in enumerate(sections):
        if section.name is not None and section.count == 1:
            if section.name in taken:
                rule = f"{shown(section.name)} is the name of devices[{taken[section.name]}] too; names must differ"
                raise source.error(("devices", index, "name"), rule)
            taken[section.name] = index
        else:
            bases[_base(section)] += section.count
    numbers = Counter[str]()
    found = []
    for section in sections:
        if section.name is not None and section.count == 1:
            found.append([section.name])
            continue
        base = _base(section)
        found.append([_free_name(base, bases[base] > 1 or base in taken, numbers, taken) for _ in range(section.count)])
    return found


def _base(section: DeviceSection) -> str:
    return section.name or section.preset or "device"


def _free_name(base: str, numbered: bool, numbers: Counter[str], taken: dict[str, int]) -> str:
    while True:
        name = f"{base}-{numbers[base]}" if numbered else base
        numbers[base] += 1
        if name not in taken:
            taken[name] = -1
            return name
        numbered = True


def device_index(reference: int | str, path: FieldPath, known: Sequence[DeviceSpec], source: Source) -> int:
    """The index of a device given by index or name. Raises ScenarioError if there is none."""
    if isinstance(reference, str):
        names = [device.name for device in known]
        if reference not in names:
            hint = nearest(reference, names) or f"; devices: {', '.join(names[:8])}"
            raise source.error(path, f"{shown(reference)} is not the name of a device{hint}")
        return names.index(reference)
    if not 0 <= reference < len(known):
        last = (
            f"there are {len(known)}, so write 0 to {len(known) - 1}" if len(known) > 1 else "there is one, so write 0"
        )
        raise source.error(path, f"{reference} is not the index of a device: {last}")
    return reference


def ranks(file: ScenarioSection, known: Sequence[DeviceSpec], source: Source) -> tuple[int, ...]:
    """Indices of the devices that hold a part; all unless the file says otherwise."""
    if file.ranks is None:
        return tuple(range(len(known)))
    found = list[int]()
    for number, reference in enumerate(file.ranks):
        index = device_index(reference, ("ranks", number), known, source)
        if index in found:
            rule = f"{shown(reference)} is device {index} ({known[index].name}) again; a device holds one part"
            raise source.error(("ranks", number), f"{rule}, so name it once")
        found.append(index)
    return tuple(found)
