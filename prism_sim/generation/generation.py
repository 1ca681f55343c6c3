"""How fast text comes: what a request that generates some is told to take."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from prism_sim.generation.decoding import Decoding, decoded_cache_bytes
from prism_sim.shapes.job import Job
from prism_sim.timing import Timeline


@dataclass(frozen=True, slots=True)
class Generation:
    """How fast text comes.

    ttft_s: time to first token, from the request to the first new token at the terminal. tpot_s: time per output token,
    the mean of the later ones; None: there are none. step_breakdown_s: of the mean step, parts of its critical path.
    prompt_storage_s, step_storage_s: of the computing in these, what waits for weights that storage is read for.
    step_bytes: that cross between devices in the mean step. cache_bytes: per participant, of keys and values at the
    end.
    """

    new_tokens: int
    batch: int
    ttft_s: float
    tpot_s: float | None
    prompt_breakdown_s: Mapping[str, float]
    step_breakdown_s: Mapping[str, float] | None
    prompt_storage_s: float
    step_storage_s: float | None
    step_bytes: float | None
    cache_bytes: tuple[int, ...]

    @property
    def tokens_per_s(self) -> float | None:
        """Of all sequences, once the first token is there."""
        return None if self.tpot_s is None else self.batch / self.tpot_s

    @staticmethod
    def of(job: Job, timeline: Timeline, after: Decoding | None, storage_s: Sequence[float] = (0.0, 0.0)) -> Generation:
        """job, timeline: of the pass over the prompt. after: the steps that follow it.

        storage_s: what computing waits for storage, in that pass and in all steps.
        """
        n_steps = 0 if after is None else after.n_steps
        return Generation(
            new_tokens=job.new_tokens,
            batch=job.batch,
            ttft_s=timeline.latency_s,
            tpot_s=None if after is None else after.tpot_s,
            prompt_breakdown_s=dict(timeline.breakdown_s),
            step_breakdown_s=None if after is None else {k: s / n_steps for k, s in after.breakdown_s.items()},
            prompt_storage_s=storage_s[0],
            step_storage_s=None if after is None else storage_s[1] / n_steps,
            step_bytes=None if after is None else sum(after.sum(lambda step: step.sent_bytes)) / n_steps,
            cache_bytes=decoded_cache_bytes(job),
        )

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "cache_bytes": list(self.cache_bytes), "tokens_per_s": self.tokens_per_s}
