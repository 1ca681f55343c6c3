"""The README shows real output: each `$ prism-sim ...` block is what the command prints.

python tests/cli/test_readme.py        writes the blocks anew
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
BLOCK = re.compile(r"```console\n\$ prism-sim (?P<arguments>[^\n]*)\n(?P<output>.*?)```", re.DOTALL)

PYTHON = re.compile(r"```python\n(.*?)```", re.DOTALL)


def printed(arguments: str) -> str:
    """Standard output and error of a command in 80 columns, without trailing blanks and blank lines around it."""
    done = subprocess.run(
        [sys.executable, "-m", "prism_sim.cli", *shlex.split(arguments)],
        cwd=ROOT,
        env={**os.environ, "COLUMNS": "80", "NO_COLOR": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    lines = [line.rstrip() for line in done.stdout.strip("\n").splitlines()]
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("block", list(BLOCK.finditer(README.read_text())), ids=lambda block: block["arguments"][:40])
def test_a_block_of_the_readme_is_what_the_command_prints(block: re.Match[str]) -> None:
    assert printed(block["arguments"]) == block["output"]


def test_a_sweeps_table_gives_the_same_figure_in_three_lines_of_pandas(tmp_path: Path) -> None:
    example = next(block for block in PYTHON.findall(README.read_text()) if block.startswith("import pandas"))
    (tmp_path / "out").mkdir()
    swept = "sweep scenarios/study-batch-crossover.yaml --no-numerics --jobs 1 --out"
    printed(f"{swept} {tmp_path / 'out' / 'batch.csv'}")
    subprocess.run([sys.executable, "-c", example], cwd=tmp_path, check=True)
    assert "wrote" in printed(f"plot latency {tmp_path}/out/batch.csv --x workload.batch -o {tmp_path}/out/plot.png")
    drawn, plotted = ((tmp_path / "out" / name).stat().st_size for name in ("batch.png", "plot.png"))
    assert drawn > 10_000
    assert plotted > 10_000


if __name__ == "__main__":
    shown = BLOCK.sub(
        lambda block: f"```console\n$ prism-sim {block['arguments']}\n{printed(block['arguments'])}```",
        README.read_text(),
    )
    README.write_text(shown)
