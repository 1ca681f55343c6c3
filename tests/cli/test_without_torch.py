"""Where torch and its kin are not installed: what predicts time works, what computes says what to install."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DIGITS = ROOT / "scenarios" / "accuracy-digits.yaml"
HIDING = """\
import importlib.machinery
import importlib.metadata

HIDDEN = ("torch", "transformers", "tokenizers", "safetensors")
find_spec, from_name = importlib.machinery.PathFinder.find_spec, importlib.metadata.Distribution.from_name


def spec(name, path=None, target=None):
    return None if name.partition(".")[0] in HIDDEN else find_spec(name, path, target)


def distribution(name):
    if name in HIDDEN:
        raise importlib.metadata.PackageNotFoundError(name)
    return from_name(name)


importlib.machinery.PathFinder.find_spec = spec
importlib.metadata.Distribution.from_name = distribution
"""
SWEEP = "sweep: {network.bandwidth: [50 Mbit/s, 1 Gbit/s]}\n"


def without_torch(folder: Path, arguments: str) -> subprocess.CompletedProcess[str]:
    (folder / "sitecustomize.py").write_text(HIDING)  # Python imports it when it starts, also in worker processes
    environment = os.environ | {"PYTHONPATH": os.pathsep.join((str(folder), str(ROOT)))}
    command = [sys.executable, "-m", "prism_sim.cli", *arguments.split()]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300)


@pytest.fixture
def folder(tiny: Path) -> Path:
    tiny.write_text(tiny.read_text() + SWEEP)
    return tiny.parent


@pytest.mark.parametrize(
    "arguments",
    [
        "run tiny.yaml --no-numerics",
        "compare tiny.yaml --no-numerics",
        "explain tiny.yaml",
        "breakeven tiny.yaml --vary network.bandwidth --against single",
        "check tiny.yaml",
        "list tasks",
        "schema",
    ],
)
def test_what_predicts_time_needs_no_torch(folder: Path, arguments: str) -> None:
    ended = without_torch(folder, arguments)
    assert (ended.returncode, "Traceback" in ended.stderr) == (0, False), ended.stderr
    assert ended.stdout


def test_a_sweep_and_its_picture_need_no_torch(folder: Path) -> None:
    assert without_torch(folder, "sweep tiny.yaml --no-numerics --jobs 2 --out swept").returncode == 0
    assert without_torch(folder, "plot latency-bandwidth swept -o picture.png").returncode == 0
    assert (folder / "picture.png").stat().st_size


@pytest.mark.parametrize(
    "arguments",
    [
        "run tiny.yaml",
        "compare tiny.yaml",
        "sweep tiny.yaml --out swept",
        f"accuracy {DIGITS}",
        "train digits",
        f"finetune {DIGITS}",
        "loss tiny.yaml",
        "budget tiny.yaml",
        "live tiny.yaml",
        "calibrate --device --model bert-base-uncased",
    ],
)
def test_what_computes_says_in_one_line_what_to_install(folder: Path, arguments: str) -> None:
    ended = without_torch(folder, arguments)
    said = [line for line in ended.stderr.splitlines() if line.startswith("prism-sim: ")]
    assert ended.returncode == 2, ended.stderr
    assert "Traceback" not in ended.stderr
    (line,) = said
    assert "is not installed: pip install " in line
