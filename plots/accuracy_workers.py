"""Processes that compute side by side, tell how it goes, and end with the one that started them."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from typing import Any

from prism_sim.progress import Progress

INTERRUPTED = 130  # exit status
INTERRUPTION = "interrupted; the same command goes on from what was kept"
SPAWN = get_context("spawn")  # a fork would inherit locks of torch's threads


@dataclass(frozen=True, slots=True)
class Begun:
    """A step that begins, in words; `what` is also what a worker does now."""

    what: str


@dataclass(frozen=True, slots=True)
class Shown:
    """What a worker does now, within a step."""

    what: str


@dataclass(frozen=True, slots=True)
class Ended:
    """A step that was expected to take so long on one core."""

    expected_s: float


@dataclass(frozen=True, slots=True)
class Done:
    """The result of a job."""

    result: Any


@dataclass(frozen=True, slots=True)
class Failed:
    """What a job raised."""

    error: Exception


Message = Begun | Shown | Ended


@dataclass(frozen=True, slots=True)
class Report(Progress):
    """Tells the process that waits; raises BrokenPipeError if it is gone."""

    connection: Connection

    @contextmanager
    def step(self, what: str, expected_s: float) -> Iterator[None]:
        self.connection.send(Begun(what))
        yield
        self.connection.send(Ended(expected_s))

    def line(self, text: str) -> None:
        self.connection.send(Shown(text))

    def watch(self, what: str, done: int, n: int, detail: str = "") -> None:
        self.connection.send(Shown(", ".join(filter(None, (f"{what}: {done} of {n}", detail)))))


@dataclass(frozen=True, slots=True)
class Job:
    """A function of a module, called with a Report and these arguments in some process; all of it is pickled."""

    compute: Callable[..., Any]
    arguments: tuple[Any, ...]


def side_by_side(
    jobs: Sequence[Job],
    n_workers: int,
    then: Callable[[Job, Any], Sequence[Job]],
    tell: Callable[[int, Message], None],
) -> None:
    """Gives the jobs to so many processes, in this order. then: takes a result; what it returns is done last.

    tell: of a worker, by number, what it says. Raises what a job raises, ChildProcessError if a process ends by itself.
    A KeyboardInterrupt, like any error, is passed on to all processes, and waited for: a training saves its state.
    """
    waiting, working = list(jobs), dict[Connection, Job]()
    workers: dict[Connection, Any] = {}
    try:
        while waiting or working:
            while waiting and len(working) < n_workers:
                idle = next((one for one in workers if one not in working), None) or _started(workers)
                working[idle] = waiting.pop(0)
                idle.send(working[idle])
            for connection in wait(list(working)):
                message = _received(connection)
                if isinstance(message, Failed):
                    raise message.error
                if isinstance(message, Done):
                    waiting += then(working.pop(connection), message.result)
                else:
                    tell(list(workers).index(connection), message)
    except BaseException:
        _end_early(list(workers.values()))
        raise
    for connection, process in workers.items():
        connection.close()
        process.join()


def _end_early(processes: Sequence[Any]) -> None:
    """Waits until each has saved what it does; whoever asks twice does not wait."""
    try:
        for process in processes:
            if process.is_alive():
                os.kill(process.pid, signal.SIGINT)
        for process in processes:
            process.join()
    except KeyboardInterrupt:
        for process in processes:
            process.kill()
        raise


def _started(workers: dict[Connection, Any]) -> Connection:
    here, there = SPAWN.Pipe()
    process = SPAWN.Process(target=_work, args=(there,))
    # Ctrl-C of a terminal is for this process alone, also while the other one loads what it needs
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        process.start()
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    there.close()
    workers[here] = process
    return here


def _received(connection: Any) -> Any:
    try:
        return connection.recv()
    except (EOFError, ConnectionResetError):
        raise ChildProcessError(None, "ended unexpectedly; was there enough memory?", "a worker process") from None


def _work(connection: Connection) -> None:
    """Does job after job until it is interrupted, or whoever gives them is gone."""
    try:
        os.setpgrp()
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
        while True:
            job = connection.recv()
            try:
                answer: Done | Failed = Done(job.compute(Report(connection), *job.arguments))
            except (ValueError, OSError) as error:  # whose message is for the user
                answer = Failed(error)
            connection.send(answer)
    except (EOFError, BrokenPipeError, ConnectionResetError, KeyboardInterrupt):
        return
