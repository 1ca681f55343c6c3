"""`prism-sim train`: what it makes, what it says, and how wrong use is answered."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
import transformers

from prism_sim.cli import main

COMMAND = [sys.executable, "-m", "prism_sim.cli", "train"]


def trained(capsys, *arguments):
    """Exit status, and what was written to standard output and standard error."""
    try:
        status = main(["train", *map(str, arguments)])
    except SystemExit as end:
        status = end.code
    return status, *capsys.readouterr()


def test_trains_measures_keeps_and_finds_again(capsys, own_cache):
    status, out, _ = trained(capsys, "digits", "--steps", 3, "--json", "-")
    found = json.loads(out)
    assert status == 0
    assert found["task"] == "digits"
    assert found["steps"] == 3
    assert found["examples"]["test"] == 901
    assert 0 <= found["test"]["accuracy"] <= 1
    assert [path.name for path in (own_cache / "references").iterdir()] == [Path(found["folder"]).name]
    again = trained(capsys, "digits", "--steps", 3)
    assert again[0] == 0
    assert f"trained before: {found['folder']}" in again[1]


def test_the_folder_is_one_for_a_scenario(capsys, tmp_path):
    assert trained(capsys, "digits", "--steps", 1, "--out", tmp_path / "model")[0] == 0
    scenario = tmp_path / "scenario.yaml"
    scenario.write_text("""\
model: {hf: ./model}
devices: [{compute: 1 GFLOP/s, memory_bandwidth: 1 GB/s, count: 2}]
network: {bandwidth: 100 Mbit/s, latency: 1 ms}
strategy: {name: voltage}
""")
    assert main(["run", str(scenario), "--json", "-"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["fidelity"]["top1_agreement"] == 1  # real weights, and nothing is lost


@pytest.mark.slow
def test_a_text_models_folder_has_its_tokenizer(capsys, tmp_path):
    assert trained(capsys, "python-manual", "--steps", 1, "--out", tmp_path / "model")[0] == 0
    tokenizer = transformers.AutoTokenizer.from_pretrained(tmp_path / "model")
    model = transformers.BertForSequenceClassification.from_pretrained(tmp_path / "model")
    encoded = tokenizer("Return the Queue", return_tensors="pt")
    ids = encoded["input_ids"]
    assert tokenizer.decode(ids[0]).replace(" ", "") == "[CLS]returnthequeue[SEP]"
    assert tokenizer.pad_token_id == model.config.pad_token_id
    assert model(**encoded).logits.shape == (1, 6)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """The folder of 12 steps without an end between them."""
    folder = tmp_path_factory.mktemp("undisturbed") / "whole"
    assert main(["train", "digits", "--steps", "12", "--out", str(folder)]) == 0
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL], ids=["interrupted", "killed"])
def test_a_training_that_was_ended_goes_on_to_the_same_weights(capsys, tmp_path, undisturbed, how):
    out = tmp_path / "pieces"
    process = subprocess.Popen(
        [*COMMAND, "digits", "--steps", "12", "--out", out], env={**os.environ}, stderr=subprocess.PIPE
    )
    state = tmp_path / "pieces.unfinished.safetensors"
    while not state.exists() and process.poll() is None:
        time.sleep(0.05)
    process.send_signal(how)
    _, said = process.communicate(timeout=120)
    if how == signal.SIGINT:
        assert process.returncode == 130
        assert b"the same command goes on" in said
        assert b"Traceback" not in said
    assert state.exists()
    assert trained(capsys, "digits", "--steps", 12, "--out", out)[0] == 0
    assert (out / "model.safetensors").read_bytes() == (undisturbed / "model.safetensors").read_bytes()
    assert not state.exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["digit"], "task 'digit' is unknown; did you mean 'digits'?"),
        (["cifar-10"], "cifar-10 has no small model of its own; give a model that was trained on it"),
        (["digits", "--seed", "-1"], "--seed is -1, but must be between 0 and"),
        (["digits", "--steps", "0"], "--steps is 0, but must be at least 1"),
        (["digits", "--steps", "many"], "argument --steps: invalid int value: 'many'"),
        ([], "the following arguments are required: task"),
    ],
)
def test_wrong_use_is_told_in_one_line(capsys, arguments, message):
    status, out, err = trained(capsys, *arguments)
    assert (status, out) == (2, "")
    assert message in err
    assert "Traceback" not in err


def test_a_place_that_cannot_be_written_is_told_before_the_work(capsys, tmp_path):
    (tmp_path / "file").write_text("no folder")
    status, _, err = trained(capsys, "digits", "--steps", 100_000, "--out", tmp_path / "file" / "model")
    assert status == 2
    assert re.search(r"prism-sim: .*file: Not a directory", err)
    assert "Traceback" not in err


def test_a_file_in_the_folders_place_is_told_and_stays(capsys, tmp_path):
    (tmp_path / "file").write_text("a letter")
    for again in ([], ["--again"]):
        status, _, err = trained(capsys, "digits", "--steps", 1, "--out", tmp_path / "file", *again)
        assert status == 2
        assert "file is no checkpoint of a training" in err
    assert (tmp_path / "file").read_text() == "a letter"


def test_a_damaged_state_is_told_and_left_alone_until_asked(capsys, tmp_path):
    state = tmp_path / "model.unfinished.safetensors"
    state.write_bytes(b"nothing that was saved")
    status, _, err = trained(capsys, "digits", "--steps", 1, "--out", tmp_path / "model")
    assert status == 2
    assert f"{state}, is damaged" in err
    assert trained(capsys, "digits", "--steps", 1, "--out", tmp_path / "model", "--again")[0] == 0


def test_threads_of_torch_are_as_many_as_before(capsys):
    before = torch.get_num_threads()
    trained(capsys, "digits", "--steps", 1)
    assert torch.get_num_threads() == before
