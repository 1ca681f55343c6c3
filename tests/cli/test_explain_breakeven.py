"""`explain` and `breakeven` as a user meets them: what they print, write and refuse."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from prism_sim.scenario import load_scenario
from prism_sim.simulation.simulate import simulate

READY = sorted((Path(__file__).parents[2] / "scenarios").glob("*.yaml"))


@pytest.mark.parametrize("columns", [60, 80])
@pytest.mark.parametrize("scenario", READY, ids=lambda path: path.stem)
def test_explain_says_of_every_ready_scenario_where_time_goes_and_what_helps(prism_sim, monkeypatch, scenario, columns):
    monkeypatch.setenv("COLUMNS", str(columns))
    said = prism_sim("explain", scenario)
    assert (said.status, said.err) == (0, "")
    titles = (
        "critical path",
        "Along the path",
        "What it is made of",
        "Who waits",
        "What would help",
        "cannot be faster",
    )
    assert all(title in said.out for title in titles)
    assert max(map(len, said.out.splitlines())) <= columns
    answer = " ".join(said.out.split())
    assert re.search(r"(Compute|Staging|Overhead|The network) bounds (it|the first token): [\d.]+ % of", answer)
    assert re.search(
        r"single change: .* makes (it|the whole request) [\d.]+ (s|ms|µs), [\d.]+ times as fast\.|No single resource",
        answer,
    )


def test_explain_writes_its_json_a_picture_and_a_trace(prism_sim, tiny, tmp_path):
    said = prism_sim("explain", tiny, "--out", tmp_path / "out", "--json", tmp_path / "found.json")
    assert said.status == 0
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "explain.json",
        "timeline.png",
        "trace.json",
    ]
    assert (tmp_path / "out" / "explain.json").read_text() == (tmp_path / "found.json").read_text()
    assert (tmp_path / "out" / "timeline.png").read_bytes().startswith(b"\x89PNG")
    assert json.loads((tmp_path / "out" / "trace.json").read_text())["traceEvents"]


def test_explain_to_standard_output_is_json_alone(prism_sim, tiny):
    found = json.loads(prism_sim("explain", tiny, "--json", "-", "--set", "strategy.name=voltage").out)
    assert found["schema"] == "prism-sim/explain/1"
    assert found["strategy"] == "voltage"
    assert sum(found["breakdown_s"].values()) == pytest.approx(found["latency_s"], rel=1e-9)


def test_explain_refuses_what_run_refuses_in_one_line(prism_sim, tiny):
    said = prism_sim("explain", tiny, "--set", "network.bandwith=1 Mbit/s")
    assert said.status == 2
    assert said.out == ""
    assert len(said.err.splitlines()) == 1
    assert "did you mean" in said.err


def test_a_break_even_can_be_pasted_into_the_next_command(prism_sim, tiny):
    said = prism_sim(
        "breakeven", tiny, "--vary", "network.bandwidth", "--against", "single", "--set", "network.latency=0 s"
    )
    assert said.status == 0
    (override,) = re.findall(r"--set network\.bandwidth='(.*)'", said.out)
    scenario = load_scenario(tiny, ["network.latency=0 s", f"network.bandwidth={override}"])
    assert simulate(scenario).latency_s == pytest.approx(simulate(scenario, "single").latency_s, rel=1e-3)
    assert "Break-even at network.bandwidth" in " ".join(said.out.split())


def test_where_there_is_no_break_even_the_winner_and_both_ends_are_named(prism_sim, tiny):
    said = prism_sim(
        "breakeven", tiny, "--vary", "network.latency", "--against", "single", "--from", "10 ms", "--to", "1 s"
    )
    answer = " ".join(said.out.split())
    assert said.status == 0
    assert "no break-even between 10 ms and 1 s: single is faster throughout" in answer
    assert re.search(r"[\d.]+ times as fast at the low end and [\d.]+ at the high end", answer)


def test_skipped_points_are_shown(prism_sim, tiny):
    said = prism_sim(
        "breakeven", tiny, "--vary", "devices[0].count", "--against", "pipeline", "--from", "1", "--to", "4"
    )
    assert said.status == 0
    assert "skipped (3 to 4, 2 points): strategy: pipeline" in " ".join(said.out.split())


def test_an_index_in_a_field_is_quoted_for_the_shell(prism_sim, tiny):
    said = prism_sim(
        *("breakeven", tiny, "--vary", "devices[0].compute", "--against", "single"),
        *("--from", "1 MFLOP/s", "--to", "10 GFLOP/s", "--set", "network.latency=0 s"),
    )
    assert said.status == 0
    assert re.search(r"--set 'devices\[0\]\.compute=[\d.]+ [kMG]FLOP/s'", said.out)


def test_a_break_even_as_json_is_alone_on_standard_output(prism_sim, tiny):
    found = json.loads(
        prism_sim("breakeven", tiny, "--vary", "workload.batch", "--against", "single", "--json", "-").out
    )
    assert found["schema"] == "prism-sim/breakeven/1"
    assert len(found["points"]) == 64


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (("--vary", "network.bandwith", "--against", "single"), "did you mean 'network.bandwidth'"),
        (("--vary", "network.bandwidth", "--against", "singel"), "did you mean 'single'"),
        (("--vary", "network.bandwidth", "--against", "prism"), "own strategy"),
        (("--vary", "network.bandwidth", "--against", "single", "--from", "1"), "bare number"),
        (("--vary", "network.bandwidth", "--against", "single", "--points", "x"), "invalid int"),
        (("--vary", "network.bandwidth"), "--against"),
    ],
)
def test_breakeven_refuses_in_one_line(prism_sim, tiny, arguments, part):
    said = prism_sim("breakeven", tiny, *arguments)
    assert said.status == 2
    assert said.out == ""
    assert len(said.messages) == 1
    assert part in said.err
