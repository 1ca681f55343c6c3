"""The same sweep on a Dask cluster: a real scheduler and real workers, one of them lost midway."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sweep_runs import SAME_PATH

pytest.importorskip("distributed", reason="Dask is not installed: pip install 'prism-sim[dask]'")

from told_progress import Told

from prism_sim import load_plugin
from prism_sim.cli import main
from prism_sim.scenario import ScenarioError
from prism_sim.sweeping import dask_backend
from prism_sim.sweeping.frames import csv_text, frame_of
from prism_sim.sweeping.points import Grid
from prism_sim.sweeping.sweep import Sweep

MANY = """\
sweep:
  network.bandwidth: {from: 10 Mbit/s, to: 1 Gbit/s, points: 40, scale: log}
  network.latency: {from: 1 ms, to: 9 ms, points: 10}
  strategy.segments: [1, 2, 3]
"""
START_S = 60  # on a busy machine


class Cluster:
    """A scheduler and two workers on loopback, each a process of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.processes: list[subprocess.Popen[bytes]] = []
        file = folder / "scheduler.json"
        self._start("scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", file)
        deadline = time.monotonic() + START_S
        while not (file.exists() and file.read_text()) and time.monotonic() < deadline:
            time.sleep(0.05)
        import json

        self.address = json.loads(file.read_text())["address"]

    def add_worker(self) -> subprocess.Popen[bytes]:
        return self._start("worker", self.address, "--no-nanny", "--nthreads", "1", "--no-dashboard")

    def _start(self, what: str, *arguments: object) -> subprocess.Popen[bytes]:
        program = f"from distributed.cli.dask_{what} import main; main()"
        process = subprocess.Popen(
            [sys.executable, "-c", program, *map(str, arguments)],
            cwd=self.folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=os.environ | SAME_PATH | {"DASK_DISTRIBUTED__COMM__TIMEOUTS__CONNECT": f"{START_S}s"},
        )
        self.processes.append(process)
        return process

    def close(self) -> None:
        for process in self.processes:
            process.kill()
            process.wait()


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    found = Cluster(tmp_path)
    yield found
    found.close()


@pytest.mark.slow
def test_the_table_is_the_local_one_though_a_worker_is_lost_midway(load, cluster, monkeypatch):
    monkeypatch.setattr(dask_backend, "TIMEOUT_S", START_S)
    first, _ = cluster.add_worker(), cluster.add_worker()
    known: list[int] = []

    def watch(what: str, n_known: int, n_all: int) -> None:
        known.append(n_known)
        if len(known) == 4:
            first.kill()

    scenario = load(MANY)
    table = Sweep(Grid.of(scenario), False, progress=Told(watch)).table(1, cluster.address)
    assert first.wait(10) != 0
    assert known[3] < 1200  # midway
    assert csv_text(frame_of(table)) == csv_text(frame_of(Sweep(Grid.of(scenario), False).table(1)))


@pytest.mark.slow
def test_a_cluster_without_workers_is_refused_in_time(load, cluster, monkeypatch):
    monkeypatch.setattr(dask_backend, "TIMEOUT_S", 5)
    with pytest.raises(ConnectionError, match="has no workers"):
        Sweep(Grid.of(load()), False).table(1, cluster.address)


@pytest.mark.slow
def test_a_scheduler_that_is_not_there_is_one_message(written, monkeypatch, capsys):
    monkeypatch.setattr(dask_backend, "TIMEOUT_S", 2)
    status = main(["sweep", str(written()), "--no-numerics", "--dask", "tcp://127.0.0.1:1", "--out", "-"])
    out, err = capsys.readouterr()
    assert (status, out) == (2, "")
    assert "tcp://127.0.0.1:1: no Dask scheduler can be reached there" in err
    assert "Traceback" not in err


def test_without_dask_it_is_said_what_to_install(load, monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ScenarioError, match=r"pip install 'prism-sim\[dask\]'"):
        Sweep(Grid.of(load()), False).table(1, "tcp://127.0.0.1:1")


def test_a_worker_with_other_source_is_refused(load):
    from prism_sim.sweeping.work import OtherSourceError, SweepWork, WorkPiece, perform

    with pytest.raises(OtherSourceError, match="other source code"):
        perform(SweepWork(load(), False, "another"), WorkPiece("timing", ()))


@pytest.mark.slow
def test_workers_of_a_cluster_have_the_callers_plugins(load, cluster, monkeypatch, no_plugins):
    monkeypatch.setattr(dask_backend, "TIMEOUT_S", START_S)
    load_plugin(Path(__file__).parents[2] / "extensions" / "rare.py")
    cluster.add_worker()
    scenario = load("sweep: {strategy.every: [1, 2]}\n", ["strategy.name=rare"])
    table = Sweep(Grid.of(scenario), False).table(1, cluster.address)
    assert table.n_failed == 0
    assert csv_text(frame_of(table)) == csv_text(frame_of(Sweep(Grid.of(scenario), False).table(1)))
