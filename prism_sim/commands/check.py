"""prism-sim check: validate a scenario, run nothing."""

from __future__ import annotations

import argparse

from prism_sim.commands import base


def run(options: argparse.Namespace) -> int:
    from prism_sim.choice.auto import resolved
    from prism_sim.simulation.memory import refuse_unless_it_fits
    from prism_sim.simulation.placed import placed
    from prism_sim.simulation.simulate import simulate

    scenario = base.load(options)
    with placed(scenario):  # rules that only show once strategy, model and hardware meet
        scenario = resolved(scenario)
        simulation = simulate(scenario)
        refuse_unless_it_fits(scenario, simulation)
    n_ranks = simulation.plan.n_ranks
    name = scenario.strategy.name
    print(f"{options.scenario}: ok: {scenario.name}, {name} over {n_ranks} rank(s)")
    for field in scenario.written.unused_fields:
        print(f"  {field}: not used by {name}")
    return 0


COMMAND = base.Command("check", "validate a scenario, compute nothing", base.takes_scenario, run, base.ASK, 5)
