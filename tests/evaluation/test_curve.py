"""Accuracy over compression rates, compressors, seeds and checkpoints, as `prism-sim accuracy` gives it."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path

import pandas
import pytest
from rich.console import Console
from toy_tasks import CONFIGS, model

from prism_sim.cli import main
from prism_sim.loss.accuracy import FINE_TUNED, ZERO_SHOT, AccuracyRequest, curve
from prism_sim.outputs.task_accuracy import accuracy_of
from prism_sim.reports.curve import show_curve
from prism_sim.scenario import ScenarioError
from prism_sim.simulation.simulate import simulate

LARGEST = 5  # rows of the larger of two partitions of the toy's ten tokens


@pytest.fixture
def trained(tmp_path: Path) -> Path:
    folder = tmp_path / "trained"
    model("vit", "float32").save_pretrained(folder)
    return folder


@pytest.fixture
def scenario(load, trained):
    return load({"task.checkpoint": str(trained)})


def test_by_default_l_takes_the_powers_of_two_that_compress(scenario):
    found = curve(AccuracyRequest(scenario))
    assert [point.simulation.compression for point in found.points] == [
        (None, None), (1, LARGEST / 1), (2, LARGEST / 2), (4, LARGEST / 4)
    ]  # fmt: skip
    assert [point.strategy for point in found.points] == ["single", "prism", "prism", "prism"]


def test_every_point_is_what_a_run_would_say(scenario):
    for point in curve(AccuracyRequest(scenario, segments=(1, 3))).points[1:]:
        alike = scenario.with_overrides({"strategy.segments": point.simulation.compression[0]})
        assert point.accuracy == accuracy_of(alike, simulate(alike).job)
        assert point.simulation.latency_s == simulate(alike).latency_s


def test_compressors_that_ignore_l_have_one_point_and_exact_ones_lose_nothing(scenario):
    found = curve(AccuracyRequest(scenario, segments=(1, 2, 4), compressors=("segment_means", "identity")))
    assert [point.compressor for point in found.points] == [None, *["segment_means"] * 3, "identity"]
    assert found.points[-1].accuracy.difference.estimate == 0
    assert found.points[0].accuracy.difference.estimate == 0


def test_a_strategy_without_segments_has_one_point(scenario):
    found = curve(AccuracyRequest(scenario.with_overrides({"strategy.name": "pipeline"})))
    assert [point.strategy for point in found.points] == ["single", "pipeline"]


def test_one_device_alone_has_one_point(scenario):
    found = curve(AccuracyRequest(scenario.with_overrides({"strategy.name": "single"})))
    assert [point.strategy for point in found.points] == ["single"]


@pytest.mark.parametrize(("segments", "told"), [((2, LARGEST - 1), False), ((2, LARGEST), True), ((2, 1000), True)])
def test_an_l_of_all_rows_is_said_to_send_every_row_and_loses_nothing(scenario, segments, told):
    found = curve(AccuracyRequest(scenario, segments))
    assert [point.sends_every_row for point in found.points] == [False, False, told]
    console = Console(file=StringIO(), width=100)
    show_curve(found, console)
    assert (
        f"note: L = {segments[-1]} sends every row, as does any from {LARGEST} on" in console.file.getvalue()
    ) == told
    if told:
        assert found.points[-1].accuracy.difference.estimate == 0


def test_a_fine_tuned_checkpoint_is_compared_with_the_undistributed_model_before(scenario, tmp_path):
    other = tmp_path / "other"
    network = model("vit", "float32")
    network.classifier.bias.data += 3.0 * (network.classifier.bias.data.new_tensor([0, 1, 0]))
    network.save_pretrained(other)
    found = curve(AccuracyRequest(scenario, segments=(1,), fine_tuned=(other,)))
    assert [point.checkpoint for point in found.points] == [ZERO_SHOT, ZERO_SHOT, FINE_TUNED, FINE_TUNED]
    before, _, after, _ = found.points
    assert after.accuracy.undistributed == before.accuracy.distributed
    assert after.accuracy.difference.estimate == pytest.approx(
        after.accuracy.distributed.estimate - before.accuracy.distributed.estimate
    )
    assert after.accuracy.distributed != before.accuracy.distributed


def test_seeds_make_points_each_and_one_interval_over_all(load):
    found = curve(AccuracyRequest(load(), segments=(1,), seeds=(0, 1, 2)))
    assert [point.seed for point in found.points] == [0, 1, 2] * 2
    single, lossy = found.over_seeds()
    for one in (single, lossy):
        values = [point.accuracy.distributed.estimate for point in one.points]
        assert one.mean == pytest.approx(sum(values) / 3)
        assert one.difference.low <= one.difference.estimate <= one.difference.high
    assert single.difference.estimate == 0
    described = found.to_json()
    assert [one["seeds"] for one in described["over_seeds"]] == [[0, 1, 2]] * 2
    json.dumps(described, allow_nan=False)


def test_what_does_not_fit_is_told(scenario, load, tmp_path):
    with pytest.raises(ScenarioError, match="--seeds: are those of a task's own reference"):
        curve(AccuracyRequest(scenario, seeds=(0, 1)))
    with pytest.raises(ScenarioError, match=r"--fine-tuned: 1 checkpoint\(s\) for 2 seed\(s\); give one for each"):
        curve(AccuracyRequest(load(), seeds=(0, 1), fine_tuned=(tmp_path,)))
    with pytest.raises(ScenarioError, match="--segments: pipeline has no segments"):
        curve(AccuracyRequest(scenario.with_overrides({"strategy.name": "pipeline"}), segments=(1,)))
    with pytest.raises(ScenarioError, match="--compressors: voltage has no compressor"):
        curve(AccuracyRequest(scenario.with_overrides({"strategy.name": "voltage"}), compressors=("identity",)))
    with pytest.raises(ScenarioError, match=r"'identty'.*did you mean 'identity'"):
        curve(AccuracyRequest(scenario, compressors=("identty",)))
    with pytest.raises(ScenarioError, match="task: is missing"):
        curve(AccuracyRequest(load({"task": None, "model": {"dims": CONFIGS["vit"]}})))


def test_the_command_writes_a_table_that_can_be_plotted(load, trained, tmp_path, capsys):
    load({"task.checkpoint": str(trained)})
    command = ["accuracy", str(tmp_path / "case.yaml"), "--set", f"task.checkpoint={trained}", "--segments", "1,2"]
    assert main([*command, "--out", str(tmp_path / "out")]) == 0
    said = capsys.readouterr().out
    assert "toy-vit: accuracy on 40 test examples, 95 % intervals" in said
    table = pandas.read_csv(tmp_path / "out" / "accuracy.csv")
    assert list(table["strategy"]) == ["single", "prism", "prism"]
    assert list(table["segments"])[1:] == [1, 2]
    assert (table["accuracy_low"] <= table["accuracy"]).all()
    assert json.loads((tmp_path / "out" / "accuracy.json").read_text())["schema"] == "prism-sim/accuracy/1"
    assert (tmp_path / "out" / "accuracy-compression.png").stat().st_size > 10_000
    picture = tmp_path / "again.png"
    assert main(["plot", "accuracy-compression", str(tmp_path / "out" / "accuracy.csv"), "-o", str(picture)]) == 0
    assert picture.exists()


@pytest.mark.parametrize("text", ["", "0", "1,x", "2,2", "-1"])
def test_numbers_of_segments_are_read_strictly(tmp_path, capsys, text):
    with pytest.raises(SystemExit):
        main(["accuracy", str(tmp_path / "case.yaml"), f"--segments={text}"])
    assert "argument --segments" in capsys.readouterr().err
