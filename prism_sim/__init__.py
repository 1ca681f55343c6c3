"""Simulates Transformer inference spread over edge devices: latency, bytes and outputs (PRISM, arXiv 2507.12145)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from prism_sim.choice.run import run
    from prism_sim.numeric.generate import generate
    from prism_sim.numeric.infer import fit_codebooks, infer
    from prism_sim.plugins import PluginError, load_plugin
    from prism_sim.ready.examples import example
    from prism_sim.scenario import Scenario, ScenarioError, load_scenario
    from prism_sim.sweeping.sweep import sweep

__all__ = [
    "PluginError",
    "Scenario",
    "ScenarioError",
    "example",
    "fit_codebooks",
    "generate",
    "infer",
    "load_plugin",
    "load_scenario",
    "run",
    "sweep",
]

_HOMES = {
    "PluginError": "prism_sim.plugins",
    "Scenario": "prism_sim.scenario",
    "ScenarioError": "prism_sim.scenario",
    "example": "prism_sim.ready.examples",
    "fit_codebooks": "prism_sim.numeric.infer",
    "generate": "prism_sim.numeric.generate",
    "infer": "prism_sim.numeric.infer",
    "load_plugin": "prism_sim.plugins",
    "load_scenario": "prism_sim.scenario",
    "run": "prism_sim.choice.run",
    "sweep": "prism_sim.sweeping.sweep",
}


def __getattr__(name: str) -> Any:
    """Loads what is asked for, when it is asked for: timing alone must not wait for torch."""
    if name not in _HOMES:
        raise AttributeError(f"module 'prism_sim' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)
