"""Requests that follow one another: each split over the ranks, or whole ones dealt to them in turn."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal

from prism_sim import strategies, timing
from prism_sim.generation.decoding import decoded_cache_bytes, request_plan
from prism_sim.plan import Plan
from prism_sim.shapes.job import Job
from prism_sim.shares.setting import Played, Setting
from prism_sim.timing.media.base import Carrier

ThroughputMode = Literal["split", "in turn"]
SAME = 1e-9  # relative; paces nearer to each other differ by rounding


@dataclass(frozen=True, slots=True)
class InFlight:
    """Sequences whose steps take turns in the stages of a pipeline, the next of each when its last token is known.

    tokens_per_s: of all of them, in the middle of their texts, once the stages are full (as MDI-LLM measures, arXiv
    2505.18164).
    """

    sequences: int
    tokens_per_s: float


@dataclass(frozen=True)
class BackToBack:
    """plan: of the setting's job, by which a single request is served."""

    setting: Setting
    plan: Plan

    @cached_property
    def turns(self) -> tuple[Plan, ...]:
        """Of each rank, the plan by which it serves a request alone; none where a request needs all ranks."""
        return tuple(request_plan(turn) for turn in self._jobs_in_turn)

    @property
    def _jobs_in_turn(self) -> list[Job]:
        job = self.setting.job
        in_turn = strategies.find(job.strategy).in_turn
        if in_turn is None or job.n_ranks == 1:
            return []
        return [replace(job, options=options) for options in in_turn(job.options, job.n_ranks)]

    @cached_property
    def weight_bytes(self) -> tuple[int, ...]:
        """Per participant: of a rank without a part in this request too, since it serves others."""
        return tuple(map(max, zip(*(plan.weight_bytes for plan in (self.plan, *self.turns)), strict=True)))

    @cached_property
    def held_bytes(self) -> tuple[int, ...]:
        """Per participant: weights and, at their peak, the activations of all requests that are served."""
        return self._held_bytes(self.plan, *self.turns) if self.turns_fit else self._held_bytes(self.plan)

    @cached_property
    def turns_fit(self) -> bool:
        """Whether the devices' memory has room for whole requests; where it has not, each is split."""
        return not self.setting.beyond(self._held_bytes(self.plan, *self.turns))

    @property
    def streamed_bytes(self) -> dict[int, int]:
        """By device: weights that have no room in its memory, and are read from its storage for each pass."""
        return self.setting.streamed_bytes(self.held_bytes, self.weight_bytes)

    @property
    def lacking(self) -> dict[int, int]:
        """The devices without the memory, and how many bytes they lack."""
        return self.setting.lacking(self.held_bytes, self.weight_bytes)

    def _held_bytes(self, *plans: Plan) -> tuple[int, ...]:
        peaks = (max(sizes) for sizes in zip(*(plan.activation_bytes for plan in plans), strict=True))
        return tuple(map(sum, zip(self.weight_bytes, peaks, strict=True)))

    @cached_property
    def paces_per_s(self) -> dict[ThroughputMode, float]:
        """Requests a second when the next is always waiting, by how they are served."""
        setting = self.setting
        if setting.job.step_pasts:
            return self._paces_of_generation
        where = setting.playing, setting.device_of, setting.network
        paces: dict[ThroughputMode, float] = {"split": timing.play_stream(self.plan, *where).throughput_per_s}
        if self.turns and self.turns_fit:
            paces["in turn"] = timing.dealt_per_s(self.turns, *where)
        return paces

    @property
    def _paces_of_generation(self) -> dict[ThroughputMode, float]:
        """One request after another, or as many as keep stages busy; in turn, each rank at its own pace."""
        alone_per_s = 1 / self.setting.played().latency_s
        found: dict[ThroughputMode, float] = {"split": max(alone_per_s, self._pace_of_stages(alone_per_s))}
        if self.turns and self.turns_fit:
            alone = [replace(self.setting, job=job).played() for job in self._jobs_in_turn]
            loads = [_load_s(one) for one in alone]
            found["in turn"] = timing.served_per_s([one.latency_s for one in alone], loads)
        return found

    def _pace_of_stages(self, alone_per_s: float) -> float:
        """Requests a second, of whose sequences several are in flight; 0: there are no stages, or room for one alone.

        Some are at their prompt while others are at their steps: a stage's time for a request is the sum of both.
        alone_per_s: of one at a time, which none of several exceeds.
        """
        several, decoding, job = self.in_flight, self.setting.decoding, self.setting.job
        if several is None or decoding is None or several.sequences == job.batch:
            return 0.0
        where = self.setting.playing, self.setting.device_of, self.setting.network
        n_requests = several.sequences // job.batch
        prompts = timing.play_stream(self.plan, *where, in_flight=n_requests)
        middle_steps = decoding.total_s / decoding.middle.timeline.latency_s  # as many as take as long as all steps
        busiest_s = 1 / prompts.throughput_per_s + middle_steps * job.batch / several.tokens_per_s
        return min(1 / busiest_s, n_requests * alone_per_s)

    @cached_property
    def in_flight(self) -> InFlight | None:
        """As many sequences as there are stages, or as find room with their caches; None: no text, or no stages."""
        job, decoding = self.setting.job, self.setting.decoding
        if decoding is None or tuple(self.setting.items) != ("blocks",):
            return None
        caches = decoded_cache_bytes(job)
        n = job.n_ranks
        while n > 1 and self.setting.beyond(
            tuple(h + (n - 1) * c for h, c in zip(self.held_bytes, caches, strict=True))
        ):
            n -= 1
        where = self.setting.playing, self.setting.device_of, self.setting.network
        stream = timing.play_stream(decoding.middle.plan, *where, in_flight=n)
        return InFlight(n * job.batch, job.batch * stream.throughput_per_s)

    @property
    def throughput_per_s(self) -> float:
        """In the better way."""
        return self.paces_per_s[self.mode or "split"]

    @property
    def mode(self) -> ThroughputMode | None:
        """The better way, of equals split; None where there is no choice."""
        if not self.turns:
            return None
        paces = self.paces_per_s
        return "in turn" if in_turn_is_faster(paces.get("in turn", 0.0), paces["split"]) else "split"


def _load_s(one: Played) -> dict[Carrier, float]:
    """What a request that generates text asks of each processor and each carrier of bytes."""
    decoding, network = one.setting.decoding, one.setting.network
    found = defaultdict(float, timing.load_s(one.timeline, network))
    for moment in () if decoding is None else decoding.moments:
        for carrier, seconds in timing.load_s(moment.timeline, network).items():
            found[carrier] += moment.weight * seconds
    return dict(found)


def in_turn_is_faster(in_turn_per_s: Any, split_per_s: Any) -> Any:
    """Noticeably; of two numbers, or of each pair of two arrays."""
    return in_turn_per_s > split_per_s * (1 + SAME)


def lacking(setting: Setting) -> dict[int, int]:
    """The devices without the memory, and how many bytes they lack, of a job that need not be played for it."""
    return BackToBack(setting, setting.plan).lacking


def fits(setting: Setting) -> bool:
    """Whether every device has the memory, of a job that need not be played for it."""
    return not lacking(setting)
