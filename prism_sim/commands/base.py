"""What a command is, and what several of them share. Modules here import what they need when they run."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from enum import Enum
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

from prism_sim.progress import Progress

if TYPE_CHECKING:
    from rich.console import Console

    from prism_sim.scenario import Scenario
    from prism_sim.syntax.presets import PresetBook

Content = str | Callable[[Path], Any]  # a file's text, or what draws it into a path
Files = dict[str, Content]  # by name
STANDARD_OUTPUT = Path("-")
FAILED, WRONG_INPUT, INTERRUPTED = 1, 2, 130  # exit statuses
SPINS = 3_000  # of GNU OpenMP: about as long as passes between two products of a small model


class Purpose(Enum):
    """What a user comes for; `--help` lists the commands under these, in this order."""

    BEGIN = "begin with what is ready"
    ASK = "ask about one scenario"
    EXPLORE = "explore many of its variants"
    ACCURACY = "see what it costs in accuracy"
    TRUST = "fit, measure, and see how far to trust it"


BEGIN, ASK, EXPLORE, ACCURACY, TRUST = Purpose


@dataclass(frozen=True, slots=True)
class Command:
    """A subcommand. prepare: adds its arguments to the parser. run: does it and returns the exit status.

    order: among those of its purpose.
    """

    name: str
    help: str
    prepare: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace], int]
    purpose: Purpose
    order: int = 50


def takes_scenario(parser: argparse.ArgumentParser, without: str = "") -> None:
    """Arguments of a command about one scenario; see `load`. without: what happens if it is left out, where it may."""
    nargs, text = ("?", f"; without: {without}") if without else (None, "")
    parser.add_argument("scenario", type=file_path, nargs=nargs, help=f"a scenario file (YAML){text}")
    takes_overrides(parser, "change a field, as in --set network.bandwidth='50 Mbit/s'; may be repeated")


def takes_overrides(parser: argparse.ArgumentParser, text: str) -> None:
    takes_many(parser, "--set", "FIELD=VALUE", text, dest="overrides")


def takes_many(parser: argparse.ArgumentParser, option: str, metavar: str, text: str, **more: Any) -> None:
    """An option that may be repeated, and gives a list. text: for `--help`."""
    parser.add_argument(option, metavar=metavar, action="append", default=[], help=text, **more)


def takes_name(parser: argparse.ArgumentParser, text: str, names: Callable[[], Iterable[str]]) -> None:
    """An argument `name` that may be left out. names: those that a shell offers, asked for by its completion alone."""
    parser.add_argument("name", nargs="?", help=text).offered = names  # type: ignore[attr-defined]


def takes_no_numerics(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--no-numerics", action="store_true", help="timing alone: do not compute the real outputs")


def takes_jobs(parser: argparse.ArgumentParser) -> None:
    """Of what computes the points of a sweep."""
    from prism_sim.live.launcher import n_cores

    text = "processes; the table does not depend on them (default: a core each, %(default)s)"
    parser.add_argument("--jobs", metavar="N", type=_count, default=n_cores(), help=text)


def _count(text: str) -> int:
    count = int(text) if text.isdecimal() else 0
    if count < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of processes, 1 or more")
    return count


def takes_json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--json", metavar="FILE", type=file_path, help="write the result as JSON ('-': to standard output)"
    )


def takes_plugins(parser: argparse.ArgumentParser) -> None:
    """For every command: what it names is loaded before the command runs."""
    text = "load strategies, compressors, families, tasks or figures from a file; may be repeated"
    takes_many(parser, "--plugin", "FILE.py", text, dest="plugins", type=file_path)


def takes_presets(parser: argparse.ArgumentParser) -> None:
    """For a command without a scenario, whose own `presets` would name such files; see `read_presets`."""
    text = "a file with devices, networks or models of one's own; may be repeated"
    takes_many(parser, "--presets", "FILE.yaml", text, type=file_path)


def read_presets(options: argparse.Namespace) -> PresetBook:
    """Raises ScenarioError."""
    from prism_sim.scenario.preset_files import read_files

    return read_files(options.presets)


def takes_out(parser: argparse.ArgumentParser, files: str) -> None:
    """files: what is written there, in words."""
    parser.add_argument("--out", metavar="DIR", type=file_path, help=f"write {files} there")


def takes_folder(parser: argparse.ArgumentParser) -> None:
    """Of what trains: where the model goes, whether to train anew, and the JSON."""
    text = "writes the model there, not in the cache"
    parser.add_argument("--out", dest="folder", metavar="DIR", type=file_path, help=text)
    parser.add_argument("--again", action="store_true", help="train also if it was done before, or is half done")
    takes_json(parser)


def file_path(text: str) -> Path:
    """An option's path; an empty one, as of an unset variable, is refused."""
    if not text:
        raise argparse.ArgumentTypeError("the name of a file or folder is due, but is empty")
    return Path(text)


