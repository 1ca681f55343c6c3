"""A sweep that ends early: nothing that was written is lost or doubled, nothing half written is believed."""

from __future__ import annotations

import errno
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import psutil
import pytest
from sweep_runs import TINY, command, start
from told_progress import Told

from prism_sim.scenario import ScenarioError
from prism_sim.sweeping import journal as journals
from prism_sim.sweeping.blocks import RowBlock
from prism_sim.sweeping.files import SweepRequest, sweep_to_file
from prism_sim.sweeping.journal import Journal, journal_of
from prism_sim.sweeping.work import PieceAnswer

MANY = """\
sweep:
  network.bandwidth: {from: 10 Mbit/s, to: 1 Gbit/s, points: 15, scale: log}
  network.latency: {from: 1 ms, to: 9 ms, points: 10}
  strategy.segments: [1, 2, 3]
  strategy.name: [prism, voltage]
"""


class StopError(Exception):
    """The end of a sweep at a moment of a test's choice."""


def stopped_after(order: SweepRequest, n_pieces: int) -> None:
    """Runs a sweep until so many pieces are written."""
    told = 0

    def watch(what: str, n_known: int, n_all: int) -> None:
        nonlocal told
        told += 1
        if told > n_pieces:
            raise StopError

    with pytest.raises(StopError):
        sweep_to_file(order, Told(watch))


def answer(*numbers: int) -> PieceAnswer:
    latencies = np.array([0.1 * number for number in numbers])
    return PieceAnswer("timing", (), 0.1, (RowBlock(numbers, {"latency_s": latencies}),))


IDENTITY = {"scenario": "a", "sweep": "b"}


def test_what_was_written_is_known_again(tmp_path):
    path = tmp_path / ".t.journal"
    first = Journal(path, IDENTITY, resume=False)
    first.write(answer(1, 2))
    first.write(answer(3))
    first.close()
    again = Journal(path, IDENTITY, resume=True)
    assert again.known["timing"] == {number: {"row": {"latency_s": 0.1 * number}} for number in (1, 2, 3)}
    assert again.started == first.started


@pytest.mark.parametrize("cut", range(1, 60, 7))
def test_a_line_that_was_cut_off_is_computed_again(tmp_path, cut):
    path = tmp_path / ".t.journal"
    first = Journal(path, IDENTITY, resume=False)
    first.write(answer(1))
    whole = path.stat().st_size
    first.write(answer(2))
    first.close()
    os.truncate(path, path.stat().st_size - cut)
    again = Journal(path, IDENTITY, resume=True)
    assert list(again.known["timing"]) == [1]
    assert path.stat().st_size == whole
    again.write(answer(3))
    again.close()
    assert list(Journal(path, IDENTITY, resume=True).known["timing"]) == [1, 3]


def test_a_damaged_line_and_all_after_it_are_not_believed(tmp_path):
    path = tmp_path / ".t.journal"
    first = Journal(path, IDENTITY, resume=False)
    for number in (1, 2, 3):
        first.write(answer(number))
    first.close()
    content = bytearray(path.read_bytes())
    content[content.index(b"[2]") + 1] ^= 1
    path.write_bytes(content)
    assert list(Journal(path, IDENTITY, resume=True).known["timing"]) == [1]


@pytest.mark.parametrize("content", [b"", b"\n", b"nonsense\n", b"3 00000000 abc\n"])
def test_what_is_no_journal_is_begun_anew(tmp_path, content):
    path = tmp_path / ".t.journal"
    path.write_bytes(content)
    assert Journal(path, IDENTITY, resume=True).known["timing"] == {}


def test_without_resume_a_sweep_begins_anew(tmp_path):
    path = tmp_path / ".t.journal"
    first = Journal(path, IDENTITY, resume=False)
    first.write(answer(1))
    first.close()
    assert Journal(path, IDENTITY, resume=False).known["timing"] == {}


def test_another_sweep_is_not_resumed(tmp_path):
    path = tmp_path / ".t.journal"
    Journal(path, IDENTITY, resume=False).close()
    content = path.read_bytes()
    with pytest.raises(ScenarioError, match="another sweep, so it cannot be resumed"):
        Journal(path, IDENTITY | {"sweep": "c"}, resume=True)
    assert path.read_bytes() == content


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (lambda order, load: load("sweep: {seed: [1]}"), "sweep"),
        (lambda order, load: load(overrides=["seed=5"]), "scenario"),
        (lambda order, load: load(overrides=["strategy.overlap=true"]), "scenario"),
    ],
)
def test_what_changed_since_is_said(load, tmp_path, change, word):
    order = SweepRequest(load(), tmp_path / "t.csv", numerics=False, jobs=1)
    stopped_after(order, 2)
    other = SweepRequest(change(order, load), order.table, numerics=False, jobs=1, resume=True)
    with pytest.raises(ScenarioError, match=f"another {word}"):
        sweep_to_file(other)
    with pytest.raises(ScenarioError, match="another choice of numerics"):
        sweep_to_file(SweepRequest(load(), order.table, numerics=True, jobs=1, resume=True))


