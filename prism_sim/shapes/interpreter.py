"""Runs a strategy's programs on shapes alone: the predicted Plan, in milliseconds and without torch."""

from __future__ import annotations

from dataclasses import replace

from prism_sim.plan import Plan
from prism_sim.plugins import remembered
from prism_sim.shapes.cache import CacheSizes
from prism_sim.shapes.job import Job
from prism_sim.shapes.performance import Performance
from prism_sim.shapes.repetition import of_few, repeated


@remembered(maxsize=512)
def predict(job: Job) -> Plan:
    """The Plan of a job. Raises ValueError where the strategy cannot serve it (more ranks than tokens, say)."""
    few = of_few(job)
    plan = None if few is None else repeated(few, job.sizes.n_blocks, caches_before(few))
    return block_by_block(job) if plan is None else plan


def block_by_block(job: Job) -> Plan:
    """The same Plan, where no block is taken to be like another."""
    return Performance(job, caches_before(job)).plan()


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
    first = _left_by(prompt, caches_before(prompt))
    return first, _left_by(prompt.step(prompt.prompt_tokens), first)


def _left_by(job: Job, caches: tuple[CacheSizes, ...]) -> tuple[CacheSizes, ...]:
    performance = Performance(job, caches)
    performance.plan()
    return performance.caches()
