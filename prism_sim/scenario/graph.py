"""The graph of a network's links: its nodes by device or name, each device within reach of all others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from prism_sim.catalogue import nearest
from prism_sim.scenario.hardware import device_index
from prism_sim.scenario.spec import DeviceSpec
from prism_sim.syntax.errors import FieldPath, shown
from prism_sim.syntax.sections import LinkSection
from prism_sim.syntax.yaml_source import Source

LINKS: FieldPath = ("network", "links")

Node = int | str
Ends = tuple[Node, Node]


def nodes(links: Sequence[LinkSection], devices: Sequence[DeviceSpec], source: Source) -> list[Ends]:
    """The two nodes of each link: a device's index, or a router's name. Raises ScenarioError for an unknown index."""
    index_of = {device.name: index for index, device in enumerate(devices)}

    def node(number: int, side: int) -> Node:
        reference = links[number].between[side]
        if isinstance(reference, str):
            return index_of.get(reference, reference)
        return device_index(reference, (*LINKS, number, "between", side), devices, source)

    return [(node(number, 0), node(number, 1)) for number in range(len(links))]


def check_graph(links: Sequence[Ends], devices: Sequence[DeviceSpec], source: Source) -> None:
    """Raises ScenarioError for a link to itself, a second one, a router that joins nothing, a device out of reach."""
    first: dict[frozenset[Node], int] = {}
    for number, ends in enumerate(links):
        path: FieldPath = (*LINKS, number, "between")
        if ends[0] == ends[1]:
            raise source.error(path, f"{_name(ends[0], devices)} is linked to itself; name two different nodes")
        if (other := first.setdefault(frozenset(ends), number)) != number:
            rule = f"{' and '.join(_name(end, devices) for end in ends)} are joined by network.links[{other}] already"
            raise source.error(path, f"{rule}; keep one of them")
    _check_routers(links, devices, source)
    _check_reach(links, devices, source)


def _check_routers(links: Sequence[Ends], devices: Sequence[DeviceSpec], source: Source) -> None:
    """A router on one link alone leads nowhere, so it is most often a device's name misspelt."""
    degree = Counter(end for ends in links for end in ends)
    known = [device.name for device in devices] + [str(node) for node, n_links in degree.items() if n_links > 1]
    for number, ends in enumerate(links):
        for side, end in enumerate(ends):
            if isinstance(end, str) and degree[end] == 1:
                rule = f"{shown(end)} is neither a device nor a router that joins two links"
                hint = nearest(end, known) or f"; devices: {', '.join(known[:8])}"
                raise source.error((*LINKS, number, "between", side), f"{rule}{hint}")


def _check_reach(links: Sequence[Ends], devices: Sequence[DeviceSpec], source: Source) -> None:
    reached: set[Node] = {0}
    fresh = reached
    neighbours: dict[Node, set[Node]] = {}
    for a, b in links:
        neighbours.setdefault(a, set()).add(b)
        neighbours.setdefault(b, set()).add(a)
    while fresh:
        fresh = {near for node in fresh for near in neighbours.get(node, ())} - reached
        reached = reached | fresh
    apart = [device.name for index, device in enumerate(devices) if index not in reached]
    if apart:
        rule = f"no links lead from {devices[0].name} to {', '.join(apart[:8])}"
        raise source.error(
            LINKS, f"{rule}; every device must reach every other: add the link that is missing", at_key=True
        )


def _name(node: Node, devices: Sequence[DeviceSpec]) -> str:
    return devices[node].name if isinstance(node, int) else node
