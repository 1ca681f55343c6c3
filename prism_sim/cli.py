"""The command line. What a command needs is imported when it runs: `--help` and timing must not wait for torch."""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

from prism_sim import commands
from prism_sim.commands.base import INTERRUPTED, WRONG_INPUT, Command, Purpose, fail, file_path, takes_plugins

PACKAGES = {  # of modules named otherwise, or that come with an extra
    "PIL": "pillow",
    "altair": "'prism-sim[report]'",
    "ns": "ns.py",
    "sklearn": "scikit-learn",
    "vl_convert": "'prism-sim[report]'",
    "yaml": "pyyaml",
}
SHELLS = ("bash", "zsh", "fish", "tcsh", "powershell")  # that shtab writes for


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command; returns the exit status. A wrong file or option: 2, one message, no traceback."""
    from prism_sim import plugins
    from prism_sim.syntax.errors import ScenarioError

    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a terminal without Greek letters shows a question mark
    options = parser().parse_args(arguments)
    command: Command = options.command
    try:
        plugins.load([*plugins.in_environment(), *options.plugins])
        return command.run(options)
    except (ScenarioError, plugins.PluginError) as error:
        return fail(error)
    except BrokenPipeError:  # the reader of our output has gone, as in `| head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        return fail(f"{error.filename or 'output'}: {error.strerror or error}")
    except ModuleNotFoundError as error:  # torch may have no build for this Python; timing does without it
        missing = (error.name or "").partition(".")[0]
        if missing in ("", "prism_sim"):
            raise
        package = PACKAGES.get(missing, missing)
        return fail(f"{command.name}: needs {missing}, which is not installed: pip install {package}")
    except KeyboardInterrupt:
        return INTERRUPTED


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(WRONG_INPUT, f"prism-sim: {message} (see {self.prog} --help)\n")


class _MainParser(_Parser):
    """Lists the commands by what they are for; argparse itself knows one list of them only."""

    def format_help(self) -> str:
        listing = argparse.HelpFormatter(self.prog, max_help_position=14)  # a command a line of 80
        listing.add_text(self.description)
        for purpose in Purpose:
            listing.start_section(purpose.value)
            of_purpose = [command for command in commands.catalogue() if command.purpose is purpose]
            listing.add_arguments([argparse.Action([], command.name, help=command.help) for command in of_purpose])
            listing.end_section()
        listing.start_section("options")
        listing.add_arguments([action for action in self._actions if action.option_strings])
        listing.end_section()
        return f"{self.format_usage()}\n{listing.format_help()}"


class _Completion(argparse.Action):
    """Prints a shell's completion script. All is in it: nothing of this is started while somebody types."""

    def __call__(self, parser: argparse.ArgumentParser, _: object, shell: Any, option: str | None = None) -> NoReturn:
        import shtab

        subparsers = next(action.choices for action in parser._actions if isinstance(action.choices, dict))
        for action in (action for one in subparsers.values() for action in one._actions):
            if action.type is file_path:
                action.complete = shtab.FILE
            elif (names := getattr(action, "offered", None)) is not None:
                action.choices = [*names()]
        print(shtab.complete(parser, shell))
        parser.exit()


def parser() -> argparse.ArgumentParser:
    parser = _MainParser(prog="prism-sim", description="Simulates Transformer inference spread over edge devices.")
    parser.add_argument("--version", action="version", version=_version())
    parser.add_argument(
        "--completion",
        metavar="SHELL",
        choices=SHELLS,
        action=_Completion,
        help=f"print a completion script ({', '.join(SHELLS)})",
    )
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
