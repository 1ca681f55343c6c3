"""`prism-sim search` as a user meets it."""

from __future__ import annotations

import json

import pandas as pd
import pytest

from prism_sim.cli import main

GOALS = ["--minimise", "latency_s", "--minimise", "energy_j", "--no-numerics", "--evaluations", "20"]


def refused(capsys, *arguments) -> str:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COLUMNS", "500")
        assert main([str(argument) for argument in arguments]) == 2
    found = capsys.readouterr()
    assert not found.out
    (line,) = (line for line in found.err.splitlines() if line.startswith("prism-sim: "))
    return line


def test_it_writes_the_front_all_rows_and_a_picture(small_file, tmp_path, capsys):
    out = tmp_path / "out"
    assert main(["search", str(small_file), *GOALS, "--json", "-", "--out", str(out)]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["schema"], found["evaluated"]) == ("prism-sim/search/1", 20)
    front, rows = pd.read_csv(out / "front.csv"), pd.read_csv(out / "evaluated.csv")
    assert len(rows) == 20
    assert rows["on_front"].sum() == len(front) == len(found["front"])
    assert list(front["latency_s"]) == pytest.approx([row["latency_s"] for row in found["front"]], rel=1e-12)
    assert (out / "pareto.png").read_bytes()[:4] == b"\x89PNG"


def test_it_prints_the_front_and_the_counts(small_file, capsys):
    assert main(["search", str(small_file), *GOALS]) == 0
    printed = " ".join(capsys.readouterr().out.split())
    assert "20 points evaluated, of 45 distinct ones among 81" in printed
    assert "latency_s" in printed


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--minimise", "latncy_s"], "did you mean 'latency_s'?"),
        (["--minimise", "latency_s", "--where", "enrgy_j < 1"], "did you mean 'energy_j'?"),
        (["--minimise", "strategy"], "is no number"),
        (["--maximise", "fidelity_cosine"], "leave out --no-numerics"),
        (["--minimise", "latency_s", "--where", "fit"], "did you mean 'fits'?"),
        (["--minimise", "latency_s", "--maximise", "latency_s"], "an objective twice"),
        (["--minimise", "latency_s", "--evaluations", "0"], "must be 1 or more"),
        ([], "nothing to search for"),
    ],
)
def test_wrong_options_are_one_message(small_file, capsys, arguments, message):
    assert message in refused(capsys, "search", small_file, "--no-numerics", *arguments)


def test_fidelity_is_an_objective_and_equal_outputs_share_one(small_file, capsys):
    goals = ["--minimise", "latency_s", "--maximise", "fidelity_cosine", "--evaluations", "12"]
    assert main(["search", str(small_file), *goals, "--json", "-"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert all(0 < row["fidelity_cosine"] <= 1 + 1e-6 for row in found["front"])


def test_a_picture_that_would_mislead_is_left_out_and_said_so(small_file, tmp_path, capsys):
    goals = ["--minimise", "latency_s", "--maximise", "strategy.segments", "--no-numerics", "--evaluations", "9"]
    assert main(["search", str(small_file), *goals, "--out", str(tmp_path / "out")]) == 0
    assert "no pareto.png" in capsys.readouterr().err
    assert (tmp_path / "out" / "front.csv").exists()
