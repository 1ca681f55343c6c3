"""Jobs for processes that compute side by side."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import Any


def doubled(report: Any, number: int) -> int:
    with report.step(f"doubling {number}", 1.5):
        report.watch("numbers", 1, 2)
    return 2 * number


def refused(report: Any) -> None:
    raise ValueError("the number is missing")


def lost(report: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def saved_on_interrupt(report: Any, path: Path) -> None:
    """Writes how often it was interrupted."""
    n_interrupts = 0

    def count(number: int, frame: object) -> None:
        nonlocal n_interrupts
        n_interrupts += 1

    signal.signal(signal.SIGINT, count)
    report.line("ready")
    while not n_interrupts:
        time.sleep(0.01)
    time.sleep(0.2)  # a second one would arrive
    path.write_text(str(n_interrupts))
    raise KeyboardInterrupt
