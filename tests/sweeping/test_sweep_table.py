"""The table: a row is what `run` gives, whoever computes it; failures are rows; files give back what was written."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys

import pandas as pd
import pytest
from told_progress import Told

import prism_sim
from prism_sim import run, sweep
from prism_sim.commands.base import as_json
from prism_sim.outputs import fidelity as numerics
from prism_sim.simulation.simulate import simulate
from prism_sim.sweeping import frames, rows
from prism_sim.sweeping.files import SweepRequest, sweep_to_file, table_path
from prism_sim.sweeping.points import Grid
from prism_sim.sweeping.sweep import Sweep
from prism_sim.timing import many


@pytest.fixture
def measured(monkeypatch):
    """A line for each real computation; what it gives is made up, and tells strategies apart."""
    happened: list[str] = []

    def measure(scenario, job):
        happened.append(f"{job.strategy} {getattr(job.options, 'segments', None)} seed {scenario.seed}")
        return numerics.Fidelity(0.5, 1 / len(happened), None, None, True, True)

    monkeypatch.setattr(numerics, "_measure", measure)
    return happened


def as_run_says(scenario, **more) -> dict[str, object]:
    """A row, from the text that `run --json` writes."""
    return rows.flat(json.loads(as_json(run(scenario, **more).to_json())))


def assert_row(row, expected):
    for name, value in expected.items():
        found = row[name]
        assert pd.isna(found) if value is None else found == value, name


def test_a_row_is_what_run_gives_for_its_point(load):
    scenario = load()
    table = sweep(scenario, jobs=1, numerics=False)
    assert len(table) == 60
    for number in (0, 7, 13, 31, 59):
        row = table.iloc[number]
        fields = ("network.bandwidth", "network.latency", "strategy.segments", "strategy.name")
        assert_row(row, as_run_says(scenario.with_overrides({field: row[field] for field in fields}), numerics=False))


@pytest.mark.parametrize(
    "overrides",
    [
        ["strategy.name=pipeline"],
        ["strategy.name=tensor_parallel", "network.collective=ring"],
        ["strategy.name=single"],
        ["devices[0].count=9", "workload.tokens=40"],
        ["network.sharing=fair"],
        ["network={medium: shared, bandwidth: 20 Mbit/s}"],
        ["terminal=1", "ranks=[1, 0]", "network.slow_start=true"],
        ["strategy={name: auto}"],
    ],
)
def test_a_row_is_what_run_gives_on_any_network_and_with_any_strategy(load, overrides):
    scenario = load("sweep: {network.latency: [1 ms, 3 ms]}", overrides)
    table = sweep(scenario, jobs=1, numerics=False)
    assert_row(table.iloc[1], as_run_says(scenario.with_overrides({"network.latency": "3 ms"}), numerics=False))


def test_a_row_has_the_fidelity_that_run_gives(load, measured):
    scenario = load("sweep: {strategy.segments: [1, 2]}")
    table = sweep(scenario, jobs=1)
    assert_row(table.iloc[1], as_run_says(scenario.with_overrides({"strategy.segments": 2})))
    assert table["fidelity_cosine"].tolist() == [1.0, 0.5]
    assert table["plan_confirmed"].tolist() == [True, True]


def test_figures_have_flat_names_that_end_in_their_unit(load):
    table = sweep(load("sweep: {seed: [1]}"), jobs=1, numerics=False)
    for name in ("latency_s", "breakdown_compute_s", "versus_single_speedup", "versus_voltage_latency_s"):
        assert table[name].notna().all()
    for name in ("throughput_per_s", "energy_j", "sent_bytes", "max_rank_busy_s", "rank1_wait_s", "n_ranks"):
        assert table[name].notna().all()
    assert table["mean_rank_busy_s"][0] == math.fsum(table[f"rank{number}_busy_s"][0] for number in (0, 1)) / 2
    assert table["fidelity_cosine"].isna().all()  # there, though it was not asked for
    assert list(table)[-1] == "reason"
    assert not any("." in name for name in table if name != "seed")


def test_sections_that_may_be_null_have_the_figures_that_they_have_otherwise(load, measured):
    described = run(load()).to_json()
    for name, figures in rows.MAY_BE_NULL.items():
        assert tuple(described[name]) == figures


def test_many_ranks_are_summed_up(load):
    table = sweep(load("sweep: {'devices[0].count': [2, 9]}"), jobs=1, numerics=False)
    assert table["n_ranks"].tolist() == [2, 9]
    assert table["rank1_busy_s"].notna().tolist() == [True, False]
    assert table["max_rank_busy_s"].notna().all()


def test_the_table_does_not_depend_on_the_number_of_processes(load):
    scenario = load()
    texts = {frames.csv_text(sweep(scenario, jobs=jobs, numerics=False)) for jobs in (1, 2)}
    assert len(texts) == 1


def test_a_point_that_fails_is_a_row_with_a_reason(load):
    sweep_section = "sweep: {workload.batch: [1, 900000], 'devices[0].count': [2, 13]}"
    table = sweep(load(sweep_section, ["devices[0].memory=1 GB"]), jobs=1, numerics=False)
    assert table["reason"].isna().tolist() == [True, False, False, False]
    assert "does not fit" in table["reason"][2]
    assert table["latency_s"].notna().tolist() == [True, False, False, False]
    assert table["workload.batch"].tolist() == [1, 1, 900_000, 900_000]


def test_a_sweep_in_which_everything_fails_is_a_table_too(load):
    table = sweep(load("sweep: {seed: [1, 2]}", ["devices[0].memory=1 kB"]), jobs=1, numerics=False)
    assert table["reason"].notna().all()


def test_outputs_that_cannot_be_had_are_a_reason(load, monkeypatch):
    def fail(scenario, job):
        raise ValueError("outputs are not finite")

    monkeypatch.setattr(numerics, "_measure", fail)
    table = sweep(load("sweep: {strategy.name: [prism, voltage]}"), jobs=1)
    assert all("outputs are not finite" in reason for reason in table["reason"])
    assert table["latency_s"].isna().all()


def test_outputs_are_computed_once_for_all_points_that_share_them(load, measured):
    sweep_section = """\
