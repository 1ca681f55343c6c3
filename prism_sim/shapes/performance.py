"""A job's programs on shapes, run once; and what is seen of them meanwhile, as they take up block after block."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from prism_sim.driver import Loop
from prism_sim.plan import Plan
from prism_sim.shapes.block import ShapeBlock
from prism_sim.shapes.cache import CacheSizes
from prism_sim.shapes.job import Job
from prism_sim.shapes.ledger import KnownKernels, Ledger
from prism_sim.shapes.model import ShapeModel
from prism_sim.wire import at_the_border


class Performance:
    """All participants of a job, to be run once. ledgers, models: of the ranks, then of the terminal."""

    def __init__(self, job: Job, caches: Sequence[CacheSizes]) -> None:
        """caches: what earlier passes have left with each participant."""
        sizes, known = (job.element_bytes, job.weight_type, job.wire_type), KnownKernels()
        self.job = job
        self.ledgers = [Ledger(*sizes, known) for _ in range(job.n_ranks + 1)]
        self.models = [ShapeModel(job, ledger, cache) for ledger, cache in zip(self.ledgers, caches, strict=True)]
        # what a program hands in stays in its memory until the last receiver has it, as in the buffer of a send under
        # way
        programs = zip(job.programs(self.models), self.ledgers, strict=True)
        self.loop = Loop([at_the_border(program, me.send, me.receive) for program, me in programs], self.ledgers)

    def plan(self) -> Plan:
        """Runs them. Raises ValueError where the strategy cannot serve the job (more ranks than tokens, say)."""
        done = self.loop.run()
        return Plan(
            n_ranks=self.job.n_ranks,
            programs=done.programs,
            exchanges=done.exchanges,
            weight_bytes=tuple(ledger.weight_bytes for ledger in self.ledgers),
            activation_bytes=tuple(ledger.peak_bytes for ledger in self.ledgers),
        )

    def caches(self) -> tuple[CacheSizes, ...]:
        """What the run has left with each participant."""
        return tuple(model.cache() for model in self.models)


@dataclass(slots=True)
class RunParts:
    """A participant's run, cut where it took up a block: before the first, one for each block, after the last.

    taken: the blocks' numbers, and last how many there are. begins: of each part but the first, the steps before it;
    live_bytes: what was held when it began. peak_bytes: of each part.
    """

    taken: list[int] = field(default_factory=list)
    begins: list[int] = field(default_factory=list)
    live_bytes: list[int] = field(default_factory=list)
    peak_bytes: list[int] = field(default_factory=list)


def run_in_parts(performance: Performance) -> tuple[Plan, list[RunParts]]:
    """The Plan as `Performance.plan`, and the parts of each participant's run: one alone, where it took up no block."""
    found = [RunParts() for _ in performance.models]
    for participant, (model, parts) in enumerate(zip(performance.models, found, strict=True)):
        model.blocks = _Watched(performance, participant, parts)
    plan = performance.plan()
    for ledger, parts in zip(performance.ledgers, found, strict=True):
        parts.peak_bytes.append(ledger.peak_bytes)
    return plan, found


class _Watched(list[ShapeBlock]):
    """Blocks that note in `parts` when a participant's program iterates to one of them, and past the last."""

    def __init__(self, performance: Performance, participant: int, parts: RunParts) -> None:
        super().__init__(performance.models[participant].blocks)
        self.steps = performance.loop.participants[participant].steps
        self.ledger, self.parts = performance.ledgers[participant], parts

    def __iter__(self) -> Iterator[ShapeBlock]:
        for number in range(len(self)):
            self._note(number)
            yield self[number]
        self._note(len(self))

    def _note(self, number: int) -> None:
        ledger, parts = self.ledger, self.parts
        parts.taken.append(number)
        parts.begins.append(len(self.steps))
        parts.live_bytes.append(ledger.live_bytes)
        parts.peak_bytes.append(ledger.peak_bytes)
        ledger.peak_bytes = ledger.live_bytes
