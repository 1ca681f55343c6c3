"""One process of a live run: joins the others, computes the output once undivided, then runs and is measured."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from itertools import chain, count
from pathlib import Path
from typing import Any

import torch
from torch import nn

from prism_sim.live.channel import GlooChannel, LinkError
from prism_sim.live.group import (
    PeerError,
    clock_offset_s,
    common_start_s,
    gathered,
    joined,
    meet,
    shared,
    sleep_until,
)
from prism_sim.live.interpreter import MOST_THREADS, LiveDevice
from prism_sim.live.order import LiveOrder
from prism_sim.live.records import BETWEEN_PASSES, Ends
from prism_sim.live.request import FIRST, Measured, OwnOrder, told
from prism_sim.live.steady.kernel_turns import Kernels, KernelTurns
from prism_sim.live.steady.lookout import Lookout
from prism_sim.live.steady.rounds import Schedule
from prism_sim.live.steady.watch import Disturbance
from prism_sim.live.voice import COUNTED, Seat, Voice
from prism_sim.numeric.interpreter import programs
from prism_sim.numeric.loading import load


@dataclass(frozen=True, slots=True)
class ProcessSettings:
    """deadline_s: on `time.monotonic`, when a process gives up. cores: to run on; None: any.

    schedule: with patience, for processes of one machine only.
    """

    schedule: Schedule
    threads: int
    deadline_s: float
    cores: tuple[int, ...] | None = None


def take_part(
    orders: Sequence[LiveOrder], seat: Seat, settings: ProcessSettings, voice: Voice, kernels: Kernels | None = None
) -> list[dict[str, Any]] | None:
    """All runs of all orders, in turn: every order once, then every order again; at process 0 what was measured.

    The seat must be one of at least as many as any order has devices; see `Seat.check`. kernels: timed between the
    runs, before each its part and some after the last, and reported behind them, of each process.
    Raises PeerError or ConnectionError.
    """
    if settings.cores is not None:
        os.sched_setaffinity(0, settings.cores)  # before torch makes threads, which inherit it
    torch.set_num_threads(settings.threads)
    voice.doing("connects")
    with joined(seat, settings.deadline_s - time.monotonic()), torch.no_grad():
        return _Process(orders, seat, settings, voice, kernels).all_runs()


class _Process:
    def __init__(
        self, orders: Sequence[LiveOrder], seat: Seat, settings: ProcessSettings, voice: Voice, kernels: Kernels | None
    ) -> None:
        self.me, self.world, self.settings, self.voice = seat.rank, seat.world, settings, voice
        voice.doing("loads the model")
        models: dict[str, nn.Module] = {}
        self.pieces = []
        for order in orders:
            key = repr(order.model)
            if key not in models:
                models[key] = load(order.model)
            self.pieces.append(OwnOrder(order, self.me, models[key], settings.threads, voice))
        self.lookout = Lookout(settings.schedule, settings.cores)
        if kernels is not None:
            voice.doing("makes blocks to be timed")
        self.kernels = KernelTurns(kernels, seat, len(orders))

    def all_runs(self) -> list[dict[str, Any]] | None:
        """Raises PeerError."""
        self.voice.doing("waits for the others")
        piece: OwnOrder | None = None
        try:
            meet(self.settings.deadline_s)
            self.offset_s = clock_offset_s()
            with ThreadPoolExecutor(MOST_THREADS) as pool:
                for piece in self._turns():
                    self.voice.doing(f"is in run {len(piece.runs) + 1} of {self.settings.schedule.asked}")
                    piece.runs.append(self._run(piece, pool))
            self.voice.doing("compares the outputs")
            found = [self._report(piece, told(piece.agreement())) for piece in self.pieces]
        except LinkError as error:
            assert piece is not None
            raise PeerError(f"{piece.order.name(error.peer)} cannot be reached: {error}") from error
        except TimeoutError as error:
            raise PeerError(str(error)) from error
        steps = self.kernels.found()
        return None if self.me != FIRST else [one for one in found if one is not None] + steps

    def _turns(self) -> Iterator[OwnOrder]:
        """Whose turn it is; kernels are timed before each and after the last, or by themselves. Raises PeerError."""
        self.lookout.begin()
        for number in range(self.settings.schedule.asked if not self.pieces else 0):
            self._time_kernels(number)
        for number in count():
            due = self.lookout.due(number, [piece.runs for piece in self.pieces])
            for place in due:
                self.lookout.await_calm()
                self._time_kernels(number)
                yield self.pieces[place]
            if not due:
                break
        if self.pieces:
            self._time_kernels(number)

    def _time_kernels(self, number: int) -> None:
        """number: of the round, for humans."""
        self._check_time(number)
        self.kernels.go_on(self.settings.deadline_s, self.voice.doing)

    def _check_time(self, number: int) -> None:
        if time.monotonic() >= self.settings.deadline_s:
            raise PeerError(
                f"only {number} of {self.settings.schedule.asked} runs were over in time; allow more, or ask for fewer"
            )

    def _run(self, piece: OwnOrder, pool: ThreadPoolExecutor) -> Measured:
        """All passes of one request. All messages are expected before it starts, and none of them is between passes."""
        order, request = piece.order, piece.new_request()
        devices = self._devices(piece)
        for device in devices:
            device.prepare(pool)
        made = programs(order.job, list(request.models(0)))
        start_s = common_start_s(self.offset_s, self.settings.deadline_s)
        before, used = _interface_bytes(), self.lookout.use()
        sleep_until(start_s)
        at_s = start_s
        for number, (job, device) in enumerate(zip(order.jobs, devices, strict=True)):
            device.recorder.begin(at_s)
            if number and piece.own:
                made = programs(job, list(request.models(number)))
                device.recorder.cut(piece.own[0], "compute", BETWEEN_PASSES)
            piece.results = device.run({one: made[one] for one in piece.own})
            at_s = max([at_s, *(end_s for _, end_s in device.recorder.records.ends)])
        meet(self.settings.deadline_s)
        after, used = _interface_bytes(), self.lookout.use() - used
        request.abandon()
        sent_bytes = None if after is None or before is None else after - before
        records = [device.recorder.records.since(start_s) for device in devices]
        return Measured(records, sent_bytes, start_s, self.lookout.disturbance(used))

    def _devices(self, piece: OwnOrder) -> list[LiveDevice]:
        """What is this process's part in each pass, with one connection to each other process for all."""
        found: list[LiveDevice] = []
        channel, order = GlooChannel(), piece.order
        for routes in piece.routes:
            found.append(
                LiveDevice(
                    routes,
                    order.home,
                    self.me,
                    channel,
                    self.settings.deadline_s,
                    order.name,
                    self.voice.doing,
                    found[-1].next_tag if found else 0,
                )
            )
        return found

    def _report(self, piece: OwnOrder, agreement: dict[str, Any] | None) -> dict[str, Any] | None:
        runs = piece.runs[self.settings.schedule.warmup :]
        agreements = gathered(agreement, FIRST)
        ends = gathered([[one.ends for one in run.records] for run in runs], FIRST)
        sent = gathered([run.sent_bytes for run in runs], FIRST)
        moments = moments_s(ends or [], piece.order)
        latencies = [one[-1] for one in moments]
        chosen = shared(nearest_to_median(latencies, [run.disturbance for run in runs]), "agree on a run")
        records = gathered([asdict(one) for one in runs[chosen].records], FIRST)
        if agreements is None or sent is None:
            return None
        return {
            "latencies_s": latencies,
            "moments_s": moments,
            "chosen": chosen,
            "records": records,
            "begun_s": [run.begun_s for run in runs],
            "disturbances": [None if run.disturbance is None else asdict(run.disturbance) for run in runs],
            "interface_bytes": None if sent[0][0] is None else sent,
            **next(one for one in agreements if one is not None),
            "output_tolerance": piece.tolerance(),
            "cores": None if self.settings.cores is None else list(self.settings.cores),
            "threads": self.settings.threads,
        }


