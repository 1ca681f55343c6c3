"""How far the real outputs are from the undistributed model's, in words; this computes them, with torch."""

from __future__ import annotations

from collections.abc import Iterator

from prism_sim.choice.result import RunResult
from prism_sim.exploring.markup import figures, paragraph
from prism_sim.outputs.fidelity import Fidelity, fidelity_of
from prism_sim.outputs.task_accuracy import Accuracy, accuracy_of
from prism_sim.reports.accuracy import difference_text, interval_text


def lost_text(result: RunResult) -> str:
    """Raises ScenarioError as `run` does."""
    scenario, job = result.scenario, result.simulation.job
    fidelity, accuracy = fidelity_of(scenario, job), accuracy_of(scenario, job)
    pairs = [*_fidelity(fidelity), *([] if accuracy is None else _accuracy(accuracy))]
    random = paragraph("Random weights: not an accuracy estimate.", "note") if fidelity.random_weights else ""
    return figures(pairs) + random


def _fidelity(found: Fidelity) -> Iterator[tuple[str, str]]:
    yield "Cosine to the exact outputs", f"{found.cosine:.6f}"
    yield "Largest error", f"{found.max_abs_error:.3g}"
    if found.kl is not None:
        yield "KL divergence", f"{found.kl:.3g} nat"
    if found.top1_agreement is not None:
        yield "Same first class", f"{100 * found.top1_agreement:.1f} %"


def _accuracy(found: Accuracy) -> Iterator[tuple[str, str]]:
    metric = found.metric.replace("_", " ")
    yield f"{found.task}: {metric}", interval_text(found.metric, found.distributed)
    yield "Undistributed", interval_text(found.metric, found.undistributed)
    yield "Less undistributed", difference_text(found.metric, found.difference)
