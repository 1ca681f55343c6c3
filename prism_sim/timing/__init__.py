"""Plays a plan on devices and a network: latency, its causes, who was busy or waited, throughput and energy."""

from prism_sim.timing.collectives import ALGORITHMS
from prism_sim.timing.dealing import deal
from prism_sim.timing.devices import Device
from prism_sim.timing.energy import energy_j
from prism_sim.timing.engine import simulate
from prism_sim.timing.media import NETWORKS, Link, Links, Network, SharedRadio, Switch
from prism_sim.timing.stream import Stream, simulate_stream
from prism_sim.timing.timeline import Timeline
from prism_sim.timing.trace import to_trace_events

__all__ = [
    "ALGORITHMS",
    "NETWORKS",
    "Device",
    "Link",
    "Links",
    "Network",
    "SharedRadio",
    "Stream",
    "Switch",
    "Timeline",
    "deal",
    "energy_j",
    "simulate",
    "simulate_stream",
    "to_trace_events",
]
