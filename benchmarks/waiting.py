"""How much less does a user wait than with another revision? Questions of many points, whole processes, CPU seconds.

    python benchmarks/waiting.py against REVISION [QUESTION ...]

Both checkouts answer the same files (`questions/`, and a ready study), one after the other, alone on the machine. A
process that needs more than `MOST_S` of the CPU is ended there, and its ratio is a bound. Exit status 1 where an answer
takes more of the other's time, or more seconds, than it may.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from drift import ROOT, checked_out

MOST_S = 600
QUESTIONS = Path(__file__).parent / "questions"


@dataclass(frozen=True)
class Question:
    """words: of the command. most: of the other's CPU time; most_s: seconds of this one's; None: no limit."""

    words: Sequence[str]
    most: float | None = None
    most_s: float | None = None


def _file(name: str) -> str:
    return str(QUESTIONS / f"{name}.yaml")


ASKED = {
    "compare, GPT-2 XL on four": Question(["compare", _file("gpt2-xl-four-pi5"), "--no-numerics"], most=0.2),
    "compare, sixteen boards": Question(["compare", _file("sixteen-boards"), "--no-numerics"], most_s=15),
    "compare, twenty boards": Question(["compare", _file("twenty-pis"), "--no-numerics"], most_s=15),
    "run, twelve boards": Question(["run", _file("twelve-boards"), "--no-numerics"], most_s=3),
    "run, a fast root": Question(["run", _file("four-unequal"), "--no-numerics"]),
    "sweep, a map of strategies": Question(
        ["sweep", str(ROOT / "scenarios" / "study-strategies-map.yaml"), "--no-numerics", "--jobs", "1"]
    ),
    "sweep, 10,000 points": Question(["sweep", _file("many-points"), "--no-numerics", "--jobs", "1"], most=0.1),
    "sweep, 100,000 points": Question(["sweep", _file("very-many-points"), "--no-numerics", "--jobs", "2"]),
}


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="how much less a user waits than with another revision")
    parser.add_argument("way", choices=["against"])
    parser.add_argument("revision", help="of git: a branch, tag or commit")
    parser.add_argument("questions", nargs="*", metavar="QUESTION", help="a part of its name; default: all")
    asked = parser.parse_args(arguments)
    slow = False
    print(f"{'CPU seconds':28} {'now':>8} {asked.revision:>10} {'ratio':>8}")
    with checked_out(asked.revision) as other:
        for name, question in ASKED.items():
            if asked.questions and not any(part in name for part in asked.questions):
                continue
            now_s, then_s = cpu_s(ROOT, question.words), cpu_s(other, question.words)
            over = ">" if then_s >= MOST_S else ""
            limits = [limit for limit in (question.most and f"at most {question.most}", _seconds(question)) if limit]
            ratio = now_s / then_s
            print(f"{name:28} {now_s:8.2f} {over + format(then_s, '.2f'):>10} {ratio:8.3f}  {', '.join(limits)}")
            slow |= question.most is not None and ratio > question.most
            slow |= question.most_s is not None and now_s > question.most_s
    return int(slow)


def _seconds(question: Question) -> str | None:
    return None if question.most_s is None else f"at most {question.most_s} s"


def cpu_s(checkout: Path, words: Sequence[str]) -> float:
    """Of a whole process and its children, started with nothing kept from earlier ones."""
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "PYTHONPATH": str(checkout.resolve()), "PRISM_SIM_CACHE": folder}
        asked = [*words, "--out", folder] if words[0] == "sweep" else words
        before = _children_s()
        done = subprocess.run(
            [sys.executable, "-m", "prism_sim.cli", *asked],
            env=environment,
            cwd=folder,
            check=False,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CPU, (MOST_S, MOST_S + 5)),
        )
        elapsed_s = _children_s() - before
    if done.returncode and elapsed_s < MOST_S:
        raise SystemExit(f"{' '.join(words)} in {checkout}:\n{done.stderr.decode()}")
    return elapsed_s


def _children_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    sys.exit(main())
