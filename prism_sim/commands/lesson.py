"""prism-sim lesson: the lessons, and one of them in the browser, to read or to change."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from prism_sim.commands import base

if TYPE_CHECKING:
    from prism_sim.ready.lessons import Lesson

MODULES = ("marimo", "altair")  # of the extra
REMEDY = "needs {}, which is not installed: pip install 'prism-sim[lessons]'"
HOST = "127.0.0.1"
TOKEN_BYTES = 24


def prepare(parser: argparse.ArgumentParser) -> None:
    base.takes_name(parser, "the lesson to open, by number or name; without: lists all of them", _names)
    parser.add_argument("--edit", action="store_true", help="copy it into this folder, unless it is there, and edit it")
    parser.add_argument("--force", action="store_true", help="with --edit: begin anew, over what was changed")
    parser.add_argument("--port", metavar="N", type=int, help="default: one that is free")
    parser.add_argument("--no-browser", action="store_true", help="print the address only")


def _names() -> Iterable[str]:
    from prism_sim.ready import lessons

    return lessons.catalogue()


def run(options: argparse.Namespace) -> int:
    from prism_sim.ready import lessons

    if options.name is None:
        return _list(options)
    try:
        lesson = lessons.find(options.name)
    except ValueError as error:
        return base.fail(f"{error} (prism-sim lesson lists them)")
    if options.force and not options.edit:
        return base.fail("lesson: --force is about the copy that --edit makes; give both")
    try:
        base.needs(*MODULES)
    except ModuleNotFoundError as error:
        return base.fail(f"lesson: {REMEDY.format(error.name)}")
    path = _own_copy(lesson, options.force) if options.edit else lesson.path
    return _become_server(path, options)


def _list(options: argparse.Namespace) -> int:
    from rich.console import Console

    from prism_sim.reports.listings import lessons_listing

    if options.edit or options.force:
        return base.fail("lesson: says what to do, but not with which; give a number or a name")
    Console().print(lessons_listing())
    return 0


def _own_copy(lesson: Lesson, force: bool) -> Path:
    """In this folder; one that is there is the user's work, and is opened as it is."""
    from prism_sim.ready import copies

    place = Path(lesson.path.name)
    wanted = lesson.copies(place)
    missing = {path: content for path, content in wanted.items() if force or not path.exists()}
    base.tell_written(copies.write(missing, force))
    return place


def _become_server(path: Path, options: argparse.Namespace) -> NoReturn:
    """Serves by marimo, whose Ctrl-C then is: to this machine alone, and to who has the address's token."""
    mode = ["edit", "--skip-update-check"] if options.edit else ["run"]
    access = ["--host", HOST, "--token", "--token-password-file", _secret()]
    port = [] if options.port is None else ["--port", str(options.port)]
    browser = ["--headless"] if options.no_browser else []
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, "-m", "marimo", *mode, str(path), *access, *port, *browser])


def _secret() -> str:
    """A path where the server reads a new token: a pipe that it inherits, so that no list of processes shows it."""
    import secrets

    reading, writing = os.pipe()
    os.write(writing, secrets.token_urlsafe(TOKEN_BYTES).encode())
    os.close(writing)
    os.set_inheritable(reading, True)
    return f"/dev/fd/{reading}"


COMMAND = base.Command("lesson", "lessons: opens one in the browser, or a copy to edit", prepare, run, base.BEGIN, 2)
