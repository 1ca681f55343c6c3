"""What the values that cross look like, known before anything is computed: receivers need shapes and element types."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from typing import Any

from prism_sim import driver
from prism_sim.effects import Await, Begin, Exchanging, Mark, Program, Recv, ReduceScatter, Scatter
from prism_sim.element_types import ELEMENT_TYPES, ElementType
from prism_sim.plan import Exchange, ExchangeId, ParticipantId, participants
from prism_sim.shapes.interpreter import caches_before
from prism_sim.shapes.job import Job
from prism_sim.shapes.ledger import Ledger, Mask, Packed, Shape, Unrounded
from prism_sim.shapes.model import ShapeModel
from prism_sim.wire import at_the_border

MASK, BYTES = "bool", "uint8"
_TYPES = {**ELEMENT_TYPES, MASK: ElementType(MASK, 1), BYTES: ElementType(BYTES, 1)}


@dataclass(frozen=True, slots=True)
class Leaf:
    """One tensor on the wire. dtype: a torch dtype's name, or that of `ELEMENT_TYPES`."""

    shape: tuple[int, ...]
    dtype: str

    @property
    def elements(self) -> int:
        return prod(self.shape)

    @property
    def group(self) -> int:
        """Elements that stay together."""
        return _TYPES[self.dtype].group

    @property
    def nbytes(self) -> int:
        return _TYPES[self.dtype].nbytes(self.elements)


# What a value is made of: a tensor, a tuple of such, or nothing.
Structure = Leaf | tuple["Structure", ...] | None
HandedIn = dict[tuple[ExchangeId, ParticipantId], Structure]
Note = Callable[[ExchangeId | None, ParticipantId, Exchanging], None]


def leaves(structure: Structure) -> tuple[Leaf, ...]:
    if isinstance(structure, Leaf):
        return (structure,)
    return tuple(leaf for part in structure or () for leaf in leaves(part))


def nbytes(structure: Structure) -> int:
    return sum(leaf.nbytes for leaf in leaves(structure))


@dataclass(frozen=True, slots=True)
class Outline:
    """An exchange and what each member contributes or, of a scatter or reduce-scatter, the piece for each; else None.

    parts[i] belongs to exchange.group[i], as `bytes_by_rank` does.
    """

    exchange: Exchange
    parts: tuple[Structure, ...]


def outlines(job: Job) -> tuple[Outline, ...]:
    """Of all exchanges of the job's Plan, in its order. Raises ValueError for values of an unknown kind."""
    sizes = (job.element_bytes, job.weight_type, job.wire_type)
    ledgers = [Ledger(*sizes) for _ in range(job.n_ranks + 1)]
    handed_in: HandedIn = {}

    def note(exchange: ExchangeId | None, participant: ParticipantId, effect: Exchanging) -> None:
        if exchange is not None and not isinstance(effect, Recv):
            sharing = isinstance(effect, Scatter | ReduceScatter)
            handed_in[exchange, participant] = _structure(effect.pieces if sharing else effect.value, job)  # type: ignore[union-attr]

    models = [ShapeModel(job, ledger, cache) for ledger, cache in zip(ledgers, caches_before(job), strict=True)]
    programs = job.programs(models)
    own = [at_the_border(program, me.send, me.receive) for program, me in zip(programs, ledgers, strict=True)]
    watched = [_watched(program, one, note) for one, program in zip(participants(job.n_ranks), own, strict=True)]
    done = driver.run(watched, ledgers)
    exchanges = zip(done.exchanges, done.numbers, strict=True)
    return tuple(_outline(exchange, number, handed_in) for exchange, number in exchanges)


def _outline(exchange: Exchange, exchange_id: ExchangeId, handed_in: HandedIn) -> Outline:
    if exchange.kind in ("scatter", "reduce_scatter"):
        whole = handed_in[exchange_id, exchange.group[0] if exchange.root is None else exchange.root]
        assert isinstance(whole, tuple)
        parts = whole
    else:
        parts = tuple(handed_in.get((exchange_id, member)) for member in exchange.group)
    assert tuple(map(nbytes, parts)) == exchange.bytes_by_rank
    return Outline(exchange, parts)


def _watched(program: Program, participant: ParticipantId, note: Note) -> Program:
    """The same program; `note` is told what it hands in to which exchange."""
    answer: Any = None
    while True:
        try:
            effect = program.send(answer)
        except StopIteration as stop:
            return stop.value
        if isinstance(effect, Mark | Await):
            answer = yield effect
            continue
        begun = isinstance(effect, Begin)
        exchanging: Any = effect.effect if isinstance(effect, Begin) else effect
        ticket = yield Begin(exchanging)
        note(ticket.meeting.exchange_id, participant, exchanging)
        answer = ticket if begun else (yield Await(ticket))


def _structure(value: Any, job: Job) -> Structure:
    if value is None:
        return None
    if isinstance(value, tuple):
        return tuple(_structure(item, job) for item in value)
    if isinstance(value, Mask):
        return Leaf((value.nbytes // job.n_tokens, job.n_tokens), MASK)
    if isinstance(value, Packed):
        return Leaf(value.shape, BYTES)
    if isinstance(value, Unrounded):
        return Leaf(value.shape, job.dtype)
    found = Leaf(value.shape, job.wire_dtype or job.dtype) if isinstance(value, Shape) else None
    if found is None or found.nbytes != value.nbytes:
        raise ValueError(f"a live run does not know what a {type(value).__name__} looks like on the wire")
    return found
