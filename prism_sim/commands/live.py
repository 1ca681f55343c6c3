"""prism-sim live: the same programs on real processes, measured."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

from prism_sim.commands import base
from prism_sim.progress import Progress

if TYPE_CHECKING:
    from prism_sim.live.launcher import ProcessStart, Rendezvous
    from prism_sim.live.voice import Voice
    from prism_sim.scenario import Scenario
    from prism_sim.simulation.simulate import Simulation

RUNNING = "is in run"  # as processes say


def prepare(parser: argparse.ArgumentParser) -> None:
    _takes_runs(parser)
    parser.add_argument(
        "--shape",
        action="store_true",
        help="give each process a network namespace, and its links the network's bandwidth (needs root and iproute2)",
    )
    parser.add_argument("--port", type=int, metavar="N", help="where the processes meet (default: a free port)")


def _takes_runs(parser: argparse.ArgumentParser) -> None:
    """What a single process understands, too."""
    base.takes_scenario(parser)
    parser.add_argument("--repeats", type=_positive, default=5, metavar="N", help="measured runs (default 5)")
    parser.add_argument("--warmup", type=_count, default=1, metavar="N", help="runs before those (default 1)")
    parser.add_argument(
        "--threads-per-rank", type=_positive, default=1, metavar="N", help="of each process (default 1)"
    )
    parser.add_argument(
        "--timeout", type=_seconds, default=300.0, metavar="S", help="seconds for everything (default 300)"
    )
    base.takes_json(parser)
    base.takes_out(parser, "live.json, timeline.png and trace.json")


def _positive(text: str) -> int:
    if (value := int(text)) < 1:
        raise argparse.ArgumentTypeError(f"{text} must be >= 1")
    return value


def _count(text: str) -> int:
    if (value := int(text)) < 0:
        raise argparse.ArgumentTypeError(f"{text} must be >= 0")
    return value


def _seconds(text: str) -> float:
    if not 0 < (value := float(text)) < 1e6:
        raise argparse.ArgumentTypeError(f"{text} must be > 0 and finite")
    return value


def run(options: argparse.Namespace) -> int:
    from prism_sim.live.launcher import LiveError, launch
    from prism_sim.live.namespaces import ShapeError
    from prism_sim.live_runs.live import check_routes, planned, taking_part

    deadline_s = time.monotonic() + options.timeout
    scenario = base.load(options)
    base.needs("torch", "transformers")
    predicted = planned(scenario)
    check_routes(scenario, predicted)
    names = [scenario.devices[device].name for device in taking_part(predicted)]
    try:
        with _meeting(options, scenario, len(names)) as meeting:
            starts = [_start(options, rank, name, len(names), meeting, deadline_s) for rank, name in enumerate(names)]
            with base.progress(f"starting {len(names)} process(es) for {scenario.name}") as tell:
                left_s = max(deadline_s - time.monotonic(), 0.0)
                found = launch(starts, left_s, _Telling(tell, options.warmup + options.repeats))
    except (LiveError, ShapeError) as error:
        return base.fail(error, base.FAILED)
    return _report(scenario, predicted, found, options)


class _Telling:
    """Announces once that the runs have begun: until then models are loaded, which may take long."""

    def __init__(self, progress: Progress, n_runs: int) -> None:
        self.progress, self.n_runs, self.told = progress, n_runs, False

    def __call__(self, doing: str) -> None:
        if not self.told and RUNNING in doing:
            self.progress.line(f"all processes have met: {self.n_runs} runs")
            self.told = True


@contextmanager
def _meeting(options: argparse.Namespace, scenario: Scenario, n_processes: int) -> Iterator[Rendezvous]:
    from prism_sim.live.launcher import on_loopback

    if not options.shape:
        yield on_loopback(options.port)
        return
    from prism_sim.live.namespaces import LinkShape, shaped

    network = scenario.network
    if network.medium != "switch" or network.up_bits_per_s is None or network.down_bits_per_s is None:
        rule = f"--shape makes a switch, but the medium is {network.medium}; write network.medium: switch"
        raise scenario.error(("network",), rule)
    with shaped(n_processes, LinkShape(network.up_bits_per_s, network.down_bits_per_s, network.latency_s)) as made:
        for note in made.notes:
            print(f"prism-sim: {note}", file=sys.stderr)
        yield made.meeting(options.port)


def _start(
    options: argparse.Namespace, rank: int, name: str, n_processes: int, meeting: Rendezvous, deadline_s: float
) -> ProcessStart:
    from prism_sim.live.launcher import ProcessStart, own_cores

    n_threads = options.threads_per_rank
    own = own_cores(rank, n_processes, n_threads)
    arguments = ["-m", "prism_sim.live", str(options.scenario)]
    for override in options.overrides:
        arguments += ["--set", override]
    arguments += [f"--repeats={options.repeats}", f"--warmup={options.warmup}", f"--threads-per-rank={n_threads}"]
    if own:
        arguments.append(f"--cores={','.join(map(str, own))}")
    return ProcessStart(
        name=f"process {rank} ({name})",
        arguments=arguments,
        environment=meeting.environment(rank, n_processes, n_threads, deadline_s, options.timeout),
        prefix=meeting.prefix(rank),
    )


def run_process(arguments: Sequence[str]) -> int:
    """One process of a live run, started by `run` or by torchrun; returns the exit status."""
    begun_s = time.monotonic()
    from prism_sim.live.voice import DEADLINE, Voice

    voice = Voice.from_environment()
    voice.doing("reads the scenario")
    parser = argparse.ArgumentParser(prog="python -m prism_sim.live", description="One process of a live run.")
    _takes_runs(parser)
    parser.add_argument("--cores", type=lambda text: tuple(map(int, text.split(","))), help="to run on, as in 0,1")
    base.takes_plugins(parser)
    options = parser.parse_args(arguments)
    from prism_sim import plugins
    from prism_sim.scenario import ScenarioError

    try:
        plugins.load([*plugins.in_environment(), *options.plugins])
        return _run_process(options, float(os.environ.get(DEADLINE, begun_s + options.timeout)), voice)
    except (ScenarioError, plugins.PluginError) as error:
        voice.failed(str(error), because_of_peer=False)
        return base.WRONG_INPUT
    except (ValueError, ConnectionError, RuntimeError) as error:
        from prism_sim.live.group import PeerError

        # a process that cannot find the first one, or is lost by another, is not the cause
        voice.failed(str(error), because_of_peer=isinstance(error, PeerError))
        return base.FAILED


def _run_process(options: argparse.Namespace, deadline_s: float, voice: Voice) -> int:
    from prism_sim.live.voice import Seat
    from prism_sim.live_runs.live import order_of, planned, taking_part

    seat = Seat.from_environment()
    scenario = base.load(options)
    predicted = planned(scenario)
    seat.check([scenario.devices[device].name for device in taking_part(predicted)])
    voice.doing("loads torch")
    from prism_sim.live.process import ProcessSettings, take_part
    from prism_sim.live.steady.rounds import Schedule
    from prism_sim.outputs.fidelity import loading

    settings = ProcessSettings(
        Schedule(options.warmup, options.repeats), options.threads_per_rank, deadline_s, options.cores
    )
    with loading(scenario):
        found = take_part([order_of(scenario, predicted)], seat, settings, voice)
    if found is None:
        return 0
    if voice.heard:
        voice.result(found[0])
        return 0
    return _report(scenario, predicted, found[0], options)


def _report(scenario: Scenario, predicted: Simulation, found: Mapping[str, Any], options: argparse.Namespace) -> int:
    """Shows and writes; the exit status says whether the output is right."""
    from prism_sim.live_runs.live import LiveResult
    from prism_sim.reports.live import show_live

    result = LiveResult.of(scenario, predicted, found)

    def files() -> base.Files:
        from prism_sim.figures.style import saved
        from prism_sim.figures.timeline import draw_timeline
        from prism_sim.timing import to_trace_events

        devices = [device.name for device in scenario.devices]
        names = [devices[device] for device in predicted.device_of]
        names[-1] += " (terminal)"
        of_text = "" if result.text is None else ", to the first token"
        title = f"{scenario.name}: {predicted.job.strategy}, measured{of_text}"
        return {
            "timeline.png": saved(draw_timeline(result.timeline, names, title)),
            "trace.json": json.dumps(to_trace_events(result.timeline, devices), allow_nan=False) + "\n",
        }

    base.deliver(base.Answer("live", result.to_json(), partial(show_live, result), files), options)
    if not result.output_agrees:
        return base.fail("the output differs from that of one process: please report it", base.FAILED)
    return 0


COMMAND = base.Command(
    "live", "the same programs on real processes on this machine, measured", prepare, run, base.TRUST, 3
)
