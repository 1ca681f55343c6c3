"""One device alone: what every way to distribute must beat, where a device can hold the model at all."""

from __future__ import annotations

from dataclasses import replace

from prism_sim.devices import kinds_of
from prism_sim.shares.choice import Split
from prism_sim.shares.setting import Setting
from prism_sim.simulation.simulate import Simulation, kept


def alone(setting: Setting) -> tuple[Simulation, Simulation | None]:
    """The model of a setting on its terminal alone; and shipped to the device, of those that can hold it, where that is
    fastest, if there is one. Of devices that are alike, one is played.
    """
    terminal = setting.device_of[-1]
    chosen = {terminal, *(alike[0] for alike in kinds_of(dict(enumerate(setting.devices))))}
    job = setting.job.alone()
    played = {
        index: kept(Split(replace(setting, job=job, device_of=(index, terminal)), None)) for index in sorted(chosen)
    }
    fitting = [one for one in played.values() if one.fits]
    return played[terminal], min(fitting, key=lambda one: one.latency_s, default=None)
