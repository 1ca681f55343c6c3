"""A task's metric beside latency: what a run says of it, and that it is answered once, by all that decides it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from toy_tasks import CONFIGS, HEADS, model

from prism_sim import sweep
from prism_sim.choice.compare import compare
from prism_sim.choice.run import run
from prism_sim.numeric.loading import ModelSource
from prism_sim.numeric.loading import load as load_model
from prism_sim.outputs import task_accuracy as accuracy
from prism_sim.outputs.task_accuracy import Accuracy, accuracy_of, answers
from prism_sim.reports.accuracy import accuracy_text
from prism_sim.scenario import ScenarioError
from prism_sim.simulation.simulate import simulate
from prism_sim.tasks import find
from prism_sim.tasks.intervals import Interval


@pytest.fixture
def trained(tmp_path: Path) -> Path:
    """A checkpoint for `toy-vit`, whose weights happen to be random."""
    folder = tmp_path / "trained"
    model("vit", "float32").save_pretrained(folder)
    return folder


@pytest.fixture
def computed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A word for each time that examples are really answered."""
    happened: list[str] = []
    real = accuracy._computed

    def counted(scenario, job, *more):
        happened.append("undistributed" if job is None else f"{job.strategy} {getattr(job.options, 'segments', '')}")
        return real(scenario, job, *more)

    monkeypatch.setattr(accuracy, "_computed", counted)
    return happened


def ask(scenario) -> Accuracy:
    found = accuracy_of(scenario, simulate(scenario).job)
    assert found is not None
    return found


# --- what a run says


def test_a_run_of_a_task_trains_its_reference_and_says_how_it_does(load, own_cache):
    described = run(load()).to_json()
    found = described["accuracy"]
    assert described["task"] == found["task"] == "toy-vit"
    assert (found["metric"], found["n"]) == ("accuracy", 40)
    for part in (found, found["undistributed"]):
        low, high = part["interval"]
        assert 0 <= low <= part["value"] <= high <= 1
    difference = found["difference"]
    assert difference["value"] == pytest.approx(found["value"] - found["undistributed"]["value"])
    assert difference["interval"][0] < difference["value"] < difference["interval"][1]
    assert found["metrics"] == {"accuracy": found["value"]}
    assert found["data_digest"] == find("toy-vit").load().digest()
    (folder,) = (own_cache / "references").iterdir()
    assert json.loads((folder / "training.json").read_text())["task"] == "toy-vit"
    assert described["fidelity"]["top1_agreement"] is not None  # its weights are real


def test_without_a_task_there_is_no_accuracy_and_without_numerics_none_either(load):
    assert run(load(), numerics=False).to_json()["accuracy"] is None
    plain = {"task": None, "model": {"dims": CONFIGS["vit"]}}
    described = run(load(plain)).to_json()
    assert described["task"] is described["accuracy"] is None


def test_the_identity_compressor_answers_exactly_as_the_undistributed_model(load, trained):
    scenario = load({"task.checkpoint": str(trained), "strategy.compressor": "identity"})
    found = ask(scenario)
    assert found.distributed == found.undistributed
    assert found.difference.estimate == 0
    through, alone = answers(scenario, simulate(scenario).job), answers(scenario, None)
    np.testing.assert_array_equal(through.outcomes["prediction"], alone.outcomes["prediction"])


def test_fewer_examples_are_the_first_ones(load, trained):
    whole, some = (
        answers(load({"task.checkpoint": str(trained), **more}), None) for more in ({}, {"task.examples": 7})
    )
    np.testing.assert_array_equal(some.outcomes["target"], whole.outcomes["target"][:7])
    assert ask(load({"task.checkpoint": str(trained), "task.examples": 7})).n == 7


def test_compare_says_it_of_what_loses_something(load, trained):
    found = compare(load({"task.checkpoint": str(trained)}))
    for candidate in found.candidates:
        assert (candidate.accuracy is not None) == (candidate.fidelity is not None)
    (lossy,) = [one for one in found.to_json()["candidates"] if one["strategy"] == "prism"]
    assert lossy["accuracy"]["n"] == 40


def test_a_report_has_the_interval_and_the_paired_difference():
    def points(estimate: float, low: float, high: float) -> Interval:
        return Interval(estimate, low, high)

    three = points(0.9688, 0.956, 0.978), points(0.981, 0.97, 0.99), points(-0.0122, -0.0204, -0.004)
    found = Accuracy("digits", "accuracy", 899, *three, {}, "reference, seed 0", None, "")
    assert accuracy_text(found) == (
        "accuracy 96.9 % (95.6 to 97.8), undistributed 98.1 %: -1.2 points (-2.0 to -0.4), "
        "899 examples of digits (reference, seed 0)"
    )
    three = points(12.3456, 12, 13), points(11, 10, 12), points(1.3456, 1, 2)
    found = Accuracy("text", "perplexity", 9, *three, {}, "gpt2", None, "")
    assert accuracy_text(found).startswith(
        "perplexity 12.346 (12.000 to 13.000), undistributed 11.000: +1.3456 (+1.0000"
    )


