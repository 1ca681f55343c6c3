"""Grades the files that students hand in: `python lessons/grade.py FILE.json ...`.

Each lesson is run once, and its questions are asked again of each file's answers. A function that a student wrote is
run to be checked: read the files of people whom you do not trust first.
"""

from __future__ import annotations

import importlib.util
import json
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from checks import Question, Verdict

HERE = Path(__file__).parent


class HandInError(ValueError):
    """A file that is none of `checks.Results`."""


def lessons() -> dict[str, Path]:
    """All lessons by name, in their order."""
    return {path.stem: path for path in sorted(HERE.glob("[0-9][0-9]_*.py"))}


def module_of(path: Path) -> Any:
    """Of a file whose name no import statement can say."""
    spec = importlib.util.spec_from_file_location(f"lesson_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # marimo looks for an app's file there
    spec.loader.exec_module(module)
    return module


@cache
def questions_of(lesson: str) -> tuple[Question, ...]:
    """In their order. Runs the lesson."""
    _, found = module_of(lessons()[lesson]).app.run()
    return questions_among(found)


def questions_among(definitions: Mapping[str, Any]) -> tuple[Question, ...]:
    names = [name for name in definitions if name.startswith("question_")]
    return tuple(definitions[f"question_{place}"] for place in range(1, len(names) + 1))


def graded(text: str) -> tuple[str, str, tuple[Verdict, ...]]:
    """Student, lesson and verdicts. Raises HandInError unless the text is what a lesson's last cell offers."""
    try:
        handed_in = json.loads(text)
        lesson, student, answers = (handed_in[key] for key in ("lesson", "student", "answers"))
    except (ValueError, TypeError, KeyError) as error:
        raise HandInError("is not a file of a lesson's last cell ('Answers, as a file')") from error
    if lesson not in lessons():
        raise HandInError(f"answers lesson {lesson!r}; there are {', '.join(lessons())}")
    questions = questions_of(lesson)
    names = [f"answer_{place}" for place in range(1, len(questions) + 1)]
    if not isinstance(answers, dict) or list(answers) != names:
        raise HandInError(f"has answers {list(answers)}, but the lesson asks for {names}; is it of another version?")
    return student, lesson, tuple(q.check(answers[name]) for q, name in zip(questions, names, strict=True))


def main(paths: Sequence[str]) -> int:
    """One line a file; 2 if a file was none."""
    if not paths:
        print("usage: python lessons/grade.py FILE.json ...", file=sys.stderr)
        return 2
    failed = False
    for path in paths:
        try:
            student, lesson, verdicts = graded(Path(path).read_text(encoding="utf-8"))
        except (HandInError, OSError, UnicodeDecodeError) as error:
            print(f"{path}: {error}", file=sys.stderr)
            failed = True
            continue
        n_right = sum(verdict.state == "right" for verdict in verdicts)
        others = [f"{place} {verdict.state}" for place, verdict in enumerate(verdicts, 1) if verdict.state != "right"]
        print(f"{student or path}: {lesson}, {n_right} of {len(verdicts)} right{''.join(f'; {one}' for one in others)}")
    return 2 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
