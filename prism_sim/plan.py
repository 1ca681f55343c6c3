"""The seam: what must be computed and exchanged, without a word on how fast or over what.

A strategy's program, run by an interpreter, leaves a `Plan`; the timing model plays it. Participants are the ranks
0 .. n_ranks-1 and, last, the terminal (index n_ranks), which owns the input and wants the output.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal, NewType, cast, get_args

ExchangeKind = Literal["all_gather", "all_reduce", "reduce_scatter", "broadcast", "scatter", "gather", "send"]
EXCHANGE_KINDS: tuple[str, ...] = get_args(ExchangeKind)
PLAN_SCHEMA = "prism-sim/plan/1"

# Which of several, each kind of number a type of its own. Many are at hand where they're needed in a hot loop: a range
# is then `cast` as a whole, since calling a NewType costs as much as an addition.
ParticipantId = NewType("ParticipantId", int)  # 0 .. n_ranks - 1: a rank; n_ranks: the terminal
ExchangeId = NewType("ExchangeId", int)  # index in `Plan.exchanges`
MessageId = NewType("MessageId", int)  # index among the messages that one exchange becomes on a network


def participants(n_ranks: int) -> Sequence[ParticipantId]:
    """The ranks and, last, the terminal."""
    return cast(Sequence[ParticipantId], range(n_ranks + 1))


ATTENTION = "attention"  # the kernel of a block whose products are among rows: small ones, a head each


@dataclass(frozen=True, slots=True)
class Kernel:
    """One matrix product or one memory-bound step.

    flops: of matrix products and convolutions, 2 a multiply-add; 0 for norms, softmax, means.
    moved_bytes: read and written memory: inputs, weights, outputs, each once.
    weight_bytes: of matrices that it is the first to use since the pass came to their block; among the moved ones.
    """

    name: str
    flops: int
    moved_bytes: int
    weight_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Compute:
    """Kernels that one participant runs one after another."""

    label: str
    kernels: tuple[Kernel, ...]

    @property
    def flops(self) -> int:
        return sum(kernel.flops for kernel in self.kernels)


@dataclass(frozen=True, slots=True)
class Start:
    """Hand in this participant's part of `plan.exchanges[exchange]`; returns at once."""

    exchange: ExchangeId


@dataclass(frozen=True, slots=True)
class Wait:
    """Go on when all that comes in from `plan.exchanges[exchange]` has arrived; nothing comes in: at once."""

    exchange: ExchangeId


Step = Compute | Start | Wait


@dataclass(frozen=True, slots=True)
class Exchange:
    """Bytes that cross between the participants of `group`.

    bytes_by_rank[i] belongs to group[i]: what it contributes (all_gather, gather, all_reduce, send), the piece that it
    receives (scatter, reduce_scatter), the root's payload (broadcast: others 0). root is a participant: the source of
    scatter, broadcast and send, the destination of gather; None for the rest. A send has group (source, destination).
    """

    kind: ExchangeKind
    group: tuple[ParticipantId, ...]
    bytes_by_rank: tuple[int, ...]
    root: ParticipantId | None
    label: str

    def __post_init__(self) -> None:
        if self.kind not in EXCHANGE_KINDS:
            raise ValueError(f"exchange kind {self.kind!r} is not one of {', '.join(EXCHANGE_KINDS)}")
        if len(self.group) != len(self.bytes_by_rank) or len(set(self.group)) != len(self.group):
            raise ValueError(f"group {self.group} must name one distinct participant for each of {self.bytes_by_rank}")
        if min(self.bytes_by_rank, default=-1) < 0:
            raise ValueError(f"bytes_by_rank {self.bytes_by_rank} must be one or more sizes >= 0")
        if self.root is not None and self.root not in self.group:
            raise ValueError(f"root {self.root} is not in group {self.group}")


def shapes_of(exchanges: Iterable[Exchange]) -> tuple[list[Exchange], list[int]]:
    """Those that differ in more than their labels, without these, and of each exchange which of them it is."""
    known: dict[tuple[object, ...], int] = {}
    found, numbers = list[Exchange](), list[int]()
    for exchange in exchanges:
        key = exchange.kind, exchange.group, exchange.bytes_by_rank, exchange.root
        number = known.setdefault(key, len(found))
        if number == len(found):
            found.append(replace(exchange, label=""))
        numbers.append(number)
    return found, numbers