# --- answered once


def test_the_same_question_is_answered_once(load, trained, computed):
    same = {"task.checkpoint": str(trained)}
    ask(load(same))
    assert computed == ["undistributed", "prism 1"]
    ask(load(same))
    for idle in (
        {"network.bandwidth": "1 Mbit/s"},
        {"devices[0].compute": "9 GFLOP/s"},
        {"workload.batch": 3},
        {"seed": 5},
    ):
        ask(load(same | idle))
    assert computed == ["undistributed", "prism 1"]


@pytest.mark.parametrize(
    ("change", "new"),
    [
        ({"strategy.segments": 2}, ["prism 2"]),
        ({"strategy.compressor": "identity"}, ["prism 1"]),
        ({"strategy.name": "voltage"}, ["voltage "]),
        ({"devices[0].count": 3}, ["prism 1"]),
        ({"model.wire_dtype": "float16"}, ["prism 1"]),
        ({"model.dtype": "bfloat16"}, ["undistributed", "prism 1"]),
        ({"task.examples": 9}, ["undistributed", "prism 1"]),
    ],
)
def test_what_decides_the_answers_makes_a_new_question(load, trained, computed, change, new):
    same = {"task.checkpoint": str(trained)}
    ask(load(same))
    del computed[:]
    ask(load(same | change))
    assert computed == new


def test_a_checkpoint_counts_by_its_content(load, trained, computed):
    ask(load({"task.checkpoint": str(trained)}))
    moved = trained.rename(trained.with_name("moved"))
    ask(load({"task.checkpoint": str(moved)}))
    assert len(computed) == 2
    load_model(ModelSource(CONFIGS["vit"], None, HEADS["vit"], "float32", 9)).save_pretrained(moved)
    ask(load({"task.checkpoint": str(moved)}))
    assert len(computed) == 4


def test_another_seed_of_the_reference_is_another_question(load, monkeypatch):
    ours = {accuracy.question(load({"task.seed": seed}), None) for seed in (0, 1, 0)}
    assert len(ours) == 2
    own = accuracy.source_digest
    monkeypatch.setattr(accuracy, "source_digest", lambda *rooms: "changed" if rooms else own())
    assert accuracy.question(load(), None) not in ours


@pytest.mark.slow
def test_a_second_process_finds_the_answers_without_torch(tmp_path, own_cache):
    digits = find("digits")
    assert digits.reference is not None
    folder = tmp_path / "untrained"
    load_model(ModelSource(digits.reference.config, None, digits.head, "float32", 0)).save_pretrained(folder)
    scenario = tmp_path / "digits.yaml"
    scenario.write_text(
        f"task: {{name: digits, checkpoint: {folder}, examples: 9}}\ndevices: [{{preset: raspberry-pi-5, count: 2}}]\n"
        "network: {preset: gigabit-ethernet}\nstrategy: {name: prism, segments: 4}\n"
    )
    program = (
        "import sys, prism_sim; found = prism_sim.run(sys.argv[1]).to_json();"
        "print(found['accuracy'], 'torch' in sys.modules, 'transformers' in sys.modules)"
    )
    lines = [
        subprocess.run(
            [sys.executable, "-c", program, str(scenario)],
            capture_output=True, text=True, check=True, env=os.environ | {"PRISM_SIM_CACHE": str(own_cache)},
        ).stdout.strip()
        for _ in range(2)
    ]  # fmt: skip
    assert lines[0].endswith("True True")
    assert lines[1].endswith("False False")
    assert lines[0].removesuffix("True True") == lines[1].removesuffix("False False")


# --- sweeps


SWEPT = {
    "sweep": {
        "strategy.name, strategy.segments": [["single", 1], ["voltage", 1], ["prism", 1], ["prism", 2]],
        "network.bandwidth": ["10 Mbit/s", "20 Mbit/s", "30 Mbit/s"],
    }
}