def nearest_to_median(latencies_s: Sequence[float], disturbances: Sequence[Disturbance | None]) -> int:
    """Which run is to be shown: of those that nobody disturbed, if there are any. 0 where there are no latencies."""
    pairs = zip(latencies_s, disturbances, strict=False)
    calm = [number for number, (_, found) in enumerate(pairs) if found is None or not found.is_felt]
    chosen = calm or range(len(latencies_s))
    if not chosen:
        return 0
    middle_s = statistics.median(latencies_s[number] for number in chosen)
    return min(chosen, key=lambda number: abs(latencies_s[number] - middle_s))


def moments_s(ends: Sequence[Sequence[Sequence[Ends]]], order: LiveOrder) -> list[list[float]]:
    """Of each run, when each of its passes was over: of text, when its token was at the terminal.

    ends: of each process, run and pass.
    """
    found = []
    for run in zip(*ends, strict=True):
        passes = [dict(chain.from_iterable(one)) for one in zip(*run, strict=True)]
        is_text = order.job.new_tokens > 0
        found.append([one[order.plan.terminal] if is_text else max(one.values()) for one in passes])
    return found


def _interface_bytes() -> int | None:
    """Sent so far over the interface to count, if there is one."""
    name = os.environ.get(COUNTED)
    return None if name is None else int(Path(f"/sys/class/net/{name}/statistics/tx_bytes").read_text())
