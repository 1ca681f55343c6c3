"""One process of a live run: joins the others, computes the output once undivided, then runs and is measured."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor

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
    together,
)
from prism_sim.live.interpreter import MOST_THREADS, Device
from prism_sim.live.model import Workshop
from prism_sim.live.order import Order
from prism_sim.live.records import Records
from prism_sim.live.voice import COUNTED, Seat, Voice
from prism_sim.numeric.codebooks import codebooks_for, needs_codebooks
from prism_sim.numeric.infer import main_output
from prism_sim.numeric.interpreter import execute, programs
from prism_sim.numeric.measure import prepared

ROUNDINGS = 1000  # of the coarsest element type, relative: what a sum in another order and a dozen blocks come to


@dataclass(frozen=True, slots=True)
class Settings:
    """deadline_s: on `time.monotonic`, when a process gives up. cores: to run on; None: any."""

    repeats: int
    warmup: int
    threads: int
    deadline_s: float
    cores: tuple[int, ...] | None = None


def take_part(order: Order, seat: Seat, settings: Settings, voice: Voice) -> dict[str, Any] | None:
    """All runs; at process 0 what was measured. Raises PeerError or ConnectionError.

    The seat must be one of as many as there are devices; see `Seat.check`.
    """
    if settings.cores is not None:
        os.sched_setaffinity(0, settings.cores)  # before torch makes threads, which inherit it
    torch.set_num_threads(settings.threads)
    voice.doing("connects")
    with joined(seat, settings.deadline_s - time.monotonic()), torch.no_grad():
        return _Process(order, seat, settings, voice).all_runs()


class _Process:
    def __init__(self, order: Order, seat: Seat, settings: Settings, voice: Voice) -> None:
        self.order, self.me, self.settings, self.voice = order, seat.rank, settings, voice
        self.routes = order.routes()
        home = order.home[order.plan.terminal]
        self.checker = 0 if home is None else home  # where the output comes to lie
        voice.doing("loads the model")
        model, inputs = prepared(order.model, order.given, order.job)
        codebooks = None
        if needs_codebooks(order.job):  # all must hold the same to the bit, whatever their processors
            voice.doing("fits codebooks")
            codebooks = shared(codebooks_for(model, order.job) if self.me == 0 else None)
        self.workshop = Workshop(model, inputs, order.job, settings.threads, codebooks)
        self.reference: Tensor | None = None
        if self.me == self.checker:
            voice.doing("computes the output in one process")
            self.reference = main_output(execute(model, inputs, order.job, codebooks=codebooks).output)

    def all_runs(self) -> dict[str, Any] | None:
        """Raises PeerError."""
        self.voice.doing("waits for the others")
        try:
            return self._all_runs()
        except LinkError as error:
            raise PeerError(f"{self.order.name(error.peer)} cannot be reached: {error}") from error
        except TimeoutError as error:
            raise PeerError(str(error)) from error

    def _all_runs(self) -> dict[str, Any] | None:
        meet(self.settings.deadline_s)
        self.offset_s = clock_offset_s()
        runs: list[tuple[Records, int | None]] = []
        with ThreadPoolExecutor(MOST_THREADS) as pool:
            for number in range(self.settings.warmup + self.settings.repeats):
                self._check_time(number)
                self.voice.doing(f"is in run {number + 1} of {self.settings.warmup + self.settings.repeats}")
                results, output, records, sent_bytes = self._run(pool)
                runs.append((records, sent_bytes))
        self.voice.doing("compares the outputs")
        error = self._check(results, output)
        return self._report(runs[self.settings.warmup :], error)

    def _check_time(self, number: int) -> None:
        if time.monotonic() >= self.settings.deadline_s:
            wanted = self.settings.warmup + self.settings.repeats
            raise PeerError(f"only {number} of {wanted} runs were over in time; allow more, or ask for fewer")

    def _run(self, pool: ThreadPoolExecutor) -> tuple[dict[int, Any], Tensor | None, Records, int | None]:
        order = self.order
        device = Device(
            self.routes,
            order.home,
            self.me,
            GlooChannel(),
            self.settings.deadline_s,
            order.name,
            self.voice.doing,
        )
        device.prepare(pool)
        forward = self.workshop.held_forward() if order.home[order.plan.terminal] == self.me else None
        made = programs(order.job, list(self.workshop.models(forward)))
        own = {number: made[number] for number in order.active if order.home[number] == self.me}
        start_s = common_start_s(self.offset_s, self.settings.deadline_s)
        before = _interface_bytes()
        sleep_until(start_s)
        device.recorder.begin(start_s)
        results = device.run(own)
        meet(self.settings.deadline_s)
        after = _interface_bytes()
        if forward is not None:
            forward.abandon()
        sent_bytes = None if after is None or before is None else after - before
        output = None if forward is None else forward.output
        return results, output, device.recorder.records.since(start_s), sent_bytes

    def _check(self, results: dict[int, Any], output: Tensor | None) -> float | None:
        """Largest deviation from the output of one process, relative to its largest value; where that is."""
        job = self.order.job
        if job.placement.output == "in_place":
            found = gathered(results, self.checker)
            if found is not None:
                everything = {number: rows for part in found for number, rows in part.items()}
                forward = self.workshop.forward()
                forward.embed()
                forward.head_on_all([everything.get(number) for number in range(job.n_ranks + 1)])
                output = forward.output
        if self.reference is None:
            return None
        assert output is not None
        assert output.shape == self.reference.shape
        deviation = (output.double() - self.reference.double()).abs().max()
        return float(deviation / self.reference.double().abs().max())

    def _report(self, runs: Sequence[tuple[Records, int | None]], error: float | None) -> dict[str, Any] | None:
        errors = gathered(error, 0)
        ends = gathered([max((end_s for _, end_s in records.ends), default=0.0) for records, _ in runs], 0)
        sent = gathered([sent_bytes for _, sent_bytes in runs], 0)
        chosen: list[Any] = [None]
        if ends is not None:
            latencies = [max(one) for one in zip(*ends, strict=True)]
            chosen = [min(range(len(latencies)), key=lambda run: abs(latencies[run] - statistics.median(latencies)))]
        with together("agree on a run"):
            dist.broadcast_object_list(chosen, 0)
        records = gathered(asdict(runs[chosen[0]][0]), 0)
        if ends is None or errors is None or sent is None:
            return None
        job = self.order.job
        coarsest = max(torch.finfo(getattr(torch, name)).eps for name in (job.dtype, job.wire_dtype or job.dtype))
        return {
            "latencies_s": latencies,
            "chosen": chosen[0],
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
