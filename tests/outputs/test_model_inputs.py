"""What the residual stream is followed on: seeded noise, a file, or a task's examples, no example in two inputs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from prism_sim.numeric import threads
from prism_sim.numeric.residuals import deviations
from prism_sim.outputs import model_inputs
from prism_sim.outputs.model_inputs import ELSEWHERE, Reader, described, key, n_examples, reader
from prism_sim.scenario.spec import TaskSpec
from prism_sim.simulation.simulate import simulate
from prism_sim.tasks.base import Splits
from prism_sim.tasks.examples import Examples

N_TEST, PAD_TO = 9, 12  # examples; tokens


@pytest.fixture(autouse=True)
def one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small models are slower on two."""
    monkeypatch.setattr(threads, "THREADS", 1)


def sentences(n: int, first: int) -> Examples:
    """Sentence i begins with token first + i and is i + 1 tokens long, or as long as may be."""
    ids = tuple(np.arange(1, 2 + at % PAD_TO) * 0 + first + at for at in range(n))
    return Examples({"input_ids": ids}, np.zeros(n, dtype=np.int64), pad_to=PAD_TO)


@pytest.fixture
def of_task(load, monkeypatch):
    """A reader of the tiny scenario, as if it had a task."""
    splits = Splits(sentences(3, 200), sentences(5, 10), sentences(N_TEST, 100))
    monkeypatch.setattr(model_inputs, "splits_of", lambda scenario: (splits, "digest"))
    scenario = load()
    plain = reader(scenario, simulate(scenario).job)
    spec = TaskSpec(name="toy", checkpoint=None, seed=0, examples=None, data=None)
    return Reader(replace(scenario, task=spec), plain.job, plain.model, plain.given)


def first_tokens(case) -> list[int]:
    return case.known.inputs["input_ids"][:, 0].tolist()


def test_a_task_is_followed_on_its_validation_examples_at_real_positions(of_task):
    case = of_task.case(0)
    assert first_tokens(case) == list(range(10, 15))
    assert case.job.padded
    assert case.job.batch == 5
    cells, _ = deviations(case.known, case.job)
    lengths = [1, 2, 3, 4, 5]
    assert sum(cell.n_rows for cell in cells if cell.block == 0) == sum(lengths)


def test_what_is_held_out_are_test_examples_each_once(of_task):
    found = [token for number in range(1, ELSEWHERE + 1) for token in first_tokens(of_task.case(number))]
    assert found == sorted(set(found))
    assert len(found) == ELSEWHERE * (N_TEST // ELSEWHERE)
    assert set(found) <= set(range(100, 100 + N_TEST))
    assert of_task.has_more


def test_the_input_is_named(load, of_task):
    job = simulate(load()).job
    assert described(load(), job) == "1 x 12 tokens"
    assert described(of_task.scenario, job) == "5 validation examples of toy, 12 tokens each"


def test_noise_differs_by_number_and_only_by_it(load):
    scenario = load(["seed=5"])
    found = reader(scenario, simulate(scenario).job)
    one, same, other = (found.case(number).known.inputs["input_ids"] for number in (0, 0, 1))
    assert torch.equal(one, same)
    assert not torch.equal(one, other)
    assert found.has_more


def test_a_file_is_one_input(load, tmp_path):
    (tmp_path / "text.txt").write_text("words")
    scenario = load(["workload.input=text.txt"])
    assert not reader(scenario, simulate(scenario).job).has_more


def test_only_a_tasks_examples_are_named_beside_the_question(load, of_task):
    job = simulate(load()).job
    assert key(load(), job) == ""
    assert "digest" in key(of_task.scenario, job)


def test_an_input_has_as_many_examples_as_memory_holds(load):
    job = simulate(load()).job
    assert n_examples(job) == 64
    large = replace(job.sizes, width=16_384, n_heads=2, n_blocks=48)
    assert n_examples(replace(job, sizes=large)) == 2**25 // (12 * 16_384 * 48)
    assert n_examples(replace(job, sizes=replace(large, width=2**20, n_blocks=900))) == 1
