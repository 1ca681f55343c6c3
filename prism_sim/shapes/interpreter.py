"""Runs a strategy's programs on shapes alone: the predicted Plan, in milliseconds and without torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from prism_sim import driver
from prism_sim.plan import Plan
from prism_sim.plugins import remembered
from prism_sim.shapes.cache import CacheSizes
from prism_sim.shapes.job import Job
from prism_sim.shapes.ledger import KnownKernels, Ledger
from prism_sim.shapes.model import ShapeModel
from prism_sim.wire import at_the_border


@dataclass(frozen=True, slots=True)
class _Pass:
    plan: Plan
    caches: tuple[CacheSizes, ...]


@remembered(maxsize=512)
def predict(job: Job) -> Plan:
    """The Plan of a job. Raises ValueError where the strategy cannot serve it (more ranks than tokens, say)."""
    return _run(job, caches_before(job)).plan


def cache_bytes(job: Job) -> tuple[int, ...]:
    """Per participant: keys and values that are kept after this pass, 2 x blocks x key/value width x tokens x bytes."""
    left = caches_before(replace(job, past=job.past + job.n_tokens)) if job.past else _first_passes(job)[0]
    return tuple(cache.elements * job.element_bytes for cache in left)


def caches_before(job: Job) -> tuple[CacheSizes, ...]:
    """What earlier passes of the job's request have left with each participant.

    A step adds what the first step adds.
    """
    if not job.past:
        return (CacheSizes(),) * (job.n_ranks + 1)
    n_tokens = job.prompt_tokens
    prompt = replace(job, n_tokens=n_tokens, past=0, head_tokens=range(n_tokens - 1, n_tokens))
    after_prompt, after_step = _first_passes(prompt)
    return tuple(
        before.after(before.growth(after), job.past - n_tokens)
        for before, after in zip(after_prompt, after_step, strict=True)
    )


@remembered(maxsize=64)
def _first_passes(prompt: Job) -> tuple[tuple[CacheSizes, ...], tuple[CacheSizes, ...]]:
    """What the prompt leaves, and the first step after it."""
    first = _run(prompt, caches_before(prompt)).caches
    return first, _run(prompt.step(prompt.prompt_tokens), first).caches


def _run(job: Job, caches: Sequence[CacheSizes]) -> _Pass:
    sizes, known = (job.element_bytes, job.weight_type, job.wire_type), KnownKernels()
    ledgers = [Ledger(*sizes, known) for _ in range(job.n_ranks + 1)]
    models = [ShapeModel(job, ledger, cache) for ledger, cache in zip(ledgers, caches, strict=True)]
    programs = job.programs(models)
    # what a program hands in stays in its memory until the last receiver has it, as in the buffer of a send under way
    own = [at_the_border(program, me.send, me.receive) for program, me in zip(programs, ledgers, strict=True)]
    done = driver.run(own, ledgers)
    plan = Plan(
        n_ranks=job.n_ranks,
        programs=done.programs,
        exchanges=done.exchanges,
        weight_bytes=tuple(ledger.weight_bytes for ledger in ledgers),
        activation_bytes=tuple(ledger.peak_bytes for ledger in ledgers),
    )
    return _Pass(plan, tuple(model.cache() for model in models))
