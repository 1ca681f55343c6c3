"""Runs what a page shows, in order: files that it writes, commands with what they print, and Python.

```yaml, csv, python whose first line is `# NAME`: the file of that name
```console           lines `$ prism-sim ...`, each with what it prints in 80 columns; a line `...` stands for any lines
```python            any other: runs; what it prints stands in the ```text after it

All blocks of a page share a folder, which has what the repository has, and its Python blocks share their names.
A block with `<!-- not run: REASON -->` above it is not run; for one with `<!-- instead: COMMAND; REASON -->` that is.
"""

from __future__ import annotations

import io
import os
import re
import shlex
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

from prism_sim.cli import main

ROOT = Path(__file__).parents[2]
SHARED = (
    "scenarios",
    "extensions",
    "plots",
    "docs",
    "lessons",
    "prism_sim",
)  # of the repository, as the pages name them
ENVIRONMENT = {"COLUMNS": "80", "NO_COLOR": "1"}
BLOCK = re.compile(
    r"(?:<!-- (?P<how>not run|instead): (?P<note>[^\n]*) -->\n)?"
    r"```(?P<kind>console|python|yaml|csv)\n(?P<body>.*?)```(?P<printed>\n\n```text\n(?P<output>.*?)```)?",
    re.DOTALL,
)
NAMED = re.compile(r"# (?P<name>[\w.-]+\.\w+)\n")
COMMAND = re.compile(r"^\$ (?P<command>(?:[^\n]*\\\n)*[^\n]*)\n(?P<output>(?:(?!\$ ).*\n)*)", re.MULTILINE)


@dataclass
class Reader:
    """Who follows a page from its beginning. names: of its Python. statuses: of commands that failed."""

    names: dict[str, Any] = field(default_factory=dict)

    def page(self, text: str) -> str:
        """The page with what is really printed."""
        return BLOCK.sub(self._block, text)

    def _block(self, block: re.Match[str]) -> str:
        if block["how"] == "instead":
            command, _, reason = block["note"].rpartition("; ")
            assert reason, block["note"]
            status, output = ran(command)
            assert status == 0, f"{command}\n{output}"
        if block["how"]:
            return block[0]
        if named := NAMED.match(block["body"]):
            Path(named["name"]).write_text(block["body"], encoding="utf-8")
            return block[0]
        if block["kind"] == "console":
            return block[0].replace(block["body"], COMMAND.sub(_command, block["body"]))
        return self._python(block) if block["kind"] == "python" else block[0]

    def _python(self, block: re.Match[str]) -> str:
        with redirect_stdout(io.StringIO()) as output:
            exec(compile(block["body"], "<a page's Python>", "exec"), self.names)
        printed = _without_blanks(output.getvalue())
        if block["printed"] is None:
            assert printed == "\n", f"a block prints, but shows nothing:\n{block['body']}\n{printed}"
            return block[0]
        return block[0].replace(block["printed"], f"\n\n```text\n{kept(block['output'], printed)}```")


def _command(shown: re.Match[str]) -> str:
    status, output = ran(shown["command"].replace("\\\n", " "))
    if status and "...\n" in shown["output"]:  # what is left out may not hide a failure
        return f"$ {shown['command']}\n{output}"
    return f"$ {shown['command']}\n{kept(shown['output'], output)}"


def kept(shown: str, printed: str) -> str:
    """What is shown, where it is what is printed but for lines `...`; else all that is printed."""
    if printed == "\n":
        return ""
    pattern = "".join(r"(?:.*\n)*?" if line == "...\n" else re.escape(line) for line in shown.splitlines(keepends=True))
    return shown if re.fullmatch(pattern, printed) else printed


def ran(command: str) -> tuple[int, str]:
    """Exit status of `prism-sim ...`, and what it prints without trailing blanks and blank lines around."""
    program, *arguments = shlex.split(command)
    assert program == "prism-sim", (
        f"{command}: only prism-sim is run here; mark the block as `not run`, with the reason"
    )
    with said() as output:
        try:
            status = main(arguments)
        except SystemExit as end:
            status = end.code if isinstance(end.code, int) else 1
    return status, _without_blanks(output.getvalue())


@contextmanager
def said() -> Iterator[io.StringIO]:
    output = io.StringIO()
    with patch.dict(os.environ, ENVIRONMENT), redirect_stdout(output), redirect_stderr(output):
        yield output


def _without_blanks(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.strip("\n").splitlines()) + "\n"


def furnished(folder: Path) -> None:
    """With what the pages take from the repository."""
    for name in SHARED:
        (folder / name).symlink_to(ROOT / name)
