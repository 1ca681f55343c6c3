"""One process of a live run: joins the others, computes the output once undivided, then runs and is measured."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

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
from prism_sim.live.model import Workshop
from prism_sim.live.order import LiveOrder
from prism_sim.live.records import Records
from prism_sim.live.timed import Pass
from prism_sim.live.voice import COUNTED, ProcessIndex, Seat, Voice
from prism_sim.numeric.codebooks import codebooks_for, needs_codebooks
from prism_sim.numeric.infer import main_output
from prism_sim.numeric.interpreter import execute, programs
from prism_sim.numeric.loading import load
from prism_sim.numeric.measure import inputs_of
from prism_sim.plan import ParticipantId, participants

ALONE, IN_COMPANY = "alone", "in_company"  # how kernels are timed: with the other processes idle, or as busy
FIRST = ProcessIndex(0)  # the process that hears what the others have found
ALL_AT_ONCE = None  # in place of the process whose turn it is
ROUNDINGS = 1000  # of the coarsest element type, relative: what a sum in another order and a dozen blocks come to


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


class _Piece:
    """One order in one process: what is kept from run to run."""

    def __init__(
        self, order: LiveOrder, me: ProcessIndex, model: nn.Module, settings: ProcessSettings, voice: Voice
    ) -> None:
        self.order = order
        self.routes = order.routes()
        home = order.home[order.plan.terminal]
        self.checker = FIRST if home is None else home  # where the output comes to lie
        inputs = inputs_of(model, order.given, order.job)
        codebooks = None
        if needs_codebooks(order.job):  # all must hold the same to the bit, whatever their processors
            voice.doing("fits codebooks")
            codebooks = shared(codebooks_for(model, order.job) if me == FIRST else None)
        self.workshop = Workshop(model, inputs, order.job, settings.threads, codebooks)
        self.reference: Tensor | None = None
        if me == self.checker:
            voice.doing("computes the output in one process")
            self.reference = main_output(execute(model, inputs, order.job, codebooks=codebooks).output)
        self.runs: list[tuple[Records, int | None]] = []
        self.results: dict[ParticipantId, Any] = {}
        self.output: Tensor | None = None

    def error(self) -> float | None:
        """Largest deviation from the output of one process, relative to its largest value; where that is."""
        job = self.order.job
        if job.placement.output == "in_place":
            found = gathered(self.results, self.checker)
            if found is not None:
                everything = {one: rows for part in found for one, rows in part.items()}
                forward = self.workshop.forward()
                forward.embed()
                forward.head_on_all([everything.get(one) for one in participants(job.n_ranks)])
                self.output = forward.output
        if self.reference is None:
            return None
        assert self.output is not None
        assert self.output.shape == self.reference.shape
        deviation = (self.output.double() - self.reference.double()).abs().max()
        return float(deviation / self.reference.double().abs().max())


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
            self.pieces.append(_Piece(order, self.me, models[key], settings, voice))
        self.timers: dict[str, KernelTimer] = {}
        self.where = "cpu" if kernels is None else kernels.where
        if kernels is not None:
            voice.doing("makes blocks to be timed")
            stacks = [Stack(config, kernels.where) for config in kernels.configs]
            self.timers = {name: KernelTimer(stacks, kernels.passes) for name in (ALONE, IN_COMPANY)}

    def all_runs(self) -> list[dict[str, Any]] | None:
        """Raises PeerError."""
        self.voice.doing("waits for the others")
        piece: _Piece | None = None
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
            found = [self._report(piece, piece.error()) for piece in self.pieces]
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

    def _run(self, piece: _Piece, pool: ThreadPoolExecutor) -> tuple[Records, int | None]:
        order = piece.order
        device = LiveDevice(
            piece.routes,
            order.home,
            self.me,
            GlooChannel(),
            self.settings.deadline_s,
            order.name,
            self.voice.doing,
        )
        device.prepare(pool)
        forward = piece.workshop.held_forward() if order.home[order.plan.terminal] == self.me else None
        made = programs(order.job, list(piece.workshop.models(forward)))
        own = {one: made[one] for one in order.active if order.home[one] == self.me}
        start_s = common_start_s(self.offset_s, self.settings.deadline_s)
        before = _interface_bytes()
        sleep_until(start_s)
        device.recorder.begin(start_s)
        piece.results = device.run(own)
        meet(self.settings.deadline_s)
        after = _interface_bytes()
        if forward is not None:
            forward.abandon()
        sent_bytes = None if after is None or before is None else after - before
        piece.output = None if forward is None else forward.output
        return device.recorder.records.since(start_s), sent_bytes

    def _report(self, piece: _Piece, error: float | None) -> dict[str, Any] | None:
        runs = piece.runs[self.settings.warmup :]
        errors = gathered(error, FIRST)
        ends = gathered([max((end_s for _, end_s in records.ends), default=0.0) for records, _ in runs], FIRST)
        sent = gathered([sent_bytes for _, sent_bytes in runs], FIRST)
        latencies = [max(one) for one in zip(*ends or (), strict=True)]
        nearest = min(
            range(len(latencies)), key=lambda run: abs(latencies[run] - statistics.median(latencies)), default=0
        )
        chosen = shared(nearest, "agree on a run")
        records = gathered(asdict(runs[chosen][0]), FIRST)
        if ends is None or errors is None or sent is None:
            return None
        job = piece.order.job
        wire_step = 1 / 127 if job.wire_type.is_grouped else torch.finfo(getattr(torch, job.wire_type.name)).eps
        coarsest = max(torch.finfo(getattr(torch, job.dtype)).eps, wire_step)
        return {
            "latencies_s": latencies,
            "chosen": chosen,
            "records": records,
            "interface_bytes": None if sent[0][0] is None else sent,
            "output_error": next(one for one in errors if one is not None),
            "output_tolerance": min(ROUNDINGS * coarsest, 0.1),
            "cores": None if self.settings.cores is None else list(self.settings.cores),
            "threads": self.settings.threads,
        }


def _interface_bytes() -> int | None:
    """Sent so far over the interface to count, if there is one."""
    name = os.environ.get(COUNTED)
    return None if name is None else int(Path(f"/sys/class/net/{name}/statistics/tx_bytes").read_text())
