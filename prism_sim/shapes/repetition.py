"""Blocks that are alike, predicted once: the Plan of a model of few blocks, with one of them as often as need be.

A strategy says of its programs that they do the same in each block (`strategies.alike`); that they do is seen in two
neighbours among the few, in steps, exchanges, weights and memory. Else each block is asked about.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence, Set
from dataclasses import replace
from functools import lru_cache

from prism_sim.driver import in_order
from prism_sim.plan import Compute, Exchange, ExchangeId, Plan, Start, Step
from prism_sim.shapes.cache import CacheSizes
from prism_sim.shapes.job import Job
from prism_sim.shapes.performance import Performance, RunParts, run_in_parts
from prism_sim.strategies.alike import AlikeBlocks

REPEATED = 3  # the block that is repeated, after two that may differ; the one before it must be like it
_NUMBERED = re.compile(r"\bblock (\d+)")


class UnlikeError(Exception):
    """Blocks do not do the same after all."""


def of_few(job: Job) -> Job | None:
    """The same with few blocks, which tell what many do; None: they do not, by what the program says of itself.

    Two first ones, a turn of those that are alike and one more, and the last; whole turns are left out.
    """
    program, n_blocks = job.rank_program, job.sizes.n_blocks
    if not isinstance(program, AlikeBlocks) or program.unless(job.options):
        return None
    turns = program.turns(job.n_ranks)
    left_out = (n_blocks - turns - 4) // turns * turns
    return replace(job, sizes=replace(job.sizes, n_blocks=n_blocks - left_out)) if left_out > 0 else None


def repeated(few: Job, n_blocks: int, caches: Sequence[CacheSizes]) -> Plan | None:
    """The Plan of so many blocks from the job with few; None: they are not alike.

    caches: what participants hold before, of few blocks. Raises ValueError where the strategy cannot serve the job.
    """
    performance = Performance(few, caches)
    plan, parts = run_in_parts(performance)
    n_few, n_more = few.sizes.n_blocks, n_blocks - few.sizes.n_blocks
    cached_bytes = [cache.elements * few.element_bytes for cache in caches]
    program = few.rank_program
    assert isinstance(program, AlikeBlocks)
    turns = program.turns(few.n_ranks)
    try:
        if any(one.taken not in ([], list(range(n_few + 1))) for one in parts) or any(n % n_few for n in cached_bytes):
            raise UnlikeError("programs do not take up one block after another")
        activation_bytes = tuple(
            n_more * (cached // n_few) + _peak_bytes(one, turns, n_more)
            for one, cached in zip(parts, cached_bytes, strict=True)
        )
        programs, exchanges = _Programs(plan, parts, n_more).longer()
        return Plan(
            n_ranks=plan.n_ranks,
            programs=programs,
            exchanges=exchanges,
            weight_bytes=tuple(_held_bytes(ledger.weights, n_more) for ledger in performance.ledgers),
            activation_bytes=activation_bytes,
        )
    except UnlikeError:
        return None


class _Programs:
    """The steps and exchanges of few blocks, and those of so many more."""

    def __init__(self, plan: Plan, parts: Sequence[RunParts], n_more: int) -> None:
        self.plan, self.parts, self.n_more = plan, parts, n_more
        self.busy = [one for one in plan.participants if parts[one].taken]
        self.again: dict[ExchangeId, ExchangeId] = {}  # of the repeated block: that which it is like, a block earlier
        for participant in self.busy:
            self._compare(self._steps(participant, REPEATED - 1), self._steps(participant, REPEATED))
        self._check()
        endings = [self.plan.programs[one][parts[one].begins[REPEATED + 1] :] for one in self.busy]
        self.ending = {step.exchange for steps in endings for step in steps if isinstance(step, Start)}
        self.computes: dict[tuple[str, int, int], Compute] = {}

    def _steps(self, participant: int, block: int) -> Sequence[Step]:
        begins = self.parts[participant].begins
        return self.plan.programs[participant][begins[block] : begins[block + 1]]

    def _compare(self, before: Sequence[Step], again: Sequence[Step]) -> None:
        """Raises UnlikeError unless these steps of the repeated block are like those of the block before."""
        if len(before) != len(again):
            raise UnlikeError("a block has more steps than the one before it")
        for one, two in zip(before, again, strict=True):
            if isinstance(one, Compute) or isinstance(two, Compute):
                alike = _are_alike(one, two)
            else:
                alike = type(one) is type(two) and self.again.setdefault(two.exchange, one.exchange) == one.exchange
            if not alike:
                raise UnlikeError(f"{two} is not like {one}")

    def _check(self) -> None:
        """Raises UnlikeError unless exchanges of the repeated block are started and awaited there, and there alone."""
        exchanges, again, before = self.plan.exchanges, set(self.again), set(self.again.values())
        if len(before) < len(again) or before & again:
            raise UnlikeError("exchanges of several blocks are one")
        for two, one in self.again.items():
            if _labelled(exchanges[one], 1) != exchanges[two]:
                raise UnlikeError("a block exchanges something else than the one before it")
        for participant in self.plan.participants:
            inside = self._steps(participant, REPEATED) if participant in self.busy else ()
            everywhere = self.plan.programs[participant]
            if _n_exchanging(inside, again) != _n_exchanging(everywhere, again):
                raise UnlikeError("an exchange of a block goes on in another")

    def longer(self) -> tuple[tuple[tuple[Step, ...], ...], tuple[Exchange, ...]]:
        """All programs and exchanges with the repeated block so many times more."""
        programs, order = in_order([self._longer(participant) for participant in self.plan.participants])
        return programs, tuple(map(self._exchange, order))

    def _exchange(self, copied: ExchangeId) -> Exchange:
        copy, number = divmod(copied, len(self.plan.exchanges))
        return _labelled(self.plan.exchanges[number], self.n_more if number in self.ending else copy)

    def _longer(self, participant: int) -> list[Step]:
        """A participant's program. Of a copied block, exchanges have the numbers of a plan's after all earlier ones."""
        steps = self.plan.programs[participant]
        if participant not in self.busy:
            return list(steps)
        end = self.parts[participant].begins[REPEATED + 1]
        again, found = self._steps(participant, REPEATED), list(steps[:end])
        for copy in range(1, self.n_more + 1):
            found += [self._copied(step, copy, copy * len(self.plan.exchanges)) for step in again]
        return found + [self._copied(step, self.n_more, 0) for step in steps[end:]]

    def _copied(self, step: Step, blocks: int, exchanges: int) -> Step:
        """A step of so many blocks, and exchanges, later; of equals one."""
        if not isinstance(step, Compute):
            return type(step)(ExchangeId(step.exchange + exchanges)) if exchanges else step
        key = step.label, blocks, id(step.kernels)
        found = self.computes.get(key)
        if found is None:
            found = self.computes[key] = Compute(_renumbered(step.label, blocks), step.kernels)
        return found


def _are_alike(before: Step, again: Step) -> bool:
    if not (isinstance(before, Compute) and isinstance(again, Compute)):
        return False
    return before.kernels == again.kernels and _renumbered(before.label, 1) == again.label


def _n_exchanging(steps: Sequence[Step], exchanges: Set[ExchangeId]) -> int:
    return sum(not isinstance(step, Compute) and step.exchange in exchanges for step in steps)


@lru_cache(maxsize=4096)
def _renumbered(label: str, blocks: int) -> str:
    return _NUMBERED.sub(lambda found: f"block {int(found[1]) + blocks}", label) if blocks else label


def _labelled(exchange: Exchange, blocks: int) -> Exchange:
    label = _renumbered(exchange.label, blocks)
    return Exchange(exchange.kind, exchange.group, exchange.bytes_by_rank, exchange.root, label)


def _held_bytes(weights: Mapping[tuple[object, ...], int], n_more: int) -> int:
    """Of all weights, with so many blocks more. weights: bytes, by what they are: a block's, its number first."""
    before, again = (_of_block(weights, block) for block in (REPEATED - 1, REPEATED))
    if before != again:
        raise UnlikeError("a block's weights are not those of the one before it")
    return sum(weights.values()) + n_more * sum(again.values())


def _of_block(weights: Mapping[tuple[object, ...], int], block: int) -> dict[tuple[object, ...], int]:
    return {what[1:]: n_bytes for what, n_bytes in weights.items() if what[0] == block}


def _peak_bytes(parts: RunParts, turns: int, n_more: int) -> int:
    """With so many blocks more, each of which may keep something."""
    live, peaks = parts.live_bytes, parts.peak_bytes
    if not parts.taken:
        return peaks[0]
    one, again = REPEATED - 1, REPEATED - 1 + turns  # peaks are of one part more: that before the first block
    kept = (live[again] - live[one]) // turns
    if live[again] - live[one] != turns * kept or peaks[one + 1] - live[one] != peaks[again + 1] - live[again]:
        raise UnlikeError("a block's memory is not that of the one before it")
    last_turn = len(peaks) - 2 - turns
    return max(*peaks[:last_turn], *(peak + n_more * kept for peak in peaks[last_turn:]))
