"""Lessons by number and name; one in the browser, or a copy of it that is the user's."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path
from time import sleep
from typing import Any

import pytest

from prism_sim.cli import main
from prism_sim.commands import lesson as command
from prism_sim.ready import folders, lessons

NOTEBOOK = """\
# a comment is no heading
import marimo

app = marimo.App()


@app.cell
def _(mo):
    import checks
    mo.md(f'''
        # {number}. {title}

        **Time:** about {number}0 minutes. **You need:** nothing.
        # Another heading
    ''')
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to work in, beside one with two lessons, what they share, and solutions."""
    kept, place = tmp_path / "lessons", tmp_path / "here"
    (kept / "solutions").mkdir(parents=True)
    place.mkdir()
    for number, name, title in ((2, "roofs", "Roofs [b] &amp; floors"), (1, "slow", "Slower by two")):
        text = NOTEBOOK.replace("{number}", str(number)).replace("{title}", title)
        (kept / f"0{number}_{name}.py").write_text(text)
        (kept / "solutions" / f"0{number}_{name}.py").write_text("ANSWER = 1\n")
    (kept / "checks.py").write_text("from words import text\n")
    (kept / "words.py").write_text("import checks\ntext = 1\n")
    (kept / "grade.py").write_text("import checks  # no lesson asks for this file\n")
    monkeypatch.setattr(lessons, "folder", lambda kind: tmp_path / kind)
    monkeypatch.chdir(place)
    return place


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Commands that would have taken this process's place."""
    found: list[list[str]] = []

    def execv(program: str, arguments: list[str]) -> None:
        assert program == arguments[0] == sys.executable
        found.append(arguments[1:])
        raise SystemExit(0)

    monkeypatch.setattr(os, "execv", execv)
    return found


def run(*arguments: str) -> int:
    try:
        return main(["lesson", *arguments])
    except SystemExit as end:
        return int(end.code or 0)


def test_lessons_are_listed_in_their_order_without_solutions(here: Path, capsys: pytest.CaptureFixture[str]):
    assert run() == 0
    rows = [re.split(r"\s{2,}", line.strip()) for line in capsys.readouterr().out.splitlines()[2:]]
    assert rows == [
        ["1 slow", "Slower by two", "about 10 minutes"],
        ["2 roofs", "Roofs [b] &amp; floors", "about 20 minutes"],
    ]


@pytest.mark.parametrize("wanted", ["2", "02", "roofs", "02_roofs", "02_roofs.py"])
def test_a_lesson_is_found_by_number_and_by_name(here: Path, wanted: str):
    assert lessons.find(wanted).path.name == "02_roofs.py"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["3"], "there is no lesson 3; known: 1, 2"),
        (["rofs"], "lesson 'rofs' is unknown; did you mean 'roofs'?"),
        (["--edit"], "says what to do, but not with which"),
        (["1", "--force"], "--force is about the copy that --edit makes"),
    ],
)
def test_a_lesson_that_is_none_is_one_message(here: Path, started, capsys, arguments: list[str], message: str):
    assert run(*arguments) == 2
    said = capsys.readouterr().err
    assert message in said
    assert said.count("\n") == 1
    assert not started


def test_a_lesson_is_served_to_this_machine_and_to_who_has_the_token(here: Path, started: list[list[str]]):
    run("1", "--no-browser", "--port", "2718")
    path = here.parent / "lessons" / "01_slow.py"
    run("1")
    (given, usual), tokens = started, [Path(given[8]).read_text() for given in started]
    assert given == [*usual[:8], given[8], "--port", "2718", "--headless"]
    assert usual[:8] == ["-m", "marimo", "run", str(path), "--host", "127.0.0.1", "--token", "--token-password-file"]
    assert all(len(token) == 32 for token in tokens)
    assert len({*tokens}) == 2
    assert not list(here.iterdir())


def test_a_lesson_is_answered_with_the_token_only(tmp_path: Path):
    """The real server and the first lesson; nobody's browser, so nothing of the notebook runs."""
    command = [sys.executable, "-m", "prism_sim.cli", "lesson", "1", "--no-browser"]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        address = next(word for line in server.stdout for word in line.split() if word.startswith("http"))
        page, _, token = address.partition("?access_token=")
        asked = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
        refused = _once_it_listens(asked, page)
        assert "login" in refused.url
        with pytest.raises(urllib.error.HTTPError, match="401"):
            asked.open(f"{page}/api/usage")
        with asked.open(f"{page}?access_token={token}") as answer:
            assert lessons.find("1").title in answer.read().decode()
        server.send_signal(signal.SIGINT)
        assert server.wait(60) == 0


def _once_it_listens(asked: urllib.request.OpenerDirector, page: str) -> Any:
    """Marimo prints its address a moment before it is there."""
    for _ in range(100):
        try:
            return asked.open(page)
        except urllib.error.URLError as error:
            if not isinstance(error.reason, ConnectionRefusedError):
                raise
        sleep(0.2)
    raise AssertionError(f"nobody listens at {page}")


def test_a_lesson_to_edit_is_a_copy_that_stays_as_it_was_changed(here: Path, started: list[list[str]]):
    run("slow", "--edit")
    assert started[-1][:5] == ["-m", "marimo", "edit", "--skip-update-check", "01_slow.py"]
    assert sorted(path.name for path in here.iterdir()) == ["01_slow.py", "checks.py", "words.py"]
    (here / "01_slow.py").write_text("mine")
    run("slow", "--edit")
    assert (here / "01_slow.py").read_text() == "mine"
    run("slow", "--edit", "--force")
    assert (here / "01_slow.py").read_bytes() == (here.parent / "lessons" / "01_slow.py").read_bytes()
    assert len(started) == 3


@pytest.mark.parametrize("missing", command.MODULES)
def test_without_the_extra_a_lesson_says_what_to_install(here: Path, started, monkeypatch, capsys, missing: str):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name == missing else name)
    assert run("1", "--edit") == 2
    said = capsys.readouterr().err
    assert said == f"prism-sim: lesson: needs {missing}, which is not installed: pip install 'prism-sim[lessons]'\n"
    assert not list(here.iterdir())


def test_a_package_without_its_files_says_where_they_should_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("importlib.resources.files", lambda package: tmp_path / package)
    with pytest.raises(FileNotFoundError) as caught:
        folders.folder(folders.LESSONS)
    assert Path(caught.value.filename) == tmp_path / "prism_sim" / folders.WITHIN / "lessons"
    (tmp_path / "prism_sim" / folders.WITHIN / "lessons").mkdir(parents=True)
    (tmp_path / "lessons").mkdir()  # what is within the package goes before what happens to lie beside it
    assert folders.folder(folders.LESSONS) == tmp_path / "prism_sim" / folders.WITHIN / "lessons"
