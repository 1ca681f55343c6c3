"""Runs a job and its undistributed model on the same input, and says how far apart their outputs are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from prism_sim.numeric.fidelity import OutputFidelity, fidelity
from prism_sim.numeric.infer import has_logits, main_output
from prism_sim.numeric.inputs import InputSource, make_inputs
from prism_sim.numeric.interpreter import execute
from prism_sim.numeric.loading import ModelSource, load
from prism_sim.numeric.threads import fixed_threads
from prism_sim.plugins import remembered
from prism_sim.shapes.interpreter import predict
from prism_sim.shapes.job import Job


@dataclass(frozen=True, slots=True)
class Measured:
    """fidelity against the undistributed model; plan_confirmed: bytes and FLOPs seen are those predicted."""

    fidelity: OutputFidelity
    plan_confirmed: bool


def measure(source: ModelSource, given: InputSource, job: Job) -> Measured:
    """Really computes the job. Raises LoadError for weights or an input that cannot be loaded."""
    with torch.no_grad(), fixed_threads():
        model, inputs, reference, of_logits = _undistributed(_Key(source, given, _kept(job)))
        outcome = execute(model, inputs, job, observe=True)
        assert outcome.plan is not None
        return Measured(
            fidelity=fidelity(main_output(outcome.output), reference, of_logits),
            plan_confirmed=outcome.plan.observable() == predict(job).observable(),
        )


@dataclass(frozen=True, slots=True, eq=False)
class _Key:
    """Hashable by its contents' text: configurations are dictionaries."""

    source: ModelSource
    given: InputSource
    kept: int

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Key) and repr(self) == repr(other)

    def __hash__(self) -> int:
        return hash(repr(self))


def _kept(job: Job) -> int:
    """How many of the last tokens a language model's head reads, if not all."""
    read = job.head_tokens
    return len(read) if read.start > 0 and read.stop == job.n_tokens else 0


@remembered(maxsize=1)
def _undistributed(key: _Key) -> tuple[nn.Module, dict[str, Any], Tensor, bool]:
    """Model, inputs and reference output: one at a time is kept, for loops over a strategy's options."""
    model = load(key.source)
    inputs = _inputs(model, key.given, key.kept)
    output: Any = model(**inputs)
    return model, inputs, main_output(output), has_logits(output)


def inputs_of(model: nn.Module, given: InputSource, job: Job) -> dict[str, Any]:
    """The inputs of a loaded model's forward pass, as `measure` takes them. Raises LoadError."""
    return _inputs(model, given, _kept(job))


def _inputs(model: nn.Module, given: InputSource, kept: int) -> dict[str, Any]:
    inputs: dict[str, Any] = dict(make_inputs(model, given))
    if kept:
        inputs |= {"logits_to_keep": kept}
    if "input_ids" in inputs and hasattr(model, "generate"):
        inputs |= {"use_cache": False}
    return inputs
