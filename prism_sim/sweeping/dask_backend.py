"""Workers of a Dask cluster: it schedules, moves data, and repeats what a lost worker did not finish."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

from prism_sim.scenario import ScenarioError
from prism_sim.sweeping.pieces import Pieces, Taker
from prism_sim.sweeping.work import PieceAnswer, SweepWork, perform

TIMEOUT_S = 15.0  # to reach a scheduler, and for its first worker to be there
RETRIES = 5
AHEAD = 2  # pieces under way for each thread of the cluster, so that none waits for us


class DaskWorkers:
    """Raises ScenarioError if Dask isn't installed, OSError if there is no cluster at `address`."""

    def __init__(self, work: SweepWork, address: str) -> None:
        self.address = address
        distributed = _distributed()
        try:
            self.client: Any = distributed.Client(address, timeout=TIMEOUT_S, set_as_default=False)
        except (OSError, TimeoutError, ValueError) as error:
            rule = "no Dask scheduler can be reached there; start one with: dask scheduler"
            raise ConnectionError(None, f"{rule} ({_line(error)})", address) from None
        try:
            self.client.wait_for_workers(1, timeout=TIMEOUT_S)
        except TimeoutError:
            self.close()
            raise ConnectionError(None, "the Dask scheduler there has no workers", address) from None
        self.n_workers = sum(self.client.nthreads().values())
        self.work = self.client.submit(_same, work, pure=False)  # a task, so that Dask can make up for its loss

    def answers(self, pieces: Pieces) -> Iterator[PieceAnswer]:
        distributed = _distributed()
        taker = pieces.taker()
        under_way = distributed.as_completed(loop=self.client.loop, with_results=True)
        taken: dict[Any, Any] = {}
        try:
            self._submit(taker, under_way, taken, AHEAD * self.n_workers)
            for future, answer in under_way:
                taker.took(taken.pop(future.key), answer.work_s)
                self._submit(taker, under_way, taken, 1)
                yield cast(PieceAnswer, answer)
        except distributed.KilledWorker as error:
            raise ChildProcessError(None, f"workers were lost again and again: {_line(error)}", self.address) from None

    def close(self) -> None:
        self.client.close(timeout=TIMEOUT_S)

    def _submit(self, taker: Taker, under_way: Any, taken: dict[Any, Any], count: int) -> None:
        for _ in range(count):
            if (piece := taker()) is None:
                return
            future = self.client.submit(perform, self.work, piece, pure=False, retries=RETRIES)
            taken[future.key] = piece
            under_way.add(future)


def _same(work: SweepWork) -> SweepWork:
    return work


def _distributed() -> Any:
    try:
        import distributed
    except ImportError:
        raise ScenarioError("--dask needs Dask, which is not installed: pip install 'prism-sim[dask]'") from None
    return distributed


def _line(error: BaseException) -> str:
    return str(error).strip().split("\n")[0]
