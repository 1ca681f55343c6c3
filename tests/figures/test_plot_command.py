"""`prism-sim plot` on what commands really write; studies that are ready; the example in three lines."""

from __future__ import annotations

import json
from pathlib import Path

import pandas
import pytest
from figure_tables import accurate, bandwidths, cells, compressed, lines, row, table

from prism_sim import figures, load_scenario
from prism_sim.cli import main
from prism_sim.figures.results import read_results
from prism_sim.scenario import sweep_groups

ROOT = Path(__file__).parents[2]
STUDIES = sorted((ROOT / "scenarios").glob("study-*.yaml"))
TINY = """\
model:
  dims: {model_type: bert, hidden_size: 16, num_hidden_layers: 2, num_attention_heads: 2, intermediate_size: 32,
    vocab_size: 300, max_position_embeddings: 64, type_vocab_size: 2}
workload: {tokens: 12}
devices:
  - {name: board, compute: 1 GFLOP/s, memory_bandwidth: 1 GB/s, count: 3, idle_power: 1 W, busy_power: 2 W,
    radio_power: 1 W}
network: {bandwidth: 100 Mbit/s, latency: 1 ms}
strategy: {name: prism, segments: 2}
sweep:
  strategy.name, strategy.segments: [[single, 1], [voltage, 1], [prism, 1], [prism, 2]]
  network.bandwidth: {from: 1 Mbit/s, to: 1 Gbit/s, points: 4, scale: log}
"""


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what each command writes of one tiny scenario."""
    folder = tmp_path_factory.mktemp("written")
    scenario = folder / "tiny.yaml"
    scenario.write_text(TINY)
    for command, *more in (
        ("sweep", "--no-numerics", "--jobs", "1"),
        ("run", "--no-numerics"),
        ("compare", "--no-numerics"),
        ("explain",),
    ):
        assert main([command, str(scenario), *more, "--out", str(folder / command)]) == 0
    told = TINY[: TINY.index("sweep:")].replace("bert", "llama").replace("tokens: 12", "tokens: 12, new_tokens: 4")
    told = told.replace(", type_vocab_size: 2", "")
    scenario_of_text = folder / "text.yaml"
    scenario_of_text.write_text(f"{told}sweep: {{workload.new_tokens: [2, 4, 8], strategy.name: [single, prism]}}\n")
    swept = ["sweep", str(scenario_of_text), "--no-numerics", "--jobs", "1", "--out", str(folder / "text")]
    assert main(swept) == 0
    assert main(["run", str(scenario_of_text), "--no-numerics", "--out", str(folder / "run-of-text")]) == 0
    broken = ["breakeven", str(scenario), "--vary", "network.bandwidth", "--against", "single"]
    assert main([*broken, "--json", str(folder / "breakeven.json")]) == 0
    assert main(["validate", "--parts", "published", "--quick", "--out", str(folder / "validate")]) == 0
    (folder / "loss").mkdir()
    described = {"schema": "prism-sim/loss/1", "strategy": "prism", "cells": cells().to_dict("records")}
    (folder / "loss" / "loss.json").write_text(json.dumps(described))  # the real one takes torch
    accurate().to_csv(folder / "accuracy.csv", index=False)  # the real ones take training
    return folder


def plotted(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str]:
    capsys.readouterr()
    try:
        status = main(["plot", *map(str, arguments)])
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else 1
    return status, capsys.readouterr().err


WHERE = ("--where", "network.bandwidth=10 Mbit/s")
SAME = ("--where", "strategy.segments=1")
DRAWN = {
    "accuracy-compression": ("accuracy.csv",),
    "best-strategy": ("sweep", "--x", "network.bandwidth", "--y", "strategy.segments"),
    "bytes-compression": ("sweep", *WHERE),
    "compression": ("sweep/sweep.csv",),
    "energy": ("compare",),
    "latency": ("breakeven.json",),
    "latency-bandwidth": ("sweep", *SAME),
    "latency-compression": ("sweep",),
    "latency-parts": ("run/run.json",),
    "loss-blocks": ("loss",),
    "loss-distance": ("loss/loss.json",),
    "pareto": ("compare/compare.json", "--y", "energy_j", "--limit", "5 ms"),
    "predicted-measured": ("validate",),
    "speedup-devices": ("compare",),
    "token-rate": ("text",),
    "token-time": ("text",),
    "timeline": ("explain",),
}


@pytest.mark.parametrize(
    ("kind", "ending"), [*((kind, "png") for kind in figures.catalogue()), ("latency", "svg"), ("compression", "pdf")]
)
def test_every_kind_is_drawn_from_what_a_command_wrote(written, tmp_path, capsys, kind, ending):
    results, *more = DRAWN[kind]
    out = tmp_path / f"figure.{ending}"
    status, said = plotted(capsys, kind, written / results, *more, "-o", out)
    assert (status, said) == (0, f"wrote {out}\n")
    begin = {"png": b"\x89PNG", "svg": b"<?xml", "pdf": b"%PDF"}[ending]
    assert out.read_bytes().startswith(begin)


def test_a_picture_without_a_place_lies_beside_its_results(written, capsys):
    status, said = plotted(capsys, "compression", written / "sweep" / "sweep.csv")
    assert (status, said) == (0, f"wrote {written / 'sweep' / 'compression.png'}\n")


def test_a_trace_gives_the_spans_of_every_participant_but_not_the_critical_path(written):
    spans = read_results(written / "explain", "spans")
    assert set(spans["name"]) == {"board-0", "board-1", "board-2", "board-0 (terminal)"}
    assert set(spans["kind"]) <= {"compute", "staging", "overhead", "wait", "transfer", "propagation", "queue"}
    latency_s = json.loads((written / "explain" / "explain.json").read_text())["latency_s"]
    assert spans["end_s"].max() == pytest.approx(latency_s)
    assert (spans["end_s"] >= spans["start_s"]).all()


def test_results_of_text_have_the_names_that_a_sweep_gives_them(written):
    run, swept = read_results(written / "run-of-text"), read_results(written / "text")
    figures_of_text = {"new_tokens", "ttft_s", "tpot_s", "tokens_per_s", "step_bytes"}
    assert figures_of_text <= set(run) & set(swept)
    assert run["ttft_s"][0] + (run["new_tokens"][0] - 1) * run["tpot_s"][0] == pytest.approx(run["latency_s"][0])


def test_results_have_the_names_that_a_sweep_gives_them(written):
    swept = read_results(written / "sweep")
    run, compared = read_results(written / "run"), read_results(written / "compare")
    derived = {"sent_bytes", "peak_memory_bytes", "streamed_bytes", "name"}
    only_compared = {"lossless", "fits", "speedup", "speedup_over_fastest", "on"}
    assert set(run) - set(swept) <= derived
    assert set(compared) - set(swept) <= derived | only_compared
    (alike,) = swept[(swept["strategy"] == "prism") & (swept["segments"] == 2)].index[-2:-1]
    assert swept["network.bandwidth_bits_per_s"][alike] == pytest.approx(1e8)
    assert run["latency_s"][0] == pytest.approx(swept["latency_s"][alike])
    assert run["breakdown_transfer_s"][0] == pytest.approx(swept["breakdown_transfer_s"][alike])
    assert run["versus_single_speedup"][0] == pytest.approx(swept["versus_single_speedup"][alike])
    assert compared[(compared["strategy"] == "prism") & (compared["n_ranks"] == 3)]["latency_s"].item() == (
        pytest.approx(run["latency_s"][0])
    )


def test_parquet_is_read_like_csv(tmp_path):
    compressed().to_csv(tmp_path / "a.csv", index=False)
    compressed().to_parquet(tmp_path / "a.parquet", index=False)
    pandas.testing.assert_frame_equal(
        read_results(tmp_path / "a.csv"), read_results(tmp_path / "a.parquet"), check_dtype=False
    )


# --- what is wrong is said in one line, with exit status 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("latency-compresion", "sweep"), "did you mean 'latency-compression'?"),
        (("compression", "sweep", "-o", "figure.jpg"), "'figure.jpg' ends in '.jpg'; a figure ends in .png"),
        (("compression", "nowhere.csv"), "nowhere.csv: No such file or directory"),
        (("compression", "nowhere.parquet"), "nowhere.parquet: No such file or directory"),
        (("compression", "nothing"), "nothing: holds no sweep.csv or sweep.parquet or compare.json"),
        (("compression", "tiny.yaml"), "results end in .csv, .parquet or .json"),
        (("compression", "empty.csv"), "empty.csv: is no table"),
        (("compression", "rowless.csv"), "needs the column 'latency_s', which the table lacks; it has a, b"),
        (("compression", "none.csv"), "compression: the table has no rows, so there is nothing to draw"),
        (("compression", "broken.json"), "broken.json: is no JSON"),
        (("compression", "other.json"), "other.json: is no result that can be drawn"),
        (("compression", "damaged.json"), "damaged.json: is damaged"),
        (("compression", "explain/trace.json"), "is no result that can be drawn"),
        (("compression", "broken.parquet"), "broken.parquet: is no Parquet file"),
        (("timeline", "run"), "`prism-sim explain SCENARIO --out DIR` writes"),
        (("timeline", "run/run.json"), "is no trace"),
        (("timeline", "sweep/sweep.csv"), "holds rows of results"),
        (("latency-bandwidth", "compare"), "latency-bandwidth needs the column 'network.bandwidth'"),
        (("compression", "sweep", "--x", "latency_s"), "--x: compression takes no columns to choose"),
        (("pareto", "sweep", "--by", "latency_s"), "--by: pareto takes --x, --y, --limit"),
        (("pareto", "sweep", "--limit", "soon"), "--limit soon"),
        (("pareto", "sweep", "--y", "energi_j"), "needs the column 'energi_j', which the table lacks; did you mean"),
        (("compression", "sweep", "--where", "strategy"), "has no '='"),
        (("compression", "sweep", "--where", "strateg=prism"), "no column 'strateg'; did you mean 'strategy'?"),
        (("compression", "sweep", "--where", "strategy=galaxy"), "leaves no row; there are single, voltage, prism"),
    ],
)  # fmt: skip
def test_what_cannot_be_drawn_is_one_message(written, capsys, monkeypatch, arguments, message):
    monkeypatch.chdir(written)
    (written / "nothing").mkdir(exist_ok=True)
    for name, content in {
        "empty.csv": "",
        "rowless.csv": "a,b\n",
        "none.csv": "latency_s,sent_bytes,compression_rate,strategy\n",
        "broken.json": "{",
        "other.json": '{"schema": "prism-sim/explain/1"}',
        "damaged.json": '{"schema": "prism-sim/run/1"}',
        "broken.parquet": "no",
    }.items():
        (written / name).write_text(content)
    before = sorted(written.rglob("*"))
    status, said = plotted(capsys, *arguments)
    assert status == 2
    assert said.startswith("prism-sim: ")
    assert said.count("\n") == 1
    assert message in said
    assert sorted(written.rglob("*")) == before


@pytest.mark.parametrize(
    ("condition", "kept"),
    [
        ("network.bandwidth=10 Mbit/s", {10}),
        ("network.bandwidth=10000000", {10}),
        ("network.bandwidth!=0.01 Gbit/s", {1, 100}),
        ("strategy=prism", {1, 10, 100}),
    ],
)
def test_where_keeps_rows_by_value_with_or_without_a_unit(condition, kept):
    from prism_sim.commands.plot import _kept
    from prism_sim.figures.rows import canonical

    rows = canonical(bandwidths({"prism": [1, 2, 3]}, [1, 10, 100]))
    assert set(_kept(rows, condition)["network.bandwidth"] / 1e6) == kept


# --- ready studies, and the example in three lines


@pytest.mark.parametrize("study", STUDIES, ids=lambda path: path.stem)
def test_a_ready_study_begins_with_its_question_and_says_how_to_draw_its_answer(study):
    head = [line for line in study.read_text().splitlines() if line.startswith("#")]
    assert "?" in head[0] + head[1]
    assert any("prism-sim sweep scenarios/" + study.name in line for line in head)
    kinds = [line.split()[3] for line in head if "prism-sim plot" in line]
    assert kinds
    assert set(kinds) <= set(figures.catalogue())
    assert sweep_groups(load_scenario(study))


def test_a_small_study_answers_its_question():
    from prism_sim import sweep

    found = sweep(ROOT / "scenarios" / "study-batch-crossover.yaml", jobs=1, numerics=False)
    (axes,) = figures.draw_latency(found, x="workload.batch").axes
    assert set(lines(axes)) >= {"single", "voltage", "prism", "as fast as single"}
    at = lines(axes)["as fast as single"][0]
    assert len(at) == 1
    assert 2 < at[0] < 8  # arXiv 2605.25682: prism wins from batch 8 on


def test_three_lines_draw_the_picture_of_the_command(written, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "sweep.csv").write_bytes((written / "sweep" / "sweep.csv").read_bytes())
    exec((ROOT / "plots" / "from_a_table.py").read_text(), {})
    status, _ = plotted(capsys, "latency-compression", "out", "--title", "Two Jetson Orin Nano", "-o", "other.png")
    assert status == 0
    assert (tmp_path / "latency-compression.png").read_bytes() == (tmp_path / "other.png").read_bytes()


def test_failed_points_are_left_out():
    rows = pandas.concat([compressed().assign(reason=None), table(row(latency_s=float("nan"), reason="does not fit"))])
    assert lines(figures.draw_compression(rows).axes[0]) == lines(figures.draw_compression(compressed()).axes[0])
