"""What the checks of the lessons say: of numbers, choices and functions, and of answers that are none."""

from __future__ import annotations

import numpy as np
import pytest
from checks import QUICK, choice, function, is_quick, number

MEAN = {"like": lambda x: float(x.mean()), "draw": lambda rng: (rng.normal(size=int(rng.integers(1, 9))),)}


@pytest.mark.parametrize("given", [None, ""])
def test_an_untouched_control_is_no_answer(given: str | None) -> None:
    for question in (number(1, reason="", hint=""), choice("a", reason="", hints={}), function("f", reason="", **MEAN)):
        assert question.check(given).state == "unanswered"


def test_a_number_is_right_within_its_tolerance_alone() -> None:
    question = number(100, unit="ms", within=0.02, reason="so", hint="Count again.", mistakes={50: "Twice."})
    states = [question.check(given).state for given in (98, 102, 97.9, 102.1, -100, 0, float("nan"))]
    assert states == ["right", "right", *["wrong"] * 5]
    assert question.check(51).text == "Twice."
    assert question.check(60).text == "60 ms is too small. Count again."
    assert question.check(600).text == "600 ms is too large. Count again."
    assert question.check("100").state == "wrong"


def test_a_whole_number_may_be_asked_for_exactly() -> None:
    question = number(99, within=0, reason="", hint="", mistakes={99: "never said: it is right"})
    assert [question.check(given).state for given in (99, 99.0, 98, 99.001)] == ["right", "right", "wrong", "wrong"]


def test_an_option_has_a_hint_of_its_own() -> None:
    question = choice("a", reason="so", hints={"b": "No."})
    assert (question.check("a").text, question.check("b").text) == ("so", "No.")
    assert question.check("c").state == "wrong"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "def f(x):\n    ...\n",
        "def f(x):\n    # here\n    ...",
        'def f(x):\n    """The mean."""\n    ...',
        "def f(x): pass",
    ],
)
def test_a_function_that_was_not_begun_is_no_answer(text: str) -> None:
    assert function("f", reason="", **MEAN).check(text).state == "unanswered"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("def f(x):\n    return x.mean(", "`SyntaxError: '(' was never closed` in line 2."),
        ("def f(x):\n    return y", "`NameError: name 'y' is not defined` in line 2."),
        ("import nothing_like_it", "No module named"),
        ("def g(x):\n    return x.mean()", "no function `f`"),
        ("def f(x, y):\n    return x.mean()", "missing 1 required positional argument"),
        ("def f(x):\n    x.mean()", "It returns nothing yet"),
        ("def f(x):\n    return x - x.mean()", "It returns an array of shape"),
        ("def f(x):\n    return 'mean'", "It returns a str where a number is due"),
        ("def f(x):\n    return x.max()", "would be right"),
        ("def f(x):\n    return x.mean() + 1e-3", "would be right"),
        ("def f(x):\n    x[:] = 0.0\n    return x.mean()", "would be right"),
    ],
)
def test_a_wrong_function_is_told_what_is_wrong(text: str, said: str) -> None:
    verdict = function("f", reason="", **MEAN).check(text)
    assert verdict.state == "wrong"
    assert said in verdict.text


def test_a_right_function_may_look_as_it_likes() -> None:
    question = function("f", reason="so", known={"total": np.sum}, **MEAN)
    for text in (
        "f = np.mean",
        "def f(x):\n    return total(x) / len(x)",
        "def f(x):\n    'doc'\n    return sum(x) / x.size",
    ):
        assert question.check(text).text == "so"


def test_a_difference_is_shown_on_the_smallest_input_that_has_one() -> None:
    verdict = function("f", reason="", **MEAN).check("def f(x):\n    return x.max()")
    first, _, _ = verdict.text.partition(")")
    assert len(first.strip("For (`[").strip("]`").split()) == 2  # of one number, maximum and mean are equal


def test_quick_is_asked_for_in_one_way(monkeypatch: pytest.MonkeyPatch) -> None:
    for text, is_so in (("", False), ("0", False), ("1", True)):
        monkeypatch.setenv(QUICK, text)
        assert is_quick() is is_so
    monkeypatch.setenv(QUICK, "yes")
    with pytest.raises(ValueError, match="PRISM_SIM_QUICK='yes' must be 1"):
        is_quick()
