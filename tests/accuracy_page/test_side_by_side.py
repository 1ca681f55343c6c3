"""Processes of `make accuracy`: every job once, what follows last, and none outlives an end of whatever kind."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
from pathlib import Path

import pytest
from worker_jobs import doubled, lost, refused, saved_on_interrupt

sys.path.append(str(Path(__file__).parents[2] / "plots"))

from accuracy_workers import Begun, Ended, Job, Shown, side_by_side


@pytest.fixture(autouse=True)
def no_orphans():
    yield
    assert multiprocessing.active_children() == []


def nothing(job, result):
    return []


def silent(worker, message):
    pass


def test_every_job_is_done_once_and_what_follows_comes_last():
    found, told = [], []

    def then(job, result):
        found.append(result)
        return [Job(doubled, (10 * result,))] if result < 10 else []

    jobs = [Job(doubled, (number,)) for number in (1, 2, 3)]
    side_by_side(jobs, 1, then, lambda worker, message: told.append((worker, message)))
    assert found == [2, 4, 6, 40, 80, 120]
    own = [Begun("doubling 1"), Shown("numbers: 1 of 2"), Ended(1.5)]
    assert told[:3] == [(0, message) for message in own]
    assert len(told) == 3 * 6


def test_what_a_job_raises_is_raised_here_and_ends_the_others(tmp_path):
    jobs = [Job(saved_on_interrupt, (tmp_path / "state",)), Job(refused, ())]
    with pytest.raises(ValueError, match="the number is missing"):
        side_by_side(jobs, 2, nothing, silent)


def test_a_process_that_is_lost_is_said():
    with pytest.raises(ChildProcessError, match="ended unexpectedly"):
        side_by_side([Job(lost, ())], 1, nothing, silent)


def test_an_interrupt_reaches_every_process_once_and_is_waited_for(tmp_path):
    ready = set()

    def interrupt(worker, message):
        ready.add(worker)
        if len(ready) == 2:
            os.kill(os.getpid(), signal.SIGINT)

    jobs = [Job(saved_on_interrupt, (tmp_path / name,)) for name in "ab"]
    with pytest.raises(KeyboardInterrupt):
        side_by_side(jobs, 2, nothing, interrupt)
    assert [(tmp_path / name).read_text() for name in "ab"] == ["1", "1"]
