"""A fit finds the numbers that made the rows, stays where it was expected without rows, and says how sure it is."""

from __future__ import annotations

from dataclasses import replace
from math import exp, log

import pytest

from prism_sim.boards.cases import work
from prism_sim.boards.facts import boards
from prism_sim.boards.fit import _numbers, _turns, fit_board
from prism_sim.boards.left_out import unseen_of
from prism_sim.boards.presets import PRESETS, text
from prism_sim.boards.rows import board_rows

PI = boards()["raspberry-pi-5"]
ROWS = [row for row in board_rows() if row.device == "raspberry-pi-5" and row.runtime == "llama.cpp"]
USED = [row for row in ROWS if row.left_out is None]
MEMORY, RATE = ("llama.cpp", "memory_bandwidth"), ("llama.cpp", "q4_0")


def made(numbers: dict) -> list:
    """The rows, had a board with these numbers been measured."""
    return [replace(row, seconds=work(row).seconds(_numbers(PI, row, numbers))) for row in USED]


def test_the_numbers_that_made_the_rows_are_found():
    true = dict(fit_board(PI, []).expected) | {MEMORY: 6e9, RATE: 40e9}
    found = fit_board(PI, made(true))
    assert found.found[MEMORY] == pytest.approx(6e9, rel=0.03)
    assert found.found[RATE] == pytest.approx(40e9, rel=0.12)  # two rows against an expectation three times as high
    for key, number in ((MEMORY, 6e9), (RATE, 40e9)):
        low, high = found.interval(key)
        assert low < number < high < 1.5 * low


def test_without_rows_a_number_is_as_expected_and_as_uncertain():
    found = fit_board(PI, [])
    assert found.found == pytest.approx(dict(found.expected))
    assert found.deviation == pytest.approx(dict(found.expected_deviation))
    assert not any(map(found.is_informed, found.found))


def test_rows_of_one_runtime_say_something_of_the_others_memory_and_nothing_of_their_launches():
    true = dict(fit_board(PI, []).expected) | {MEMORY: 5.5e9}
    found = fit_board(PI, made(true))
    other = ("ncnn", "memory_bandwidth")
    assert found.found[MEMORY] < found.found[other] < 0.8 * found.expected[other]
    assert found.deviation[MEMORY] < found.deviation[other] < found.expected_deviation[other]
    assert found.found["ncnn", "launch"] == pytest.approx(found.expected["ncnn", "launch"])


@pytest.mark.parametrize("device", ["raspberry-pi-5", "jetson-orin-nano-super"])  # the latter's host feeds it
def test_times_turn_with_the_numbers_as_their_parts_say(device):
    board = boards()[device]
    fit = fit_board(board, [row for row in board_rows() if row.device == device])
    for row in fit.rows:
        turned = _turns(board, row, fit.found)
        for key, slope in turned.items():
            more = {**fit.found, key: fit.found[key] * exp(1e-6)}
            change = log(work(row).seconds(_numbers(board, row, more)) / fit.predicted_s(row))
            assert change / 1e-6 == pytest.approx(slope, abs=1e-3), (row.name, key)


def test_a_row_ten_times_off_moves_the_fit_less_than_a_tenth():
    usual = fit_board(PI, USED).found[MEMORY]
    wild = [replace(USED[0], seconds=10 * USED[0].seconds), *USED[1:]]
    assert fit_board(PI, wild).found[MEMORY] == pytest.approx(usual, rel=0.1)


def test_what_a_fit_says_of_a_model_that_it_has_not_seen_does_not_depend_on_that_models_rows():
    model = USED[0].model
    slower = [replace(row, seconds=2 * row.seconds) if row.model == model else row for row in ROWS]
    before, after = ({one.row.name: one.unseen_s for one in unseen_of(PI, rows)} for rows in (ROWS, slower))
    names = {row.name for row in USED if row.model == model}
    assert all(before[name] == after[name] for name in names)
    assert any(before[name] != after[name] for name in before.keys() - names)


def test_a_model_that_is_alone_in_its_runtime_is_not_judged():
    board = boards()["apple-m4"]
    (alone,) = unseen_of(board, [row for row in board_rows() if row.device == board.name])
    assert alone.unseen_s is None
    assert alone.fitted_s == pytest.approx(alone.row.seconds, rel=0.05)


def test_the_shipped_presets_are_those_of_the_shipped_rows():
    assert PRESETS.read_text(encoding="utf-8") == text(), "run python -m prism_sim.boards"
