"""`torchrun --nproc-per-node N -m prism_sim.live SCENARIO`: one process of a live run (`prism-sim live` starts all).

On several hosts: the same scenario file and the same prism_sim on each; GLOO_SOCKET_IFNAME names the interface.
"""

from __future__ import annotations

import sys

from prism_sim.live.voice import die_with_parent, leave


def main() -> int:
    """Exit status: 0, 1 if the run failed, 2 if the scenario is wrong."""
    die_with_parent()
    from prism_sim.commands.live import run_process  # joins scenario, timing and this room

    return run_process(sys.argv[1:])


if __name__ == "__main__":
    leave(main())
