"""Text that processes have generated: when its tokens came, beside when they were predicted to."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from prism_sim import timing
from prism_sim.generation.generation import Generation
from prism_sim.live.timed import quartiles_s


@dataclass(frozen=True)
class LiveText:
    """moments_s: of each run, when each new token was at the terminal. steps: of the run that is shown.

    tokens: (batch, new). n_equal: of them, as in one process, before the first that differs. cache_bytes: per
    participant, of keys and values at the end. cache_error: largest deviation of those from one process's, relative to
    the largest; None where tokens differ.
    """

    predicted: Generation
    moments_s: tuple[tuple[float, ...], ...]
    steps: tuple[timing.Timeline, ...]
    tokens: tuple[tuple[int, ...], ...]
    n_equal: int
    cache_bytes: tuple[int, ...]
    cache_error: float | None

    @staticmethod
    def of(predicted: Generation, steps: Sequence[timing.Timeline], found: Mapping[str, Any]) -> LiveText:
        """found: as `LiveResult.of`."""
        text = found["text"]
        return LiveText(
            predicted=predicted,
            moments_s=tuple(map(tuple, found["moments_s"])),
            steps=tuple(steps),
            tokens=tuple(map(tuple, text["tokens"])),
            n_equal=text["n_equal"],
            cache_bytes=tuple(text["cache_bytes"]),
            cache_error=text["cache_error"],
        )

    @property
    def n_tokens(self) -> int:
        """Of all sequences."""
        return sum(map(len, self.tokens))

    @property
    def ttfts_s(self) -> tuple[float, ...]:
        """Of each run, the time to the first token."""
        return tuple(one[0] for one in self.moments_s)

    @property
    def tpots_s(self) -> tuple[float, ...]:
        """Of each run, the mean time of a later token; none where one is all."""
        return tpots_s(self.moments_s)

    @cached_property
    def step_breakdown_s(self) -> dict[str, float] | None:
        """Of the mean step, its critical path's parts; None: there was none."""
        if not self.steps:
            return None
        return {part: statistics.fmean(s.breakdown_s[part] for s in self.steps) for part in self.steps[0].breakdown_s}

    def caches_agree(self, tolerance: float) -> bool:
        """As many bytes as predicted and, where tokens are the same, keys and values within the tolerance."""
        return self.cache_bytes == self.predicted.cache_bytes and (
            self.cache_error is None or self.cache_error <= tolerance
        )

    def to_json(self, tolerance: float) -> dict[str, Any]:
        return {
            "new_tokens": self.predicted.new_tokens,
            "measured": {
                "ttft_s": statistics.median(self.ttfts_s),
                "ttft_quartiles_s": list(quartiles_s(self.ttfts_s)),
                "tpot_s": statistics.median(self.tpots_s) if self.tpots_s else None,
                "tpot_quartiles_s": list(quartiles_s(self.tpots_s)) if self.tpots_s else None,
                "token_s": [list(one) for one in self.moments_s],
                "step_breakdown_s": self.step_breakdown_s,
            },
            "predicted": self.predicted.to_json(),
            "tokens": [list(one) for one in self.tokens],
            "equal_tokens": self.n_equal,
            "caches": {
                "bytes": list(self.cache_bytes),
                "relative_error": self.cache_error,
                "agree": self.caches_agree(tolerance),
            },
        }


def tpots_s(moments_s: Sequence[Sequence[float]]) -> tuple[float, ...]:
    """Time per output token of each run, the first left out. moments_s: when each of its tokens came."""
    return tuple((one[-1] - one[0]) / (len(one) - 1) for one in moments_s if len(one) > 1)
