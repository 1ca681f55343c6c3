"""What one process computes of `make accuracy`: a seed's models and their answers.

Found on disk if it was done before.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from accuracy_cases import LOSSLESS, Allowance, Case, codebook, ready_scenario
from accuracy_workers import Report

from prism_sim import tasks
from prism_sim.loss.accuracy import FINE_TUNED, ZERO_SHOT, AccuracyPoint, AccuracyRequest, curve
from prism_sim.loss.finetune import FinetuneRequest, finetune
from prism_sim.loss.loss import Loss, loss
from prism_sim.scenario import Scenario
from prism_sim.training import references
from prism_sim.training.references import Obtained


@dataclass(frozen=True, slots=True)
class Learnt:
    """Of one seed. points: of the curve, by both checkpoints, and every row as it is.

    losses: by checkpoint; empty where blocks are not followed.
    """

    reference: Obtained
    fine_tuned: Obtained
    points: tuple[AccuracyPoint, ...]
    losses: Mapping[str, Loss]


def learn(report: Report, case: Case, seed: int) -> Learnt:
    """Trains, trains on through prism, and answers over compression rates. Raises ScenarioError, TrainingError."""
    of_seed = f"{case.task}, seed {seed}"
    with report.step(f"training {of_seed}", case.train_s):
        order = references.TrainingRequest(tasks.find(case.task), seed, case.steps)
        trained = references.obtain(order, report)
    scenario = scenario_of(case, seed, trained.folder)
    with report.step(f"fine-tuning {of_seed}, through prism with L = {case.drawn[0]} to {case.drawn[1]}", case.tune_s):
        tuned = finetune(FinetuneRequest(scenario, case.drawn, steps=case.steps, seed=seed), report)
    with report.step(f"answering {of_seed}, over compression rates", case.curve_s):
        alone, *others = curve(AccuracyRequest(scenario, case.segments, fine_tuned=(tuned.folder,)), report).points
        points = (alone, _through(scenario, LOSSLESS, {}, report), *others)
    follows = case.blocks and seed == case.seeds[0]
    return Learnt(trained, tuned, points, _losses(scenario, tuned.folder, report) if follows else {})


def answer(report: Report, case: Case, seed: int, allowed: Allowance, reference: Path) -> dict[str, AccuracyPoint]:
    """By the name of each compressor that keeps within the bytes. Raises ScenarioError."""
    scenario, found = scenario_of(case, seed, reference), {}
    for name, settings in allowed.settings.items():
        what = f"answering {case.task}, seed {seed}, through {name} within {allowed.budget_bytes} bytes"
        with report.step(what, case.answer_s):
            found[name] = _through(scenario, name, {**settings, **codebook(name)}, report)
    return found


def scenario_of(case: Case, seed: int, reference: Path) -> Scenario:
    """The ready one. A reference of the usual steps is the one that the scenario names by itself."""
    overrides: dict[str, Any] = {"task.seed": seed}
    if case.steps is not None:
        overrides["task.checkpoint"] = str(reference)
    if case.examples is not None:
        overrides["task.examples"] = case.examples
    return ready_scenario(case).with_overrides(overrides)


def _through(scenario: Scenario, compressor: str, settings: Mapping[str, int], report: Report) -> AccuracyPoint:
    """The task answered through this compressor; one without segments has no use for L."""
    others = {f"strategy.{name}": value for name, value in settings.items() if name != "segments"}
    order = AccuracyRequest(scenario.with_overrides(others), (settings.get("segments", 1),), (compressor,))
    return curve(order, report).points[-1]


def _losses(scenario: Scenario, tuned: Path, report: Report) -> dict[str, Loss]:
    with report.step(f"following the loss of {scenario.name} from block to block", 0.0):
        after = scenario.with_overrides({"task.checkpoint": str(tuned)})
        return {ZERO_SHOT: loss(scenario, report), FINE_TUNED: loss(after, report)}
