"""Which blocks deserve a byte budget: a number of segments for each block, beside the same for all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from prism_sim import compressors, strategies
from prism_sim.choice.auto import resolved
from prism_sim.kept.cache import Kept, cache_folder
from prism_sim.kept.files import digest
from prism_sim.loss import spending
from prism_sim.loss.bench import Bench, Measure, most_segments, with_segments
from prism_sim.loss.segment_search import EVALUATIONS, Spent, spend
from prism_sim.loss.spending import Prices
from prism_sim.outputs.fidelity import question
from prism_sim.outputs.model_inputs import ELSEWHERE, key
from prism_sim.progress import SILENT, Progress
from prism_sim.scenario import Scenario, load_scenario
from prism_sim.shapes.job import Job
from prism_sim.simulation.placed import placed
from prism_sim.simulation.provenance import provenance
from prism_sim.simulation.simulate import Simulation, replayed, simulate
from prism_sim.strategies.options import PerBlock, marks

SCHEMA = "prism-sim/budget/1"
KEPT = "prism-sim/spending/1"


@dataclass(frozen=True)
class Budget:
    """A scenario's byte budget, and how to spend it. budget_bytes: what all devices may send for one request."""

    scenario: Scenario
    budget_bytes: int
    spent: Spent
    uniform: Simulation
    found: Simulation

    @property
    def sent_bytes(self) -> int:
        return sent_bytes(self.found)

    def to_json(self) -> dict[str, Any]:
        gain = self.spent.gain_elsewhere
        return {
            "schema": SCHEMA,
            "name": self.scenario.name,
            "budget_bytes": self.budget_bytes,
            "minimises": self.spent.measure,
            "segments": list(self.spent.found),
            "sent_bytes": self.sent_bytes,
            "latency_s": self.found.latency_s,
            "loss": self.spent.found_loss,
            "uniform": {
                "segments": self.spent.uniform[0],
                "sent_bytes": sent_bytes(self.uniform),
                "latency_s": self.uniform.latency_s,
                "loss": self.spent.uniform_loss,
            },
            "added": list(self.spent.added),
            "gain": self.spent.gain,
            "gain_elsewhere": None if gain is None else {"mean": gain[0], "standard_error": gain[1]},
            "better_than_uniform": self.spent.holds,
            "tried": self.spent.tried,
            "provenance": provenance(self.scenario),
        }


@dataclass(frozen=True, slots=True)
class BudgetRequest:
    """What is asked for. budget_bytes or segments (the mean): the budget; neither: what the scenario sends now.

    measure: see `Bench`. evaluations: lists of segments that may be computed, uniform and what follows it included.
    """

    budget_bytes: int | None = None
    segments: int | None = None
    measure: Measure | None = None
    evaluations: int = EVALUATIONS


def budget(
    scenario: Scenario | str | Path,
    order: BudgetRequest = BudgetRequest(),
    progress: Progress = SILENT,
) -> Budget:
    """The list of segments with the least loss that was found within the budget; never worse than equal segments.

    Deterministic, and kept on disk. progress: told before something that may take long.
    Raises ScenarioError where the scenario is wrong, or where there is nothing to choose.
    """
    if not isinstance(scenario, Scenario):
        scenario = load_scenario(scenario)
    with placed(scenario):
        scenario = resolved(scenario, progress)
        simulation = simulate(scenario, progress=progress)
        _refuse(simulation.job, order)
        prices, base_bytes = _prices(simulation, order)
        spent = _kept_or_found(scenario, simulation.job, prices, order, progress)
    played = [replayed(simulation, with_segments(simulation.job, one)) for one in (spent.uniform, spent.found)]
    return Budget(scenario, base_bytes + prices.budget_bytes, spent, *played)


def sent_bytes(simulation: Simulation) -> int:
    """By all devices, for one request."""
    return sum(simulation.sent_bytes)


