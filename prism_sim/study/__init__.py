"""Studies: what a user asks of a scenario, answered by plans, timing and numbers together."""

from prism_sim.study.result import RunResult
from prism_sim.study.run import run
from prism_sim.study.simulation import Simulation, simulate

__all__ = ["RunResult", "Simulation", "run", "simulate"]