@dataclass(frozen=True, slots=True)
class Plan:
    """Programs of all participants (ranks, then the terminal) and the exchanges that they refer to by index.

    weight_bytes, activation_bytes: per participant; activations at their peak, exchange buffers included.
    """

    n_ranks: int
    programs: tuple[tuple[Step, ...], ...]
    exchanges: tuple[Exchange, ...]
    weight_bytes: tuple[int, ...]
    activation_bytes: tuple[int, ...]

    def __post_init__(self) -> None:
        for field in ("programs", "weight_bytes", "activation_bytes"):
            if len(getattr(self, field)) != self.n_ranks + 1:
                raise ValueError(f"{field} must have n_ranks + 1 = {self.n_ranks + 1} entries, the terminal's last")

    @property
    def terminal(self) -> ParticipantId:
        return ParticipantId(self.n_ranks)

    @property
    def participants(self) -> Sequence[ParticipantId]:
        return participants(self.n_ranks)

    @property
    def ranks(self) -> Sequence[ParticipantId]:
        return self.participants[:-1]

    @property
    def exchange_ids(self) -> Sequence[ExchangeId]:
        return cast(Sequence[ExchangeId], range(len(self.exchanges)))

    @property
    def held_bytes(self) -> tuple[int, ...]:
        """Per participant: weights and, at their peak, activations."""
        return tuple(map(sum, zip(self.weight_bytes, self.activation_bytes, strict=True)))

    def computes(self, participant: ParticipantId) -> tuple[Compute, ...]:
        return tuple(step for step in self.programs[participant] if isinstance(step, Compute))

    def observable(self) -> Plan:
        """The part that a run of the real mathematics can observe.

        Drops kernel names, moved bytes, memory, and Computes without products; two Plans of one scenario, predicted
        and observed, are equal here to the byte and the FLOP.
        """
        programs = tuple(
            tuple(seen for step in program if (seen := _observable_step(step)) is not None) for program in self.programs
        )
        nothing = (0,) * len(self.programs)
        return Plan(self.n_ranks, programs, self.exchanges, nothing, nothing)

    def to_json(self) -> dict[str, Any]:
        """Plain dictionaries and lists; `from_json` gives an equal Plan."""
        return {
            "schema": PLAN_SCHEMA,
            "n_ranks": self.n_ranks,
            "programs": [[_step_to_json(step) for step in program] for program in self.programs],
            "exchanges": [asdict(exchange) for exchange in self.exchanges],
            "weight_bytes": list(self.weight_bytes),
            "activation_bytes": list(self.activation_bytes),
        }

    @staticmethod
    def from_json(data: dict[str, Any]) -> Plan:
        """Raises ValueError unless `data` carries the schema that `to_json` writes."""
        if data.get("schema") != PLAN_SCHEMA:
            raise ValueError(f"schema {data.get('schema')!r} is not {PLAN_SCHEMA!r}")
        return Plan(
            n_ranks=data["n_ranks"],
            programs=tuple(tuple(_step_from_json(step) for step in program) for program in data["programs"]),
            exchanges=tuple(
                Exchange(
                    kind=entry["kind"],
                    group=tuple(entry["group"]),
                    bytes_by_rank=tuple(entry["bytes_by_rank"]),
                    root=entry["root"],
                    label=entry["label"],
                )
                for entry in data["exchanges"]
            ),
            weight_bytes=tuple(data["weight_bytes"]),
            activation_bytes=tuple(data["activation_bytes"]),
        )


def _observable_step(step: Step) -> Step | None:
    if not isinstance(step, Compute):
        return step
    return Compute(step.label, (Kernel("", step.flops, 0),)) if step.flops else None


def _step_to_json(step: Step) -> dict[str, Any]:
    if isinstance(step, Compute):
        return {
            "compute": step.label,
            "kernels": [[k.name, k.flops, k.moved_bytes, k.weight_bytes] for k in step.kernels],
        }
    return {"start" if isinstance(step, Start) else "wait": step.exchange}


def _step_from_json(entry: dict[str, Any]) -> Step:
    if "compute" in entry:
        return Compute(entry["compute"], tuple(Kernel(*kernel) for kernel in entry["kernels"]))
    return Start(entry["start"]) if "start" in entry else Wait(entry["wait"])
