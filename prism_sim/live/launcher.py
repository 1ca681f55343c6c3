"""Starts the processes of a live run on this machine, listens to them, and lets none outlive it."""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from prism_sim import plugins
from prism_sim.live.voice import COUNTED, DEADLINE, PARENT, STATUS_FD

GLANCE_S = 0.1
LAST_WORDS = 0.1, 2.0  # part of the time, and seconds at most, that processes have to say for whom they wait
LOOPBACK = "127.0.0.1"
GRACE_S = 1.5  # after a first failure, for others to say what they know
TAIL_BYTES = 4096  # of a process's standard error
# For glibc: what any thread frees is kept for all. Else every large tensor is made of new pages, which the system must
# find and clear, and a run measures that; a server that runs for long keeps them, too.
WARM_HEAP = {"MALLOC_MMAP_THRESHOLD_": str(1 << 25), "MALLOC_TRIM_THRESHOLD_": str(1 << 32), "MALLOC_ARENA_MAX": "1"}


class LiveError(RuntimeError):
    """A live run failed: says who, what, and after how long."""


@dataclass(frozen=True, slots=True)
class ProcessStart:
    """A process to start. name: for humans. prefix: a command that runs another, as `ip netns exec`."""

    name: str
    arguments: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    prefix: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Rendezvous:
    """Where processes meet. prefixes: commands that put each into its place; none: where we are."""

    host: str
    port: int
    interface: str
    prefixes: tuple[tuple[str, ...], ...] = ()

    def prefix(self, rank: int) -> tuple[str, ...]:
        return self.prefixes[rank] if self.prefixes else ()

    def environment(self, rank: int, world: int, threads: int, deadline_s: float, timeout_s: float) -> dict[str, str]:
        """Of one process. deadline_s: on `time.monotonic`, when all must be over, `timeout_s` after the start."""
        return {
            "RANK": str(rank),
            "WORLD_SIZE": str(world),
            "MASTER_ADDR": self.host,
            "MASTER_PORT": str(self.port),
            "GLOO_SOCKET_IFNAME": self.interface,
            "OMP_NUM_THREADS": str(threads),
            DEADLINE: str(deadline_s - min(LAST_WORDS[0] * timeout_s, LAST_WORDS[1])),
            **({COUNTED: self.interface} if self.prefixes else {}),
        }


def on_loopback(port: int | None = None) -> Rendezvous:
    """port: None for a free one. Raises LiveError if nobody can listen there."""
    chosen = free_port() if port is None else port
    check_port(LOOPBACK, chosen)
    return Rendezvous(LOOPBACK, chosen, "lo" if sys.platform == "linux" else "lo0")