def load(options: argparse.Namespace) -> Scenario:
    """The scenario with the command line's overrides. Raises ScenarioError; of a missing file that is a ready one's,
    with what writes it there.
    """
    from prism_sim.scenario import ScenarioError, load_scenario

    try:
        return load_scenario(options.scenario, options.overrides)
    except ScenarioError as error:
        from prism_sim.ready.examples import written_by

        if options.scenario.exists() or (command := written_by(options.scenario)) is None:
            raise
        raise ScenarioError(f"{error}; a ready one of this name is written there by: {command}") from None


def needs(*modules: str) -> None:
    """For what starts processes: raises ModuleNotFoundError here, not in each of them, where one is not installed."""
    from importlib.util import find_spec

    for name in modules:
        if find_spec(name) is None:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


def share_processor() -> None:
    """Lets threads of torch sleep soon while they wait for each other; to be called before torch is loaded.

    By default they spin for long: with two other busy processes on two cores, a step of training took two to six times
    as long. Where they do not spin at all, waking them costs up to a third of a step.
    """
    os.environ.setdefault("GOMP_SPINCOUNT", str(SPINS))


def fail(reason: object, status: int = WRONG_INPUT) -> int:
    """Says why a command ends here; returns its exit status."""
    print(f"prism-sim: {reason}", file=sys.stderr)
    return status


def interrupted() -> int:
    """As `fail`, of training."""
    return fail("interrupted; the same command goes on from what was saved", INTERRUPTED)


@dataclass(frozen=True, slots=True)
class Teller(Progress):
    """Prints lines, and shows them as what is done now. show: only that."""

    write: Callable[[str], None]
    show: Callable[[str], None]
    begun_s: dict[str, float] = field(default_factory=dict)

    def line(self, text: str) -> None:
        self.write(text)
        self.show(text)

    def watch(self, what: str, done: int, n: int, detail: str = "") -> None:
        """With the time left if it goes on as so far."""
        elapsed_s = monotonic() - self.begun_s.setdefault(what, monotonic())
        left_s = elapsed_s * (n - done) / max(done, 1)
        left = f"{timedelta(seconds=round(left_s))} left" if elapsed_s > 1 else ""
        self.show(", ".join(filter(None, (f"{what}: {done} of {n}", detail, left))))


@contextmanager
def progress(text: str) -> Iterator[Teller]:
    """Shows on standard error that work goes on."""
    from rich.console import Console
    from rich.markup import escape

    console = Console(stderr=True)

    def write(line: str) -> None:
        console.print(line, style="dim", markup=False, highlight=False, soft_wrap=True)

    with console.status(escape(text)) as status:
        yield Teller(write, lambda line: status.update(escape(line)))


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command found. described: content of its JSON. show: prints it for people.

    name: of the JSON in the folder of `--out`; None: it has no place there. files: what else belongs into that folder;
    asked for only where there is one.
    """

    name: str | None
    described: Any
    show: Callable[[Console], None]
    files: Callable[[], Files] = dict


def deliver(answer: Answer, options: argparse.Namespace) -> int:
    """Shows an answer, unless its JSON goes to standard output, and writes what the options ask for; returns 0."""
    contents: dict[Path, Content] = {}
    if options.json is not None:
        contents[options.json] = as_json(answer.described)
    if getattr(options, "out", None) is not None:  # not every command takes it
        if answer.name is not None:
            contents[options.out / f"{answer.name}.json"] = as_json(answer.described)
        contents |= {options.out / name: content for name, content in answer.files().items()}
    if options.json != STANDARD_OUTPUT:
        from rich.console import Console

        answer.show(Console())
    write_files(contents)
    return 0


def write_files(contents: Mapping[Path, Content]) -> None:
    """Writes texts and pictures, each whole or not at all, and names them; the path `-` is standard output."""
    from prism_sim.kept.files import write_whole

    for path, content in contents.items():
        if path == STANDARD_OUTPUT:
            print(content, end="")
        else:
            write_whole(path, content)
            tell_written([path])


def tell_written(paths: Iterable[Path]) -> None:
    """Names files on standard error."""
    from rich.console import Console

    for path in paths:
        Console(stderr=True).print(f"wrote {path}", style="dim", markup=False, highlight=False, soft_wrap=True)


def as_json(found: Any) -> str:
    return json.dumps(found, indent=2, allow_nan=False) + "\n"
