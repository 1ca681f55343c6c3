"""Benchmarks' own data from a scenario, through every command: figures, notes, and one message where it is damaged."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from benchmark_files import png, random_pixels, write_pickle

from prism_sim.cli import main
from prism_sim.numeric.loading import ModelSource, load

N_TEST = 7
VIT = {
    "model_type": "vit", "image_size": 32, "patch_size": 16, "num_channels": 3, "hidden_size": 8,
    "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 16,
}  # fmt: skip
SCENARIO = """\
task: {{name: {task}, data: data}}
model: {{hf: model}}
devices:
  - {{name: board, compute: 1 GFLOP/s, memory_bandwidth: 1 GB/s, count: 2}}
network: {{bandwidth: 100 Mbit/s, latency: 1 ms}}
strategy: {{name: prism, segments: 1}}
"""
COMMANDS = ("run", "compare", "accuracy", "sweep")


def write(folder: Path, task: str, n_classes: int) -> Path:
    """A scenario of this task with a model that has as many classes, without names."""
    load(ModelSource({**VIT, "num_labels": n_classes}, None, "image_classification", "float32", 0)).save_pretrained(
        folder / "model"
    )
    path = folder / "case.yaml"
    path.write_text(SCENARIO.format(task=task) + "sweep: {strategy.segments: [1, 2]}\n")
    return path


@pytest.fixture
def cifar(tmp_path: Path) -> Path:
    for number in range(1, 6):
        write_pickle(tmp_path / "data" / f"data_batch_{number}", random_pixels(number, 4), labels=[1, 2, 3, number])
    write_pickle(tmp_path / "data" / "test_batch", random_pixels(9, N_TEST), labels=[0, 1, 2, 3, 4, 5, 6])
    return write(tmp_path, "cifar-10", 10)


@pytest.fixture
def imagenet(tmp_path: Path) -> Path:
    """Three pictures of each split, the second of each cut off."""
    for split in ("train", "val"):
        for number in range(1000):
            (tmp_path / "data" / split / f"n{number:08}").mkdir(parents=True)
        for at in range(3):
            content = png(random_pixels(at, 1).reshape(3, 32, 32))
            place = tmp_path / "data" / split / f"n{at:08}" / f"ILSVRC2012_{split}_{at:08}.JPEG"
            place.write_bytes(content[:200] if at == 1 else content)
    return write(tmp_path, "imagenet-1k", 1000)


def arguments(command: str, scenario: Path) -> list[str]:
    out = ["--out", str(scenario.parent / "swept")] if command == "sweep" else []
    return [command, str(scenario), *out]


@pytest.mark.parametrize("command", ["run", "compare", "accuracy"])
def test_every_command_says_the_metric_and_what_is_doubtful_about_the_data(cifar: Path, command: str, capsys):
    assert main(arguments(command, cifar)) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert f"{N_TEST} examples of cifar-10" in said or f"accuracy on {N_TEST} test examples" in said
    assert "note: the model does not name its classes: they are taken in the order of" in said


def test_one_rank_loses_nothing(cifar: Path, capsys):
    assert main(["run", str(cifar), "--set", "ranks=[0]", "--json", "-"]) == 0
    found = json.loads(capsys.readouterr().out)["accuracy"]
    assert found["n"] == N_TEST
    assert found["difference"]["value"] == 0
    assert len(found["notes"]) == 1


def test_a_benchmarks_checkpoint_is_fine_tuned(cifar: Path, capsys):
    folder = cifar.parent / "tuned"
    assert main(["finetune", str(cifar), "--random-segments", "1..2", "--steps", "2", "--out", str(folder)]) == 0
    assert "On validation examples" in capsys.readouterr().out
    assert (folder / "model.safetensors").exists()


def refused(command: str, scenario: Path, capsys: pytest.CaptureFixture[str], *more: str) -> str:
    """What is said, on one line. A sweep goes on with its other points; all other commands end with status 2."""
    status = main([*arguments(command, scenario), *more])
    said = capsys.readouterr()
    assert "Traceback" not in said.err
    if command == "sweep":
        assert status == 0
        assert "2 without figures: " in said.out
        return " ".join(said.out.split())
    assert status == 2
    assert said.err.count("prism-sim: ") == 1
    return " ".join(said.err.split())


@pytest.mark.parametrize("command", [*COMMANDS, "finetune"])
def test_a_damaged_picture_is_one_message_that_names_it(imagenet: Path, command: str, capsys):
    assert "ILSVRC2012" in refused(command, imagenet, capsys, *(["--steps", "3"] if command == "finetune" else []))


@pytest.mark.parametrize("command", [*COMMANDS, "finetune"])
def test_a_folder_of_something_else_says_what_was_expected_and_found(cifar: Path, command: str, capsys):
    for path in (cifar.parent / "data").iterdir():
        path.unlink()
    (cifar.parent / "data" / "holiday.txt").write_text("sun")
    said = refused(command, cifar, capsys)
    assert "CIFAR-10" in said
    assert "holiday.txt" in said