def n_cores() -> int:
    """That this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def own_cores(rank: int, n_processes: int, n_threads: int) -> list[int]:
    """Cores that one process may have for itself; none if there are too few for all."""
    cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    return cores[rank * n_threads : (rank + 1) * n_threads] if n_processes * n_threads <= len(cores) else []


@dataclass(slots=True)
class _Child:
    start: ProcessStart
    process: subprocess.Popen[bytes]
    status: int  # what we read its status from
    doing: str = "starts"
    said_s: float = field(default_factory=time.monotonic)
    failure: str | None = None
    because_of_peer: bool = False
    result: Any = None
    lines: bytes = b""
    errors: bytes = b""
    ended: bool = False


def free_port(host: str = "127.0.0.1") -> int:
    """One that nobody listens at now."""
    with socket.socket() as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


def check_port(host: str, port: int) -> None:
    """Raises LiveError if nobody can listen there."""
    try:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise LiveError(f"port {port} of {host} cannot be used: {reason}; leave --port out for a free one") from error


def launch(starts: Sequence[ProcessStart], timeout_s: float, show: Callable[[str], None] = lambda text: None) -> Any:
    """Runs `python ARGUMENTS` for each; gives the result that one of them reports.

    show: told what the processes are doing. Raises LiveError if one fails or all is not done after `timeout_s`; when
    this returns, however it does, none of them lives.
    """
    begun_s = time.monotonic()
    children: list[_Child] = []
    try:
        with _terminated_as_interrupt():
            for start in starts:
                children.append(_spawn(start))
            _listen(children, begun_s, timeout_s, show)
    finally:
        _end(children)
    return next((child.result for child in children if child.result is not None), None)


def _spawn(start: ProcessStart) -> _Child:
    ours, theirs = os.pipe()
    environment = {
        **os.environ,
        **plugins.environment(),
        **WARM_HEAP,
        **start.environment,
        STATUS_FD: str(theirs),
        PARENT: str(os.getpid()),
    }
    try:
        process = subprocess.Popen(
            [*start.prefix, sys.executable, *start.arguments],
            stdin=subprocess.PIPE,  # its end tells the process of ours
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env=environment,
            pass_fds=(theirs,),
            start_new_session=True,  # Ctrl-C is for us; and a group of its own can be ended whole
        )
    finally:
        os.close(theirs)
    os.set_blocking(ours, False)
    assert process.stderr is not None
    os.set_blocking(process.stderr.fileno(), False)
    return _Child(start, process, ours)


def _listen(children: Sequence[_Child], begun_s: float, timeout_s: float, show: Callable[[str], None]) -> None:
    """Returns when all have ended well. Raises LiveError otherwise."""
    failed_s: float | None = None
    with selectors.DefaultSelector() as selector:
        for child in children:
            selector.register(child.status, selectors.EVENT_READ)
            assert child.process.stderr is not None
            selector.register(child.process.stderr, selectors.EVENT_READ)
        while True:
            selector.select(GLANCE_S)
            now_s = time.monotonic()
            for child in children:
                _hear(child, selector)
                child.ended = child.process.poll() is not None
            if all(child.ended and child.process.returncode == 0 for child in children):
                return
            if failed_s is None and any(child.ended and child.process.returncode for child in children):
                failed_s = now_s
            over = now_s - begun_s >= timeout_s
            told = any(_is_cause(child) for child in children)
            if over or (failed_s is not None and (told or now_s - failed_s >= GRACE_S)):
                raise LiveError(_what_happened(children, now_s - begun_s, over and failed_s is None))
            show("; ".join(dict.fromkeys(child.doing for child in children)))


def _is_cause(child: _Child) -> bool:
    """Ended by a fault of its own: killed, or with an error that blames nobody else."""
    return child.ended and child.process.returncode != 0 and not child.because_of_peer


def _hear(child: _Child, selector: selectors.BaseSelector) -> None:
    assert child.process.stderr is not None
    child.errors = (child.errors + _read(child.process.stderr.fileno(), selector))[-TAIL_BYTES:]
    *whole, child.lines = (child.lines + _read(child.status, selector)).split(b"\n")
    for line in whole:
        told = json.loads(line)
        child.said_s = time.monotonic()
        child.doing = told.get("doing", child.doing)
        child.result = told.get("result", child.result)
        if "failed" in told:
            child.failure, child.because_of_peer = told["failed"], told["because_of_peer"]


def _read(fd: int, selector: selectors.BaseSelector) -> bytes:
    found = b""
    while fd in selector.get_map():
        try:
            chunk = os.read(fd, 1 << 16)
        except BlockingIOError:
            break
        if not chunk:
            selector.unregister(fd)
        found += chunk
    return found


def _what_happened(children: Sequence[_Child], after_s: float, timed_out: bool) -> str:
    now_s = time.monotonic()
    causes = [child for child in children if _is_cause(child)]
    victims = [child for child in children if child.failure is not None and child.because_of_peer]
    said = list(dict.fromkeys(_fault(child) for child in causes or victims))  # all may have found the same
    if timed_out:
        said = [f"the run was not over after {after_s:.1f} s", *said]
    if not causes:
        said += [
            f"{child.start.name} last said {now_s - child.said_s:.1f} s ago: {child.doing}"
            for child in children
            if not child.ended and child not in victims
        ]
    return f"live run failed after {after_s:.1f} s: {'; '.join(said)}"


def _fault(child: _Child) -> str:
    if child.failure is not None:
        return f"{child.start.name}: {child.failure}" if child.because_of_peer else child.failure
    name, code = child.start.name, child.process.returncode
    if code < 0:
        return f"{name}: killed by {signal.Signals(-code).name} while it {child.doing}"
    last = child.errors.decode(errors="replace").strip().splitlines()[-1:]
    return f"{name}: ended with status {code} while it {child.doing}{': ' + last[0] if last else ''}"


def _end(children: Sequence[_Child]) -> None:
    """Kills what still lives, with all that it started, and waits for it."""
    for child in children:
        if child.process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.process.pid, signal.SIGKILL)
    for child in children:
        child.process.wait()
        os.close(child.status)
        for stream in (child.process.stdin, child.process.stderr):
            if stream is not None:
                stream.close()


@contextlib.contextmanager
def _terminated_as_interrupt() -> Iterator[None]:
    """SIGTERM unwinds as Ctrl-C does, so that everything is cleaned up; only the main thread can see to that."""

    def interrupt(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    try:
        before = signal.signal(signal.SIGTERM, interrupt)
    except ValueError:
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
