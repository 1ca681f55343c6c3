"""The residual stream after every block, distributed and not: where a lossy strategy's loss arises.

Two runs are compared with the model's own: the distributed one, whose error accumulates, and one in which every block
is handed the undistributed stream, so that its error is its own.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor

from prism_sim.numeric.block import TensorBlock
from prism_sim.numeric.deviation import Cell, distance_bin, relative
from prism_sim.numeric.fidelity import Fidelity, fidelity
from prism_sim.numeric.infer import main_output
from prism_sim.numeric.interpreter import execute
from prism_sim.numeric.undistributed import Undistributed
from prism_sim.partition import ranges
from prism_sim.shapes.job import Job

Seen = dict[tuple[int, int], list[Tensor]]  # rows by participant and block, a tensor a micro-batch
Instead = Callable[[int, int, int, Tensor], Tensor]  # (participant, block, first sample, rows) -> rows to go on with


class WatchedBlock(TensorBlock):
    """A block that shows its rows before it hands them on, and hands on what it gets back."""

    def __init__(self, block: TensorBlock, show: Callable[[Tensor], Tensor]) -> None:
        super().__init__(block.parts, block.training)
        self.show = show

    def after_feed_forward(self, x: Tensor, f: Tensor) -> Tensor:
        return self.show(super().after_feed_forward(x, f))


@torch.no_grad()
def deviations(known: Undistributed, job: Job) -> tuple[tuple[Cell, ...], Fidelity]:
    """Error of the rows after every block, and of the output, if the model runs as `job` says.

    Raises ValueError where the strategy cannot serve the job, or where what is compared is not finite.
    """
    accumulated, output = _distributed(known, job)
    tokens = _tokens(accumulated, job.n_tokens)
    alone = _alone(known, job, tokens)
    cells = [
        cell
        for rank, block in sorted(accumulated, key=lambda place: place[::-1])
        for cell in _cells(
            known, Cut(block, rank, tokens[rank]), torch.cat(accumulated[rank, block]), torch.cat(alone[rank, block])
        )
    ]
    return tuple(cells), _fidelity(known, output)


@torch.no_grad()
def outcome(known: Undistributed, job: Job) -> tuple[float, Fidelity]:
    """Relative error of all real rows after the last block, and how far the output is: one run. Raises ValueError."""
    seen, output = _distributed(known, job)
    return _errors(known, seen, job)[-1], _fidelity(known, output)


@torch.no_grad()
def added_errors(known: Undistributed, job: Job, tokens: Mapping[int, range]) -> tuple[float, ...]:
    """What each block does alone, on the undistributed stream, to all real rows: relative errors, from one run.

    tokens: of each rank, as `layout` says. Raises ValueError.
    """
    return _errors(known, _alone(known, job, tokens), job)


@torch.no_grad()
def layout(known: Undistributed, job: Job) -> dict[int, range]:
    """The tokens whose rows each rank holds after a block; the same for all numbers of segments. Takes a run."""
    return _tokens(_distributed(known, job)[0], job.n_tokens)


def _distributed(known: Undistributed, job: Job, instead: Instead | None = None) -> tuple[Seen, Tensor]:
    """Rows after each block, as the participants see them, and the output. instead: what they go on with."""
    seen: Seen = defaultdict(list)

    def show(participant: int, block: int, rows: Tensor) -> Tensor:
        first_sample = sum(len(earlier) for earlier in seen[participant, block])
        seen[participant, block].append(rows)
        return rows if instead is None else instead(participant, block, first_sample, rows)

    def watch(participant: int, blocks: Sequence[TensorBlock]) -> list[TensorBlock]:
        return [WatchedBlock(block, partial(show, participant, number)) for number, block in enumerate(blocks)]

    done = execute(known.model, known.inputs, job, watch=watch)
    return dict(seen), main_output(done.output)


def _alone(known: Undistributed, job: Job, tokens: Mapping[int, range]) -> Seen:
    """Rows after each block where every block was handed the undistributed ones."""

    def undistributed_rows(participant: int, block: int, first_sample: int, rows: Tensor) -> Tensor:
        own = tokens[participant]
        return known.stream[block][first_sample : first_sample + len(rows), own.start : own.stop]

    return _distributed(known, job, undistributed_rows)[0]


def _tokens(seen: Seen, n_tokens: int) -> dict[int, range]:
    """Which tokens the rows of each rank are, by their number: all, or a partition each, in the order of the ranks."""
    n_rows = {rank: rows[0].shape[1] for (rank, _), rows in sorted(seen.items())}
    if set(n_rows.values()) == {n_tokens}:
        return {rank: range(n_tokens) for rank in n_rows}
    if sum(n_rows.values()) != n_tokens:
        raise ValueError(f"after a block the ranks hold {list(n_rows.values())} rows, which part no {n_tokens} tokens")
    return dict(zip(n_rows, ranges(tuple(n_rows.values())), strict=True))


@dataclass(frozen=True, slots=True)
class Cut:
    """One rank's rows after one block."""

    block: int
    rank: int
    tokens: range

    def distances(self, n_tokens: int) -> list[int | None]:
        """Of each token, in tokens, to the nearest one of another rank; None where there is none."""
        left = [token - self.tokens.start + 1 for token in self.tokens if self.tokens.start > 0]
        right = [self.tokens.stop - token for token in self.tokens if self.tokens.stop < n_tokens]
        if not (left or right):
            return [None] * len(self.tokens)
        return [min(sides) for sides in zip(*(side for side in (left, right) if side), strict=True)]


