"""What was measured of cores and a link, as live runs are predicted from it."""

from __future__ import annotations

import statistics
from bisect import bisect
from collections.abc import Sequence
from dataclasses import dataclass, replace

from prism_sim.calibration.device import DeviceEstimate, fit_device, in_step
from prism_sim.live.link import LinkEstimate
from prism_sim.live.timed import WHOLE_PASS, TimedStep
from prism_sim.live_runs.series import SeriesResult
from prism_sim.syntax import presets

ONE_AT_A_TIME = ("single", "pipeline")  # whose other core idles
LINK_TEST_S = 8.0
NEAR = 6  # passes on either side of a run, of each core, that tell how fast the machine was then

Timed = Sequence[Sequence[TimedStep]]  # of each core


@dataclass(frozen=True, slots=True)
class Cores:
    """As the kernels of a model have them, which were timed between the runs.

    alone: each, with the other idle. in_step: the slower one at each moment, with both busy. timed_alone,
    timed_in_company: what those were fitted to.
    """

    alone: Sequence[DeviceEstimate]
    in_step: DeviceEstimate
    timed_alone: Timed = ()
    timed_in_company: Timed = ()

    @staticmethod
    def of(model: str, found: SeriesResult) -> Cores:
        kind = str(presets.model(model).config["model_type"])
        alone, busy = (
            [[step for step in steps if step.label.startswith(f"{kind}, ")] for steps in cores]
            for cores in (found.alone, found.in_company)
        )
        return Cores([fit_device(steps) for steps in alone], fit_device(in_step(busy)), alone, busy)

    def during(self, strategy: str, pace: float = 1.0) -> Sequence[DeviceEstimate]:
        """pace: of a moment, see `pace`; 1.1: everything took a tenth longer than in the mean."""
        found = self.alone if strategy in ONE_AT_A_TIME else [self.in_step] * len(self.alone)
        return [one.slowed(pace) for one in found]

    def timed(self, strategy: str) -> Timed:
        """What its cores were fitted to."""
        return self.timed_alone if strategy in ONE_AT_A_TIME else self.timed_in_company


def pace(timed: Timed, at_s: float) -> float:
    """How long passes took that were made last before a moment and first after it, each relative to its mean.

    The median of `NEAR` on either side, of every core, that nobody disturbed; 1 where there are none.
    """
    near: list[float] = []
    for steps in timed:
        wholes = [step for step in steps if step.name == WHOLE_PASS]
        ratios = sorted(
            (begun_s, seconds / step.seconds)
            for step in wholes
            for begun_s, seconds, calm in zip(step.begun_s, step.samples_s, step.calm, strict=True)
            if calm
        )
        place = bisect(ratios, (at_s, 0.0))
        near += [ratio for _, ratio in ratios[max(place - NEAR, 0) : place + NEAR]]
    return statistics.median(near) if near else 1.0


def with_meetings(network: LinkEstimate, meeting_s: float, payload_bytes: int) -> LinkEstimate:
    """The link as ranks know it that meet over it: its latency is what is left of a meeting of so few bytes each.

    The link's own test has processes that do nothing but wait for the next message, and hear it at once.
    """
    left_s = meeting_s - network.message_overhead_s - 8 * payload_bytes / network.bits_per_s
    return replace(network, latency_s=max(left_s, network.latency_s))


def calibrated(cores: Sequence[DeviceEstimate], network: LinkEstimate) -> list[str]:
    """Overrides of a scenario."""
    return [
        *(f"devices[{core}].{name}={text}" for core, one in enumerate(cores) for name, text in one.fields().items()),
        f"network.bandwidth={network.bits_per_s / 1e6:.6g} Mbit/s",
        f"network.latency={1e6 * network.latency_s:.6g} us",
        f"network.message_overhead={1e6 * network.message_overhead_s:.6g} us",
    ]
