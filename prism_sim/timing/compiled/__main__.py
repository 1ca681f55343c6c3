"""Compiles what is not compiled yet on this machine: `python -m prism_sim.timing.compiled`."""

from prism_sim.devices import Device
from prism_sim.plan import Plan
from prism_sim.timing.compiled.play import once
from prism_sim.timing.media import Switch
from prism_sim.timing.rig import Rig

device = Device("any", flops_per_s=1.0, memory_bytes_per_s=1.0)
nothing = (0, 0)
once(Plan(1, ((), ()), (), nothing, nothing), Rig.of([device], (0, 0), Switch(1.0, 1.0)))
