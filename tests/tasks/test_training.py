"""The training loop and its checkpoints: seeded, resumable to the bit, whole or not at all, damage told."""

from __future__ import annotations

import dataclasses
import json
import os
import signal

import pytest
import torch
from small_tasks import HALVES, STEPS
from told_progress import Told

from prism_sim import infer
from prism_sim.evaluation import evaluate
from prism_sim.numeric.loading import ModelSource, load
from prism_sim.training import TrainingError, reference
from prism_sim.training.loop import Training, batch_of, learning_rate, own_loss, train
from prism_sim.training.references import TrainingRequest, fresh_model, obtain
from prism_sim.training.state import Keep

SPLITS, RECIPE = HALVES.load(), HALVES.reference.recipe


class StoppedError(Exception):
    """Stands for a process that ends in the middle."""


def stop_after(step):
    def watch(done, steps, point):
        if done == step:
            raise StoppedError

    return watch


def weights(model):
    return {name: parameter.detach().clone() for name, parameter in model.named_parameters()}


def trained(keep=None, watch=lambda done, steps, point: None, model=None, **changes):
    model = fresh_model(HALVES, 0) if model is None else model
    history = train(model, Training(**{"examples": SPLITS.train, "recipe": RECIPE, **changes}), keep, watch)
    return model, history


def assert_equal_weights(left, right):
    left, right = weights(left), weights(right)
    assert left.keys() == right.keys()
    assert all(bool((left[name] == right[name]).all()) for name in left)


def test_training_lowers_the_loss_and_the_model_answers_what_it_has_not_seen():
    model, history = trained()
    assert history[-1].loss < history[0].loss / 2
    assert evaluate(model, HALVES, SPLITS.test).values["accuracy"] > 0.8  # chance has 0.5
    assert not model.training


def test_the_same_seed_gives_the_same_weights_and_another_seed_others():
    assert_equal_weights(trained()[0], trained()[0])
    other = weights(trained(seed=1)[0])
    assert any(bool((value != other[name]).any()) for name, value in weights(trained()[0]).items())


def test_training_leaves_the_callers_random_numbers_alone():
    torch.manual_seed(5)
    wanted = torch.rand(3)
    torch.manual_seed(5)
    trained()
    assert bool((torch.rand(3) == wanted).all())


@pytest.mark.parametrize("steps", [1, 7, STEPS - 1])
def test_an_interrupted_training_goes_on_to_the_same_weights_and_history(tmp_path, steps):
    whole, history = trained(validate=lambda model: evaluate(model, HALVES, SPLITS.test).values["accuracy"])
    keep = Keep(tmp_path / "state.safetensors", "this", every_s=0)
    validate = {"validate": lambda model: evaluate(model, HALVES, SPLITS.test).values["accuracy"]}
    with pytest.raises(StoppedError):
        trained(keep, stop_after(steps + 1), **validate)  # the state of the step before is on disk
    seen = []
    resumed, resumed_history = trained(keep, lambda done, steps, point: seen.append(done), **validate)
    assert seen[0] == steps + 1
    assert_equal_weights(whole, resumed)
    assert resumed_history == history


def test_ctrl_c_ends_a_step_and_loses_none(tmp_path):
    keep = Keep(tmp_path / "state.safetensors", "this")  # whose time to save is never due

    def ctrl_c(done, steps, point):
        if done == 3:
            os.kill(os.getpid(), signal.SIGINT)

    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        trained(keep, ctrl_c)
    assert signal.getsignal(signal.SIGINT) is before
    seen = []
    resumed, _ = trained(keep, lambda done, steps, point: seen.append(done))
    assert seen[0] == 4
    assert_equal_weights(trained()[0], resumed)


def test_a_training_of_many_pieces_is_one_training(tmp_path):
    keep = Keep(tmp_path / "state.safetensors", "this", every_s=0)
    for step in range(2, STEPS, 5):
        with pytest.raises(StoppedError):
            trained(keep, stop_after(step))
    assert_equal_weights(trained()[0], trained(keep)[0])


def test_another_forward_pass_can_be_trained_through():
    """Voltage loses nothing, so its loss and gradients are the model's own, but for rounding."""

    def through_voltage(model, inputs):
        return infer(model, inputs, ranks=2, strategy="voltage").hf_output.loss

    few = dataclasses.replace(RECIPE, steps=3)
    without_dropout = {"hidden_dropout_prob": 0.0}
    config = {**HALVES.reference.config, **without_dropout}
    models = [load(ModelSource(config, None, HALVES.head, "float32", 0)) for _ in range(3)]
    own, distributed, lossy = models
    trained(model=own, recipe=few)
    trained(model=distributed, recipe=few, forward=through_voltage)
    trained(model=lossy, recipe=few, forward=lambda m, i: infer(m, i, segments=1).hf_output.loss)
    a, b, c = map(weights, models)
    assert all(torch.allclose(a[name], b[name], atol=1e-4) for name in a)
    assert not all(torch.allclose(a[name], c[name], atol=1e-4) for name in a)


def test_every_pass_over_the_examples_shows_each_at_most_once_in_an_order_of_its_own():
    one_pass = len(SPLITS.train) // RECIPE.batch
    shown = []
    for number in range(2):
        steps = range(number * one_pass, (number + 1) * one_pass)
        batches = [batch_of(SPLITS.train, RECIPE, 0, step).inputs["pixel_values"] for step in steps]
        shown.append([picture.tobytes() for batch in batches for picture in batch])
        assert len(set(shown[-1])) == one_pass * RECIPE.batch
    assert shown[0] != shown[1]


