"""What was measured of cores and a link, as live runs are predicted from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from prism_sim.calibration.device import DeviceEstimate, fit_device, in_step
from prism_sim.live.link import LinkEstimate
from prism_sim.live_runs.series import SeriesResult
from prism_sim.syntax import presets

ONE_AT_A_TIME = ("single", "pipeline")  # whose other core idles
LINK_TEST_S = 8.0


@dataclass(frozen=True, slots=True)
class Cores:
    """As the kernels of a model have them, which were timed between the runs.

    alone: each, with the other idle. in_step: the slower one at each moment, with both busy.
    """

    alone: Sequence[DeviceEstimate]
    in_step: DeviceEstimate

    @staticmethod
    def of(model: str, found: SeriesResult) -> Cores:
        kind = str(presets.model(model).config["model_type"])
        alone, busy = (
            [[step for step in steps if step.label.startswith(f"{kind}, ")] for steps in cores]
            for cores in (found.alone, found.in_company)
        )
        return Cores([fit_device(steps) for steps in alone], fit_device(in_step(busy)))

    def during(self, strategy: str) -> Sequence[DeviceEstimate]:
        return self.alone if strategy in ONE_AT_A_TIME else [self.in_step] * len(self.alone)


def calibrated(cores: Sequence[DeviceEstimate], network: LinkEstimate) -> list[str]:
    """Overrides of a scenario."""
    return [
        *(f"devices[{core}].{name}={text}" for core, one in enumerate(cores) for name, text in one.fields().items()),
        f"network.bandwidth={network.bits_per_s / 1e6:.6g} Mbit/s",
        f"network.latency={1e6 * network.latency_s:.6g} us",
        f"network.message_overhead={1e6 * network.message_overhead_s:.6g} us",
    ]