def _cells(known: Undistributed, cut: Cut, accumulated: Tensor, alone: Tensor) -> Iterator[Cell]:
    """The rows of one rank after one block, apart by distance."""
    wanted, real = known.stream[cut.block][:, cut.tokens.start : cut.tokens.stop], _real(known, cut.tokens)
    error, added, norm = (
        _squared(rows, real) for rows in (_difference(accumulated, wanted), _difference(alone, wanted), wanted)
    )
    cosines = F.cosine_similarity(accumulated.double(), wanted.double(), dim=-1) * real
    distances = cut.distances(known.stream[0].shape[1])
    bins = [None if distance is None else distance_bin(distance) for distance in distances]
    for found in sorted(set(bins), key=lambda one: one or (0, 0)):
        chosen = torch.tensor([one == found for one in bins], device=real.device)
        n_rows = int(real[:, chosen].sum())
        if n_rows == 0:
            continue  # padding
        sums = [float(of_rows[:, chosen].sum()) for of_rows in (norm, error, added, cosines)]
        if not all(map(math.isfinite, sums)):
            dtype = str(wanted.dtype).removeprefix("torch.")
            raise ValueError(f"the distributed model's rows are not finite after block {cut.block} in {dtype}")
        nearest, furthest = (None, None) if found is None else found
        yield Cell(cut.block, cut.rank, nearest, furthest, n_rows, *sums)


def _fidelity(known: Undistributed, output: Tensor) -> Fidelity:
    """Of the output; at real positions, where it has a row a token."""
    if known.real is None or output.shape[:2] != known.real.shape:
        return fidelity(output, known.output, known.logits)
    return fidelity(output[known.real], known.output[known.real], known.logits)


def _errors(known: Undistributed, seen: Seen, job: Job) -> tuple[float, ...]:
    """Relative error after each block, over all real rows of all ranks."""
    tokens = _tokens(seen, job.n_tokens)
    found = []
    for block, wanted in enumerate(known.stream):
        squared_error = squared_norm = 0.0
        for rank, own in tokens.items():
            if (rank, block) in seen:
                x, real = wanted[:, own.start : own.stop], _real(known, own)
                squared_error += float(_squared(_difference(torch.cat(seen[rank, block]), x), real).sum())
                squared_norm += float(_squared(x, real).sum())
        found.append(relative(squared_error, squared_norm))
    return tuple(found)


def _real(known: Undistributed, tokens: range) -> Tensor:
    """(batch, tokens), 1 at real tokens."""
    batch, device = len(known.stream[0]), known.stream[0].device
    if known.real is None:
        return torch.ones(batch, len(tokens), dtype=torch.float64, device=device)
    return known.real[:, tokens.start : tokens.stop].double()


def _difference(rows: Tensor, wanted: Tensor) -> Tensor:
    return rows.double() - wanted.double()


def _squared(rows: Tensor, real: Tensor) -> Tensor:
    """Squared norm of each row, (batch, tokens); 0 at padded ones."""
    return rows.double().square().sum(-1) * real