def test_a_version_of_other_source_does_not_go_on(load, tmp_path, monkeypatch):
    order = SweepRequest(load(), tmp_path / "t.csv", numerics=False, jobs=1, resume=True)
    stopped_after(order, 2)
    monkeypatch.setattr("prism_sim.sweeping.files.source_digest", lambda: "other")
    with pytest.raises(ScenarioError, match="another version of prism_sim"):
        sweep_to_file(order)


def test_two_sweeps_do_not_write_to_one_place(load, tmp_path):
    order = SweepRequest(load(), tmp_path / "t.csv", numerics=False, jobs=1)
    held = Journal(journal_of(order.table), {}, resume=False)
    with pytest.raises(BlockingIOError, match="another sweep is writing there"):
        sweep_to_file(order)
    held.close()


def test_a_resumed_sweep_computes_only_what_is_missing(load, tmp_path, monkeypatch):
    order = SweepRequest(load(), tmp_path / "t.csv", numerics=False, jobs=1, resume=True)
    stopped_after(order, 3)
    computed = []
    real = sys.modules["prism_sim.sweeping.work"].timings
    monkeypatch.setattr(
        "prism_sim.sweeping.work.timings", lambda work, points: computed.extend(points) or real(work, points)
    )
    done = sweep_to_file(order)
    assert done.n_known > 0
    assert len(computed) == 40 - done.n_known
    assert not journal_of(order.table).exists()


def test_outputs_that_were_computed_are_known_again(load, tmp_path, monkeypatch):
    from prism_sim.outputs import fidelity as numerics

    happened = []
    monkeypatch.setattr(
        numerics,
        "_measure",
        lambda scenario, job: happened.append(1) or numerics.Fidelity(0.5, 0.75, None, None, True, True),
    )
    order = SweepRequest(load("sweep: {seed: [1, 2, 3]}"), tmp_path / "t.csv", jobs=1, resume=True)

    def watch(what: str, n_known: int, n_all: int) -> None:
        if (what, n_known) == ("outputs", 2):
            raise StopError

    with pytest.raises(StopError):
        sweep_to_file(order, Told(watch))
    monkeypatch.setenv("PRISM_SIM_CACHE", str(tmp_path / "another"))
    assert sweep_to_file(order).table.columns["fidelity_cosine"].values.tolist() == [0.75] * 3
    assert len(happened) == 3


def test_a_finished_sweep_is_left_as_it_is(load, tmp_path):
    order = SweepRequest(load(), tmp_path / "t.csv", numerics=False, jobs=1, resume=True)
    assert sweep_to_file(order).table is not None
    before = (tmp_path / "t.csv").stat().st_mtime_ns
    assert sweep_to_file(order).table is None
    assert (tmp_path / "t.csv").stat().st_mtime_ns == before
    changed = SweepRequest(load(overrides=["seed=2"]), order.table, numerics=False, jobs=1, resume=True)
    assert sweep_to_file(changed).table is not None


def test_a_kill_between_table_and_journal_leaves_what_ends_the_same(load, tmp_path, monkeypatch):
    order = SweepRequest(load(), tmp_path / "t.csv", numerics=False, jobs=1, resume=True)

    def killed(self):
        raise StopError

    with monkeypatch.context() as patch:
        patch.setattr(Journal, "remove", killed)
        with pytest.raises(StopError):
            sweep_to_file(order)
    whole = (tmp_path / "t.csv").read_bytes()
    assert sweep_to_file(order).n_known == 40
    assert (tmp_path / "t.csv").read_bytes() == whole


# --- disks and folders --------------------------------------------------------------------------------------------


def full_disk(*arguments):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_full_disk_is_one_message_and_earlier_results_stay(load, tmp_path, monkeypatch):
    order = SweepRequest(load(), tmp_path / "t.csv", numerics=False, jobs=1)
    sweep_to_file(order)
    whole = (tmp_path / "t.csv").read_bytes()
    for name in ("fsync", "replace"):
        with monkeypatch.context() as patch:
            patch.setattr(os, name, full_disk)
            if name == "replace":
                patch.setattr(Path, "replace", full_disk)
            with pytest.raises(OSError, match="No space left") as refused:
                sweep_to_file(order)
        assert "t.csv" in str(refused.value.filename)
        assert (tmp_path / "t.csv").read_bytes() == whole


def test_a_disk_that_fills_up_midway_keeps_what_was_written(load, tmp_path, monkeypatch):
    order = SweepRequest(load(), tmp_path / "t.csv", numerics=False, jobs=1, resume=True)
    left = 4  # the journal's head, its folder, and the first two pieces
    real = os.fsync

    def fills_up(handle):
        nonlocal left
        left -= 1
        if left < 0:
            full_disk()
        real(handle)

    with monkeypatch.context() as patch:
        patch.setattr(journals.os, "fsync", fills_up)
        with pytest.raises(OSError, match="No space left"):
            sweep_to_file(order)
    done = sweep_to_file(order)
    assert done.n_known > 0
    assert (tmp_path / "t.csv").exists()


