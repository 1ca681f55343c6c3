"""Where a number comes from: versions, seed, and what the scenario said."""

from __future__ import annotations

import platform
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from prism_sim import plugins
from prism_sim.scenario import Scenario

PACKAGES = ("prism-sim", "simpy", "numpy", "pydantic", "torch", "transformers")


def provenance(scenario: Scenario) -> dict[str, Any]:
    """Enough to repeat a run: no time stamp, so that the same run gives the same text."""
    return {
        "versions": versions(),
        "seed": scenario.seed,
        "scenario_hash": scenario.hash,
        "weights": scenario.model.weights,
        **({"plugins": dict(found)} if (found := plugins.described()) else {}),
    }


@cache
def versions() -> dict[str, str | None]:
    return {"python": platform.python_version(), **{name: _version(name) for name in PACKAGES}}


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
