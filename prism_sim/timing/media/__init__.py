"""Media: how messages that are under way at the same time share a network."""

from prism_sim.timing.media.base import Flight, Medium, Network
from prism_sim.timing.media.links import Link, Links
from prism_sim.timing.media.shared import SharedRadio
from prism_sim.timing.media.switch import Switch

__all__ = ["NETWORKS", "Flight", "Link", "Links", "Medium", "Network", "SharedRadio", "Switch"]

# By the name that a scenario gives its medium.
NETWORKS: dict[str, type[Switch] | type[SharedRadio] | type[Links]] = {
    "switch": Switch,
    "shared": SharedRadio,
    "links": Links,
}
