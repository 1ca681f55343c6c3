"""What a test of live runs leaves behind."""

from __future__ import annotations

import time
from pathlib import Path


def processes_with(text: str) -> list[int]:
    """Living processes, not yet waited-for ones aside, whose command line has `text`."""
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        try:
            command = (place / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            state = (place / "stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            continue
        if text in command and state != "Z":
            found.append(int(place.name))
    return found


def gone(text: str, within_s: float = 5.0) -> bool:
    """Whether no such process lives any more, after a while."""
    end_s = time.monotonic() + within_s
    while processes_with(text):
        if time.monotonic() > end_s:
            return False
        time.sleep(0.05)
    return True