def _refuse(job: Job, order: BudgetRequest) -> None:
    """Raises ValueError where no list of segments changes anything, or the order contradicts itself."""
    able = [name for name, one in strategies.catalogue().items() if "segments" in marks(one.options, PerBlock)]
    if job.strategy not in able:
        raise ValueError(f"{job.strategy} sends no segments, so there is no budget to spend; {', '.join(able)} does")
    if job.n_ranks == 1:
        raise ValueError("one rank sends nothing to others, so there is no budget to spend: name more ranks")
    if strategies.find(job.strategy).lossless(job.options):
        raise ValueError(f"this {job.strategy} loses nothing, so there is nothing to spend a budget on")
    name = getattr(job.options, "compressor", None)
    if name is not None and all(
        part.lever is None or part.lever.setting != "segments" for part in compressors.parts(name)
    ):
        raise ValueError(f"the compressor {name} has no segments to spread over the blocks; segment_means has")
    if order.budget_bytes is not None and order.segments is not None:
        raise ValueError("bytes and segments both state the budget: give one of them")
    if order.segments is not None and order.segments < 1:
        raise ValueError(f"segments(={order.segments}) must be >= 1")
    if order.evaluations < 1:
        raise ValueError(f"evaluations(={order.evaluations}) must be >= 1")


def _prices(simulation: Simulation, order: BudgetRequest) -> tuple[Prices, int]:
    """What a block costs beyond one segment at each level, and what all devices send if every block has one segment.

    Raises ValueError for a budget below that.
    """
    job, n_blocks = simulation.job, simulation.job.sizes.n_blocks

    def total_bytes(segments: int) -> int:
        return sent_bytes(replayed(simulation, with_segments(job, [segments] * n_blocks)))

    most = most_segments(job)
    wanted = [] if order.segments is None else [min(order.segments, most)]
    levels = spending.levels_up_to(most, *wanted, *_own_levels(job, most))
    totals = [total_bytes(level) for level in levels]
    if order.segments is not None:
        allowed = total_bytes(order.segments)
    else:
        allowed = sent_bytes(simulation) if order.budget_bytes is None else order.budget_bytes
    if allowed < totals[0]:
        raise ValueError(f"{allowed} bytes are too few: with one segment a block, {totals[0]} bytes are sent")
    extra = tuple((total - totals[0]) // n_blocks for total in totals)
    return Prices(n_blocks, levels, extra, allowed - totals[0]), totals[0]


def _own_levels(job: Job, most: int) -> list[int]:
    """The segments that the scenario has now."""
    compressors = strategies.find(job.strategy).compressors(job.options, job.n_tokens, job.n_ranks, job.sizes.n_blocks)
    return sorted({one.keys(range(most)).n_keys for one in compressors or ()})


def _kept_or_found(scenario: Scenario, job: Job, prices: Prices, order: BudgetRequest, progress: Progress) -> Spent:
    def compute() -> Spent:
        n_runs = order.evaluations + prices.n_blocks + len(spending.measured_levels(prices.levels)) + 3 * ELSEWHERE
        progress.line(
            f"computing {scenario.model.label} up to {n_runs} times, {job.n_ranks} rank(s); then kept on disk"
        )
        return spend(Bench(scenario, job, order.measure), prices, order.evaluations, progress)

    kept = Kept("what was found", KEPT, asdict, _spent)
    own = digest(Path(__file__).parent / name for name in ("segment_search.py", "bench.py", "spending.py"))
    asked = f"{KEPT} {prices} {order.measure} {order.evaluations} {own} {key(scenario, job)}"
    return kept.at(cache_folder("budgets") / f"{question(scenario, job, asked)}.json", compute, progress)


def _spent(found: Mapping[str, Any]) -> Spent:
    lists = {name: tuple(found[name]) for name in ("uniform", "found", "added")}
    return Spent(**{**found, **lists, "elsewhere": tuple((one, other) for one, other in found["elsewhere"])})
