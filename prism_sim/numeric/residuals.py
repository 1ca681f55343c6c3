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
from prism_sim.numeric.infer import main_output
from prism_sim.numeric.interpreter import execute
from prism_sim.numeric.measure import OutputFidelity, Undistributed, fidelity
from prism_sim.partition import ranges
from prism_sim.shapes.job import Job

Seen = dict[tuple[int, int], list[Tensor]]  # rows by participant and block, a tensor a micro-batch
Instead = Callable[[int, int, int, Tensor], Tensor]  # (participant, block, first sample, rows) -> rows to go on with


@dataclass(frozen=True, slots=True)
class Held:
    """What a rank has the rows of after a block."""

    samples: range
    tokens: range

    def of(self, rows: Tensor) -> Tensor:
        """Its part of (batch, tokens) or (batch, tokens, width)."""
        return rows[self.samples.start : self.samples.stop, self.tokens.start : self.tokens.stop]


class WatchedBlock(TensorBlock):
    """A block that shows its rows before it hands them on, and hands on what it gets back."""

    def __init__(self, block: TensorBlock, show: Callable[[Tensor], Tensor]) -> None:
        super().__init__(block.parts, block.training)
        self.show = show

    def after_feed_forward(self, x: Tensor, f: Tensor) -> Tensor:
        return self.show(super().after_feed_forward(x, f))


@torch.no_grad()
def deviations(known: Undistributed, job: Job) -> tuple[tuple[Cell, ...], OutputFidelity]:
    """Error of the rows after every block, and of the output, if the model runs as `job` says.

    Raises ValueError where the strategy cannot serve the job, or where what is compared is not finite.
    """
    accumulated, output = _distributed(known, job)
    held = _held(accumulated, job.batch, job.n_tokens)
    alone = _alone(known, job, held)
    cells = [
        cell
        for rank, block in sorted(accumulated, key=lambda place: place[::-1])
        for cell in _cells(
            known, Cut(block, rank, held[rank]), torch.cat(accumulated[rank, block]), torch.cat(alone[rank, block])
        )
    ]
    return tuple(cells), _fidelity(known, output)


@torch.no_grad()
def outcome(known: Undistributed, job: Job) -> tuple[float, OutputFidelity]:
    """Relative error of all real rows after the last block, and how far the output is: one run. Raises ValueError."""
    seen, output = _distributed(known, job)
    return _errors(known, seen, job)[-1], _fidelity(known, output)


@torch.no_grad()
def added_errors(known: Undistributed, job: Job, held: Mapping[int, Held]) -> tuple[float, ...]:
    """What each block does alone, on the undistributed stream, to all real rows: relative errors, from one run.

    held: by each rank, as `layout` says. Raises ValueError.
    """
    return _errors(known, _alone(known, job, held), job)


@torch.no_grad()
def layout(known: Undistributed, job: Job) -> dict[int, Held]:
    """The rows that each rank holds after a block; the same for all numbers of segments. Takes a run."""
    return _held(_distributed(known, job)[0], job.batch, job.n_tokens)


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


def _alone(known: Undistributed, job: Job, held: Mapping[int, Held]) -> Seen:
    """Rows after each block where every block was handed the undistributed ones."""

    def undistributed_rows(participant: int, block: int, first_sample: int, rows: Tensor) -> Tensor:
        return held[participant].of(known.stream[block])[first_sample : first_sample + len(rows)]

    return _distributed(known, job, undistributed_rows)[0]


def _held(seen: Seen, batch: int, n_tokens: int) -> dict[int, Held]:
    """Which rows each rank has, by their number."""
    parts = {rank: (sum(map(len, rows)), rows[0].shape[1]) for (rank, _), rows in sorted(seen.items())}
    samples = _parts([n_samples for n_samples, _ in parts.values()], batch, "samples")
    tokens = _parts([n_rows for _, n_rows in parts.values()], n_tokens, "tokens")
    return {rank: Held(*own) for rank, own in zip(parts, zip(samples, tokens, strict=True), strict=True)}


def _parts(sizes: list[int], whole: int, what: str) -> tuple[range, ...]:
    """What ranks of these sizes have: all of it each, or a part each, in their order."""
    if set(sizes) == {whole}:
        return (range(whole),) * len(sizes)
    if sum(sizes) != whole:
        raise ValueError(f"after a block the ranks hold rows of {sizes} {what}, which part no {whole} {what}")
    return ranges(sizes)


@dataclass(frozen=True, slots=True)
class Cut:
    """One rank's rows after one block."""

    block: int
    rank: int
    held: Held

    def distances(self, n_tokens: int) -> list[int | None]:
        """Of each token, in tokens, to the nearest one of another rank; None where there is none."""
        tokens = self.held.tokens
        left = [token - tokens.start + 1 for token in tokens if tokens.start > 0]
        right = [tokens.stop - token for token in tokens if tokens.stop < n_tokens]
        if not (left or right):
            return [None] * len(tokens)
        return [min(sides) for sides in zip(*(side for side in (left, right) if side), strict=True)]


def _cells(known: Undistributed, cut: Cut, accumulated: Tensor, alone: Tensor) -> Iterator[Cell]:
    """The rows of one rank after one block, apart by distance."""
    wanted, real = cut.held.of(known.stream[cut.block]), _real(known, cut.held)
    error, added, norm = (
        _squared(rows, real) for rows in (accumulated.double() - wanted, alone.double() - wanted, wanted)
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


def _fidelity(known: Undistributed, output: Tensor) -> OutputFidelity:
    """Of the output; at real positions, where it has a row a token."""
    if known.real is None or output.shape[:2] != known.real.shape:
        return fidelity(output, known.output, known.logits)
    return fidelity(output[known.real], known.output[known.real], known.logits)


def _errors(known: Undistributed, seen: Seen, job: Job) -> tuple[float, ...]:
    """Relative error after each block, over all real rows of all ranks."""
    held = _held(seen, job.batch, job.n_tokens)
    found = []
    for block, wanted in enumerate(known.stream):
        squared_error = squared_norm = 0.0
        for rank, own in held.items():
            if (rank, block) in seen:
                x, real = own.of(wanted), _real(known, own)
                squared_error += float(_squared(torch.cat(seen[rank, block]).double() - x, real).sum())
                squared_norm += float(_squared(x, real).sum())
        found.append(relative(squared_error, squared_norm))
    return tuple(found)


def _real(known: Undistributed, held: Held) -> Tensor:
    """(samples, tokens), 1 at real tokens."""
    if known.real is None:
        return torch.ones(len(held.samples), len(held.tokens), dtype=torch.float64, device=known.stream[0].device)
    return held.of(known.real).double()


def _squared(rows: Tensor, real: Tensor) -> Tensor:
    """Squared norm of each row, (batch, tokens); 0 at padded ones."""
    return rows.double().square().sum(-1) * real
