"""Every lesson runs, unanswered and answered; its checks accept the solutions and refuse what is wrong."""

from __future__ import annotations

import ast
import inspect
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from checks import QUICK, Question, Results, Verdict
from grade import HERE, lessons, module_of, questions_among
from grade import main as grade_files

pytestmark = pytest.mark.slow

LEAST_QUESTIONS = 4


@dataclass(frozen=True)
class Lesson:
    """A lesson's file, run when it is first asked for what its cells define."""

    path: Path

    @cached_property
    def module(self) -> Any:
        return module_of(self.path)

    @cached_property
    def solutions(self) -> Any:
        return module_of(self.path.parent / "solutions" / self.path.name)

    @cached_property
    def unanswered(self) -> Mapping[str, Any]:
        _, found = self.module.app.run()
        return dict(found)

    @cached_property
    def answered(self) -> Mapping[str, Any]:
        given = {name: SimpleNamespace(value=written(answer)) for name, answer in self.solutions.ANSWERS.items()}
        _, found = self.module.app.run(defs=given)
        return dict(found)


def written(answer: Any) -> Any:
    """As it stands in its control: a function as text."""
    return inspect.getsource(answer) if inspect.isfunction(answer) else answer


def verdicts(definitions: Mapping[str, Any]) -> dict[str, Verdict]:
    return {name: value for name, value in definitions.items() if name.startswith("verdict_")}


@cache
def lesson_of(place: int) -> Lesson:
    """Run once for all tests."""
    return Lesson(list(lessons().values())[place - 1])


@pytest.fixture(scope="module", params=range(1, len(lessons()) + 1), ids=list(lessons()))
def lesson(request: pytest.FixtureRequest) -> Lesson:
    return lesson_of(request.param)


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a lesson has trained, for its second run."""
    return tmp_path_factory.mktemp("kept")


@pytest.fixture(autouse=True)
def own_cache(kept: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """One for all lessons, and slow parts in their small variant."""
    monkeypatch.setenv("PRISM_SIM_CACHE", str(kept))
    monkeypatch.setenv(QUICK, "1")
    return kept


def test_every_cell_runs_before_anything_is_answered(lesson: Lesson) -> None:
    found = verdicts(lesson.unanswered)
    assert len(found) >= LEAST_QUESTIONS
    assert {verdict.state for verdict in found.values()} == {"unanswered"}


def test_its_questions_are_numbered_from_one_and_each_has_an_answer_and_a_verdict(lesson: Lesson) -> None:
    names = [f"{n}" for n in range(1, len(verdicts(lesson.unanswered)) + 1)]
    for what in ("question_", "answer_", "verdict_"):
        assert sorted(name for name in lesson.unanswered if name.startswith(what)) == sorted(what + n for n in names)


def test_the_solutions_are_right_and_each_says_why(lesson: Lesson) -> None:
    found = verdicts(lesson.answered)
    assert {name: verdict.text for name, verdict in found.items() if verdict.state != "right"} == {}
    assert all(len(verdict.text) > 20 for verdict in found.values())


def test_a_wrong_answer_to_each_question_is_refused_with_a_hint(lesson: Lesson) -> None:
    questions = questions_among(lesson.unanswered)
    assert list(lesson.solutions.WRONG) == list(lesson.solutions.ANSWERS) == answers(questions)
    for question, wrong in zip(questions, lesson.solutions.WRONG.values(), strict=True):
        verdict = question.check(written(wrong))
        assert verdict.state == "wrong", wrong
        assert len(verdict.text) > 20, wrong


def answers(questions: tuple[Question, ...]) -> list[str]:
    return [f"answer_{place}" for place in range(1, len(questions) + 1)]


def test_its_answers_can_be_handed_in(lesson: Lesson) -> None:
    results = lesson.answered["results"]
    assert results.lesson == lesson.path.stem
    assert len(results.answers) == len(results.verdicts) == len(lesson.solutions.ANSWERS)


def test_it_begins_with_a_title_and_the_time_and_ends_with_what_to_read_next(lesson: Lesson) -> None:
    texts = [
        node.value
        for node in ast.walk(ast.parse(lesson.path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]
    place = int(lesson.path.stem[:2])
    assert any(text.lstrip().startswith(f"# {place}. ") and "**Time:**" in text for text in texts)
    assert any("What to take along" in text for text in texts)
    assert any("**Read next:**" in text for text in texts)


def test_lesson_1_says_in_words_what_is_computed() -> None:
    """197 tokens of 768 numbers, 12 blocks; computing falls and does not halve; from a bandwidth on it pays."""
    found = lesson_of(1).unanswered
    job, alone, pair = found["pair"].job, found["alone"], found["pair"]
    assert (job.n_tokens, job.sizes.width, job.sizes.n_blocks) == (197, 768, 12)
    assert sum(exchange.kind == "all_gather" for exchange in pair.plan.exchanges) == 12
    assert alone.breakdown_s["compute"] / 2 < pair.breakdown_s["compute"] < alone.breakdown_s["compute"]
    assert pair.latency_s / 2 < found["doubled"].latency_s < pair.latency_s < alone.latency_s
    assert found["without_delay"].latency_s == pytest.approx(pair.breakdown_s["compute"], rel=0.01)
    assert 50 < found["even_mbit_per_s"] < 100


def test_lesson_2_says_in_words_what_is_computed() -> None:
    """A product's FLOPs and bytes; a new token waits for memory alone; a split below the ridge gains nothing."""
    found = lesson_of(2).unanswered
    queries = found["queries"]
    assert queries.flops == 2 * 197 * 768 * 768
    assert queries.moved_bytes == 4 * (197 * 768 + 768 * 768 + 768 + 197 * 768)
    assert found["twice_memory"] == pytest.approx(found["text_run"].tpot_s / 2, rel=0.01)
    assert found["twice_compute"] == pytest.approx(found["text_run"].tpot_s, rel=0.01)
    assert 1 < found["whole_s"] / found["part_s"] < 1.05


