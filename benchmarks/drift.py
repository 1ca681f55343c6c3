"""Which predictions of the ready scenarios does a change move? Those of this working tree beside another revision's.

    python benchmarks/drift.py against REVISION     records both and shows what differs
    python benchmarks/drift.py record FILE [CHECKOUT]
    python benchmarks/drift.py show OLD NEW          two recorded files

Of each scenario (of a sweep its base point): `run` and `compare` without numerics, `explain`, and `breakeven` against
the terminal alone. Each checkout answers for its own scenario files. Exit status 1 where anything differs.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml
from predictions import FAILED, Difference, Drift, Record, drift

ROOT = Path(__file__).parent.parent
COMMAND_S = 300  # a command that takes longer is recorded as failed; the slowest takes 14 s on an idle core
MOST_LINES = 40  # of a list


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="which predictions of the ready scenarios a change moves")
    parser.add_argument("--all", action="store_true", help=f"every line, not only the first {MOST_LINES} of each list")
    ways = parser.add_subparsers(dest="way", required=True)
    ways.add_parser("against").add_argument("revision", help="of git: a branch, tag or commit")
    recording, showing = ways.add_parser("record"), ways.add_parser("show")
    recording.add_argument("file", type=Path)
    recording.add_argument("checkout", type=Path, nargs="?", default=ROOT)
    for name in ("old", "new"):
        showing.add_argument(name, type=Path)
    options = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # the temporary checkout is removed then too
    if options.way == "record":
        options.file.write_text(json.dumps(record(options.checkout), indent=1) + "\n", encoding="utf-8")
        return 0
    if options.way == "show":
        old, new = (json.loads(path.read_text(encoding="utf-8")) for path in (options.old, options.new))
    else:
        with checked_out(options.revision) as base:
            old, new = record(base), record(ROOT)
    found = drift(old, new)
    print("\n".join(lines(found, None if options.all else MOST_LINES)))
    return int(bool(found))


def record(checkout: Path, scenarios: Iterable[Path] | None = None) -> Record:
    """Every command's answer to these scenarios, or to all of the checkout's, given by that checkout's code."""
    paths = sorted((checkout / "scenarios").glob("*.yaml")) if scenarios is None else list(scenarios)
    with tempfile.TemporaryDirectory() as cache, ThreadPoolExecutor(os.cpu_count()) as pool:
        environment = {**os.environ, "PYTHONPATH": str(checkout.resolve()), "PRISM_SIM_CACHE": cache}
        asked = {
            path.name: {
                words[0]: pool.submit(_answer, [*words, str(path.resolve()), "--json", "-"], environment)
                for words in commands(yaml.safe_load(path.read_text(encoding="utf-8")))
            }
            for path in paths
        }
        try:
            return {name: {word: each.result() for word, each in of.items()} for name, of in asked.items()}
        except BaseException:  # Ctrl-C: what has not begun must not be waited for
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def commands(scenario: dict[str, Any]) -> Iterator[list[str]]:
    """What is asked of a scenario, without its path."""
    yield ["run", "--no-numerics"]
    yield ["compare", "--no-numerics"]
    yield ["explain"]
    one_network = "links" not in scenario.get("network", {})
    other = "voltage" if scenario.get("strategy", {}).get("name") == "single" else "single"
    yield ["breakeven", "--vary", "network.bandwidth" if one_network else "workload.batch", "--against", other]


def _answer(words: Sequence[str], environment: dict[str, str]) -> Any:
    # -P: this folder's modules must not hide any of the checkout's
    command = [sys.executable, "-P", "-m", "prism_sim.cli", *words]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=COMMAND_S, env=environment, cwd=os.sep
        )
    except subprocess.TimeoutExpired:
        return {FAILED: f"takes more than {COMMAND_S} s"}
    if done.returncode:
        return {FAILED: (done.stderr.strip().splitlines() or [f"exit status {done.returncode}"])[-1]}
    try:
        return json.loads(done.stdout)
    except json.JSONDecodeError as error:
        return {FAILED: f"its answer is no JSON: {error}"}


@contextmanager
def checked_out(revision: str) -> Iterator[Path]:
    """A folder with that revision's files, gone afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        place = str(Path(folder) / "base")
        git = ["git", "-C", str(ROOT), "worktree"]
        added = subprocess.run([*git, "add", "--detach", place, revision], capture_output=True, text=True, check=False)
        if added.returncode:
            raise SystemExit(f"{revision} cannot be checked out: {added.stderr.strip()}; see `git log` for what can")
        try:
            yield Path(place)
        finally:
            subprocess.run([*git, "remove", "--force", place], check=True)


def lines(found: Drift, most: int | None) -> Iterator[str]:
    """The report, at most so many lines a list."""
    if not found:
        yield "no prediction differs"
    yield from _listed("commands that fail, or did", [f"{_place(x)}: {x.old} -> {x.new}" for x in found.broken], most)
    yield from _listed(
        "verdicts and words that turned", [f"{_place(x)}: {x.old} -> {x.new}" for x in found.turned], most
    )
    families: dict[tuple[str, str, str], list[Difference]] = {}
    for each in found.moved:
        families.setdefault(each.family, []).append(each)
    heading = f"predictions that moved ({len(found.moved)} numbers; the largest of each list)"
    yield from _listed(heading, [_moved(alike) for alike in families.values()], most)
    yield from _listed("gone", found.gone, most)
    yield from _listed("come", found.come, most)


def _moved(alike: Sequence[Difference]) -> str:
    largest = alike[0]
    more = f"   and {len(alike) - 1} more like it" if len(alike) > 1 else ""
    return f"{largest.relative:+10.3%}  {_place(largest)}: {largest.old:.6g} -> {largest.new:.6g}{more}"


def _place(each: Difference) -> str:
    return f"{each.scenario} {each.command} {each.field}".rstrip()


def _listed(heading: str, entries: Sequence[str], most: int | None) -> Iterator[str]:
    if entries:
        yield f"{heading}:"
        yield from (f"  {entry}" for entry in entries[:most])
        if most is not None and len(entries) > most:
            yield f"  ... {len(entries) - most} more lines (--all)"


if __name__ == "__main__":
    sys.exit(main())
