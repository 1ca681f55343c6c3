"""Network namespaces for the processes of a live run, with shaped links between them; made and removed whole.

Each process has an interface eth0 of its own, and all meet at a bridge, as at a switch. What a process sends is held
to the network's rate up by a token bucket, and what comes to it to its rate down.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from prism_sim.live.launcher import Rendezvous, free_port

NAME = "prismsim"  # of namespaces: NAME-pid-number; of interfaces, shortened for the kernel: ps<pid>b, ps<pid>v<number>
INTERFACE = "eth0"
# What the kernel hands down at once: two packets at least, and at high rates as much as flows between two looks at the
# bucket. More would need a larger bucket, whose content passes at once; less costs more of the processor.
LEAST_AT_ONCE_BYTES, MOST_AT_ONCE_BYTES, BETWEEN_LOOKS_S = 3_000, 1 << 16, 250e-6
BUCKETS = 4 / 3  # bucket to what comes at once, so that it need not be cut up
QUEUE = "400ms"  # what the bucket holds back at most; TCP adapts before that
LIMIT_S = 20


class ShapeError(RuntimeError):
    """Links cannot be shaped here, or could not: says why."""


@dataclass(frozen=True, slots=True)
class LinkShape:
    """What a link gives. latency_s: one way, 0 for none beside the machine's own."""

    up_bits_per_s: float
    down_bits_per_s: float
    latency_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Namespace:
    """Where a process runs. prefix: the command that runs another there."""

    address: str
    prefix: tuple[str, ...]


def why_not() -> str | None:
    """Why links cannot be shaped on this machine; None if they can."""
    if sys.platform != "linux":
        return "network namespaces need Linux"
    if missing := [tool for tool in ("ip", "tc") if shutil.which(tool) is None]:
        return f"{' and '.join(missing)} not found: install iproute2"
    probe = f"{NAME}-{os.getpid()}-probe"
    try:
        _do("ip", "netns", "add", probe)
    except ShapeError as error:
        return f"network namespaces are not allowed here (root or CAP_NET_ADMIN is needed): {error}"
    try:
        _do("ip", "-n", probe, "link", "add", "probe0", "type", "veth", "peer", "name", "probe1")
        _bucket(("-n", probe), "probe0", 1e6)
    except ShapeError as error:
        return f"links cannot be shaped here: {error}"
    finally:
        _do("ip", "netns", "del", probe)
    return None


@dataclass(frozen=True, slots=True)
class Shaped:
    """notes: what of the shape this machine cannot give, in sentences."""

    places: tuple[Namespace, ...]
    notes: tuple[str, ...]

    def meeting(self, port: int | None = None) -> Rendezvous:
        """Of one process in each; all ports are free in a namespace just made."""
        chosen = free_port() if port is None else port
        return Rendezvous(self.places[0].address, chosen, INTERFACE, tuple(place.prefix for place in self.places))


@contextmanager
def shaped(n_places: int, shape: LinkShape) -> Iterator[Shaped]:
    """Namespaces whose links have this shape, for as long as the block runs. Raises ShapeError."""
    if reason := why_not():
        raise ShapeError(reason)
    remove_leftovers()
    try:
        yield _make(n_places, shape)
    finally:
        _remove(os.getpid())


def remove_leftovers() -> None:
    """What processes have left behind that did not live to remove it."""
    for pid in {int(found) for found in re.findall(rf"^{NAME}-(\d+)-", _do("ip", "netns", "list"), re.MULTILINE)}:
        if not Path(f"/proc/{pid}").exists():
            _remove(pid)


def _make(n_places: int, shape: LinkShape) -> Shaped:
    pid, places = os.getpid(), []
    notes: dict[str, None] = {}  # ordered, each once
    bridge = f"ps{pid}b"
    at_once = str(_at_once_bytes(min(shape.up_bits_per_s, shape.down_bits_per_s)))
    _do("ip", "link", "add", bridge, "type", "bridge")
    _do("ip", "link", "set", bridge, "up")
    for number in range(n_places):
        namespace, outside = f"{NAME}-{pid}-{number}", f"ps{pid}v{number}"
        address = f"10.213.{number // 200}.{number % 200 + 1}"
        _do("ip", "netns", "add", namespace)
        _do("ip", "link", "add", outside, "type", "veth", "peer", "name", INTERFACE, "netns", namespace)
        _do("ip", "link", "set", outside, "master", bridge, "gso_max_size", at_once, "up")
        _do("ip", "-n", namespace, "addr", "add", f"{address}/16", "dev", INTERFACE)
        _do("ip", "-n", namespace, "link", "set", INTERFACE, "gso_max_size", at_once, "up")
        _do("ip", "-n", namespace, "link", "set", "lo", "up")
        _bucket(("-n", namespace), INTERFACE, shape.up_bits_per_s)
        _bucket((), outside, shape.down_bits_per_s)
        if shape.latency_s and (note := _delay(namespace, shape.latency_s)):
            notes[note] = None
        places.append(Namespace(address, ("ip", "netns", "exec", namespace)))
    return Shaped(tuple(places), tuple(notes))


def _at_once_bytes(bits_per_s: float) -> int:
    return round(min(max(BETWEEN_LOOKS_S * bits_per_s / 8, LEAST_AT_ONCE_BYTES), MOST_AT_ONCE_BYTES))


def _bucket(where: Sequence[str], interface: str, bits_per_s: float) -> None:
    rate, burst_bytes = f"{round(bits_per_s)}bit", round(BUCKETS * _at_once_bytes(bits_per_s))
    _do(
        "tc", *where, "qdisc", "add", "dev", interface, "root", "handle", "1:",
        "tbf", "rate", rate, "burst", str(burst_bytes), "latency", QUEUE,
    )  # fmt: skip


def _delay(namespace: str, latency_s: float) -> str | None:
    """Below the bucket, of which it is the queue. Says so where the kernel cannot delay packets."""
    delay = f"{round(1e6 * latency_s)}us"
    try:
        _do(
            "tc", "-n", namespace, "qdisc", "add", "dev", INTERFACE, "parent", "1:1", "handle", "2:",
            "netem", "delay", delay, "limit", "100000",
        )  # fmt: skip
    except ShapeError:
        return f"the network's latency of {delay} is not added: this kernel cannot delay packets (netem)"
    return None


def _remove(pid: int) -> None:
    """All that carries this process's number; a namespace takes its interfaces with it, and those their peers."""
    for namespace in re.findall(rf"^{NAME}-{pid}-\S+", _do("ip", "netns", "list"), re.MULTILINE):
        _try("ip", "netns", "del", namespace)
    for path in Path("/sys/class/net").glob(f"ps{pid}[bv]*"):
        _try("ip", "link", "del", path.name, unless_gone=path)


def _do(*command: str) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT_S, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ShapeError(f"{' '.join(command)}: {error}") from error
    if done.returncode:
        reason = done.stderr.strip().splitlines()[:1] or [f"status {done.returncode}"]
        raise ShapeError(f"{' '.join(command)}: {reason[0]}")
    return done.stdout


def _try(*command: str, unless_gone: Path | None = None) -> None:
    try:
        _do(*command)
    except ShapeError as error:
        if unless_gone is None or unless_gone.exists():  # interfaces go with their namespace, a little later
            print(f"prism-sim: {error}", file=sys.stderr)  # what is left, a later run removes
