"""Odd sizes, padding, one rank and three: every command that meets a task answers, or says why it cannot."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from toy_tasks import CONFIGS, model

from prism_sim.cli import main

SCENARIO = """\
task: {{name: toy-{family}, checkpoint: trained}}
workload: {{batch: 3{tokens}}}
devices:
  - {{name: board, compute: 1 GFLOP/s, memory_bandwidth: 1 GB/s, count: 3}}
network: {{bandwidth: 100 Mbit/s, latency: 1 ms}}
strategy: {{name: prism, segments: 2}}
ranks: {ranks}
sweep: {{strategy.segments: [1, 2]}}
"""
ONE, THREE = "[0]", "[0, 1, 2]"


@pytest.fixture
def case(tmp_path: Path, toys: None, family: str, ranks: str) -> Path:
    """ViT's 10 tokens are no multiple of 3; BERT's sentences have 1 to 16 tokens, filled up to 16."""
    model(family, "float32").save_pretrained(tmp_path / "trained")
    path = tmp_path / "case.yaml"
    tokens = "" if family == "vit" else ", tokens: 16"
    path.write_text(SCENARIO.format(family=family, tokens=tokens, ranks=ranks))
    return path


def answered(case: Path, command: str, *more: str) -> dict:
    file = case.parent / f"{command}.json"
    assert main([command, str(case), *more, "--json", str(file)]) == 0
    return json.loads(file.read_text())


@pytest.mark.parametrize("ranks", [ONE, THREE])
@pytest.mark.parametrize("family", CONFIGS)
def test_every_command_answers(case: Path, ranks: str, capsys):
    run = answered(case, "run")
    found = run["accuracy"]
    assert run["plan_confirmed"]
    curve = answered(case, "accuracy", "--segments", "1,2")
    mine = [point for point in curve["points"] if point["strategy"] == "prism" and point["segments"] in (2, None)]
    assert [point["accuracy"]["value"] for point in mine] == [found["value"]]
    candidates = [one["strategy"] for one in answered(case, "compare")["candidates"]]
    assert ("prism" in candidates) == (ranks == THREE)  # there is nothing to compare one device with
    assert answered(case, "loss")["blocks"]
    tuned = answered(case, "finetune", "--steps", "2", "--random-segments", "1..3")
    assert tuned["ranks"] == len(json.loads(ranks))
    if ranks == ONE:
        assert found["difference"]["value"] == 0
        assert found["value"] == found["undistributed"]["value"]


@pytest.mark.parametrize("ranks", [ONE, THREE])
@pytest.mark.parametrize("family", CONFIGS)
def test_a_budget_is_spent_or_refused(case: Path, ranks: str, capsys):
    status = main(["budget", str(case)])
    said = capsys.readouterr()
    if ranks == ONE:
        assert status == 2
        assert "one rank sends nothing to others, so there is no budget to spend: name more ranks" in said.err
    else:
        assert status == 0
        assert "segments" in said.out