sweep:
  network.bandwidth: [1 Mbit/s, 10 Mbit/s, 100 Mbit/s]
  devices[0].compute: [1 GFLOP/s, 2 GFLOP/s]
  strategy.segments: [1, 2]
  strategy.name: [prism, voltage]
  seed: [0, 1]
"""
    table = sweep(load(sweep_section), jobs=1)
    assert len(table) == 48
    assert sorted(measured) == sorted(
        f"{strategy} seed {seed}" for strategy in ("prism 1", "prism 2", "voltage None") for seed in (0, 1)
    )


def test_outputs_are_computed_once_even_where_they_cannot_be_kept(load, measured, own_cache):
    own_cache.write_text("a file where the folder should be")
    sweep(load("sweep: {network.latency: [1 ms, 2 ms, 3 ms]}"), jobs=1)
    assert len(measured) == 1


def test_no_output_is_computed_that_no_row_has(load, measured):
    sweep(load("sweep: {seed: [1, 2]}", ["devices[0].memory=1 kB"]), jobs=1)
    assert measured == []


def test_a_question_is_played_once(load, monkeypatch):
    played = []

    def counted(plan, rigs):
        played.extend((plan, rig) for rig in rigs)
        return many.throughputs(plan, rigs)

    monkeypatch.setattr("prism_sim.simulation.many.throughputs", counted)
    scenario = load()
    assert len(sweep(scenario, jobs=1, numerics=False)) == 60
    voltage = simulate(scenario, "voltage").plan
    of_voltage = [rig for plan, rig in played if plan == voltage]
    assert (len(of_voltage), len(played) - len(of_voltage)) == (10, 30)
    assert len(set(of_voltage)) == 10


def test_the_watcher_sees_every_point_settled(load):
    told = Told()
    Sweep(Grid.of(load()), False, progress=told).table(1)
    seen = told.seen
    assert seen[0] == ("points", 0, 60)
    assert seen[-1] == ("points", 60, 60)
    assert [known for _, known, _ in seen] == sorted(known for _, known, _ in seen)


def test_a_number_of_jobs_below_one_is_refused(load):
    with pytest.raises(ValueError, match=r"jobs\(=0\)"):
        sweep(load(), jobs=0)


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_a_file_gives_back_what_was_written(load, tmp_path, ending):
    section = (
        "sweep: {strategy.shares: [null, [0.5, 0.5]], workload.batch: [1, 900000], network.slow_start: [true, false]}"
    )
    scenario = load(section, ["devices[0].memory=1 GB", "devices[0].staging_bandwidth=none"])
    path = tmp_path / f"table.{ending}"
    sweep_to_file(SweepRequest(scenario, path, numerics=False, jobs=1))
    whole = sweep(scenario, jobs=1, numerics=False)
    pd.testing.assert_frame_equal(frames.read_table(path), whole, check_exact=True)
    assert sorted(path.name for path in tmp_path.iterdir() if path.name.startswith((".", "table"))) == sorted(
        [f"table.{ending}", f"table.{ending}.provenance.json"]
    )


def test_what_a_file_holds_is_said_beside_it(load, tmp_path):
    scenario = load(overrides=["seed=3"])
    sweep_to_file(SweepRequest(scenario, tmp_path / "table.csv", numerics=False, jobs=1))
    found = json.loads((tmp_path / "table.csv.provenance.json").read_text())
    assert found["schema"] == "prism-sim/sweep/1"
    assert (found["points"], found["computed"], found["without_figures"], found["seed"]) == (60, 40, 0, 3)
    assert found["scenario_file"] == scenario.path.read_text()
    assert found["overrides"] == ["--set seed=3"]
    assert found["scenario_hash"] == scenario.hash
    assert set(found["versions"]) >= {"prism-sim", "simpy"}
    assert list(found["columns"])[:2] == ["network.bandwidth", "network.bandwidth_bits_per_s"]
    assert found["started"] <= found["ended"]


def test_a_table_without_time_stamps_is_the_same_on_every_day(load, tmp_path):
    for name in ("a.csv", "b.csv"):
        sweep_to_file(SweepRequest(load(), tmp_path / name, numerics=False, jobs=1))
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()


def test_the_place_is_a_file_by_its_ending_or_a_folder(tmp_path):
    assert table_path(tmp_path / "a.csv") == tmp_path / "a.csv"
    assert table_path(tmp_path / "a.parquet") == tmp_path / "a.parquet"
    assert table_path(tmp_path / "a") == tmp_path / "a" / "sweep.csv"


def test_timing_alone_never_imports_torch_nor_do_its_workers(load):
    """Neither here nor in the workers, which say so by their own modules."""
    program = (
        "import sys, prism_sim;"
        "prism_sim.sweep(sys.argv[1], jobs=int(sys.argv[2]), numerics=False);"
        "print([name for name in ('torch', 'transformers', 'matplotlib', 'distributed') if name in sys.modules])"
    )
    for jobs in ("1", "2"):
        done = subprocess.run(
            [sys.executable, "-X", "importtime", "-c", program, str(load().path), jobs],
            capture_output=True,
            text=True,
            check=True,
            env=os.environ | {"PYTHONPROFILEIMPORTTIME": "1"},
        )
        assert done.stdout.split() == ["[]"]
        assert "simpy" in done.stderr
        assert not any(line.split("|")[-1].strip() == "torch" for line in done.stderr.splitlines())


def test_sweep_is_in_the_package():
    assert "sweep" in prism_sim.__all__
