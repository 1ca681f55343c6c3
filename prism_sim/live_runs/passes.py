"""The passes of a request as processes run them: the forward pass and, where text follows a prompt, its steps."""

from __future__ import annotations

from collections.abc import Sequence

from prism_sim import timing
from prism_sim.live.order import LivePasses
from prism_sim.plan import Plan
from prism_sim.shapes.interpreter import predict
from prism_sim.shapes.job import Job
from prism_sim.simulation.simulate import Simulation
from prism_sim.timing.collectives import lower


def series_of(simulation: Simulation) -> tuple[LivePasses, ...]:
    """The first pass, then its steps: all in one where they exchange alike, else each for itself.

    A step's sizes are affine in the tokens before it: where the first and the last exchange the same, all do.
    """
    prompt = simulation.job
    first_pass = _series(simulation, [prompt], simulation.plan)
    jobs = list(map(prompt.step, prompt.step_pasts))
    if not jobs:
        return (first_pass,)
    first = predict(jobs[0])
    if first.exchanges == predict(jobs[-1]).exchanges:
        return first_pass, _series(simulation, jobs, first)
    return first_pass, *(_series(simulation, [job], predict(job)) for job in jobs)


def _series(simulation: Simulation, jobs: Sequence[Job], plan: Plan) -> LivePasses:
    algorithms = timing.algorithms_of(plan, simulation.devices, simulation.device_of, simulation.network)
    return LivePasses(tuple(jobs), plan, algorithms, tuple(map(lower, plan.exchanges, algorithms)))
