"""The `task` section: what may be written, which model it means, and what is wrong with one, said at its place."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from prism_sim import families, tasks
from prism_sim.scenario import ScenarioError, json_schema, load_scenario
from prism_sim.tasks import find

REST = """\
devices: [{preset: raspberry-pi-5, count: 2}]
network: {preset: gigabit-ethernet}
strategy: {name: prism, segments: 4}
"""


@pytest.fixture
def load(tmp_path):
    def loaded(head: str, *overrides: str):
        path = tmp_path / "case.yaml"
        path.write_text(head + REST)
        return load_scenario(path, overrides)

    return loaded


@pytest.fixture
def checkpoint(tmp_path) -> Path:
    """A folder with the dimensions of the digits' reference, and a file of weights."""
    folder = tmp_path / "mine"
    folder.mkdir()
    reference = find("digits").reference
    assert reference is not None
    (folder / "config.json").write_text(json.dumps(dict(reference.config)))
    (folder / "model.safetensors").write_bytes(b"")
    return folder


def test_a_name_alone_stands_for_the_section(load):
    short, long = load("task: digits\n"), load("task: {name: digits}\n")
    assert short.task == long.task
    assert (short.task.name, short.task.checkpoint, short.task.examples, short.task.seed) == ("digits", None, None, 0)
    assert short.hash == long.hash
    assert load("task: {name: digits}\n", "task=digits").task == short.task
    assert load("task: digits\n", "task.seed=3").task.seed == 3


def test_without_a_model_it_is_the_tasks_own_with_trained_weights(load):
    found = load("task: digits\n").model
    reference = find("digits").reference
    assert reference is not None
    assert found.config == reference.config
    assert (found.weights, found.folder, found.hub_id, found.head) == ("pretrained", None, None, "image_classification")
    assert load("task: digits\nmodel: {wire_dtype: float16}\n").model.wire_dtype == "float16"


def test_tokens_and_batch_follow_from_the_model_as_usual(load):
    found = load("task: digits\nworkload: {batch: 3}\n")
    sizes = families.find("vit").dimensions(found.model.config)
    assert found.workload.tokens == families.find("vit").fixed_tokens(sizes)
    assert found.workload.batch == 3


def test_a_checkpoint_is_a_folder_beside_the_scenario(load, checkpoint):
    found = load("task: {name: digits, checkpoint: mine}\n")
    assert found.model.folder is not None
    assert found.model.folder.resolve() == checkpoint
    assert found.model.weights == "pretrained"
    given = load("task: digits\nmodel: {hf: mine}\n")
    assert given.model == found.model
    assert given.task.checkpoint is None


@pytest.mark.parametrize("name", tasks.catalogue())
def test_every_task_is_answered_by_its_own_model_or_says_that_one_must_be_given(load, name):
    if find(name).reference is None:
        with pytest.raises(
            ScenarioError,
            match=rf"{name} brings neither examples nor a model; write data: FOLDER .* write model: \{{hf",
        ):
            load(f"task: {name}\n")
    else:
        assert load(f"task: {name}\n").model.config["model_type"] == find(name).family


def test_what_a_task_says_is_part_of_the_hash(load):
    plain = load("model: {preset: bert-tiny}\n")
    assert plain.task is None
    hashes = {load("task: digits\n", *change).hash for change in ((), ("task.seed=1",), ("task.examples=5",))}
    assert len(hashes) == 3


@pytest.mark.parametrize(
    ("head", "message"),
    [
        ("task: digts\n", r":1:7: task\.name: 'digts' is not a task; did you mean 'digits'\? \(prism-sim list tasks\)"),
        ("task: {name: digits, sed: 1}\n", r"'sed' is not a field of task; did you mean 'seed'\?"),
        ("task: {seed: 1}\n", r"task\.name: is missing"),
        ("task: {name: digits, examples: 0}\n", r"task\.examples: 0 must be >= 1"),
        ("task: {name: digits, seed: -1}\n", r"task\.seed: -1 must be >= 0"),
        ("task: {name: digits, seed: 0.5}\n", r"task\.seed: 0\.5 is not a whole number"),
        ("task: 3\n", "task: 3 is not a section"),
        ("task:\n", "task: has no value"),
        ("", "model: is missing; write for example model:"),
        ("task: {name: digits, data: nowhere}\n", r"task\.data: 'nowhere' does not exist \(looked for .*nowhere\)"),
        ("task: {name: cifar-10, data: nowhere}\n", r"task\.data: 'nowhere' does not exist"),  # before its model
        (
            "task: {name: digits, checkpoint: refrence}\n",
            r"task\.checkpoint: 'refrence' is neither reference nor a folder .*did you mean 'reference'\?",
        ),
        ("task: {name: digits, checkpoint: .}\n", r"task\.checkpoint: .* has no config\.json"),
        ("task: digits\nmodel: {preset: gpt2}\n", "model: gpt2 is a gpt2, but the task digits is for a vit"),
        (
            "task: digits\nmodel: {preset: vit-base-patch16-224}\n",
            "model: vit-base-patch16-224 has random weights, which answer no task; give model",
        ),
        ("task: digits\nmodel: {weights: random}\n", "model: the digits reference has random weights"),
        ("task: digits\nmodel: {head: none}\n", r"model\.head: 'none' does not answer the task digits"),
        ("task: digits\nmodel: {hed: none}\n", r"'hed' is not a field of model; did you mean 'head'\?"),
    ],
)
def test_what_is_wrong_is_said_with_its_place_and_a_remedy(load, head, message):
    with pytest.raises(ScenarioError, match=message):
        load(head)


def test_a_checkpoint_and_a_model_exclude_each_other(load, checkpoint):
    with pytest.raises(ScenarioError, match=r"task\.checkpoint: cannot stand beside a model: .* keep one"):
        load("task: {name: digits, checkpoint: mine}\nmodel: {hf: mine}\n")
    with pytest.raises(ScenarioError, match=r"task\.checkpoint: cannot stand beside a model"):
        load("task: {name: digits, checkpoint: reference}\nmodel: {hf: mine}\n")


def test_the_json_schema_takes_a_name_or_a_section_and_wants_a_model_or_a_task():
    schema = json_schema()
    name, section = schema["properties"]["task"]["anyOf"]
    assert set(name["enum"]) == set(tasks.catalogue())
    assert "$ref" in json.dumps(section)
    assert schema["anyOf"] == [{"required": ["model"]}, {"required": ["task"]}]
    assert "model" not in schema["required"]
