"""Questions of the lessons: an answer is checked by computing, and met with a reason or a hint.

    question_1 = number(12.5, unit="ms", reason="8 bits a byte ...", hint="...", mistakes={1.56: "bits, not bytes"})
    question_2 = choice("the link", reason="...", hints={"the processor": "..."})
    question_3 = function("transfer_s", like=the_packages_own, draw=lambda rng: (...,), reason="...")
    verdict_1 = question_1.check(answer_1.value)    displayed where a cell ends with it

A question must not depend on a control: `grade.py` asks it again, of what students handed in.
"""

from __future__ import annotations

import ast
import copy
import json
import os
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import marimo as mo
import numpy as np

QUICK = "PRISM_SIM_QUICK"
N_DRAWS = 20  # of random inputs, on which a function is compared

State = Literal["unanswered", "right", "wrong"]
KINDS: dict[State, str] = {"unanswered": "neutral", "right": "success", "wrong": "warn"}


def is_quick() -> bool:
    """Whether slow parts are to compute their small variant: PRISM_SIM_QUICK=1 in the environment."""
    given = os.environ.get(QUICK, "")
    if given not in ("", "0", "1"):
        raise ValueError(f"{QUICK}={given!r} must be 1 (the small variants) or 0 (the whole lesson)")
    return given == "1"


@dataclass(frozen=True)
class Verdict:
    """What is said to an answer; markdown."""

    state: State
    text: str

    def _display_(self) -> Any:
        heads: dict[State, str] = {"unanswered": "", "right": "**Right.** ", "wrong": "**Not yet.** "}
        return mo.callout(mo.md(heads[self.state] + self.text), kind=KINDS[self.state])


@dataclass(frozen=True)
class Question:
    """How an answer is judged. hint_of: what to say to a wrong one; None: it is right. reason: why that is right.

    is_blank: whether it is what a control holds before it is touched.
    """

    hint_of: Callable[[Any], str | None]
    reason: str
    is_blank: Callable[[Any], bool] = lambda given: given is None or given == "" or given == []

    def check(self, given: Any) -> Verdict:
        if self.is_blank(given):
            return Verdict("unanswered", "not answered yet")
        hint = self.hint_of(given)
        return Verdict("right", self.reason) if hint is None else Verdict("wrong", hint)


def number(
    expected: float,
    *,
    reason: str,
    hint: str,
    unit: str = "",
    within: float = 0.02,
    mistakes: Mapping[float, str] | None = None,
) -> Question:
    """Right within a relative tolerance (0: exactly). mistakes: the hint for who computed that wrong value."""

    def near(given: float, value: float) -> bool:
        return abs(given - value) <= within * abs(value)

    def hint_of(given: Any) -> str | None:
        if isinstance(given, bool) or not isinstance(given, (int, float)):
            return f"A number is asked for, in {unit}." if unit else "A number is asked for."
        if near(given, expected):
            return None
        for value, found in (mistakes or {}).items():
            if near(given, value):
                return found
        side = "large" if given > expected else "small"
        return f"{f'{given:g} {unit}'.strip()} is too {side}. {hint}"

    return Question(hint_of, reason)


def choice(right: str, *, reason: str, hints: Mapping[str, str]) -> Question:
    """One option of several. hints: one for each of the others, so that `options` of the control are all of these."""

    def hint_of(given: Any) -> str | None:
        return None if given == right else hints.get(given, f"{given!r} is not among the options.")

    return Question(hint_of, reason)


def function(
    name: str,
    *,
    like: Callable[..., Any],
    draw: Callable[[np.random.Generator], tuple[Any, ...]],
    reason: str,
    known: Mapping[str, Any] | None = None,
    within: float = 1e-6,
) -> Question:
    """Python text that defines `name`; it is run, and must agree with `like` on random inputs.

    draw: arguments from a generator. known: names that the text may use, numpy as `np` among them.
    A function of nothing but `...` and a docstring, which the control begins with, is no answer yet.
    """

    def hint_of(given: Any) -> str | None:
        names = {"np": np, **(known or {})}
        try:
            exec(compile(str(given), "your answer", "exec"), names)
        except Exception as error:
            return f"Python cannot run this: {_said(error)}"
        if not callable(own := names.get(name)):
            return f"There is no function `{name}` in it: keep the line that begins with `def {name}(`."
        return _difference(own, like, draw, within)

    return Question(hint_of, reason, partial(_is_unwritten, name))


