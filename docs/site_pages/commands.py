"""Every command with its arguments, from the parser that reads them."""

from __future__ import annotations

import argparse
from functools import partial

from prism_sim import cli, commands
from prism_sim.commands.base import Command, Purpose
from site_pages.markdown import code, table

WIDTH = 90  # of a usage line


def page() -> str:
    """By what they are for, as `prism-sim --help` lists them."""
    parsers = subparsers()
    return "\n".join(
        f"## To {purpose.value}\n\n" + "\n".join(section(command, parsers[command.name]) for command in of_it)
        for purpose in Purpose
        if (of_it := [command for command in commands.catalogue() if command.purpose is purpose])
    )


def subparsers() -> dict[str, argparse.ArgumentParser]:
    """By the command's name."""
    found = next(action.choices for action in cli.parser()._actions if isinstance(action.choices, dict))
    return dict(found)


def section(command: Command, parser: argparse.ArgumentParser) -> str:
    parser.formatter_class = partial(argparse.HelpFormatter, width=WIDTH)
    usage = parser.format_usage().removeprefix("usage: ").rstrip().replace("\n" + " " * len("usage: "), "\n")
    shown = [action for action in parser._actions if not isinstance(action, argparse._HelpAction)]
    rows = [(_name(action), _meaning(action)) for action in shown]
    arguments = table(("argument", "meaning"), rows)
    return f"### {command.name}\n\n{sentence(command.help)}\n\n```text\n{usage}\n```\n\n{arguments}"


def sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."


def _name(action: argparse.Action) -> str:
    """As it is written: '-o FILE, --output FILE'."""
    value = action.metavar or (
        "{" + ",".join(map(str, action.choices)) + "}" if action.choices else action.dest.upper()
    )
    if not action.option_strings:
        return code(action.metavar or action.dest)
    takes = "" if action.nargs == 0 else f" {value}"
    return ", ".join(code(f"{option}{takes}") for option in action.option_strings)


def _meaning(action: argparse.Action) -> str:
    if action.help:
        return (action.help % {**vars(action), "prog": "prism-sim"}).strip()
    return f"one of {', '.join(map(code, action.choices))}" if action.choices else ""
