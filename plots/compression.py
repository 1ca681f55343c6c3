"""Latency and bytes of a scenario against PRISM's compression rate, drawn by a loop over the number of segments.

python plots/compression.py scenarios/vit-base-orin-nano.yaml -o compression.png
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from prism_sim import Scenario, load_scenario
from prism_sim.figures.compression import CompressionPoint, draw_compression
from prism_sim.figures.style import saved
from prism_sim.study import simulate
from prism_sim.study.files import write_whole

SEGMENTS = (1, 2, 5, 10, 20, 30, 50)


def points(scenario: Scenario, segments: tuple[int, ...] = SEGMENTS) -> list[CompressionPoint]:
    """One run of PRISM for each number of segments that compresses at all."""
    found = []
    for n_segments in segments:
        simulation = simulate(scenario.with_overrides({"strategy.name": "prism", "strategy.segments": n_segments}))
        effective, rate = simulation.compression
        if effective is not None and rate is not None and effective == n_segments:
            sent_bytes = sum(simulation.timeline.sent_bytes)
            found.append(CompressionPoint(rate, n_segments, simulation.latency_s, sent_bytes))
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scenario", type=Path)
    parser.add_argument("-o", "--output", type=Path, default=Path("compression.png"), help="ends in .png, .svg or .pdf")
    options = parser.parse_args()
    try:
        scenario = load_scenario(options.scenario)
        references = [
            (name, simulated.latency_s, sum(simulated.timeline.sent_bytes))
            for name in ("single", "voltage")
            for simulated in [simulate(scenario, name)]
        ]
        figure = draw_compression(points(scenario), references, scenario.name)
        write_whole(options.output, saved(figure))
    except (ValueError, OSError) as error:  # a wrong scenario, nothing to draw, no such format, or an unwritable place
        print(error, file=sys.stderr)
        return 2
    print(f"wrote {options.output}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
