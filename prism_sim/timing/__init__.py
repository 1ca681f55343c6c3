"""Plays a plan on devices and a network: latency, its causes, who was busy or waited, throughput and energy."""

from prism_sim.devices import Device
from prism_sim.timing.collectives import ALGORITHMS, CHOICES, COLLECTIVES, QUICKEST
from prism_sim.timing.dealing import deal, dealt_per_s, load_s, served_per_s
from prism_sim.timing.energy import energy_j
from prism_sim.timing.media import NETWORKS, Link, Links, Network, SharedRadio, Switch
from prism_sim.timing.once import play_once
from prism_sim.timing.quickest import algorithms_of
from prism_sim.timing.stream import Stream, play_stream
from prism_sim.timing.timeline import Timeline
from prism_sim.timing.trace import to_trace_events

__all__ = [
    "ALGORITHMS",
    "CHOICES",
    "COLLECTIVES",
    "NETWORKS",
    "QUICKEST",
    "Device",
    "Link",
    "Links",
    "Network",
    "SharedRadio",
    "Stream",
    "Switch",
    "Timeline",
    "algorithms_of",
    "deal",
    "dealt_per_s",
    "energy_j",
    "load_s",
    "play_once",
    "play_stream",
    "served_per_s",
    "to_trace_events",
]
