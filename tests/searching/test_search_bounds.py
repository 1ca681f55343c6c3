"""What a search rules out without playing it is nothing that it wants, and its answer says how much that was."""

from __future__ import annotations

import json

import pytest

from prism_sim.cli import main
from prism_sim.searching.bounds import Bounds
from prism_sim.searching.goals import Goals
from prism_sim.searching.played import evaluator
from prism_sim.searching.search import SearchRequest, search
from prism_sim.sweeping.points import Grid

ALL = 45  # distinct points of the small study


@pytest.fixture
def played(load):
    """The grid as a search has it, and the latency of every point that can be, as it is played."""
    grid = Grid.of(load().with_overrides({"strategy.shares": "auto"}))
    evaluate = evaluator(grid, False)
    rows = {task.number: evaluate(task.number) for task in grid.tasks}
    return grid, {number: row["latency_s"] for number, row in rows.items() if "reason" not in row}


def test_no_point_is_faster_than_its_bound(played):
    grid, latency_s = played
    bounds = Bounds(grid)
    least_s = {number: bounds.least_latency_s(number) for number in latency_s}
    assert all(0 < least_s[number] <= latency_s[number] for number in latency_s)
    assert any(least_s[number] > 0.5 * latency_s[number] for number in latency_s)


@pytest.mark.parametrize(("minimise", "part"), [(["latency_s", "energy_j"], 0.2), (["latency_s"], None)])
def test_ruling_out_changes_no_front(load, played, minimise, part):
    """part: of all that can be played, those that a condition allows; None: there is no condition."""
    _, latency_s = played
    limit_s = sorted(latency_s.values())[int((part or 1) * len(latency_s)) - 1]
    goals = Goals.of(minimise, [], [] if part is None else [f"latency_s <= {limit_s!r}"])
    found = search(SearchRequest(load(), goals, evaluations=ALL, numerics=False))
    assert (found.n_played + found.n_ruled_out, len(found.evaluated)) == (ALL, ALL)
    assert found.n_ruled_out > 0
    assert min(row["latency_s"] for row in found.front_rows) == min(latency_s.values())
    for one in found.evaluated:
        if one.is_ruled_out:
            assert latency_s[one.number] > (min(latency_s.values()) if part is None else limit_s)
    if part is not None:
        assert found.reasons[f"misses latency_s <= {limit_s:g}"] == sum(time > limit_s for time in latency_s.values())


def test_without_a_bound_on_latency_all_are_played(load):
    found = search(SearchRequest(load(), Goals.of(["energy_j"], [], []), evaluations=12, numerics=False))
    assert (found.n_played, found.n_ruled_out) == (12, 0)


def test_what_was_ruled_out_is_so_when_the_search_goes_on(load, tmp_path):
    goals = Goals.of(["latency_s"], [], [])

    def searched(evaluations, storage=None):
        order = SearchRequest(load(), goals, evaluations=evaluations, numerics=False, storage=storage)
        return search(order)

    first, more = searched(20, tmp_path / "journal"), searched(30, tmp_path / "journal")
    assert (more.n_known, more.evaluated[:20]) == (20, first.evaluated)
    assert first.n_ruled_out > 0


def test_the_answer_says_how_many_were_played(small_file, tmp_path, capsys):
    path = tmp_path / "found.json"
    words = ["--no-numerics", "--minimise", "latency_s", "--evaluations", "20", "--json", str(path)]
    assert main(["search", str(small_file), *words]) == 0
    found = json.loads(path.read_text())
    assert found["played"] + found["ruled_out"] == found["evaluated"] == 20
    assert f"{found['played']} played, {found['ruled_out']} ruled out" in capsys.readouterr().out
