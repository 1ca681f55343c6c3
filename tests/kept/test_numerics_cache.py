"""Real outputs are computed once: kept by all that determines them, and by nothing else."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from told_progress import Told

from prism_sim.choice.run import run
from prism_sim.kept.cache import cache_folder
from prism_sim.outputs import fidelity as numerics
from prism_sim.outputs.fidelity import fidelity_of
from prism_sim.simulation.simulate import simulate


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A line for each real computation; what it gives is made up."""
    happened: list[str] = []

    def measure(scenario, job):
        happened.append(job.strategy)
        return numerics.Fidelity(0.5, 0.75, None, None, True, True)

    monkeypatch.setattr(numerics, "_measure", measure)
    return happened


def ask(scenario) -> numerics.Fidelity:
    return fidelity_of(scenario, simulate(scenario).job)


@pytest.mark.slow
def test_a_second_process_gets_the_same_numbers_without_torch(load, own_cache):
    path = load().path
    program = (
        "import sys, prism_sim; found = prism_sim.run(sys.argv[1]);"
        "print(found.fidelity, found.to_json()['fidelity'], 'torch' in sys.modules, 'transformers' in sys.modules)"
    )
    lines = [
        subprocess.run(
            [sys.executable, "-c", program, str(path)],
            capture_output=True,
            text=True,
            check=True,
            env=os.environ | {"PRISM_SIM_CACHE": str(own_cache)},
        ).stdout.strip()
        for _ in range(2)
    ]
    assert lines[0].endswith("True True")
    assert lines[1].endswith("False False")
    assert lines[0].removesuffix("True True") == lines[1].removesuffix("False False")


def test_what_is_kept_is_what_was_computed(load):
    first = run(load()).fidelity
    assert run(load()).fidelity == first
    shutil.rmtree(cache_folder("numerics"))
    assert run(load()).fidelity == first  # computed anew, to the bit


def test_a_new_question_is_computed_and_an_old_one_is_not(load, measured):
    told = Told()
    for _ in range(2):
        fidelity_of(load(), simulate(load()).job, told)
    assert measured == ["prism"]
    assert len(told.lines) == 1
    assert told.lines[0].startswith("computing the real outputs of ")


CHANGES = [
    "seed=1",
    "strategy.segments=3",
    "strategy.name=voltage",
    "model.dtype=bfloat16",
    "model.weight_dtype=int8",
    "model.wire_dtype=float16",
    "workload.batch=2",
    "workload.tokens=13",
    "devices[0].count=3",
    "placement.output=terminal",
    "placement.input=terminal",
    "model.head=masked_lm",
    "model.dims.hidden_act=relu",
]


@pytest.mark.parametrize("change", CHANGES)
def test_what_determines_the_numbers_makes_them_new(load, measured, change):
    ask(load())
    ask(load([change]))
    assert len(measured) == 2
    ask(load([change]))
    assert len(measured) == 2


@pytest.mark.parametrize(
    "change",
    [
        "name=another",
        "network.bandwidth=1 Mbit/s",
        "network.latency=7 ms",
        "devices[0].compute=5 GFLOP/s",
        "devices[0].name=other",
        "terminal=1",
    ],
)
def test_hardware_and_names_do_not_make_numbers_new(load, measured, change):
    ask(load())
    ask(load([change]))
    assert len(measured) == 1


def test_an_input_counts_by_its_content(load, measured, tmp_path):
    text = tmp_path / "text.txt"
    text.write_text("one")
    ask(load(["workload.input=text.txt"]))
    text.write_text("one")
    ask(load(["workload.input=text.txt"]))
    assert len(measured) == 1
    text.write_text("two")
    ask(load(["workload.input=text.txt"]))
    assert len(measured) == 2


def test_weights_and_tokenizer_count_by_their_content(load, measured, tmp_path):
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "config.json").write_text(
        '{"model_type": "bert", "hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2,'
        ' "intermediate_size": 8}'
    )
    model = {"model": {"hf": str(folder)}}
    (folder / "model.safetensors").write_bytes(b"one")
    ask(load(model))
    ask(load(model))
    assert len(measured) == 1
    (folder / "model.safetensors").write_bytes(b"two")
    ask(load(model))
    assert len(measured) == 2
    (folder / "tokenizer.json").write_text("{}")
    ask(load(model))
    assert len(measured) == 3
    moved = Path(shutil.copytree(folder, tmp_path / "moved"))
    ask(load({"model": {"hf": str(moved)}}))
    assert len(measured) == 3


def test_our_own_source_and_the_libraries_count(load, measured, monkeypatch):
    ask(load())
    monkeypatch.setattr(numerics, "source_digest", lambda: "changed")
    ask(load())
    assert len(measured) == 2
    monkeypatch.setattr(numerics, "version", lambda name: "0")
    ask(load())
    assert len(measured) == 3


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b'{"schema": "other"}', b"\xff\xfe"])
def test_a_damaged_file_is_computed_anew_and_mended(load, measured, content):
    whole = ask(load())
    (file,) = cache_folder("numerics").iterdir()
    file.write_bytes(content)
    assert ask(load()) == whole
    assert len(measured) == 2
    assert ask(load()) == whole
    assert len(measured) == 2


def test_a_truncated_file_is_computed_anew(load, measured):
    whole = ask(load())
    (file,) = cache_folder("numerics").iterdir()
    file.write_bytes(file.read_bytes()[:-10])
    assert ask(load()) == whole
    assert len(measured) == 2


def test_without_a_place_to_keep_them_the_numbers_are_given_and_that_is_said(load, measured, own_cache):
    own_cache.write_text("a file where the folder should be")
    told = Told()
    found = fidelity_of(load(), simulate(load()).job, told)
    assert found.cosine == 0.75
    assert len(told.lines) == 2
    assert "could not be kept" in told.lines[1]
    assert own_cache.read_text() == "a file where the folder should be"


def test_nothing_is_kept_of_a_failed_computation(load, monkeypatch, own_cache):
    def fail(scenario, job):
        raise ValueError("no")

    monkeypatch.setattr(numerics, "_measure", fail)
    with pytest.raises(ValueError, match="no"):
        ask(load())
    assert not own_cache.exists()


def test_the_cache_is_where_the_environment_says(monkeypatch, tmp_path):
    monkeypatch.setenv("PRISM_SIM_CACHE", str(tmp_path / "a"))
    assert cache_folder("numerics").is_relative_to(tmp_path / "a")
    monkeypatch.delenv("PRISM_SIM_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "b"))
    assert cache_folder("numerics").is_relative_to(tmp_path / "b" / "prism-sim")
