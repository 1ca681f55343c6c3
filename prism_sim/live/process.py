"""One process of a live run: joins the others, computes the output once undivided, then runs and is measured."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from itertools import chain
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
from prism_sim.live.kernels import KernelTimer, Stack, time_copies
from prism_sim.live.order import LiveOrder
from prism_sim.live.records import Ends
from prism_sim.live.request import FIRST, Measured, OwnOrder, told
from prism_sim.live.timed import Pass
from prism_sim.live.voice import COUNTED, Seat, Voice
from prism_sim.numeric.interpreter import programs
from prism_sim.numeric.loading import load

ALONE, IN_COMPANY = "alone", "in_company"  # how kernels are timed: with the other processes idle, or as busy
ALL_AT_ONCE = None  # in place of the process whose turn it is
BETWEEN_PASSES = "next token"  # what is computed before a step's programs begin: its input, and their making


@dataclass(frozen=True, slots=True)
class ProcessSettings:
    """deadline_s: on `time.monotonic`, when a process gives up. cores: to run on; None: any."""

    repeats: int
    warmup: int
    threads: int
    deadline_s: float
    cores: tuple[int, ...] | None = None


def take_part(
    orders: Sequence[LiveOrder], seat: Seat, settings: ProcessSettings, voice: Voice, kernels: Kernels | None = None
) -> list[dict[str, Any]] | None:
    """All runs of all orders, in turn: every order once, then every order again; at process 0 what was measured.

    The seat must be one of at least as many as any order has devices; see `Seat.check`. kernels: timed between the
    runs, and reported behind them, of each process: alone, and in company.
    Raises PeerError or ConnectionError.
    """
    if settings.cores is not None:
        os.sched_setaffinity(0, settings.cores)  # before torch makes threads, which inherit it
    torch.set_num_threads(settings.threads)
    voice.doing("connects")
    with joined(seat, settings.deadline_s - time.monotonic()), torch.no_grad():
        return _Process(orders, seat, settings, voice, kernels).all_runs()


@dataclass(frozen=True, slots=True)
class Kernels:
    """Kernels to be timed: see `live.kernels`."""

    configs: tuple[Mapping[str, Any], ...]
    passes: tuple[Pass, ...]
    where: str = "cpu"


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
        self.timers: dict[str, KernelTimer] = {}
        self.where = "cpu" if kernels is None else kernels.where
        if kernels is not None:
            voice.doing("makes blocks to be timed")
            stacks = [Stack(config, kernels.where) for config in kernels.configs]
            self.timers = {name: KernelTimer(stacks, kernels.passes) for name in (ALONE, IN_COMPANY)}

    def all_runs(self) -> list[dict[str, Any]] | None:
        """Raises PeerError."""
        self.voice.doing("waits for the others")
        piece: OwnOrder | None = None
        try:
            meet(self.settings.deadline_s)
            self.offset_s = clock_offset_s()
            with ThreadPoolExecutor(MOST_THREADS) as pool:
                for number in range(self.settings.warmup + self.settings.repeats):
                    self._time_kernels(number)
                    for piece in self.pieces:
                        self._check_time(number)
                        self.voice.doing(f"is in run {number + 1} of {self.settings.warmup + self.settings.repeats}")
                        piece.runs.append(self._run(piece, pool))
            self.voice.doing("compares the outputs")
            found = [self._report(piece, told(piece.agreement())) for piece in self.pieces]
        except LinkError as error:
            assert piece is not None
            raise PeerError(f"{piece.order.name(error.peer)} cannot be reached: {error}") from error
        except TimeoutError as error:
            raise PeerError(str(error)) from error
        own: dict[str, Any] = {name: [asdict(step) for step in timer.steps()] for name, timer in self.timers.items()}
        if own and self.where != "cpu":
            own["copies"] = [asdict(copy) for copy in time_copies(self.where)]
        steps = gathered(own, FIRST) if own else None
        if self.me != FIRST:
            return None
        return [one for one in found if one is not None] + (steps or [])

    def _time_kernels(self, number: int) -> None:
        """Those of one process after another, then of all at once."""
        for name, timer in self.timers.items():
            for turn in range(self.world) if name == ALONE else (ALL_AT_ONCE,):
                self._check_time(number)
                self.voice.doing(f"times kernels, round {number + 1}, {name}")
                meet(self.settings.deadline_s)
                if turn in (ALL_AT_ONCE, self.me):
                    timer.round()

    def _check_time(self, number: int) -> None:
        if time.monotonic() >= self.settings.deadline_s:
            wanted = self.settings.warmup + self.settings.repeats
            raise PeerError(f"only {number} of {wanted} runs were over in time; allow more, or ask for fewer")

    def _run(self, piece: OwnOrder, pool: ThreadPoolExecutor) -> Measured:
        """All passes of one request. All messages are expected before it starts, and none of them is between passes."""
        order, request = piece.order, piece.new_request()
        devices = self._devices(piece)
        for device in devices:
            device.prepare(pool)
        made = programs(order.job, list(request.models(0)))
        start_s = common_start_s(self.offset_s, self.settings.deadline_s)
        before = _interface_bytes()
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
        after = _interface_bytes()
        request.abandon()
        sent_bytes = None if after is None or before is None else after - before
        return Measured([device.recorder.records.since(start_s) for device in devices], sent_bytes)

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
        runs = piece.runs[self.settings.warmup :]
        agreements = gathered(agreement, FIRST)
        ends = gathered([[one.ends for one in run.records] for run in runs], FIRST)
        sent = gathered([run.sent_bytes for run in runs], FIRST)
        moments = moments_s(ends or [], piece.order)
        latencies = [one[-1] for one in moments]
        nearest = min(
            range(len(latencies)), key=lambda run: abs(latencies[run] - statistics.median(latencies)), default=0
        )
        chosen = shared(nearest, "agree on a run")
        records = gathered([asdict(one) for one in runs[chosen].records], FIRST)
        if agreements is None or sent is None:
            return None
        return {
            "latencies_s": latencies,
            "moments_s": moments,
            "chosen": chosen,
            "records": records,
            "interface_bytes": None if sent[0][0] is None else sent,
            **next(one for one in agreements if one is not None),
            "output_tolerance": piece.tolerance(),
            "cores": None if self.settings.cores is None else list(self.settings.cores),
            "threads": self.settings.threads,
        }


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
