"""The first lesson in a real browser, to its end: a student answers wrong, then right, and hands in."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from checks import QUICK
from grade import HERE, lessons, module_of

pytestmark = pytest.mark.slow

NAME = next(iter(lessons()))
PATIENCE_MS = 240_000  # a slow machine starts the server, its kernel and chromium
WRONG_NUMBER, RIGHT_NUMBER = "76032", str(99 * 768 * 4)


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """Of the lesson as `marimo run` serves it, on a port that it chose."""
    environment = {**os.environ, QUICK: "1", "PYTHONPATH": str(HERE.parent), "PYTHONUNBUFFERED": "1"}
    command = [sys.executable, "-m", "marimo", "run", "--headless", str(lessons()[NAME])]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as server:
        try:
            yield next(word for line in server.stdout or () for word in line.split() if word.startswith("http://"))
        finally:
            server.terminate()


def test_a_student_goes_through_the_first_lesson(address: str, browser: Any) -> None:
    page = browser.new_page()
    page.set_default_timeout(PATIENCE_MS)
    page.goto(address)
    page.get_by_text("0 of 5 right").wait_for()
    numbers, editor = page.locator("marimo-number input"), page.locator("marimo-code-editor .cm-content")

    numbers.nth(0).fill(WRONG_NUMBER)
    numbers.nth(0).press("Enter")
    page.get_by_text("These are numbers, of 4 bytes each.").wait_for()
    editor.click()
    page.keyboard.press("Control+A")
    page.keyboard.insert_text("def arrival_s(payload_bytes, bits_per_s, latency_s): return payload_bytes / bits_per_s")
    page.get_by_text("would be right.").wait_for()
    page.get_by_text("all of it").click()
    page.get_by_text("Would the boards then compute in no time?").wait_for()
    page.get_by_text("0 of 5 right").wait_for()

    numbers.nth(0).fill(RIGHT_NUMBER)
    numbers.nth(0).press("Enter")
    editor.click()
    page.keyboard.press("Control+A")
    page.keyboard.insert_text(
        "def arrival_s(payload_bytes, bits_per_s, latency_s): return latency_s + 8 * payload_bytes / bits_per_s"
    )
    page.get_by_text("about two fifths").click()
    page.get_by_text("it falls, by less than half").click()
    numbers.nth(1).fill(str(module_of(HERE / "solutions" / f"{NAME}.py").ANSWERS["answer_5"]))
    numbers.nth(1).press("Enter")
    page.get_by_text("5 of 5 right").wait_for()
    name = page.locator("marimo-text input")
    name.fill("Ada Lovelace")
    name.press("Enter")
    page.locator("a[download*=Ada-Lovelace]").wait_for()
    with page.expect_download() as download:
        page.get_by_text("Answers, as a file").click()
    handed_in = json.loads(Path(download.value.path()).read_text())
    assert (handed_in["lesson"], handed_in["student"]) == (NAME, "Ada Lovelace")
    assert handed_in["answers"]["answer_1"] == 99 * 768 * 4
