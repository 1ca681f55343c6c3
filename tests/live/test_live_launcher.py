"""No process of a live run outlives it, however it ends; and who failed, how and when is said."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from left_behind import gone, processes_with

from prism_sim.live.launcher import LiveError, ProcessStart, check_port, free_port, launch
from prism_sim.live.voice import Seat

HEAD = """
import os, sys, time, signal, subprocess
from prism_sim.live.voice import Voice, die_with_parent
die_with_parent()
voice = Voice.from_environment()
"""


@pytest.fixture
def mark() -> Iterator[str]:
    """Tells the processes of one test from all others."""
    text = f"mark-{uuid.uuid4().hex}"
    yield text
    assert gone(text)


def start(name: str, code: str, mark: str) -> ProcessStart:
    return ProcessStart(name, ["-c", HEAD + code, mark])


def test_the_result_is_that_of_the_process_that_has_one(mark: str):
    starts = [start("a", "voice.doing('adds')", mark), start("b", "voice.result({'sum': 3})", mark)]
    assert launch(starts, 20) == {"sum": 3}


def test_a_large_result_arrives_whole(mark: str):
    assert len(launch([start("a", "voice.result(['x' * 10] * 100_000)", mark)], 20)) == 100_000


def test_a_process_that_dies_is_named_with_the_signal_and_what_it_did(mark: str):
    dies = "voice.doing('is in run 2 of 3'); os.kill(os.getpid(), signal.SIGKILL)"
    with pytest.raises(LiveError, match=r"failed after \d\.\d s: b: killed by SIGKILL while it is in run 2 of 3"):
        launch([start("a", "time.sleep(60)", mark), start("b", dies, mark)], 20)


def test_a_process_that_ends_with_an_error_is_named_with_its_last_line(mark: str):
    with pytest.raises(LiveError, match="b: ended with status 1 while it starts: ZeroDivisionError"):
        launch([start("a", "time.sleep(60)", mark), start("b", "1 / 0", mark)], 20)


def test_the_cause_is_told_not_its_victims(mark: str):
    victim = "voice.failed('lost b', because_of_peer=True); sys.exit(1)"
    cause = "time.sleep(0.5); voice.failed('no such weights', because_of_peer=False); sys.exit(1)"
    with pytest.raises(LiveError, match=r"s: no such weights$"):
        launch([start("a", victim, mark), start("b", cause, mark)], 20)


def test_without_a_cause_the_victims_say_what_they_know_and_the_silent_one_is_named(mark: str):
    victim = "voice.failed('waited 1 s for b', because_of_peer=True); sys.exit(1)"
    stopped = "voice.doing('run 1 of 2'); os.kill(os.getpid(), signal.SIGSTOP)"
    with pytest.raises(LiveError, match=r"a: waited 1 s for b; b last said \d\.\d s ago: run 1 of 2"):
        launch([start("a", victim, mark), start("b", stopped, mark)], 20)


def test_a_run_that_hangs_ends_in_time(mark: str):
    begun_s = time.monotonic()
    with pytest.raises(LiveError, match=r"was not over after 1\.\d s; a last said .* ago: starts"):
        launch([start("a", "time.sleep(60)", mark)], 1.0)
    assert time.monotonic() - begun_s < 10


def test_what_a_process_started_itself_ends_with_it(mark: str):
    code = f"subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)', {mark!r}]); time.sleep(60)"
    with pytest.raises(LiveError):
        launch([start("a", code, mark)], 1.5)


@pytest.mark.parametrize("ending", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_processes_end_with_the_one_that_started_them(mark: str, ending: signal.Signals):
    """Also those that are stopped, and can see to nothing themselves."""
    codes = ["time.sleep(60)", "os.kill(os.getpid(), signal.SIGSTOP)"]
    program = f"""
import sys
from prism_sim.live.launcher import ProcessStart, launch
launch([ProcessStart("a", ["-c", {HEAD!r} + code, sys.argv[1]]) for code in {codes!r}], 60)
"""
    parent = subprocess.Popen([sys.executable, "-c", program, mark], stderr=subprocess.DEVNULL)
    try:
        end_s = time.monotonic() + 20
        while len(processes_with(mark)) < 3 and time.monotonic() < end_s:
            time.sleep(0.05)
        assert len(processes_with(mark)) == 3
        time.sleep(0.5)  # they tell the system about their parent
        os.kill(parent.pid, ending)
        assert parent.wait(10) != 0
        assert gone(mark)
    finally:
        parent.kill()


def test_an_occupied_port_is_refused():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(LiveError, match=rf"port {port} of 127\.0\.0\.1 cannot be used: Address already in use"):
            check_port("127.0.0.1", port)
    check_port("127.0.0.1", free_port())


def test_a_process_that_nobody_numbered_says_how_to_start_it(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("RANK", raising=False)
    with pytest.raises(ValueError, match="RANK is missing; start it with prism-sim live SCENARIO, or with torchrun"):
        Seat.from_environment()


def test_launching_needs_no_torch():
    code = "import prism_sim.live.launcher, prism_sim.live.namespaces, sys; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parent, timeout=60)
