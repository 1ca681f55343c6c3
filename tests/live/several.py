"""One process of several live runs, one after another: `python several.py '[[FILE, [OVERRIDE, ...], PORT], ...]'`.

Torch is loaded once for all. Process 0 reports what was measured in each.
"""

from __future__ import annotations

import json
import os
import sys
import time

from prism_sim.live.process import ProcessSettings, take_part
from prism_sim.live.steady.rounds import Schedule
from prism_sim.live.voice import Seat, Voice, die_with_parent
from prism_sim.live_runs.live import order_of, planned
from prism_sim.scenario import load_scenario

LIMIT_S = 60.0


def main() -> int:
    die_with_parent()
    voice, rank = Voice.from_environment(), int(os.environ["RANK"])
    found = []
    for path, overrides, port in json.loads(sys.argv[1]):
        scenario = load_scenario(path, overrides)
        order = order_of(scenario, planned(scenario))
        if rank < len(order.devices):
            seat = Seat(rank, len(order.devices), "127.0.0.1", port)
            seat.check([order.device_names[device] for device in order.devices])
            settings = ProcessSettings(Schedule(warmup=1, repeats=2), threads=1, deadline_s=time.monotonic() + LIMIT_S)
            found += take_part([order], seat, settings, voice) or []
    if rank == 0:
        voice.result(found)
    return 0


if __name__ == "__main__":
    status = main()
    os._exit(status)
