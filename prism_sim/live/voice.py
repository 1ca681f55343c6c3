"""A process of a live run and whoever started it: lines of JSON one way, life and death the other.

Started by hand or by torchrun, a process has nobody to speak to, and says what matters on its standard error.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NewType, NoReturn

ProcessIndex = NewType("ProcessIndex", int)  # of the processes of a run; what torch.distributed calls a rank
STATUS_FD = "PRISM_SIM_LIVE_STATUS_FD"
PARENT = "PRISM_SIM_LIVE_PARENT"
DEADLINE = "PRISM_SIM_LIVE_DEADLINE"  # on `time.monotonic`, when a process gives up
COUNTED = "PRISM_SIM_LIVE_INTERFACE"  # the interface whose bytes are to be counted
PR_SET_PDEATHSIG = 1  # linux/prctl.h


class Voice:
    """Says where this process is. Lines are written whole: one write each, under a lock."""

    def __init__(self, fd: int | None) -> None:
        self.fd, self.lock = fd, threading.Lock()

    @staticmethod
    def from_environment() -> Voice:
        stated = os.environ.get(STATUS_FD)
        return Voice(None if stated is None else int(stated))

    @property
    def heard(self) -> bool:
        """Whether somebody listens."""
        return self.fd is not None

    def doing(self, text: str) -> None:
        self._write({"doing": text})

    def failed(self, text: str, because_of_peer: bool) -> None:
        """because_of_peer: the cause lies with another process, which may say more."""
        if not self.heard:
            print(f"prism-sim: {text}", file=sys.stderr, flush=True)
        self._write({"failed": text, "because_of_peer": because_of_peer})

    def result(self, found: Any) -> None:
        self._write({"result": found})

    def _write(self, line: dict[str, Any]) -> None:
        if self.fd is None:
            return
        left = memoryview(json.dumps({**line, "at_s": time.monotonic()}).encode() + b"\n")
        with self.lock:
            while left:
                left = left[os.write(self.fd, left) :]


def die_with_parent() -> None:
    """Ends this process when the one that started it ends, however that happens."""
    stated = os.environ.get(PARENT)
    if stated is None:
        return
    if sys.platform == "linux":  # reaches a process that is stopped, too
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != int(stated):
        os._exit(1)

    def watch() -> None:
        while os.read(0, 1):
            pass
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()  # standard input is a pipe that the parent holds open


def leave(status: int) -> NoReturn:
    """Ends this process at once: its threads may wait for messages that never come."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


@dataclass(frozen=True, slots=True)
class Seat:
    """Where a process sits in its group, by the environment variables that torchrun sets: one of `world` processes."""

    rank: ProcessIndex
    world: int
    host: str
    port: int

    @staticmethod
    def from_environment() -> Seat:
        """Raises ValueError if one is missing or is no number."""
        try:
            return Seat(
                ProcessIndex(int(os.environ["RANK"])),
                int(os.environ["WORLD_SIZE"]),
                os.environ["MASTER_ADDR"],
                int(os.environ["MASTER_PORT"]),
            )
        except KeyError as error:
            how = "start it with prism-sim live SCENARIO, or with torchrun"
            raise ValueError(f"environment variable {error.args[0]} is missing; {how}") from None

    def check(self, devices: Sequence[str]) -> None:
        """Raises ValueError unless there is a process for each of these devices, which are those that take part."""
        if self.world != len(devices) or not 0 <= self.rank < self.world:
            raise ValueError(
                f"{len(devices)} device(s) take part ({', '.join(devices)}), one process each, but this is process "
                f"{self.rank} of {self.world}; start {len(devices)}, as with torchrun --nproc-per-node {len(devices)}"
            )
