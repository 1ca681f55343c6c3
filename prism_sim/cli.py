"""The command line. What a command needs is imported when it runs: `--help` and timing must not wait for torch."""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

from prism_sim import commands
from prism_sim.commands.base import Command, takes_plugins

WRONG_INPUT = 2  # exit status


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command; returns the exit status. A wrong file or option: 2, one message, no traceback."""
    from prism_sim import plugins
    from prism_sim.scenario.errors import ScenarioError

    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a terminal without Greek letters shows a question mark
    options = _parser().parse_args(arguments)
    command: Command = options.command
    try:
        plugins.load([*plugins.in_environment(), *options.plugins])
        return command.run(options)
    except (ScenarioError, plugins.PluginError) as error:
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
    subparsers = parser.add_subparsers(required=True, metavar="COMMAND", parser_class=_Parser)
    for command in commands.catalogue():
        subparser = subparsers.add_parser(command.name, help=command.help, description=command.help)
        command.prepare(subparser)
        takes_plugins(subparser)
        subparser.set_defaults(command=command)
    return parser


def _version() -> str:
    from importlib.metadata import version

    return f"prism-sim {version('prism-sim')}"


if __name__ == "__main__":
    sys.exit(main())