def test_the_command_says_what_is_wrong_with_the_place(written, tmp_path):
    (tmp_path / "file").write_text("in place of a folder")
    status, out, err = command("sweep", written(), "--no-numerics", "--out", tmp_path / "file" / "t.csv", "--jobs", 1)
    assert (status, out) == (2, "")
    assert [line for line in err.splitlines() if line.startswith("prism-sim: ")] == err.strip().splitlines()[-1:]
    assert "Not a directory" in err
    assert "Traceback" not in err


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
def test_standard_output_that_is_full_is_one_message(written):
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "prism_sim.cli", "sweep", str(written()), "--no-numerics", "--out", "-"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode != 0
    assert "No space left" in done.stderr


# --- real processes, really killed --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory) -> bytes:
    folder = tmp_path_factory.mktemp("undisturbed")
    (folder / "tiny.yaml").write_text(TINY + MANY)
    status, _, err = command("sweep", folder / "tiny.yaml", "--no-numerics", "--out", folder / "whole.csv")
    assert status == 0, err
    return (folder / "whole.csv").read_bytes()


@pytest.mark.slow
def test_kills_at_any_moment_lose_and_double_nothing(written, tmp_path, undisturbed):
    """Known rows never become fewer, and the table that ends it all is that of a run without disturbance."""
    moments = random.Random(7)
    arguments = ("sweep", written(MANY), "--no-numerics", "--jobs", 2, "--resume", "--out", tmp_path / "t.csv")
    known = -1
    for _ in range(5):
        process = start(*arguments)
        time.sleep(moments.uniform(0.4, 2.0))
        process.send_signal(signal.SIGKILL)
        process.communicate()
        path = journal_of(tmp_path / "t.csv")
        if path.exists():
            lines = path.read_bytes().count(b"\n")
            assert lines >= known
            known = lines
    status, _, err = command(*arguments)
    assert status == 0, err
    assert (tmp_path / "t.csv").read_bytes() == undisturbed
    assert not journal_of(tmp_path / "t.csv").exists()


@pytest.mark.slow
def test_no_worker_outlives_its_caller(written, tmp_path):
    process = start("sweep", written(MANY), "--no-numerics", "--jobs", 2, "--out", tmp_path / "t.csv")
    me, deadline = psutil.Process(process.pid), time.monotonic() + 30
    while len(workers := me.children(recursive=True)) < 2 and time.monotonic() < deadline:
        time.sleep(0.05)
    assert len(workers) == 2
    process.kill()
    process.communicate()
    _, alive = psutil.wait_procs(workers, timeout=10)
    assert not alive


@pytest.mark.slow
def test_a_lost_worker_is_one_message_and_what_was_known_is_kept(written, tmp_path, undisturbed):
    arguments = ("sweep", written(MANY), "--no-numerics", "--jobs", 2, "--out", tmp_path / "t.csv")
    process = start(*arguments)
    path, deadline = journal_of(tmp_path / "t.csv"), time.monotonic() + 30
    while not (path.exists() and path.read_bytes().count(b"\n") > 3) and time.monotonic() < deadline:
        time.sleep(0.02)
    psutil.Process(process.pid).children(recursive=True)[0].kill()
    _, err = process.communicate(timeout=60)
    assert process.returncode == 2
    assert "worker process: ended unexpectedly" in err.replace("\n", " ")
    status, _, err = command(*arguments, "--resume")
    assert status == 0, err
    assert (tmp_path / "t.csv").read_bytes() == undisturbed


def test_the_command_shows_rate_and_time_left_and_what_came_of_it(written, tmp_path):
    status, out, err = command("sweep", written(), "--no-numerics", "--jobs", 1, "--out", tmp_path / "t")
    assert status == 0, err
    assert "60 points" in out
    assert "20 the same as another" in out
    assert "fastest: " in out
    assert "/s" in err
    assert (tmp_path / "t" / "sweep.csv").exists()


def test_a_table_can_go_to_standard_output(written):
    status, out, err = command("sweep", written(), "--no-numerics", "--jobs", 1, "--out", "-")
    assert status == 0, err
    assert out.splitlines()[0].startswith("network.bandwidth,network.bandwidth_bits_per_s,")
    assert len(out.splitlines()) == 61
    status, out, err = command("sweep", written(), "--resume", "--out", "-")
    assert status == 2
    assert "--resume needs a file" in err


@pytest.mark.parametrize("jobs", ["0", "-1", "two"])
def test_a_wrong_number_of_jobs_is_refused(written, jobs):
    status, _, err = command("sweep", written(), "--jobs", jobs)
    assert status == 2
    assert "not a number of processes" in err
