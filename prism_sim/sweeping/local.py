"""Workers on this machine: this process itself, or processes of their own.

A worker is a fresh interpreter that reads pieces from its standard input, so nothing of the caller's program is run
again in it, and it ends when the caller does, however that ends.
"""

from __future__ import annotations

import pickle
import queue
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from threading import Event, Thread
from typing import IO, Any, Protocol, cast

from prism_sim.sweeping.pieces import Pieces
from prism_sim.sweeping.work import PieceAnswer, SweepWork, perform

START = "import sys; sys.path[:] = {path!r}; from prism_sim.sweeping.worker import main; main()"


class Workers(Protocol):
    """Whoever computes. `answers` yields in the order of completion; the next piece waits until its last is taken."""

    n_workers: int

    def answers(self, pieces: Pieces) -> Iterator[PieceAnswer]: ...

    def close(self) -> None: ...


class InProcess:
    """No worker but the caller."""

    n_workers = 1

    def __init__(self, work: SweepWork) -> None:
        self.work = work

    def answers(self, pieces: Pieces) -> Iterator[PieceAnswer]:
        taker = pieces.taker()
        for piece in taker:
            answer = perform(self.work, piece)
            taker.took(piece, answer.work_s)
            yield answer

    def close(self) -> None:
        pass


class Processes:
    """A thread for each process: it hands in a piece and waits for the answer."""

    def __init__(self, work: SweepWork, n_workers: int) -> None:
        self.n_workers = n_workers
        command = [sys.executable, "-c", START.format(path=sys.path)]
        self.processes = [
            subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) for _ in range(n_workers)
        ]
        self.work = work
        self.greeted = [False] * n_workers

    def answers(self, pieces: Pieces) -> Iterator[PieceAnswer]:
        done: queue.Queue[tuple[PieceAnswer, Event] | BaseException | None] = queue.Queue()
        for number in range(self.n_workers):
            Thread(target=self._serve, args=(number, pieces, done), daemon=True).start()
        if pieces.kind == "timing":
            yield from self._until_they_answer(pieces, done)
        working = self.n_workers
        while working:
            item = done.get()
            if item is None:
                working -= 1
            elif isinstance(item, BaseException):
                raise item
            else:
                answer, taken = item
                yield answer
                taken.set()

    def _until_they_answer(self, pieces: Pieces, done: queue.Queue[Any]) -> Iterator[PieceAnswer]:
        """While interpreters start, the caller begins, so that the first figures are there at once."""
        taker = pieces.taker()
        while done.empty() and (piece := taker()) is not None:
            answer = perform(self.work, piece)
            taker.took(piece, answer.work_s)
            yield answer

    def close(self) -> None:
        for process in self.processes:
            process.kill()
        for process in self.processes:
            process.wait()
            for pipe in (process.stdin, process.stdout):
                with suppress(OSError):
                    cast(IO[bytes], pipe).close()

    def _serve(self, number: int, pieces: Pieces, done: queue.Queue[Any]) -> None:
        try:
            taker = pieces.taker()
            for piece in taker:
                answer = self._ask(number, piece)
                taker.took(piece, answer.work_s)
                taken = Event()
                done.put((answer, taken))
                taken.wait()
            done.put(None)
        except BaseException as error:
            done.put(error)

    def _ask(self, number: int, piece: Any) -> PieceAnswer:
        process = self.processes[number]
        pipe_in, pipe_out = cast(IO[bytes], process.stdin), cast(IO[bytes], process.stdout)
        try:
            if not self.greeted[number]:
                pickle.dump(self.work, pipe_in)
                self.greeted[number] = True
            pickle.dump(piece, pipe_in)
            pipe_in.flush()
            answer = pickle.load(pipe_out)
        except (OSError, EOFError, pickle.UnpicklingError):
            raise ChildProcessError(
                None, f"ended unexpectedly (exit status {process.wait()}); was there enough memory?", "a worker process"
            ) from None
        if isinstance(answer, (OSError, ModuleNotFoundError)):
            raise answer
        if isinstance(answer, str):
            raise RuntimeError(f"a worker failed:\n{answer}")
        return cast(PieceAnswer, answer)
