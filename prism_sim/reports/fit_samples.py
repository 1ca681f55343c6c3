"""How the ranges that follow from numbers' intervals read in the terminal."""

from __future__ import annotations

from rich.console import Console

from prism_sim.simulation.fit_samples import MOST_COMPILED, MOST_PLAIN, N_SAMPLES, FitSamples, SampledTimes, interval
from prism_sim.simulation.simulate import Simulation
from prism_sim.units_text import interval_text

RANGE = "range"
UNKNOWN = "?"  # of a plan that is too large


def range_cell(samples: FitSamples, simulation: Simulation) -> str:
    times = samples.times(simulation)
    return UNKNOWN if times is None else interval_text(*interval(times.latency_s))


def show_samples(samples: FitSamples, times: SampledTimes | None, console: Console) -> None:
    """What a range is; of text, those of its two times. times: of what is asked."""
    meaning = (
        f"range: 5 % to 95 % of {N_SAMPLES} samples of the numbers whose fit has an interval, no error of the model"
    )
    console.print(f"\n{meaning} (docs/trust.md)", style="dim", highlight=False)
    if any(one is None for _, one in samples.known):
        most = f"more than {MOST_COMPILED:,} steps and messages, or {MOST_PLAIN:,} where only the plain engine plays"
        console.print(f"{UNKNOWN}: too large a plan to be played so often ({most})", style="dim", highlight=False)
    if times is not None and times.ttft_s:
        text = f"TTFT {interval_text(*interval(times.ttft_s))}"
        text += f", TPOT {interval_text(*interval(times.tpot_s))}" if times.tpot_s else ""
        console.print(f"within that: {text}", highlight=False)
