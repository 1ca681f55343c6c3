"""Joining the processes of a live run, and one clock for all of them."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist

from prism_sim.live.channel import reason_of
from prism_sim.live.voice import ProcessIndex, Seat

PINGS = 31
LEAD_S = 0.01  # from the agreement on a common start to it


class PeerError(RuntimeError):
    """Another process is at fault, as far as this one can see."""


@contextmanager
def together(what: str) -> Iterator[None]:
    """Around what all processes do at once. Raises PeerError where one does not, or no longer."""
    try:
        yield
    except RuntimeError as error:  # gloo raises no narrower kind
        raise PeerError(f"could not {what} with the other processes: {reason_of(error)}") from error


def meet(deadline_s: float) -> None:
    """Returns when all processes have come here. Raises PeerError, which names those that did not, at the deadline."""
    limit = timedelta(seconds=max(deadline_s - time.monotonic(), 0.01))
    with together("meet"):
        dist.monitored_barrier(timeout=limit, wait_all_ranks=True)


@contextmanager
def joined(seat: Seat, limit_s: float) -> Iterator[None]:
    """All processes of the group have met. Raises ConnectionError, saying where they did not."""
    limit = timedelta(seconds=max(limit_s, 1.0))
    where = f"{seat.host}:{seat.port}"
    try:
        store = dist.TCPStore(  # type: ignore[attr-defined]
            seat.host, seat.port, seat.world, seat.rank == 0, timeout=limit
        )
    except (RuntimeError, ValueError) as error:
        if seat.rank == 0:
            raise ConnectionError(f"cannot listen at {where}: {reason_of(error)}; choose another --port") from error
        raise ConnectionError(f"nobody answers at {where} within {limit_s:.0f} s: {reason_of(error)}") from error
    before = _threads()
    try:
        dist.init_process_group("gloo", store=store, rank=seat.rank, world_size=seat.world, timeout=limit)
    except (RuntimeError, ValueError) as error:
        raise ConnectionError(f"the {seat.world} processes did not meet at {where}: {reason_of(error)}") from error
    _without_preemption(_threads() - before)
    try:
        yield
    finally:
        dist.destroy_process_group()


def _threads() -> set[int]:
    folder = Path("/proc/self/task")
    return {int(entry.name) for entry in folder.iterdir()} if folder.is_dir() else set()


def _without_preemption(threads: set[int]) -> None:
    """Keeps gloo's threads from taking the processor, on Linux, while another thread works.

    They poll for as long as another thread holds the connection. Where that shares their core and was interrupted by
    them while it sends, both come to nothing for a time slice, milliseconds long.
    """
    for thread in threads:
        with suppress(ProcessLookupError):  # it has ended
            os.sched_setscheduler(thread, os.SCHED_BATCH, os.sched_param(0))


def gathered(value: Any, root: ProcessIndex) -> list[Any] | None:
    """The values of all processes, at `root`; None elsewhere."""
    found: list[Any] | None = [None] * dist.get_world_size() if dist.get_rank() == root else None
    with together("gather what was found"):
        dist.gather_object(value, found, root)
    return found


def shared(value: Any, what: str = "share what the first has found") -> Any:
    """The value of process 0, at all. what: all do by that, in words."""
    found = [value]
    with together(what):
        dist.broadcast_object_list(found, 0)
    return found[0]


def clock_offset_s() -> float:
    """What must be added to the clock of process 0 for that of this process (`time.monotonic`).

    Processes of one machine have one clock; of others, the median over pings, each taken for symmetric.
    """
    machines: list[str] = [""] * dist.get_world_size()
    offset_s = 0.0
    with together("compare clocks"):
        dist.all_gather_object(machines, _machine())
        for process, machine in enumerate(machines):
            if machine == machines[0]:
                continue
            if dist.get_rank() == 0:
                _answer(process)
            elif dist.get_rank() == process:
                offset_s = _ask()
    return offset_s


def _machine() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text()
    except OSError:
        import platform

        return platform.node()


def _answer(process: int) -> None:
    moment = torch.zeros(1, dtype=torch.float64)
    for _ in range(PINGS):
        dist.recv(moment, process)
        moment[0] = time.monotonic()
        dist.send(moment, process)


def _ask() -> float:
    offsets, moment = [], torch.zeros(1, dtype=torch.float64)
    for _ in range(PINGS):
        before_s = time.monotonic()
        dist.send(moment, 0)
        dist.recv(moment, 0)
        offsets.append((before_s + time.monotonic()) / 2 - float(moment[0]))
    return statistics.median(offsets)


def common_start_s(offset_s: float, deadline_s: float) -> float:
    """A moment, soon and on this process's clock, that is the same for all; call it together, and wait for it."""
    meet(deadline_s)
    moment = torch.tensor([time.monotonic() + LEAD_S], dtype=torch.float64)
    with together("agree on a start"):
        dist.broadcast(moment, 0)
    return float(moment[0]) + offset_s


def sleep_until(moment_s: float) -> None:
    while (left_s := moment_s - time.monotonic()) > 0:
        time.sleep(left_s)
