"""The network of a scenario: preset and overrides merged, and every field used by the medium or refused."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from prism_sim.scenario.graph import check_graph, nodes
from prism_sim.scenario.hardware import device_index, merged, stated_in
from prism_sim.scenario.ranged import fitted_numbers, with_fitted
from prism_sim.scenario.spec import DeviceSpec, FittedNumber, LinkSpec, NetworkSpec
from prism_sim.syntax.errors import FieldPath, dotted, shown
from prism_sim.syntax.sections import LinkSection, NetworkSection
from prism_sim.syntax.yaml_source import Source

DEFAULT_MEDIUM = "switch"

# Fields that not every medium uses.
USED_BY: Mapping[str, tuple[str, ...]] = {
    "bandwidth": ("switch", "shared"),
    "up": ("switch",),
    "down": ("switch",),
    "efficiency": ("switch", "shared"),
    "latency": ("switch", "shared"),
    "sharing": ("switch",),
    "direct": ("shared",),
    "access_point": ("shared",),
    "broadcast_rate": ("shared",),
    "switching": ("links",),
    "links": ("links",),
}
OF_A_LINK = ("bandwidth", "up", "down", "latency")


def network(
    section: NetworkSection, devices: Sequence[DeviceSpec], sender: DeviceSpec | None, source: Source
) -> NetworkSpec:
    """sender: whose overhead of a message holds, if one of the devices has a say in it, unless the section states it.

    Raises ScenarioError for what the medium needs and nothing states, and for what is stated and it cannot use.
    """
    here: FieldPath = ("network",)
    preset = dict(source.presets.network(section.preset).fields) if section.preset else {}
    medium = section.medium or str(preset.get("medium", DEFAULT_MEDIUM))
    _refuse_useless(section, medium, source)
    known = merged(section, {name: value for name, value in preset.items() if medium in USED_BY.get(name, (medium,))})
    stated = set(stated_in(section))
    if sender is not None and section.message_overhead is None:
        known["message_overhead"] = sender.message_overhead_s
        stated.add("message_overhead")
    collective = known.get("collective", "quickest")
    # fair, as connections share; but one transmission that reaches all is no connection
    sharing = known.get("sharing", "fair" if medium == "switch" and collective != "broadcast" else "fifo")
    if collective == "broadcast" and (medium == "links" or sharing == "fair"):
        why = (
            "links have no transmission that reaches all" if medium == "links" else "sharing fair has no such messages"
        )
        raise source.error((*here, "collective"), f"'broadcast' cannot be used: {why}; write for example tree")
    up = down = None
    if medium != "links":
        up, down = _rates(section, known, here, source)
    spec = NetworkSpec(
        preset=section.preset,
        medium=medium,  # type: ignore[arg-type]  # one of the schema's: presets are validated by it too
        up_bits_per_s=up,
        down_bits_per_s=down,
        latency_s=known.get("latency", 0.0),
        message_overhead_s=known.get("message_overhead", 0.0),
        sharing=sharing,
        collective=collective,
        efficiency=known.get("efficiency", 1.0),
        slow_start=known.get("slow_start", False),
        direct=known.get("direct", False),
        access_point=_access_point(known, devices, source),
        broadcast_bits_per_s=known.get("broadcast_rate"),
        switching=known.get("switching", "cut-through"),
        links=_links(section, devices, source) if medium == "links" else (),
    )
    of_sender = sender.fitted if sender is not None and section.message_overhead is None else ()
    overheads = [number for number in of_sender if "message_overhead_s" in number.attributes]
    return with_fitted(spec, (*_fitted(section, stated, source), *overheads))


def _fitted(section: NetworkSection | LinkSection, stated: Collection[str], source: Source) -> tuple[FittedNumber, ...]:
    """Of its preset, but for what is stated in its place."""
    if section.preset is None:
        return ()
    return fitted_numbers(source.presets.network(section.preset), None, NetworkSection, stated)


def _refuse_useless(section: NetworkSection, medium: str, source: Source) -> None:
    """A preset's fields give way to a stated medium; fields that are stated must mean something."""
    of_preset = f" (of the preset {section.preset})" if section.preset and section.medium is None else ""
    for name, media in USED_BY.items():
        if getattr(section, name) is None or medium in media:
            continue
        remedy = f"remove it, or write medium: {media[0]}"
        if medium == "links" and name in OF_A_LINK:
            remedy = f"state it for each link, as network.links[0].{name}"
        rule = f"is used by medium {' and '.join(media)}, but the medium is {medium}{of_preset}; {remedy}"
        raise source.error(("network", name), rule, at_key=True)


def _rates(
    section: NetworkSection | LinkSection, known: Mapping[str, Any], here: FieldPath, source: Source
) -> tuple[float, float]:
    """Up and down. known: what the section and its preset state."""
    stated = {name for name in ("bandwidth", "up", "down") if getattr(section, name) is not None}
    for direction in ("up", "down"):
        if {"bandwidth", direction} <= stated:
            rule = f"cannot stand beside {dotted((*here, direction))}; keep bandwidth (both ways), or up and down"
            raise source.error((*here, "bandwidth"), rule, at_key=True)
    if "bandwidth" in stated:
        return known["bandwidth"], known["bandwidth"]
    both = known.get("bandwidth")
    up, down = known.get("up", both), known.get("down", both)
    if up is None or down is None:
        missing = "bandwidth" if up is down else "up" if up is None else "down"
        raise source.error((*here, missing), f"is missing; write for example {missing}: 100 Mbit/s, or a preset")
    return up, down


def _access_point(known: Mapping[str, Any], devices: Sequence[DeviceSpec], source: Source) -> int | None:
    if known.get("access_point") is None:
        return None
    path: FieldPath = ("network", "access_point")
    if known.get("direct", False):
        rule = (
            "cannot stand beside direct: true, where stations need no access point; remove it, or write direct: false"
        )
        raise source.error(path, rule, at_key=True)
    return device_index(known["access_point"], path, devices, source)


def _links(section: NetworkSection, devices: Sequence[DeviceSpec], source: Source) -> tuple[LinkSpec, ...]:
    if section.links is None:
        example = "write for example links: [{between: [0, router], bandwidth: 100 Mbit/s}, ...], or another medium"
        raise source.error(("network", "links"), f"is missing: medium links needs them; {example}")
    ends = nodes(section.links, devices, source)
    check_graph(ends, devices, source)
    return tuple(
        _link(link, pair, ("network", "links", number), source)
        for number, (link, pair) in enumerate(zip(section.links, ends, strict=True))
    )


def _link(section: LinkSection, ends: tuple[int | str, int | str], here: FieldPath, source: Source) -> LinkSpec:
    preset = source.presets.network(section.preset).fields if section.preset else {}
    if preset and preset["medium"] != "switch":
        rule = f"{shown(section.preset)} is a radio that all stations share, not a link; state bandwidth and latency"
        raise source.error((*here, "preset"), rule)
    known = merged(section, {name: preset[name] for name in OF_A_LINK if name in preset}, NetworkSection)
    up, down = _rates(section, known, here, source)
    spec = LinkSpec(*ends, up_bits_per_s=up, down_bits_per_s=down, latency_s=known.get("latency", 0.0))
    return with_fitted(spec, _fitted(section, stated_in(section), source))
