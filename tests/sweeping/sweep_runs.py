"""The command in processes of its own."""

from __future__ import annotations

import os
import subprocess
import sys

SAME_PATH = {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}  # of the source under test


def start(*arguments: object, **more: object) -> subprocess.Popen[str]:
    """The command, in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "prism_sim.cli", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | SAME_PATH | {"COLUMNS": "200"},
        **more,  # type: ignore[call-overload]
    )


def command(*arguments: object) -> tuple[int, str, str]:
    """Exit status, standard output and standard error of the command."""
    process = start(*arguments)
    out, err = process.communicate(timeout=120)
    return process.returncode, out, err
