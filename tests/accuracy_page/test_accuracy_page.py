"""docs/accuracy.md has a place for all that its script writes; the quick script trains, writes and judges nothing."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from prism_sim import load_scenario
from prism_sim.reports.page import check_places, places

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "accuracy.md").read_text(encoding="utf-8")
TASKS = ("digits", "python-manual", "python-text")
OF_DIGITS = ("run", "training", "digits", "equal-bytes", "blocks")  # what --quick writes
PICTURES = ["accuracy-digits.png", "blocks-digits-fine-tuned.png", "blocks-digits-zero-shot.png", "equal-bytes.png"]


def script(cache: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "plots" / "accuracy.py"), *map(str, arguments)]
    known = {**os.environ, "PRISM_SIM_CACHE": str(cache)}
    return subprocess.run(command, capture_output=True, text=True, check=False, env=known)


def contents(page: str) -> dict[str, str]:
    return {place["name"]: place["content"] for place in places("accuracy").finditer(page)}


def test_every_place_is_closed_and_every_task_has_one():
    check_places(PAGE, "accuracy", [*OF_DIGITS, *TASKS, "laws"])
    assert len(contents(PAGE)) == PAGE.count("<!-- accuracy: ") == PAGE.count("<!-- end -->")


def test_no_law_of_the_page_is_broken():
    assert "**broken**" not in contents(PAGE)["laws"]


@pytest.mark.parametrize("task", TASKS)
def test_a_ready_scenario_says_what_it_asks_and_how_to_go_on(task):
    path = ROOT / "scenarios" / f"accuracy-{task}.yaml"
    scenario = load_scenario(path)
    assert (scenario.task.name, scenario.strategy.name, len(scenario.devices)) == (task, "prism", 2)
    comment = " ".join(line.removeprefix("#") for line in path.read_text().splitlines() if line.startswith("#"))
    assert "?" in comment
    assert f"prism-sim accuracy scenarios/{path.name}" in comment
    assert f"prism-sim finetune scenarios/{path.name}" in comment


def test_every_picture_that_the_page_names_is_one_that_the_script_draws():
    drawn = {*PICTURES, *(f"accuracy-{task}.png" for task in TASKS), "generated-text.png"}  # the last by its own script
    assert set(re.findall(r"[\w-]+\.png", PAGE)) == drawn


@pytest.mark.slow
def test_the_quick_script_trains_writes_and_finds_again_what_it_trained(tmp_path):
    page, images = tmp_path / "page.md", tmp_path / "images"
    page.write_text(re.sub(r"(<!-- accuracy: [\w-]+ -->\n).*?(<!-- end -->)", r"\1\2", PAGE, flags=re.DOTALL))
    arguments = ("--page", page, "--images", images, "--quick")
    first = script(tmp_path / "cache", *arguments)
    assert first.returncode == 0, first.stderr
    written = contents(page.read_text())
    assert {name for name, text in written.items() if text} == set(OF_DIGITS)
    assert sorted(path.name for path in images.iterdir()) == PICTURES
    assert "2 models were trained, all of them now" in written["run"]
    assert "A quick run" in written["run"]
    assert "min left] fine-tuning digits, seed 0" in first.stderr

    again = script(tmp_path / "cache", *arguments)
    assert again.returncode == 0, again.stderr
    assert "0 of them now" in contents(page.read_text())["run"]
    assert contents(page.read_text()) | {"run": ""} == written | {"run": ""}


def test_a_page_without_a_place_is_refused_before_anything_is_trained(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("<!-- accuracy: digits -->\n<!-- end -->\n")
    ended = script(tmp_path / "cache", "--page", page, "--images", tmp_path, "--quick")
    assert ended.returncode == 2
    assert ended.stderr == "no place for training: add the lines <!-- accuracy: training --> and <!-- end -->\n"
    assert not (tmp_path / "cache").exists()
