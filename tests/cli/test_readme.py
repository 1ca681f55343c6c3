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


if __name__ == "__main__":
    shown = BLOCK.sub(
        lambda block: f"```console\n$ prism-sim {block['arguments']}\n{printed(block['arguments'])}```",
        README.read_text(),
    )
    README.write_text(shown)
