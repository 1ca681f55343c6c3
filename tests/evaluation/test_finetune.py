"""Training goes on through the distributed computation: exactly repeatable, resumable, on training examples alone."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from told_progress import Told
from toy_tasks import CONFIGS, examples, model, task

from prism_sim import tasks
from prism_sim.choice.run import run
from prism_sim.cli import main
from prism_sim.evaluation import Spread
from prism_sim.evaluation.evaluate import tensors
from prism_sim.evaluation.spread import drawn, spread_loss, with_segments
from prism_sim.loss.finetune import FinetuneRequest, finetune
from prism_sim.scenario import ScenarioError
from prism_sim.strategies import pipeline, prism
from prism_sim.training import state
from prism_sim.training.loop import own_loss

STEPS = 6


@pytest.fixture
def trained(tmp_path: Path) -> Path:
    folder = tmp_path / "trained"
    model("vit", "float32").save_pretrained(folder)
    return folder


@pytest.fixture
def order(load, trained):
    def made(**more: object) -> FinetuneRequest:
        overrides = {"task.checkpoint": str(trained), **more.pop("overrides", {})}  # type: ignore[dict-item]
        return FinetuneRequest(load(overrides), steps=STEPS, **more)  # type: ignore[arg-type]

    return made


def weights(folder: Path) -> bytes:
    return (folder / "model.safetensors").read_bytes()


# --- the loss


@pytest.mark.parametrize("family", CONFIGS)
def test_through_the_identity_compressor_loss_and_gradients_are_the_models_own(family):
    network = model(family)
    batch = examples(family).batch(range(5))
    inputs = tensors(network, {**batch.inputs, "labels": batch.labels})
    spread = Spread("prism", prism.Options(compressor="identity"), 2)
    gradients = []
    for loss in (own_loss, spread_loss(spread)):
        network.zero_grad()
        found = loss(network, inputs)
        found.backward()
        gradients.append([found.detach(), *(one.grad.clone() for one in network.parameters() if one.grad is not None)])
    assert len(gradients[0]) == len(gradients[1]) > 10
    for own, through in zip(*gradients, strict=True):
        torch.testing.assert_close(through, own, rtol=1e-9, atol=1e-12)


def test_segments_are_drawn_log_uniformly_from_all_of_the_range():
    torch.manual_seed(0)
    found = np.array([drawn(1, 7) for _ in range(3000)])
    assert set(found) == set(range(1, 8))
    for octave in ((1, 1), (2, 3), (4, 7)):  # as likely, each of the three
        part = np.mean((found >= octave[0]) & (found <= octave[1]))
        assert part == pytest.approx(1 / 3, abs=4 * np.sqrt(2 / 9 / 3000))
    assert {drawn(5, 5) for _ in range(9)} == {5}


def test_each_draw_comes_from_torchs_seed():
    draws = []
    for _ in range(2):
        torch.manual_seed(3)
        draws.append([drawn(1, 100) for _ in range(9)])
    assert draws[0] == draws[1]
    assert len(set(draws[0])) > 1


def test_another_number_of_segments_takes_the_place_of_a_rate():
    spread = Spread("prism", prism.Options(compression_rate=3.0), 2)
    assert with_segments(spread, 4).options == prism.Options(segments=4)
    with pytest.raises(ValueError, match="pipeline sends no segments"):
        with_segments(Spread("pipeline", pipeline.Options(), 2), 4)


# --- the checkpoint


def test_it_says_what_it_comes_from_and_serves_as_checkpoint_and_as_model(order, load, own_cache):
    found = finetune(order(segments=(1, 3), seed=2))
    record = json.loads((found.folder / "training.json").read_text())
    assert found.new
    assert found.folder.is_relative_to(own_cache)
    assert {name: record[name] for name in ("task", "seed", "from", "strategy", "ranks", "segments", "steps")} == {
        "task": "toy-vit", "seed": 2, "from": "trained", "strategy": "prism", "ranks": 2, "segments": [1, 3],
        "steps": STEPS,
    }  # fmt: skip
    assert set(record["validation"]) == set(record["validation_undistributed"]) == {"accuracy"}
    for named in ({"task.checkpoint": str(found.folder)}, {"model": {"hf": str(found.folder)}}):
        assert run(load(named)).to_json()["accuracy"]["checkpoint"] == found.folder.name


def test_the_same_order_gives_the_same_weights_and_is_found(order, tmp_path):
    first, other = (finetune(order(folder=tmp_path / name)) for name in ("one", "two"))
    assert weights(first.folder) == weights(other.folder)
    again = finetune(order(folder=tmp_path / "one"))
    assert not again.new
    assert again.record == first.record
    assert finetune(order(folder=tmp_path / "one", again=True)).new


@pytest.mark.parametrize(
    "change", [{"seed": 1}, {"segments": (1, 4)}, {"overrides": {"strategy.segments": 2}}, {"learning_rate": 1e-5}]
)
def test_another_order_gives_other_weights_and_a_folder_of_its_own(order, change):
    one, other = finetune(order()), finetune(order(**change))
    assert one.folder != other.folder
    assert weights(one.folder) != weights(other.folder)


def test_an_interrupted_training_goes_on_to_the_same_weights(order, tmp_path, monkeypatch):
    whole = finetune(order(segments=(1, 4), folder=tmp_path / "whole"))
    monkeypatch.setattr(state.Keep, "is_due", lambda keep: True)
    steps: list[int] = []

    def watch(what, done, n):
        steps.append(done)
        if len(steps) == 4:  # the state of step 3 is the last that was saved
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        finetune(order(segments=(1, 4), folder=tmp_path / "parts"), Told(watch))
    assert not (tmp_path / "parts").exists()
    resumed = finetune(order(segments=(1, 4), folder=tmp_path / "parts"), Told(watch))
    assert steps == [1, 2, 3, 4, 4, 5, 6]
    assert weights(resumed.folder) == weights(whole.folder)
    assert resumed.record["history"] == whole.record["history"]


class Forbidden:
    """Examples that nobody may look at."""

    def __len__(self) -> int:
        return 5

    def __getitem__(self, index: int) -> object:
        raise AssertionError("a test example was looked at")


def test_test_examples_are_never_looked_at(order, monkeypatch):
    ours = task("vit", 40)
    hidden = replace(ours.load().test, inputs={"pixel_values": Forbidden()}, labels=Forbidden())
    splits = replace(ours.load(), test=hidden, stated_digest="stated")
    known = {**tasks.catalogue(), "toy-vit": replace(ours, name="toy-hidden", load=lambda: splits)}
    monkeypatch.setattr(tasks, "catalogue", lambda: {**known, "toy-hidden": known["toy-vit"]})
    wanted = order(overrides={"task.name": "toy-hidden"})
    assert finetune(wanted).new
    with pytest.raises(AssertionError, match="was looked at"):
        run(wanted.scenario)


# --- what is wrong is told


def test_what_cannot_be_trained_is_told(order, load, tmp_path):
    with pytest.raises(ScenarioError, match="voltage sends no segments"):
        finetune(order(segments=(1, 2), overrides={"strategy.name": "voltage"}))
    with pytest.raises(ScenarioError, match="trained in float32, not in bfloat16"):
        finetune(order(overrides={"model.dtype": "bfloat16"}))
    with pytest.raises(ScenarioError, match="task: is missing: nothing to train on"):
        finetune(FinetuneRequest(load({"task": None, "model": {"dims": CONFIGS["vit"]}})))
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "diary.txt").write_text("mine")
    with pytest.raises(ScenarioError, match="is no checkpoint of a training"):
        finetune(order(folder=tmp_path / "mine"))
    assert (tmp_path / "mine" / "diary.txt").read_text() == "mine"


def test_a_damaged_checkpoint_is_told_and_never_used(order, tmp_path):
    found = finetune(order(folder=tmp_path / "one"))
    (found.folder / "model.safetensors").write_bytes(b"else")
    with pytest.raises(ScenarioError, match=r"is damaged: model\.safetensors is not as it was written"):
        finetune(order(folder=tmp_path / "one"))


def test_the_command_says_what_it_did(load, trained, tmp_path, capsys):
    load()
    arguments = ["finetune", str(tmp_path / "case.yaml"), "--set", f"task.checkpoint={trained}", "--steps", "2"]
    assert main([*arguments, "--random-segments", "1..4", "--out", str(tmp_path / "out")]) == 0
    said = capsys.readouterr().out
    assert "2 steps through prism over 2 rank(s), L = 1 to 4, seed 0" in said
    assert "On validation examples" in said
    with pytest.raises(SystemExit):
        main([*arguments, "--random-segments", "4..1"])
    assert "'4..1' is no range of whole numbers from 1 on; write for example 1..33" in capsys.readouterr().err