def test_a_sweep_answers_each_question_once_and_has_columns_of_accuracy(load, trained, computed):
    table = sweep(load({"task.checkpoint": str(trained), **SWEPT}), jobs=1)
    assert len(table) == 12
    assert sorted(computed) == ["prism 1", "prism 2", "single ", "undistributed", "voltage "]
    assert table["reason"].isna().all()
    assert (table["accuracy_low"] <= table["accuracy"]).all()
    assert (table["accuracy"] <= table["accuracy_high"]).all()
    exact = table[table["strategy"] != "prism"]
    assert (exact["accuracy"] == exact["accuracy_undistributed"]).all()
    less = table["accuracy"] - table["accuracy_undistributed"]
    np.testing.assert_allclose(table["accuracy_difference"], less, atol=1e-12)
    assert set(table["accuracy_metric"]) == {"accuracy"}
    one = load({"task.checkpoint": str(trained), "strategy.segments": 2})
    (same,) = set(table[table["strategy.segments"].eq(2) & table["strategy"].eq("prism")]["accuracy"])
    assert same == ask(one).distributed.estimate


def test_a_sweep_over_seeds_trains_each_reference_once(load, own_cache):
    over = {"sweep": {"task.seed": [0, 1], "strategy.segments": [1, 2]}}
    table = sweep(load(over), jobs=1)
    assert len(list((own_cache / "references").iterdir())) == 2
    assert table["accuracy"].notna().all()


def test_a_search_takes_accuracy_as_an_objective(load, trained):
    pytest.importorskip("optuna", reason="search needs it")
    from prism_sim.searching.goals import Goals
    from prism_sim.searching.search import SearchRequest, search

    scenario = load({"task.checkpoint": str(trained), **SWEPT})
    goals = Goals.of(["latency_s"], ["accuracy"], ["accuracy_difference > -1"])
    found = search(SearchRequest(scenario, goals, evaluations=12))
    table = sweep(scenario, jobs=1)
    best = max(row["accuracy"] for row in found.front_rows)
    assert best == table["accuracy"].max()
    with pytest.raises(ScenarioError, match="is computed with numerics only"):
        search(SearchRequest(scenario, goals, evaluations=12, numerics=False))


def test_without_numerics_a_sweep_has_empty_columns_and_answers_nothing(load, computed, own_cache):
    table = sweep(load(SWEPT), jobs=1, numerics=False)
    assert table["accuracy"].isna().all()
    assert not computed
    assert not own_cache.exists()


def test_a_sweep_without_a_task_has_no_such_columns(load):
    plain = {"task": None, "model": {"dims": CONFIGS["vit"]}, **SWEPT}
    assert not [name for name in sweep(load(plain), jobs=1, numerics=False) if name.startswith("accuracy")]


# --- what is wrong is told


def test_a_checkpoint_for_other_classes_is_told(load, tmp_path):
    folder = tmp_path / "other"
    load_model(ModelSource(CONFIGS["vit"] | {"num_labels": 7}, None, HEADS["vit"], "float32", 0)).save_pretrained(
        folder
    )
    scenario = load({"task.checkpoint": str(folder)})
    with pytest.raises(ScenarioError, match="tells 7 classes apart, but the task toy-vit has 3") as caught:
        run(scenario)
    assert caught.value.field == "task.checkpoint"
    hf = load({"model": {"hf": str(folder)}})
    with pytest.raises(ScenarioError, match="tells 7 classes apart") as caught:
        run(hf)
    assert caught.value.field == "model.hf"


def test_weights_that_are_damaged_are_told(load, trained):
    (trained / "model.safetensors").write_bytes(b"nothing")
    with pytest.raises(ScenarioError, match="cannot be loaded"):
        run(load({"task.checkpoint": str(trained)}))


def test_more_examples_than_there_are_and_data_that_no_one_needs_are_told(load, trained, tmp_path):
    with pytest.raises(ScenarioError, match=r"task\.examples: 41 is more than the 40 test examples of toy-vit"):
        run(load({"task.checkpoint": str(trained), "task.examples": 41}))
    with pytest.raises(ScenarioError, match=r"task\.data: the task toy-vit brings its own data"):
        run(load({"task.checkpoint": str(trained), "task.data": str(tmp_path)}))


def test_latency_and_accuracy_are_of_sequences_of_one_length(load):
    text = {"task.name": "toy-gpt2"}
    assert load(text).workload.tokens == 16
    run(load(text))
    with pytest.raises(ScenarioError, match=r"workload\.tokens: the latency is of 8 tokens, but .* toy-gpt2 have 16"):
        run(load(text | {"workload.tokens": 8}))


def test_in_a_sweep_it_is_the_reason_of_the_points_that_it_concerns(load, trained):
    over = {"task.checkpoint": str(trained), "sweep": {"task.examples": [5, 41]}}
    table = sweep(load(over), jobs=1)
    assert list(table["reason"].isna()) == [True, False]
    assert "41 is more than the 40" in table["reason"][1]
    assert np.isnan(table["latency_s"][1])
