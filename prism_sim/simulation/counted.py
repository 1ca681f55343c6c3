"""What a job comes to by counting, whatever the hardware: FLOPs, compression, what serving it again and again holds."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from prism_sim import families, strategies
from prism_sim.compressors import Compressor
from prism_sim.plan import Compute, ParticipantId, Plan
from prism_sim.shapes.job import Job
from prism_sim.shares.setting import Setting
from prism_sim.simulation.back_to_back import BackToBack
from prism_sim.strategies.base import EMBEDDING, HEAD


@dataclass(frozen=True, eq=False)
class Counted:
    """plan: of the setting's job."""

    setting: Setting
    plan: Plan

    @property
    def job(self) -> Job:
        return self.setting.job

    @cached_property
    def gflops_per_device(self) -> float:
        """Of one sample, in the papers' convention: mean over ranks of the blocks' FLOPs, plus patch embedding / P."""
        layers = families.find(self.job.sizes.family).embedding(self.job.sizes, 1, range(self.job.n_tokens))
        blocks = sum(self.block_flops(rank) for rank in self.plan.ranks) / self.job.batch
        return (blocks + sum(layer.flops for layer in layers)) / self.plan.n_ranks / 1e9

    def block_flops(self, participant: ParticipantId) -> int:
        return sum(flops for label, flops in self._flops[participant].items() if label not in (EMBEDDING, HEAD))

    def labelled_flops(self, participant: ParticipantId, label: str) -> int:
        return self._flops[participant].get(label, 0)

    @cached_property
    def _flops(self) -> list[dict[str, int]]:
        """Per participant, by label."""
        return [_flops_by_label(self.plan.computes(one)) for one in self.plan.participants]

    @cached_property
    def back_to_back(self) -> BackToBack:
        return BackToBack(self.setting, self.plan)

    @cached_property
    def compression(self) -> tuple[int | list[int] | None, float | None]:
        """Effective L, or its list where blocks have each their own, and CR = ceil(N/P) / mean L.

        Of the largest partition; None where they mean nothing.
        """
        job, n_rows = self.job, self._n_rows
        if not (n_keys := [compressor.keys(range(n_rows)).n_keys for compressor in self._compressors]):
            return None, None
        rate = n_rows * len(n_keys) / sum(n_keys)
        if all(n == n_rows for n in n_keys):
            return None, rate
        return n_keys if isinstance(getattr(job.options, "segments", None), tuple) else n_keys[0], rate

    @cached_property
    def communication_reduction(self) -> float | None:
        """The part of its rows' bytes that the largest partition need not send; 1 - 1/CR where only rows are fewer.

        The papers' "communication speed-up". None where nothing is compressed.
        """
        job, width, wire = self.job, self.job.sizes.width, self.job.wire_type
        sizes = [one.message_bytes(job.batch, self._n_rows, width, wire.element_bytes) for one in self._compressors]
        return 1 - sum(sizes) / (len(sizes) * wire.nbytes(job.batch * self._n_rows * width)) if sizes else None

    @property
    def _n_rows(self) -> int:
        """Of the largest even partition."""
        return -(-self.job.n_tokens // self.job.n_ranks)

    @property
    def _compressors(self) -> tuple[Compressor, ...]:
        """Before each block; none where nothing is compressed."""
        job = self.job
        find = strategies.find(job.strategy).compressors
        return () if job.n_ranks == 1 else find(job.options, job.n_tokens, job.n_ranks, job.sizes.n_blocks) or ()


def _flops_by_label(steps: Iterable[Compute]) -> dict[str, int]:
    """Steps that share their kernels are added up once."""
    found: dict[str, int] = {}
    known: dict[int, int] = {}
    for step in steps:
        flops = known.get(id(step.kernels))
        if flops is None:
            flops = known[id(step.kernels)] = step.flops
        found[step.label] = found.get(step.label, 0) + flops
    return found
