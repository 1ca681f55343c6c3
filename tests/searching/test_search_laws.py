"""What a search promises: budgets of distinct points, conditions, the same from the same seed, whole fronts."""

from __future__ import annotations

import pytest
from front_area import hypervolume
from told_progress import Told

from prism_sim.progress import SILENT
from prism_sim.scenario import ScenarioError
from prism_sim.searching.goals import Front, Goals, PointOutcome
from prism_sim.searching.search import Search, SearchRequest, search
from prism_sim.sweeping.points import Grid

TIME_AND_ENERGY = Goals.of(["latency_s", "energy_j"], [], [])
KINDS = ("nsga2", "tpe", "random")


def searched(scenario, goals=TIME_AND_ENERGY, **options):
    return search(SearchRequest(scenario, goals, numerics=False, **options))


def costs(found):
    return [found.evaluated[place].outcome.costs for place in found.front]


@pytest.mark.parametrize("kind", KINDS)
def test_the_budget_buys_distinct_points(load, kind):
    scenario = load()
    found = searched(scenario, evaluations=20, kind=kind)
    assert len(found.evaluated) == len({one.number for one in found.evaluated}) == 20
    assert {one.number for one in found.evaluated} <= {task.number for task in Grid.of(scenario).tasks}


def test_a_point_is_evaluated_once_and_a_large_budget_buys_the_whole_grid(load):
    scenario = load()
    grid, asked = Grid.of(scenario), []
    columns = list(grid.columns())

    def evaluate(number):
        asked.append(number)
        row = {name: values[number] for name, values in columns}
        return {"latency_s": float(number % 7), "energy_j": float(number % 5)} | row

    found = Search(grid, SearchRequest(scenario, TIME_AND_ENERGY, 10_000), evaluate).run(SILENT)
    assert sorted(asked) == sorted(task.number for task in grid.tasks)
    assert found.n_distinct == len(asked) < found.n_points  # voltage has no use for segments
    front = Front()
    for number in asked:
        front.add(number, PointOutcome((float(number % 7), float(number % 5))))
    assert costs(found) == [front.members[key].costs for key in front.feasible]


@pytest.mark.parametrize("kind", KINDS)
def test_same_seed_same_evaluations_to_the_bit(load, kind):
    first, second = (searched(load(), evaluations=25, seed=3, kind=kind) for _ in range(2))
    assert first.evaluated == second.evaluated
    other = searched(load(), evaluations=25, seed=4, kind=kind)
    assert [one.number for one in other.evaluated] != [one.number for one in first.evaluated]


def test_conditions_hold_on_the_front_and_are_counted_elsewhere(load):
    free = searched(load(), evaluations=45)
    known = sorted(one.row["latency_s"] for one in free.evaluated if one.reason is None)
    limit = known[len(known) // 2]
    goals = Goals.of(["energy_j"], ["strategy.segments"], [f"latency_s <= {limit!r}", "fits"])
    found = searched(load(), goals, evaluations=45)
    assert found.front
    assert all(found.evaluated[place].row["latency_s"] <= limit for place in found.front)
    missed = sum(amount > limit for amount in known)
    assert missed > 0
    assert found.reasons[f"misses latency_s <= {limit:g}"] == missed


def test_points_without_figures_are_infeasible_with_their_reason(load):
    found = searched(load(), evaluations=45)
    (reason, count), *others = found.reasons.most_common()
    assert not others
    assert "tensor_parallel" in reason
    assert count == 3  # three ranks, two heads, at each bandwidth
    assert all(found.evaluated[place].reason is None for place in found.front)


def test_a_condition_that_nothing_meets_leaves_no_front(load):
    found = searched(load(), Goals.of(["latency_s"], [], ["latency_s < 0"]), evaluations=12)
    assert not found.front
    assert sum(found.reasons.values()) == 12


@pytest.mark.parametrize("kind", KINDS)
def test_an_interrupted_search_goes_on_as_if_it_had_not_been(load, tmp_path, kind):
    def stop_at_14(what, n_known, n_all):
        if n_known == 14:
            raise KeyboardInterrupt

    order = SearchRequest(load(), TIME_AND_ENERGY, 30, kind=kind, numerics=False, storage=tmp_path / "study.journal")
    with pytest.raises(KeyboardInterrupt):
        search(order, Told(stop_at_14))
    resumed = search(order)
    assert resumed.n_known == 14
    assert resumed.evaluated == searched(load(), evaluations=30, kind=kind).evaluated


def test_known_evaluations_are_not_computed_again_and_count(load, tmp_path):
    storage = tmp_path / "study.journal"
    first = searched(load(), evaluations=10, storage=storage)
    again = searched(load(), evaluations=10, storage=storage)
    assert (again.n_known, again.evaluated) == (10, first.evaluated)
    more = searched(load(), evaluations=16, storage=storage)
    assert (more.n_known, len(more.evaluated), more.evaluated[:10]) == (10, 16, first.evaluated)


def test_a_storage_of_another_search_is_refused(load, tmp_path):
    storage = tmp_path / "study.journal"
    searched(load(), evaluations=3, storage=storage)
    with pytest.raises(ScenarioError, match="another objective"):
        searched(load(), Goals.of(["latency_s"], [], []), evaluations=3, storage=storage)
    with pytest.raises(ScenarioError, match="another scenario"):
        searched(load(overrides=["workload.tokens=13"]), evaluations=3, storage=storage)
    storage.write_text("no journal\n{}\n")
    with pytest.raises(ScenarioError, match="no journal of a search"):
        searched(load(), evaluations=3, storage=storage)


@pytest.mark.parametrize("text", ["latency_s", "latency_s < fast", "latency_s == 1", "__import__('os') < 1", "a < nan"])
def test_a_condition_is_read_strictly(text):
    with pytest.raises(ScenarioError, match="--where"):
        Goals.of(["latency_s"], [], [text])


def test_the_hypervolume_of_two_steps_is_the_area_of_their_union():
    assert hypervolume([(1.0, 2.0), (2.0, 1.0), (2.0, 2.0)], (3.0, 3.0)) == pytest.approx(3.0)
