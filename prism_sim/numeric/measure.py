"""The model as it is, a job of it on the same input, and how far apart their outputs are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from prism_sim import families
from prism_sim.numeric.generate import KNOWN_INPUTS, continued
from prism_sim.numeric.infer import has_logits, main_output
from prism_sim.numeric.inputs import InputSource, make_inputs
from prism_sim.numeric.interpreter import execute, padding_mask
from prism_sim.numeric.loading import ModelSource, load
from prism_sim.numeric.threads import fixed_threads
from prism_sim.plugins import remembered
from prism_sim.shapes.interpreter import predict
from prism_sim.shapes.job import Job


@dataclass(frozen=True, slots=True)
class OutputFidelity:
    """max_abs_error; cosine: mean over output rows; kl: mean KL(undistributed || distributed) of logits, in nats.

    top1_agreement: the part of the rows with the same first class. kl and top1_agreement are None without logits.
    """

    max_abs_error: float
    cosine: float
    kl: float | None
    top1_agreement: float | None


def fidelity(output: Tensor, reference: Tensor, logits: bool) -> OutputFidelity:
    """Compares outputs of one shape (..., classes or width).

    Raises ValueError if the shapes differ or an output is not finite.
    """
    if output.shape != reference.shape:
        raise ValueError(f"output {tuple(output.shape)} and reference {tuple(reference.shape)} must have one shape")
    a, b = output.detach().double(), reference.detach().double()
    for name, values in (("undistributed", b), ("distributed", a)):
        if not bool(values.isfinite().all()):
            dtype = str(output.dtype).removeprefix("torch.")
            raise ValueError(f"the {name} model's output is not finite in {dtype}; try float32, or other weights")
    kl = agreement = None
    if logits:
        divergence = F.kl_div(a.log_softmax(-1), b.log_softmax(-1), reduction="none", log_target=True)
        kl = max(0.0, float(divergence.sum(-1).mean()))  # rounding may take an exact 0 below it
        agreement = float((a.argmax(-1) == b.argmax(-1)).double().mean())
    return OutputFidelity(
        max_abs_error=float((a - b).abs().max()),
        cosine=float(F.cosine_similarity(a, b, dim=-1).mean()),
        kl=kl,
        top1_agreement=agreement,
    )


def measure(source: ModelSource, given: InputSource, job: Job) -> tuple[OutputFidelity, bool]:
    """Really computes the job: its fidelity, and whether bytes and FLOPs seen are those predicted.

    Raises LoadError for weights or an input that cannot be loaded.
    """
    with torch.no_grad(), fixed_threads():
        if job.new_tokens:
            return _measured_text(source, given, job)
        model, inputs, reference, of_logits = _undistributed(source, given, _kept(job))
        outcome = execute(model, inputs, job, observe=True)
        assert outcome.plan is not None
        confirmed = outcome.plan.observable() == predict(job).observable()
        return fidelity(main_output(outcome.output), reference, of_logits), confirmed


def _measured_text(source: ModelSource, given: InputSource, prompt: Job) -> tuple[OutputFidelity, bool]:
    """Of text: the logits of all new tokens, both models going on with the undistributed one's own tokens."""
    model, inputs, reference, tokens = _undistributed_text(source, given, prompt.new_tokens)
    found = continued(model, inputs, prompt, forced=tokens)
    jobs = [prompt, *map(prompt.step, prompt.step_pasts)]
    plans = (found.prompt, *found.steps)
    confirmed = all(plan.observable() == predict(job).observable() for plan, job in zip(plans, jobs, strict=True))
    return fidelity(found.logits, reference, logits=True), confirmed


@remembered(maxsize=1)
def _undistributed_text(
    source: ModelSource, given: InputSource, new_tokens: int
) -> tuple[nn.Module, dict[str, Any], Tensor, Tensor]:
    """Model, inputs, logits (batch, new, vocabulary) and tokens (batch, new), the likeliest each time."""
    model = load(source)
    inputs = {k: v for k, v in make_inputs(model, given).items() if k in KNOWN_INPUTS}
    found: Any = model.generate(  # type: ignore[operator]
        **inputs,
        max_new_tokens=new_tokens,
        min_new_tokens=new_tokens,
        do_sample=False,
        output_logits=True,
        return_dict_in_generate=True,
    )
    tokens = found.sequences[:, -new_tokens:]
    return model, inputs, torch.stack(found.logits, dim=1), tokens


def _kept(job: Job) -> int:
    """How many of the last tokens a language model's head reads, if not all."""
    read = job.head_tokens
    return len(read) if read.start > 0 and read.stop == job.n_tokens else 0


@remembered(maxsize=1)
def _undistributed(
    source: ModelSource, given: InputSource, kept: int
) -> tuple[nn.Module, dict[str, Any], Tensor, bool]:
    """Model, inputs and reference output: one at a time is kept, for loops over a strategy's options."""
    model = load(source)
    inputs = _inputs(model, given, kept)
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


@dataclass(frozen=True)
class Undistributed:
    """A model on an input, not distributed. stream: (batch, tokens, width) after each block. output: as `main_output`.

    real: (batch, tokens), true at real tokens; None: no padding. logits: whether the output is such.
    """

    model: nn.Module
    inputs: Mapping[str, Any]
    stream: tuple[Tensor, ...]
    output: Tensor
    logits: bool
    real: Tensor | None


@torch.no_grad()
def undistributed(model: nn.Module, inputs: Mapping[str, Any]) -> Undistributed:
    """Runs the model's own forward, and listens to its layers meanwhile.

    Raises ValueError if a row that it gives is not finite.
    """
    stream: list[Tensor] = []

    def listen(layer: nn.Module, given: Any, output: Any) -> None:
        stream.append(output[0] if isinstance(output, tuple) else output)

    layers = families.find(str(model.config.model_type)).layers(model)  # type: ignore[union-attr]
    ears = [layer.register_forward_hook(listen) for layer in layers]
    try:
        output: Any = model(**inputs)
    finally:
        for ear in ears:
            ear.remove()
    if not all(bool(rows.isfinite().all()) for rows in stream):
        dtype = str(stream[0].dtype).removeprefix("torch.")
        raise ValueError(f"the undistributed model's rows are not finite in {dtype}; try float32, or other weights")
    return Undistributed(model, inputs, tuple(stream), main_output(output), has_logits(output), padding_mask(inputs))
