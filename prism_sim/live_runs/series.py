"""Many live runs in one group of processes, in turn, with kernels timed between them; see `live.process`.

Scenarios run where one `prism-sim live` after another would load every model anew, and where a machine's moods between
two runs should meet all of them alike.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from prism_sim.live.launcher import LiveError, ProcessStart, Rendezvous, launch, own_cores
from prism_sim.live.steady.rounds import Patience, Schedule
from prism_sim.live.timed import Copy, Pass, TimedStep
from prism_sim.live.voice import DEADLINE, Seat, Voice, die_with_parent, leave


@dataclass(frozen=True, slots=True)
class Series:
    """What a group of processes does.

    cells: of each run, a scenario's file and its overrides. configs, passes: of the kernels to time; none: no timing.
    where: the torch device of the kernels. repeats: measured rounds, after `warmup`. patience: with what is disturbed.
    """

    cells: tuple[tuple[str, tuple[str, ...]], ...]
    configs: tuple[Mapping[str, Any], ...]
    passes: tuple[Pass, ...]
    repeats: int
    warmup: int = 1
    n_processes: int = 2
    threads: int = 1
    where: str = "cpu"
    patience: Patience | None = None

    @staticmethod
    def from_json(text: str) -> Series:
        found = json.loads(text)
        return Series(
            **{
                **found,
                "cells": tuple((path, tuple(overrides)) for path, overrides in found["cells"]),
                "configs": tuple(found["configs"]),
                "passes": tuple(Pass(**one) for one in found["passes"]),
                "patience": found["patience"] and Patience(**found["patience"]),
            }
        )


@dataclass(frozen=True, slots=True)
class SeriesResult:
    """cells: what process 0 reports of each, see `live.LiveResult.of`.

    alone, in_company: of each process, the steps of its kernels with the other processes idle, and as busy.
    copies: of process 0, between its accelerator and the host, if it has one.
    """

    cells: tuple[Mapping[str, Any], ...]
    alone: tuple[tuple[TimedStep, ...], ...]
    in_company: tuple[tuple[TimedStep, ...], ...]
    copies: tuple[Copy, ...] = ()


def run_series(
    series: Series, meeting: Rendezvous, timeout_s: float, show: Callable[[str], None] = lambda text: None
) -> SeriesResult:
    """Starts the processes, one a seat. Raises LiveError; none of them outlives this call."""
    deadline_s = time.monotonic() + timeout_s
    starts = [
        ProcessStart(
            name=f"process {rank}",
            arguments=["-m", "prism_sim.live_runs.series", json.dumps(asdict(series))],
            environment=meeting.environment(rank, series.n_processes, series.threads, deadline_s, timeout_s),
            prefix=meeting.prefix(rank),
        )
        for rank in range(series.n_processes)
    ]
    found = launch(starts, timeout_s, show)
    if found is None:
        raise LiveError("the processes ended without a result")
    timed = found[len(series.cells) :]
    alone, in_company = (
        tuple(tuple(map(TimedStep.from_json, one[name])) for one in timed) for name in ("alone", "in_company")
    )
    copies = tuple(Copy(**one) for one in timed[0].get("copies", ())) if timed else ()
    return SeriesResult(tuple(found[: len(series.cells)]), alone, in_company, copies)


def main(arguments: Sequence[str]) -> int:
    """One process of a series."""
    die_with_parent()
    voice = Voice.from_environment()
    voice.doing("reads the scenarios")
    series, seat = Series.from_json(arguments[0]), Seat.from_environment()
    from prism_sim import plugins
    from prism_sim.live.group import PeerError
    from prism_sim.live.process import ProcessSettings, take_part
    from prism_sim.live.steady.kernel_turns import Kernels
    from prism_sim.live_runs.live import order_of, planned
    from prism_sim.scenario import load_scenario

    plugins.load(plugins.in_environment())
    orders = []
    for path, overrides in series.cells:
        scenario = load_scenario(Path(path), overrides)
        orders.append(order_of(scenario, planned(scenario)))
    kernels = Kernels(series.configs, series.passes, series.where) if series.passes else None
    cores = tuple(own_cores(seat.rank, seat.world, series.threads)) or None
    schedule = Schedule(series.warmup, series.repeats, series.patience)
    settings = ProcessSettings(schedule, series.threads, float(os.environ[DEADLINE]), cores)
    try:
        found = take_part(orders, seat, settings, voice, kernels)
    except (ValueError, ConnectionError, RuntimeError) as error:
        voice.failed(str(error), because_of_peer=isinstance(error, PeerError))
        return 1
    if found is not None:
        voice.result(found)
    return 0


if __name__ == "__main__":
    leave(main(sys.argv[1:]))
