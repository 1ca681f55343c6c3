"""The command line. What a command needs is imported when it runs: `--help` and timing must not wait for torch."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from prism_sim.scenario import Scenario
    from prism_sim.study import RunResult

WRONG_INPUT = 2  # exit status


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command; returns the exit status. A wrong file or option: 2, one message, no traceback."""
    from prism_sim.scenario.errors import ScenarioError

    options = _parser().parse_args(arguments)
    command: Callable[[argparse.Namespace], int] = options.command
    try:
        return command(options)
    except ScenarioError as error:
        return _fail(str(error))
    except BrokenPipeError:  # the reader of our output has gone, as in `| head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        return _fail(f"{error.filename or 'output'}: {error.strerror or error}")
    except KeyboardInterrupt:
        return 130


def _fail(message: str) -> int:
    print(f"prism-sim: {message}", file=sys.stderr)
    return WRONG_INPUT


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(WRONG_INPUT, f"prism-sim: {message} (see {self.prog} --help)\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="prism-sim", description="Simulates Transformer inference spread over edge devices.")
    parser.add_argument("--version", action="version", version=_version())
    commands = parser.add_subparsers(required=True, metavar="COMMAND", parser_class=_Parser)

    run = commands.add_parser("run", help="latency, bytes and outputs of one scenario, and a verdict")
    _takes_scenario(run, _run)
    run.add_argument("--no-numerics", action="store_true", help="timing alone: do not compute the real outputs")
    run.add_argument("--json", metavar="FILE", type=Path, help="write the result as JSON ('-': to standard output)")
    run.add_argument("--out", metavar="DIR", type=Path, help="write run.json, timeline.png and plan.json there")

    _takes_scenario(commands.add_parser("check", help="validate a scenario, run nothing"), _check)

    listing = commands.add_parser("list", help="what a scenario can name")
    listing.add_argument("what", choices=KINDS)
    listing.set_defaults(command=_list)
    return parser


KINDS = ("models", "devices", "networks", "strategies", "compressors", "plots")


def _version() -> str:
    from importlib.metadata import version

    return f"prism-sim {version('prism-sim')}"


def _takes_scenario(parser: argparse.ArgumentParser, command: Callable[[argparse.Namespace], int]) -> None:
    parser.add_argument("scenario", type=Path, help="a scenario file (YAML)")
    parser.add_argument(
        "--set",
        dest="overrides",
        metavar="FIELD=VALUE",
        action="append",
        default=[],
        help="change a field, as in --set network.bandwidth='50 Mbit/s'; may be repeated",
    )
    parser.set_defaults(command=command)


def _load(options: argparse.Namespace) -> Scenario:
    from prism_sim.scenario import load_scenario

    return load_scenario(options.scenario, options.overrides)


def _check(options: argparse.Namespace) -> int:
    from prism_sim.study.simulation import simulate

    scenario = _load(options)
    simulate(scenario)  # rules that only show once strategy, model and hardware meet
    print(
        f"{options.scenario}: ok: {scenario.name}, {scenario.strategy.name} over {len(scenario.active_ranks)} rank(s)"
    )
    for name in scenario.unused_fields:
        print(f"  {name}: not used by {scenario.strategy.name}")
    return 0


def _list(options: argparse.Namespace) -> int:
    from rich.console import Console

    from prism_sim.listings import listing

    Console().print(listing(options.what))
    return 0


def _run(options: argparse.Namespace) -> int:
    from rich.console import Console

    from prism_sim.study import run

    scenario = _load(options)
    progress = Console(stderr=True)
    with progress.status(f"simulating {scenario.name}") as status:

        def announce(text: str) -> None:
            progress.print(text, style="dim")
            status.update(text)

        result = run(scenario, numerics=not options.no_numerics, announce=announce)
        written = _write(result, options)
    if options.json != Path("-"):
        from prism_sim.report import show

        show(result, Console())
    for path in written:
        progress.print(f"wrote {path}", style="dim")
    return 0


def _write(result: RunResult, options: argparse.Namespace) -> list[Path]:
    """Writes what the options ask for; the files written."""
    from prism_sim.study.files import write_whole

    described = json.dumps(result.to_json(), indent=2, allow_nan=False) + "\n"
    written: dict[Path, Any] = {}
    if options.json == Path("-"):
        print(described, end="")
    elif options.json is not None:
        written[options.json] = described
    if options.out is not None:
        from prism_sim.figures.timeline import draw_timeline

        simulation, names = result.simulation, result.participant_names
        figure = draw_timeline(simulation.timeline, names, f"{result.scenario.name}: {simulation.job.strategy}")
        plan = json.dumps(result.simulation.plan.to_json()) + "\n"
        written[options.out / "run.json"] = described
        written[options.out / "plan.json"] = plan
        written[options.out / "timeline.png"] = figure.savefig
    for path, content in written.items():
        write_whole(path, content)
    return list(written)


if __name__ == "__main__":
    sys.exit(main())