def test_lesson_3_says_in_words_what_is_computed() -> None:
    """Rounds count for small messages, bytes for large ones; the slow board never waits."""
    found = lesson_of(3).unanswered
    small, big, even = found["small"], found["big"], found["even"]
    rounds_ms = {"direct": 1 * 2, "star": 2 * 2, "tree": 6 * 2, "ring": 14 * 2}
    assert small.to_dict() == pytest.approx(rounds_ms, rel=0.05)
    assert big["direct"] / big["ring"] == pytest.approx(7 / (2 * 7 / 8), rel=0.2)  # payloads on a link
    assert big.idxmin() == "ring"
    assert even.wait_s[2] == 0 < even.wait_s[0]


def test_lesson_4_says_in_words_what_is_computed() -> None:
    """Exact where tokens are alike and counted; exact where each mean is of one row."""
    found = lesson_of(4).unanswered
    assert found["with_counts"] < 1e-12 < 0.1 < found["without"]
    assert found["nothing_lost"] < 1e-12 < found["one_fewer"]
    assert found["by_segments"]["relative error"].is_monotonic_decreasing


def test_lesson_5_says_in_words_what_is_computed() -> None:
    """17 tokens on two devices; nothing is lost where every row is sent, and much where one mean is."""
    found = lesson_of(5).unanswered
    points, alone = found["by_segments"], found["alone"]
    assert alone.simulation.job.n_tokens == 17
    assert points[9].accuracy.distributed == points[9].accuracy.undistributed
    assert points[1].accuracy.difference.high < 0
    assert found["latency_ms"](1, 0.25) < found["alone_ms"] < found["latency_ms"](9, 0.25)


def test_each_lesson_has_solutions_and_none_are_left_over() -> None:
    assert [path.stem for path in sorted((HERE / "solutions").glob("[0-9]*.py"))] == list(lessons())


def test_a_lesson_runs_as_a_script_from_anywhere(tmp_path: Path) -> None:
    first = next(iter(lessons().values()))
    environment = {**os.environ, QUICK: "1", "PYTHONPATH": str(HERE.parent)}
    ran = subprocess.run([sys.executable, first], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert (ran.returncode, ran.stderr) == (0, "")


def test_what_is_handed_in_is_graded(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """A right answer, a wrong one, the rest open; beside it a file of something else, and one of no lesson."""
    name = next(iter(lessons()))
    solved = module_of(HERE / "solutions" / f"{name}.py")
    n_questions = len(solved.ANSWERS)
    given = [solved.ANSWERS["answer_1"], written(solved.WRONG["answer_2"]), *[None] * (n_questions - 2)]
    files = {
        "ada.json": Results(name, "Ada", given, ()).file_text(),
        "notes.json": "{}",
        "other.json": Results("99_nothing", "Ada", given, ()).file_text(),
    }
    for file, text in files.items():
        (tmp_path / file).write_text(text)
    assert grade_files([str(tmp_path / file) for file in files]) == 2
    said = capsys.readouterr()
    opened = "".join(f"; {place} unanswered" for place in range(3, n_questions + 1))
    assert said.out == f"Ada: {name}, 1 of {n_questions} right; 2 wrong{opened}\n"
    assert [line.split(": ")[1].split(" ")[0] for line in said.err.splitlines()] == ["is", "answers"]


def test_lesson_7_shows_who_keeps_what_and_whose_text_is_the_model_s_own() -> None:
    _, found = module_of(lessons()["07_generating_text"]).real_model.run(real=SimpleNamespace(value=True))
    rows = {row["strategy"]: list(row.values())[1:] for row in found["real_texts"]}
    a_row = 2 * 2 * 2 * 16 * 4  # key and value x blocks x key heads x numbers of a head x bytes
    own, whole = rows["single"][0], 39 * a_row
    assert whole == 19_968
    caches = {
        "single": [whole],
        "tensor_parallel": [whole // 2, whole // 2],
        "pipeline": [whole // 2, whole // 2],
        "voltage": [16 * a_row, 23 * a_row],
        "prism": [0, (16 + 4 + 7) * a_row],
    }
    assert {name: cells[1] for name, cells in rows.items()} == {
        name: " + ".join(map(str, each)) for name, each in caches.items()
    }
    assert {name for name, cells in rows.items() if cells[0] == own} == set(caches) - {"prism"}
