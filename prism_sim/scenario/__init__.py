"""Scenario files: from YAML with units to a validated, frozen `Scenario` in SI.

    scenario = load_scenario("scenarios/vit-base-orin-nano.yaml", ["network.bandwidth=50 Mbit/s"])
    scenario.model                      label, config (a dict, or None), hub_id, folder, weights, dtype, head
    scenario.workload                   batch, tokens, input;  scenario.placement: input, output
    scenario.devices[0].flops_per_s     all devices, counts expanded;  scenario.terminal, .ranks: their indices
    scenario.network.up_bits_per_s      and down_bits_per_s, latency_s, message_overhead_s, medium, links, ...
    scenario.strategy.options           the strategy's own Options;  scenario.strategy_options("voltage"): another's
    scenario.written                    what the file says: unused_fields, ...;  scenario.hash: SHA-256 of what matters
    scenario.with_overrides({"strategy.segments": 5})     the same file, one field changed: for loops
    sweep_axes(scenario)                fields, values and SI numbers to vary;  json_schema(): for editors
    presets.models(), presets.devices(), presets.networks()     what `prism-sim list` shows, with sources

Whatever is wrong with a file or an override is a `ScenarioError`: one message, with place, value, rule and remedy.
"""

from prism_sim.scenario.scenario import Scenario, load_scenario, sweep_axes, sweep_groups, without_sweep
from prism_sim.scenario.spec import DeviceSpec, LinkSpec, ModelSpec, NetworkSpec, StrategySpec, WorkloadSpec
from prism_sim.syntax import presets
from prism_sim.syntax.errors import ScenarioError
from prism_sim.syntax.schema import json_schema
from prism_sim.syntax.sweep import UNSET, Axis, Group

__all__ = [
    "UNSET",
    "Axis",
    "DeviceSpec",
    "Group",
    "LinkSpec",
    "ModelSpec",
    "NetworkSpec",
    "Scenario",
    "ScenarioError",
    "StrategySpec",
    "WorkloadSpec",
    "json_schema",
    "load_scenario",
    "presets",
    "sweep_axes",
    "sweep_groups",
    "without_sweep",
]
