"""The best contiguous stages of a pipeline: what a stage takes, and the split with the least latency, both modelled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from math import inf

from prism_sim.partition import even_split
from prism_sim.plan import Compute, Exchange, ExchangeId, Kernel, Plan, Start, Wait
from prism_sim.shapes.job import Job
from prism_sim.shares.setting import Setting

ROUNDING = 1e-12  # two ways to sum a stage's blocks differ by less


@dataclass(frozen=True, slots=True)
class Stages:
    """Seconds for one micro-batch. block_s[p][b]: block b on rank p; boundary_s[p]: what rank p hands on, on its way.

    most_blocks[p]: as many as fit the memory of rank p's device.
    """

    block_s: tuple[tuple[float, ...], ...]
    boundary_s: tuple[float, ...]
    most_blocks: tuple[int, ...]

    def latency_s(self, sizes: Sequence[int], n_passes: int) -> float:
        """Of `n_passes` micro-batches: the first goes through all stages, the others follow at the slowest one's pace.

        A stage takes its blocks and its boundary. That a boundary may be hidden behind the next micro-batch's blocks is
        left out, and so is what comes before the first stage: neither depends on who has which block.
        """
        stage_s = self.stage_s(sizes)
        return sum(stage_s) + (n_passes - 1) * max(stage_s)

    def stage_s(self, sizes: Sequence[int]) -> list[float]:
        bounds = [0, *accumulate(sizes)]
        return [
            sum(blocks[start:stop]) + boundary_s
            for blocks, boundary_s, (start, stop) in zip(self.block_s, self.boundary_s, pairwise(bounds), strict=True)
        ]


def best_stages(stages: Stages, n_passes: int) -> tuple[int, ...] | None:
    """Blocks of each stage, at least one, with the least `latency_s`; None if no split fits the memory.

    Exact: of all splits whose every stage stays below a limit, that with the least sum, for one limit after another,
    each the slowest stage of the split before. Whatever the best split's slowest stage is, the first of these splits
    that has none slower has no larger sum either.
    """
    best, best_s, limit_s = None, inf, inf
    while (sizes := _least_sum(stages, limit_s)) is not None:
        latency_s = stages.latency_s(sizes, n_passes)
        if latency_s < best_s:
            best, best_s = sizes, latency_s
        if n_passes == 1:
            break
        limit_s = max(stages.stage_s(sizes)) * (1 - ROUNDING)
    return best


def _least_sum(stages: Stages, limit_s: float) -> tuple[int, ...] | None:
    """The split with the least sum of stages among those whose stages are below the limit; None if there is none."""
    n_blocks, n_ranks = len(stages.block_s[0]), len(stages.block_s)
    found: list[tuple[float, tuple[int, ...]] | None] = [(0.0, ())] + [None] * n_blocks  # by the blocks handed out
    for rank in range(n_ranks):
        until = [0.0, *accumulate(stages.block_s[rank])]
        boundary_s, most = stages.boundary_s[rank], stages.most_blocks[rank]
        longer: list[tuple[float, tuple[int, ...]] | None] = [None] * (n_blocks + 1)
        for stop in range(rank + 1, n_blocks - (n_ranks - 1 - rank) + 1):
            for start in range(max(rank, stop - most), stop):
                so_far, stage_s = found[start], until[stop] - until[start] + boundary_s
                if so_far is None or stage_s >= limit_s:
                    continue
                total = (so_far[0] + stage_s, (*so_far[1], stop - start))
                known = longer[stop]
                longer[stop] = total if known is None else min(known, total)
        found = longer
    last = found[n_blocks]
    return None if last is None else last[1]


def stages_of(setting: Setting) -> Stages:
    """What the stages of a pipeline take, from its plan under an even split."""
    plan = setting.plan
    blocks = _blocks(setting.job, plan)
    boards = [setting.devices[device] for device in setting.device_of[:-1]]
    return Stages(
        block_s=tuple(tuple(board.compute_s(kernels) for kernels in blocks) for board in boards),
        boundary_s=tuple(_boundary_s(setting, plan, rank) for rank in plan.ranks),
        most_blocks=tuple(_most_blocks(setting, plan, rank) for rank in plan.ranks),
    )


def _blocks(job: Job, plan: Plan) -> list[tuple[Kernel, ...]]:
    """The kernels of each block for the first micro-batch, none of which is larger."""
    first: dict[str, Compute] = {}
    for rank in plan.ranks:
        for step in plan.computes(rank):
            first.setdefault(step.label, step)
    return [first[f"block {number}"].kernels for number in range(job.sizes.n_blocks)]


def _boundary_s(setting: Setting, plan: Plan, rank: int) -> float:
    """The first message that a rank sends, alone on the network; 0 if it sends none."""
    sent = [exchange for exchange in plan.exchanges if exchange.kind == "send" and exchange.group[0] == rank]
    return _alone_s(setting, plan, sent[0]) if sent else 0.0


def _alone_s(setting: Setting, plan: Plan, message: Exchange) -> float:
    only = ExchangeId(0)
    programs = tuple((Start(only), Wait(only)) if one in message.group else () for one in plan.participants)
    nothing = (0,) * len(programs)
    return setting.played(Plan(plan.n_ranks, programs, (message,), nothing, nothing)).timeline.latency_s


def _most_blocks(setting: Setting, plan: Plan, rank: int) -> int:
    """Blocks whose weights fit beside activations, and beside the terminal where that is on the same device."""
    device_of, n_blocks = setting.device_of, setting.job.sizes.n_blocks
    have_bytes = setting.devices[device_of[rank]].memory_bytes
    if have_bytes is None:
        return n_blocks
    block_bytes = plan.weight_bytes[rank] / even_split(n_blocks, plan.n_ranks)[rank]
    held_bytes = sum(
        plan.activation_bytes[one] + (plan.weight_bytes[one] if one == plan.terminal else 0)
        for one in (rank, plan.terminal)
        if device_of[one] == device_of[rank]
    )
    return max(0, int((have_bytes - held_bytes) // block_bytes))
