"""Laws of the lock-step loop, on tiny programs whose values weigh what they say: who meets whom, and what they get."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import pytest

from prism_sim.driver import DeadlockError, Driven, run
from prism_sim.effects import (
    AllGather,
    AllReduce,
    Await,
    Begin,
    Broadcast,
    Effect,
    Gather,
    Mark,
    Program,
    Recv,
    ReduceScatter,
    Scatter,
    Send,
)
from prism_sim.plan import Compute, Exchange, Kernel, Start, Wait


@dataclass(frozen=True)
class Value:
    """A number that weighs `nbytes` on the wire."""

    number: int
    nbytes: int = 4

    def __add__(self, other: Value) -> Value:
        return Value(self.number + other.number, self.nbytes)


class Meter:
    """Work is what a program enters by hand."""

    def __init__(self) -> None:
        self.kernels: list[Kernel] = []

    def resume(self) -> None: ...

    def drain(self) -> tuple[Kernel, ...]:
        found = tuple(self.kernels)
        self.kernels.clear()
        return found

    def work(self, flops: int) -> None:
        self.kernels.append(Kernel("product", flops, 0))


def alone(effects: Iterable[Effect]) -> Program:
    """Yields effects whatever comes back, and returns all that came back."""
    answers = []
    for effect in effects:
        answers.append((yield effect))
    return tuple(answers)


def play(*programs: Iterable[Effect]) -> Driven:
    return run([alone(program) for program in programs], [Meter() for _ in programs])


A, B, C = Value(1, 10), Value(20, 20), Value(300, 30)
THREE = (0, 1, 2)

# effect of each of three participants, what each gets, bytes_by_rank, root
COLLECTIVES: dict[str, tuple[Callable[[int], Effect], tuple[Any, ...], tuple[int, ...], int | None]] = {
    "all_gather": (lambda me: AllGather((A, B, C)[me], THREE, "x"), ((A, B, C),) * 3, (10, 20, 30), None),
    "all_reduce": (lambda me: AllReduce(Value(10**me), THREE, "x"), (Value(111),) * 3, (4, 4, 4), None),
    "reduce_scatter": (
        lambda me: ReduceScatter(tuple(Value(10**me * (1 + to), 2 + to) for to in THREE), THREE, "x"),
        (Value(111, 2), Value(222, 3), Value(333, 4)),
        (2, 3, 4),
        None,
    ),
    "scatter": (lambda me: Scatter((A, B, None) if me == 2 else None, 2, THREE, "x"), (A, B, None), (10, 20, 0), 2),
    "gather": (lambda me: Gather((A, None, C)[me], 1, THREE, "x"), (None, (A, None, C), None), (10, 0, 30), 1),
    "broadcast": (lambda me: Broadcast(B if me == 1 else None, 1, THREE, "x"), (B, B, B), (0, 20, 0), 1),
}

# alone in its group, a participant gets what it has, and nothing crosses
ALONE: dict[str, tuple[Effect, Any]] = {
    "all_gather": (AllGather(A, (0,), "x"), (A,)),
    "all_reduce": (AllReduce(A, (0,), "x"), A),
    "reduce_scatter": (ReduceScatter((A,), (0,), "x"), A),
    "scatter": (Scatter((A,), 0, (0,), "x"), A),
    "gather": (Gather(A, 0, (0,), "x"), (A,)),
    "broadcast": (Broadcast(A, 0, (0,), "x"), A),
}


@pytest.mark.parametrize("kind", COLLECTIVES)
def test_a_collective_gives_each_member_its_due_and_enters_the_plan_once(kind: str) -> None:
    effect, answers, sizes, root = COLLECTIVES[kind]
    done = play(*[[effect(me)] for me in THREE])
    assert done.results == tuple((answer,) for answer in answers)
    assert done.exchanges == (Exchange(kind, THREE, sizes, root, "x"),)  # type: ignore[arg-type]
    assert done.programs == ((Start(0), Wait(0)),) * 3


@pytest.mark.parametrize("kind", COLLECTIVES)
def test_the_order_in_which_members_arrive_changes_nothing_for_them(kind: str) -> None:
    effect, answers, sizes, _ = COLLECTIVES[kind]
    # participant 0 arrives last: it first waits for a word of participant 2, who sends it after its own part
    late = [Recv(2, "word"), effect(0)]
    last = [Begin(effect(2)), Send(Value(0), 0, "word")]
    done = play(late, [effect(1)], last)
    assert (done.results[0][-1], done.results[1][-1]) == answers[:2]
    assert next(e for e in done.exchanges if e.kind == kind).bytes_by_rank == sizes


@pytest.mark.parametrize("kind", ALONE)
def test_a_group_of_one_is_no_exchange(kind: str) -> None:
    effect, answer = ALONE[kind]
    done = play([effect])
    assert done.results == ((answer,),)
    assert done.exchanges == ()
    assert done.programs == ((),)


def test_a_tuple_weighs_what_its_parts_weigh_and_nothing_weighs_nothing() -> None:
    done = play([AllGather((A, None, (B, C)), (0, 1), "x")], [AllGather(None, (0, 1), "x")])
    assert done.exchanges[0].bytes_by_rank == (60, 0)


def test_a_send_does_not_wait_for_its_receiver() -> None:
    # both send before they receive: blocking sends would wait for each other for ever
    done = play([Send(A, 1, "x"), Recv(1, "y")], [Send(B, 0, "y"), Recv(0, "x")])
    assert done.results == ((None, B), (None, A))
    assert done.exchanges == (
        Exchange("send", (0, 1), (10, 0), 0, "x"),
        Exchange("send", (1, 0), (20, 0), 1, "y"),
    )


def test_the_nth_send_meets_the_nth_recv() -> None:
    done = play([Send(A, 1, "x"), Send(B, 1, "y"), Send(C, 1, "z")], [Recv(0, "x"), Recv(0, "y"), Recv(0, "z")])
    assert done.results[1] == (A, B, C)


def test_sends_to_different_receivers_do_not_mix() -> None:
    done = play([Send(A, 1, "x"), Send(B, 2, "x")], [Recv(0, "x")], [Recv(0, "x")])
    assert (done.results[1], done.results[2]) == ((A,), (B,))


def test_the_nth_exchange_of_a_group_is_the_nth_of_every_member() -> None:
    done = play(*[[AllReduce(Value(10**me), (0, 1), "x"), AllReduce(Value(5), (0, 1), "y")] for me in (0, 1)])
    assert done.results == ((Value(11), Value(10)),) * 2
    assert [exchange.label for exchange in done.exchanges] == ["x", "y"]


def test_groups_that_share_members_meet_apart() -> None:
    done = play(
        [AllReduce(A, (0, 1), "x"), AllReduce(A, (0, 2), "y")],
        [AllReduce(A, (0, 1), "x")],
        [AllReduce(A, (0, 2), "y")],
    )
    assert [exchange.group for exchange in done.exchanges] == [(0, 1), (0, 2)]


def test_members_meet_in_the_order_of_the_group_and_not_of_their_numbers() -> None:
    done = play(*[[AllGather((A, B)[me], (1, 0), "x")] for me in (0, 1)])
    assert done.results == (((B, A),),) * 2
    assert done.exchanges[0].bytes_by_rank == (20, 10)


def test_work_between_begin_and_await_stands_between_start_and_wait() -> None:
    meter = Meter()

    def busy() -> Program:
        yield Mark("before")
        meter.work(1)
        ticket = yield Begin(AllGather(A, (0, 1), "x"))
        yield Mark("meanwhile")
        meter.work(2)
        gathered = yield Await(ticket)
        meter.work(3)
        return gathered

    done = run([busy(), alone([AllGather(B, (0, 1), "x")])], [meter, Meter()])
    assert done.results == ((A, B), ((A, B),))
    assert done.programs[0] == (
        Compute("before", (Kernel("product", 1, 0),)),
        Start(0),
        Compute("meanwhile", (Kernel("product", 2, 0),)),
        Wait(0),
        Compute("meanwhile", (Kernel("product", 3, 0),)),
    )


def test_tickets_may_be_awaited_in_another_order_than_they_were_begun() -> None:
    def crossing() -> Program:
        first = yield Begin(AllReduce(Value(1), (0, 1), "first"))
        second = yield Begin(AllReduce(Value(10), (0, 1), "second"))
        later = yield Await(second)
        return later, (yield Await(first))

    done = run([crossing(), crossing()], [Meter(), Meter()])
    assert done.results == ((Value(20), Value(2)),) * 2
    assert done.programs[0] == (Start(0), Start(1), Wait(1), Wait(0))


def test_a_received_value_may_be_begun_before_it_is_sent() -> None:
    def receiver() -> Program:
        ticket = yield Begin(Recv(0, "x"))
        yield Send(Value(0), 0, "go")
        return (yield Await(ticket))

    done = run([alone([Recv(1, "go"), Send(A, 1, "x")]), receiver()], [Meter(), Meter()])
    assert done.results[1] == A


def test_work_without_a_mark_belongs_to_the_mark_before_it() -> None:
    meter = Meter()

    def marked() -> Program:
        yield Mark("block 0")
        meter.work(1)
        yield AllGather(A, (0,), "x")
        meter.work(2)

    done = run([marked()], [meter])
    assert [(step.label, step.flops) for step in done.programs[0] if isinstance(step, Compute)] == [
        ("block 0", 1),
        ("block 0", 2),
    ]


def test_a_value_is_let_go_once_every_member_has_got_its_due() -> None:
    class Heavy:
        nbytes = 1

    held: list[weakref.ref[Heavy]] = []
    alive: list[bool] = []

    def giver() -> Program:
        heavy = Heavy()
        held.append(weakref.ref(heavy))
        yield Gather(heavy, 1, (0, 1), "x")
        del heavy
        yield AllReduce(Value(1), (0, 1), "y")

    def taker() -> Program:
        gathered = yield Gather(None, 1, (0, 1), "x")
        assert gathered[0] is held[0]()
        del gathered
        yield AllReduce(Value(1), (0, 1), "y")
        alive.append(held[0]() is not None)

    run([giver(), taker()], [Meter(), Meter()])
    assert alive == [False]


def test_a_deadlock_names_who_waits_in_what_for_whom() -> None:
    with pytest.raises(DeadlockError) as caught:
        play([AllGather(A, THREE, "block 3")], [AllGather(A, THREE, "block 3")], [])
    assert str(caught.value) == (
        "participant 0 waits in all_gather 'block 3' of (0, 1, 2): missing [2]; "
        "participant 1 waits in all_gather 'block 3' of (0, 1, 2): missing [2]"
    )


def test_two_who_each_receive_first_are_a_deadlock() -> None:
    with pytest.raises(DeadlockError, match=r"participant 0 waits in send 'y' of \(1, 0\): missing \[1\]"):
        play([Recv(1, "y"), Send(A, 1, "x")], [Recv(0, "x"), Send(B, 0, "y")])


@pytest.mark.parametrize(
    ("effect", "message"),
    [
        (Send(A, 1, "lost"), r"not all members entered send 'lost' of \(0, 1\): missing \[1\]"),
        (Begin(AllReduce(A, (0, 1), "half")), r"not all members entered all_reduce 'half' of \(0, 1\): missing \[1\]"),
        (Gather(A, 1, (0, 1), "unread"), r"not all members entered gather 'unread' of \(0, 1\): missing \[1\]"),
    ],
    ids=["send", "begin", "gather"],
)
def test_an_exchange_that_a_member_never_enters_is_an_error_though_nobody_waits(effect: Effect, message: str) -> None:
    with pytest.raises(DeadlockError, match=message):
        play([effect], [])


def test_a_ticket_serves_only_the_one_who_began() -> None:
    tickets = []

    def begins() -> Program:
        tickets.append((yield Begin(AllReduce(A, (0, 1), "x"))))
        yield Await(tickets[0])

    def steals() -> Program:
        yield Begin(AllReduce(A, (0, 1), "x"))
        yield Await(tickets[0])

    with pytest.raises(ValueError, match="participant 1 awaits the ticket of participant 0"):
        run([begins(), steals()], [Meter(), Meter()])


def test_an_exchange_of_others_is_refused() -> None:
    with pytest.raises(ValueError, match=r"participant 0 is not in the group \(1, 2\) of its all_gather"):
        play([AllGather(A, (1, 2), "x")], [], [])


@pytest.mark.parametrize(
    "effects",
    [
        [Scatter((A, B), 0, THREE, "x"), Scatter(None, 0, THREE, "x"), Scatter(None, 0, THREE, "x")],
        [ReduceScatter((A, B), THREE, "x")] * 3,
    ],
    ids=["scatter", "reduce_scatter"],
)
def test_a_piece_for_each_member_is_needed(effects: list[Effect]) -> None:
    with pytest.raises(ValueError, match=r"'x' needs one piece for each of \(0, 1, 2\)"):
        play(*[[effect] for effect in effects])


def test_pieces_of_one_sum_must_have_one_size() -> None:
    pieces = [(Value(1, 4), Value(1, 4)), (Value(1, 4), Value(1, 8))]
    with pytest.raises(ValueError, match="members of reduce_scatter 'x' disagree on the sizes of its pieces"):
        play(*[[ReduceScatter(mine, (0, 1), "x")] for mine in pieces])


def test_what_is_no_effect_is_refused_by_name() -> None:
    with pytest.raises(TypeError, match="a program may not yield 'hello'"):
        play(["hello"])  # type: ignore[list-item]


def test_an_error_in_a_program_reaches_the_caller() -> None:
    def fails() -> Program:
        yield Mark("x")
        raise ZeroDivisionError("as it is")

    with pytest.raises(ZeroDivisionError, match="as it is"):
        run([fails()], [Meter()])


def test_every_participant_needs_its_own_meter() -> None:
    with pytest.raises(ValueError, match="zip"):
        run([alone([]), alone([])], [Meter()])
