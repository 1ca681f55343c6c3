"""Live runs in series: one group of processes, many cases in turn, with kernels timed between them."""

from __future__ import annotations

from pathlib import Path

import pytest

from prism_sim.live.launcher import LiveError, on_loopback
from prism_sim.live.steady.rounds import Patience
from prism_sim.live.timed import Pass
from prism_sim.live_runs.live import LiveResult, planned
from prism_sim.live_runs.series import Series, SeriesResult, run_series
from prism_sim.scenario import load_scenario

pytestmark = pytest.mark.slow

CELLS = (("strategy={name: single}",), ("strategy={name: prism, segments: 2}",), ("strategy={name: voltage}", "seed=3"))
TWO = "ranks=[0, 1]"
BERT = {
    "model_type": "bert", "hidden_size": 24, "num_hidden_layers": 2, "num_attention_heads": 3, "intermediate_size": 36,
    "vocab_size": 50, "max_position_embeddings": 64,
}  # fmt: skip
PASSES = (Pass(1, 8, 8), Pass(2, 6, 9), Pass(1, 8, 8, 0.5))
REPEATS = 3


@pytest.fixture(scope="module")
def found(tiny: Path) -> SeriesResult:
    cells = tuple((str(tiny), (TWO, *overrides)) for overrides in CELLS)
    patience = Patience(rounds=1, within_s=100.0)
    return run_series(Series(cells, (BERT,), PASSES, REPEATS, patience=patience), on_loopback(), timeout_s=100)


def test_every_case_is_measured_as_often_as_asked_and_computes_what_one_process_does(tiny: Path, found: SeriesResult):
    assert len(found.cells) == len(CELLS)
    for overrides, cell in zip(CELLS, found.cells, strict=True):
        scenario = load_scenario(tiny, [TWO, *overrides])
        result = LiveResult.of(scenario, planned(scenario), cell)
        assert REPEATS <= len(result.latencies_s) <= REPEATS + 1  # once more, if one was disturbed
        assert len(cell["disturbances"]) == len(cell["begun_s"]) == len(result.latencies_s)
        assert result.output_agrees


def test_kernels_are_timed_on_every_core_alone_and_in_company(found: SeriesResult):
    assert len(found.alone) == len(found.in_company) == 2
    for steps in (*found.alone, *found.in_company):
        wholes = [step for step in steps if not step.name]
        assert [step.label for step in wholes] == [f"bert, {one}" for one in PASSES]
        turns = [len(whole.samples_s) // 2 for whole in wholes]  # of two blocks; the first turn only warms up
        assert all(
            REPEATS <= n <= REPEATS + 2 for n in turns
        )  # before each run and after the last; one may be repeated
        assert max(turns) - min(turns) <= 1
        for whole in wholes:
            parts = [step for step in steps if step.name and step.label == whole.label]
            assert sum((step.kernels for step in parts), ()) == whole.kernels
            assert list(whole.begun_s) == sorted(whole.begun_s)
            assert all(away_s < took_s for away_s, took_s in zip(whole.away_s, whole.samples_s, strict=True))
            assert all(step.seconds > 0 for step in parts)


def test_a_half_of_heads_and_columns_has_the_products_of_its_heads_and_columns(found: SeriesResult):
    flops = {step.label: sum(kernel.flops for kernel in step.kernels) for step in found.alone[0] if not step.name}
    whole, _, half = flops.values()
    n, d, inner = 8, BERT["hidden_size"], BERT["intermediate_size"]
    attention, mlp = 2 * n * d * (4 * d + 2 * n), 2 * n * d * 2 * inner  # four projections, scores and their sums
    assert whole == attention + mlp
    assert half == 2 * attention / 3 + mlp / 2  # of 3 heads, 2 are the half


def test_a_series_without_kernels_times_none(tiny: Path):
    series = Series(((str(tiny), (TWO, *CELLS[1])),), (), (), repeats=1, warmup=0)
    found = run_series(series, on_loopback(), timeout_s=100)
    assert found.alone == found.in_company == ()


def test_what_goes_wrong_in_a_series_is_said(tiny: Path):
    series = Series(((str(tiny), ("ranks=[0, 1, 2]", "strategy={name: voltage}")),), (), (), repeats=1)
    with pytest.raises(LiveError):  # three ranks, but two processes
        run_series(series, on_loopback(), timeout_s=20)
