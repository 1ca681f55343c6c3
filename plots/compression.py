"""Latency and bytes of a scenario against PRISM's compression rate, with single and voltage beside it.

python plots/compression.py scenarios/vit-base-orin-nano.yaml -o compression.png
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from prism_sim import load_scenario, sweep
from prism_sim.figures import draw_compression
from prism_sim.figures.style import check_ending, saved
from prism_sim.kept.files import write_whole

SEGMENTS = (1, 2, 5, 10, 20, 30, 50)
STEPS = [["single", 1], ["voltage", 1], *(["prism", n_segments] for n_segments in SEGMENTS)]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scenario", type=Path)
    parser.add_argument("-o", "--output", type=Path, default=Path("compression.png"), help="ends in .png, .svg or .pdf")
    options = parser.parse_args()
    try:
        check_ending(options.output)
        scenario = load_scenario(options.scenario)
        asked = scenario.with_overrides({"sweep": {"strategy.name, strategy.segments": STEPS}})
        figure = draw_compression(sweep(asked, jobs=1, numerics=False), title=scenario.name)
        write_whole(options.output, saved(figure))
    except (ValueError, OSError) as error:  # a wrong scenario, nothing to draw, no such format, or an unwritable place
        print(error, file=sys.stderr)
        return 2
    print(f"wrote {options.output}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