def test_the_learning_rate_rises_in_a_line_and_falls_to_nothing():
    rates = [learning_rate(RECIPE, step) for step in range(RECIPE.steps + 1)]
    peak = RECIPE.warmup_steps
    assert rates[:peak] == [RECIPE.learning_rate * (step + 1) / peak for step in range(peak)]
    assert rates[peak] == max(rates) == RECIPE.learning_rate
    assert rates[peak:] == sorted(rates[peak:], reverse=True)
    assert rates[-1] == 0


def test_parameters_that_want_no_gradient_stay_as_they_are():
    model = fresh_model(HALVES, 0)
    frozen = model.vit.embeddings.requires_grad_(False)
    before = weights(frozen)
    trained(model=model)
    assert all(bool((value == before[name]).all()) for name, value in weights(frozen).items())


def test_a_loss_that_is_not_finite_ends_the_training():
    with pytest.raises(TrainingError, match="the loss is nan at step 0; choose a smaller learning rate"):
        trained(forward=lambda model, inputs: own_loss(model, inputs) * float("nan"))


def test_a_state_of_another_training_is_told_not_used(tmp_path):
    path = tmp_path / "state.safetensors"
    with pytest.raises(StoppedError):
        trained(Keep(path, "this", every_s=0), stop_after(3))
    with pytest.raises(TrainingError, match=r"state\.safetensors is the state of another training"):
        trained(Keep(path, "that"))


@pytest.mark.parametrize("damage", ["cut", "changed", "foreign"])
def test_a_damaged_state_is_told_not_used(tmp_path, damage):
    path = tmp_path / "state.safetensors"
    with pytest.raises(StoppedError):
        trained(Keep(path, "this", every_s=0), stop_after(3))
    spoil(path, damage)
    with pytest.raises(TrainingError, match=r"state\.safetensors, is damaged"):
        trained(Keep(path, "this"))


def spoil(path, damage):
    content = bytearray(path.read_bytes())
    match damage:
        case "cut":
            content = content[: len(content) // 2]
        case "changed":
            content[-9] ^= 1  # one bit of one weight
        case "foreign":
            content = b"no state"
    path.write_bytes(content)


def test_a_finished_training_is_found_and_is_a_hugging_face_folder():
    told = Told()
    folder = reference(HALVES, progress=told)
    assert told.lines
    assert told.seen[-1] == ("training halves, seed 0", STEPS, STEPS)
    record = json.loads((folder / "training.json").read_text())
    again = Told()
    assert reference(HALVES, progress=again) == folder
    assert not again.lines
    assert not again.seen
    config = json.loads((folder / "config.json").read_text())
    model = load(ModelSource(config, str(folder), HALVES.head, "float32", 0))
    assert evaluate(model, HALVES, SPLITS.test).values == record["test"]
    assert model.config.id2label == {0: "left", 1: "right"}
    assert record["steps"] == STEPS
    assert record["data_digest"] == SPLITS.digest()
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]


def test_the_checkpoint_holds_what_the_loop_alone_gives():
    folder = obtain(TrainingRequest(HALVES, seed=3)).folder
    config = json.loads((folder / "config.json").read_text())
    kept = load(ModelSource(config, str(folder), HALVES.head, "float32", 0))
    assert_equal_weights(kept, trained(model=fresh_model(HALVES, 3), seed=3)[0])


def test_other_seeds_steps_and_data_are_other_checkpoints(tmp_path):
    fewer = dataclasses.replace(SPLITS, test=SPLITS.test.take(range(10)))
    orders = [
        TrainingRequest(HALVES, steps=2),
        TrainingRequest(HALVES, steps=3),
        TrainingRequest(HALVES, seed=1, steps=2),
        TrainingRequest(dataclasses.replace(HALVES, load=lambda: fewer), steps=2),
    ]
    assert len({obtain(order).folder for order in orders}) == len(orders)


@pytest.mark.parametrize("name", ["model.safetensors", "config.json"])
@pytest.mark.parametrize("damage", ["changed", "missing"])
def test_a_damaged_checkpoint_is_told_and_trained_anew_only_when_asked(name, damage):
    order = TrainingRequest(HALVES, steps=2)
    folder = obtain(order).folder
    if damage == "missing":
        (folder / name).unlink()
    else:
        (folder / name).write_bytes((folder / name).read_bytes() + b" ")
    with pytest.raises(TrainingError, match=rf"is damaged: {name} is .*--again"):
        obtain(order)
    assert obtain(dataclasses.replace(order, again=True)).new
    assert not obtain(order).new


def test_a_folder_of_something_else_is_never_replaced(tmp_path):
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "letter.txt").write_text("Dear")
    for again in (False, True):
        with pytest.raises(TrainingError, match="is no checkpoint of a training"):
            obtain(TrainingRequest(HALVES, steps=2, folder=tmp_path / "letters", again=again))
    assert (tmp_path / "letters" / "letter.txt").read_text() == "Dear"


def test_a_folder_with_another_training_is_told_not_used(tmp_path):
    obtain(TrainingRequest(HALVES, steps=2, folder=tmp_path / "one"))
    with pytest.raises(TrainingError, match="holds another training of halves, seed 0"):
        obtain(TrainingRequest(HALVES, seed=1, steps=2, folder=tmp_path / "one"))


def test_a_task_without_a_small_model_says_so():
    with pytest.raises(TrainingError, match="halves has no small model of its own"):
        reference(dataclasses.replace(HALVES, reference=None))