def _is_unwritten(name: str, given: Any) -> bool:
    try:
        body = ast.parse(given or "").body
    except SyntaxError:
        return False
    own = [node for node in body if isinstance(node, ast.FunctionDef) and node.name == name]
    nothing = (ast.Expr, ast.Pass)
    return not body or (len(own) == 1 and all(isinstance(node, nothing) and _is_constant(node) for node in own[0].body))


def _is_constant(node: ast.stmt) -> bool:
    return not isinstance(node, ast.Expr) or isinstance(node.value, ast.Constant)


def _difference(
    own: Callable[..., Any], like: Callable[..., Any], draw: Callable[..., tuple[Any, ...]], within: float
) -> str | None:
    """A hint from the smallest input on which two functions differ; None: there is none among these."""
    rng = np.random.default_rng(0)
    drawn = sorted((draw(rng) for _ in range(N_DRAWS)), key=_length)
    return next((hint for hint in (_difference_on(one, own, like, within) for one in drawn) if hint), None)


def _length(arguments: tuple[Any, ...]) -> int:
    """How many numbers they are."""
    return sum(np.size(argument) for argument in arguments)


def _difference_on(
    arguments: tuple[Any, ...], own: Callable[..., Any], like: Callable[..., Any], within: float
) -> str | None:
    expected = like(*copy.deepcopy(arguments))
    try:
        found = own(*copy.deepcopy(arguments))
    except Exception as error:
        return f"It stops with {_said(error)} for {_shown(arguments)}"
    if found is None:
        return "It returns nothing yet: end it with `return ...`."
    if (shape := _shape(found)) != _shape(expected):
        return f"It returns {shape} where {_shape(expected)} is due, for {_shown(arguments)}"
    if not _agree(found, expected, within):
        return f"For {_shown(arguments)} it gives {_shown(found)}; {_shown(expected)} would be right."
    return None


def _agree(found: Any, expected: Any, within: float) -> bool:
    return bool(np.allclose(np.asarray(found, float), np.asarray(expected, float), rtol=within, atol=within * 1e-3))


def _shape(value: Any) -> str:
    try:
        shape = np.asarray(value, float).shape
    except (TypeError, ValueError):
        return f"a {type(value).__name__}"
    return f"an array of shape {shape}" if shape else "a number"


def _shown(value: Any) -> str:
    """In a line of a hint."""
    if isinstance(value, tuple):
        return f"({', '.join(map(_shown, value))})"
    with np.printoptions(precision=4, threshold=40, edgeitems=3):
        text = (
            f"{value:.6g}" if isinstance(value, float) else str(np.asarray(value)) if _is_array(value) else repr(value)
        )
    return f"`{' '.join(text.split())}`"


def _is_array(value: Any) -> bool:
    return hasattr(value, "shape")


def _said(error: Exception) -> str:
    """An error of the student's own text, with the line of it."""
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == "your answer"]
    line = error.lineno if isinstance(error, SyntaxError) else lines[-1] if lines else None
    place = "" if line is None else f" in line {line}"
    return f"`{type(error).__name__}: {getattr(error, 'msg', error)}`{place}."


@dataclass(frozen=True)
class Results:
    """All answers of a lesson beside what was said to them; displayed with a file to hand in."""

    lesson: str
    student: str
    answers: Sequence[Any]
    verdicts: Sequence[Verdict]

    def file_text(self) -> str:
        """What `grade.py` reads: the answers alone, for they are checked again."""
        answers = {f"answer_{place}": answer for place, answer in enumerate(self.answers, start=1)}
        return json.dumps({"lesson": self.lesson, "student": self.student, "answers": answers}, indent=1)

    def _display_(self) -> Any:
        marks: dict[State, str] = {"unanswered": "open", "right": "right", "wrong": "not yet"}
        places = enumerate(self.verdicts, start=1)
        each = " · ".join(f"{place}: {marks[verdict.state]}" for place, verdict in places)
        n_right = sum(verdict.state == "right" for verdict in self.verdicts)
        words = "-".join(self.student.split()) or "answers"
        button = mo.download(
            self.file_text().encode(), f"{self.lesson}-{words}.json", "application/json", label="Answers, as a file"
        )
        return mo.vstack([mo.md(f"**{n_right} of {len(self.verdicts)} right** ({each})"), button])
