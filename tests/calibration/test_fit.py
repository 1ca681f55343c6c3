"""A fit finds what synthetic rows were made with, and says how well it knows it."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml

from prism_sim.calibration.cases import cases
from prism_sim.calibration.fit import Fit, fit
from prism_sim.calibration.fragment import fragment
from prism_sim.calibration.lines import straight_lines
from prism_sim.calibration.parameters import PARAMETERS, with_values
from prism_sim.calibration.table import MeasuredRow, MeasuredTable
from prism_sim.cli import main
from prism_sim.scenario import Scenario, load_scenario

ROOT = Path(__file__).parents[2]
SCENARIO = ROOT / "scenarios" / "vit-base-orin-nano.yaml"

TRUTH = {
    "compute": 500e9,
    "dispatch": 0.7e-3,
    "dispatch_restart": 3e-3,
    "handling_bandwidth": 40e6,
    "staging_ramp": 0.2,
    "network.efficiency": 0.8,
    "network.message_overhead": 1e-3,
}
MODES = [("single", 1, None), ("prism", 2, 10), ("voltage", 2, None)]


def rows(batches: tuple[int, ...] = (1, 2, 4, 8)) -> list[MeasuredRow]:
    return [
        MeasuredRow(number, strategy, ranks, segments, batch, 400e6, {"total": 1.0})
        for number, (strategy, ranks, segments, batch) in enumerate(
            [(*mode, batch) for mode in MODES for batch in batches], 2
        )
    ]


@pytest.fixture(scope="module")
def scenario() -> Scenario:
    return load_scenario(SCENARIO)


def synthetic(scenario: Scenario, noise: float = 0.0, seed: int = 0) -> MeasuredTable:
    """What `TRUTH` gives, every part off by a normal relative error."""
    random = np.random.default_rng(seed)
    made = []
    for case in cases(MeasuredTable(Path("synthetic.csv"), tuple(rows())), scenario):
        parts_s = case.predicted_s(TRUTH)
        del parts_s["total"]
        noisy = {part: seconds * math.exp(random.normal(0, noise)) for part, seconds in parts_s.items()}
        made.append(case.row._replace(times_s={**noisy, "total": sum(noisy.values())}))
    return MeasuredTable(Path("synthetic.csv"), tuple(made))


@pytest.fixture(scope="module")
def noisy(scenario: Scenario) -> Fit:
    return fit(synthetic(scenario, noise=0.02), scenario, n_starts=2)


def test_a_fit_finds_the_numbers_that_rows_without_noise_were_made_with(scenario):
    found = fit(synthetic(scenario), scenario, n_starts=2)
    assert found.untold == ()
    for name, value in TRUTH.items():
        assert found.values[name] == pytest.approx(value, rel=0.01), name
    assert max(map(abs, found.errors())) < 1e-3


def test_noise_of_two_percent_moves_numbers_little_and_intervals_hold_them(noisy):
    inside = [
        one.low is not None and one.high is not None and one.low <= TRUTH[one.parameter.name] <= one.high
        for one in noisy.found
    ]
    assert sum(inside) >= len(inside) - 1  # each interval misses one time in 20
    for name in ("compute", "dispatch", "handling_bandwidth", "staging_ramp", "network.efficiency"):
        assert noisy.values[name] == pytest.approx(TRUTH[name], rel=0.1), name
    assert max(map(abs, noisy.errors())) < 0.05


def test_degrees_of_freedom_are_measured_numbers_less_parameters(noisy):
    assert noisy.degrees_of_freedom == (4 + 2 * 4 * 3) - len(TRUTH)


def test_the_same_seed_finds_the_same_numbers_to_the_bit(scenario):
    table = synthetic(scenario, noise=0.02)
    one, other = (fit(table, scenario, ["compute", "dispatch"], n_starts=2).values for _ in range(2))
    assert one == other


def test_rows_of_one_device_say_nothing_of_a_network(scenario):
    table = synthetic(scenario)
    alone = replace(table, rows=tuple(row for row in table.rows if row.strategy == "single"))
    found = fit(alone, scenario, n_starts=1)
    assert set(found.values) == {"compute", "dispatch"}
    assert "network.efficiency" in found.untold


def test_the_fragment_is_a_scenarios_sections(noisy, tmp_path):
    text = yaml.safe_load(SCENARIO.read_text())
    del text["sweep"]
    path = tmp_path / "fitted.yaml"
    sections = yaml.safe_load(fragment(noisy))
    sections["network"] = {**text["network"], **sections["network"]}
    path.write_text(yaml.safe_dump({**text, **sections}))
    fitted = load_scenario(path)
    assert len(fitted.devices) == 2
    for name, value in noisy.values.items():
        assert PARAMETERS[name].value(fitted) == pytest.approx(value, rel=1e-3), name


def test_parameters_are_written_over_every_device_and_the_network(scenario):
    changed = with_values(scenario, {"compute": 1e9, "network.efficiency": 0.5})
    assert [device.flops_per_s for device in changed.devices] == [1e9, 1e9]
    assert changed.network.efficiency == 0.5


def test_straight_lines_are_least_squares_over_the_batch_of_each_mode():
    made = [row._replace(times_s={"total": 2.0 + 3.0 * row.batch}) for row in rows()]
    lines = straight_lines(made)
    assert [one["total"] for one in lines.predicted_s] == pytest.approx([row.times_s["total"] for row in made])
    assert (lines.n_parameters, lines.exact) == (6, False)


def test_a_line_through_one_batch_is_its_mean():
    made = [row._replace(times_s={"total": time}) for row, time in zip(rows((4, 4)), (1, 3) * 3, strict=True)]
    lines = straight_lines(made)
    assert [one["total"] for one in lines.predicted_s] == pytest.approx([2.0] * 6)
    assert (lines.n_parameters, lines.exact) == (3, False)


def test_lines_with_as_many_parameters_as_points_say_so():
    assert straight_lines(rows((1, 8))).exact


def test_the_command_shows_writes_and_agrees_with_its_json(tmp_path, capsys):
    table, out = tmp_path / "rows.csv", tmp_path / "device.yaml"
    table.write_text("strategy,batch,total\nsingle,1,80\nsingle,8,480\nsingle,16,960\n")
    options = [
        "--scenario",
        str(SCENARIO),
        "--free",
        "compute",
        "--json",
        str(tmp_path / "fit.json"),
        "--out",
        str(out),
    ]
    assert main(["fit", str(table), *options]) == 0
    shown = capsys.readouterr().out
    found = json.loads((tmp_path / "fit.json").read_text())
    assert found["schema"] == "prism-sim/fit/1"
    (parameter,) = found["parameters"]
    assert parameter["low"] < parameter["value"] < parameter["high"]
    assert parameter["text"] in shown
    assert "Few degrees of freedom" in shown
    assert "Straight lines" in shown
    assert parameter["text"] in out.read_text()
