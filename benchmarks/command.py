"""How long does a user wait for an answer? Whole processes, beside an interpreter that does nothing.

python benchmarks/command.py       prints medians; exit status 1 if a command is too slow or imports torch
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from statistics import median
from time import perf_counter

SCENARIO = Path(__file__).parent.parent / "scenarios" / "vit-base-orin-nano.yaml"
REPEATS = 7
COMMANDS = (  # arguments of the interpreter, seconds allowed
    ("python -c pass (reference)", ["-c", "pass"], None),
    ("prism-sim --help", ["-m", "prism_sim.cli", "--help"], 0.5),
    ("prism-sim run --no-numerics", ["-m", "prism_sim.cli", "run", str(SCENARIO), "--no-numerics"], 1.0),
)


def main() -> int:
    slow = False
    for name, arguments, allowed_s in COMMANDS:
        wall_s = median(_wall_s(arguments) for _ in range(REPEATS))
        limit = "" if allowed_s is None else f"    (at most {allowed_s} s)"
        print(f"{name:30} {wall_s:6.2f} s{limit}")
        slow |= allowed_s is not None and wall_s > allowed_s
    imports = subprocess.run(
        [sys.executable, "-X", "importtime", *COMMANDS[-1][1]], capture_output=True, text=True, check=True
    ).stderr
    imports_torch = any(line.split("|")[-1].strip() == "torch" for line in imports.splitlines())
    print(f"torch imported: {'yes' if imports_torch else 'no'}")
    return int(slow or imports_torch)


def _wall_s(arguments: list[str]) -> float:
    start = perf_counter()
    subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return perf_counter() - start


if __name__ == "__main__":
    sys.exit(main())
