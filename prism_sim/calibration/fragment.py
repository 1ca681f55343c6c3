"""The numbers that were found, as sections of a scenario."""

from __future__ import annotations

from collections.abc import Sequence

from prism_sim.calibration.fit import CONFIDENCE, Fit, FittedParameter


def fragment(found: Fit) -> str:
    """YAML: `devices` and `network` with their presets and the fitted fields; paste it over those of a scenario."""
    device, network = found.scenario.devices[0], found.scenario.network
    of_device = [one for one in found.found if not one.parameter.of_network]
    of_network = [one for one in found.found if one.parameter.of_network]
    lines = [
        f"# Fitted to {found.table.n_numbers} numbers of {found.table.path.name} by prism-sim fit; beside each value, "
        f"its {CONFIDENCE:.0%} interval."
    ]
    if of_device:
        preset = f"preset: {device.preset}" if device.preset else f"name: {device.name}"
        runtime = [f"    runtime: {device.runtime}"] if device.runtime else []
        lines += ["devices:", f"  - {preset}", *runtime, *_fields(of_device, 4)]
        if len(found.scenario.devices) > 1:
            lines.append(f"    count: {len(found.scenario.devices)}")
    if of_network:
        lines += ["network:", *([f"  preset: {network.preset}"] if network.preset else []), *_fields(of_network, 2)]
    return "\n".join(lines) + "\n"


def _fields(found: Sequence[FittedParameter], indent: int) -> list[str]:
    start = " " * indent
    return [
        f"{start}{one.parameter.name.removeprefix('network.')}: {one.parameter.text(one.value)}  # {interval(one)}"
        for one in found
    ]


def interval(one: FittedParameter) -> str:
    """'580 GFLOP/s to 690 GFLOP/s'."""
    if one.low is None or one.high is None:
        return "not bounded by the rows"
    return f"{one.parameter.text(one.low, 3)} to {one.parameter.text(one.high, 3)}"
