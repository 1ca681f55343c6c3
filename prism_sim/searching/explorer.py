"""What Optuna does for a search: which point is tried next, never one twice, and evaluations in a file.

What it suggests follows from the seed and from what is known, nothing else, so that a search that was interrupted goes
on as if it had not been.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from math import ceil, isqrt
from pathlib import Path
from random import Random
from typing import Any, Literal

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, IntDistribution
from optuna.samplers import BaseSampler, NSGAIISampler, RandomSampler, TPESampler
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import FrozenTrial, TrialState

from prism_sim.scenario import ScenarioError
from prism_sim.searching.goals import Front, PointOutcome
from prism_sim.searching.space import Point, Space

Kind = Literal["nsga2", "tpe", "random"]
KINDS: tuple[Kind, ...] = ("nsga2", "tpe", "random")
VIOLATION = "violation"  # a trial's own attribute
LEAST_POPULATION = 8
STUDY, IDENTITY = "prism-sim search", "identity"
REFINED = 3  # of so many + 1 points, that many lie beside the front


class Explorer(BaseSampler):
    """First a Latin hypercube with the space's corners, then in turn what Optuna's sampler suggests and the front's
    neighbours. A suggestion that is known already gives way to the nearest that is not.
    """

    def __init__(self, space: Space, kind: Kind, budget: int, seed: int) -> None:
        self.space, self.kind, self.seed = space, kind, seed
        self.population = max(LEAST_POPULATION, isqrt(budget))
        self.seen: set[int] = set()
        self.front = Front()
        self.points: dict[int, Point] = {}
        self.first = _first(space, min(2 * self.population, ceil(budget / 2)), Random(seed))
        self.distributions: dict[str, BaseDistribution] = {
            one.name: IntDistribution(0, one.last) if one.ordered else CategoricalDistribution(range(one.last + 1))
            for one in space.dimensions
        }

    def learn(self, point: Point, outcome: PointOutcome) -> None:
        task = self.space.task(point)
        self.seen.add(task)
        self.points[task] = point
        self.front.add(task, outcome)

    def infer_relative_search_space(self, study: optuna.Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        return {name: one for name, one in self.distributions.items() if not one.single()}

    def sample_relative(
        self, study: optuna.Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        rng = Random(f"{self.seed}/{trial.number}")
        suggested = self._suggested(study, trial, search_space, rng)
        point = self.space.unseen_near(self._wanted(trial.number, rng) or suggested, self.seen, rng)
        return {name: place for name, place in zip(self.distributions, point, strict=True) if name in search_space}

    def sample_independent(
        self, study: optuna.Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        raise AssertionError(f"{param_name} was not sampled with the others")

    def _wanted(self, number: int, rng: Random) -> Point | None:
        """A point that we want ourselves, or None."""
        if self.kind == "random":
            return None
        while self.first:
            point = self.first.pop(0)
            if self.space.task(point) not in self.seen:
                return point
        return self._beside_front(rng) if number % (REFINED + 1) else None

    def _beside_front(self, rng: Random) -> Point | None:
        members = list(self.front.members)
        rng.shuffle(members)
        for task in members:
            neighbours = self.space.neighbours(self.points[task])
            if unseen := [near for near in neighbours if self.space.task(near) not in self.seen]:
                return rng.choice(unseen)
        return None

    def _suggested(
        self, study: optuna.Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution], rng: Random
    ) -> Point:
        """By Optuna's sampler, which is asked for every point, so that each counts as one of its generation."""
        sampler = _sampler(self.kind, self.population, rng.getrandbits(32))
        found = sampler.sample_relative(study, trial, search_space)
        for name, one in search_space.items():
            if name not in found:
                found[name] = sampler.sample_independent(study, trial, name, one)
        return tuple(int(found.get(name, 0)) for name in self.distributions)

    def after_trial(
        self, study: optuna.Study, trial: FrozenTrial, state: TrialState, values: Sequence[float] | None
    ) -> None:
        _sampler(self.kind, self.population, 0).after_trial(study, trial, state, values)


def _sampler(kind: Kind, population: int, seed: int) -> BaseSampler:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # experimental options
        if kind == "random":
            return RandomSampler(seed=seed)
        if kind == "tpe":
            return TPESampler(seed=seed, multivariate=True, n_startup_trials=0, constraints_func=_constraints)
        return NSGAIISampler(seed=seed, population_size=population, constraints_func=_constraints)


def _constraints(trial: FrozenTrial) -> tuple[float]:
    return (trial.user_attrs[VIOLATION],)


def _first(space: Space, count: int, rng: Random) -> list[Point]:
    """The two outermost corners, then a Latin hypercube: along each dimension every part is met as often."""
    sizes = [len(dimension.order) for dimension in space.dimensions]
    columns = []
    for size in sizes:
        places = [place * size // count for place in range(count)]
        rng.shuffle(places)
        columns.append(places)
    corners = [tuple(0 for _ in sizes), tuple(size - 1 for size in sizes)]
    return [*corners, *zip(*columns, strict=True)][:count]


class Store:
    """Evaluations in a file: Optuna's journal, one study in it, a line an evaluation.

    known: finished trials, in their order. Raises ScenarioError if the file is of another search or no journal,
    OSError if it cannot be written.
    """

    def __init__(self, path: Path, identity: Mapping[str, str], n_objectives: int) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab"):  # an error names the file
            pass
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                storage = JournalStorage(JournalFileBackend(str(path)))
        except (ValueError, KeyError, TypeError) as error:
            raise ScenarioError(f"{path}: is no journal of a search ({error}); choose another --storage") from None
        names = [study.study_name for study in storage.get_all_studies()]
        if STUDY in names:
            self.study = optuna.load_study(study_name=STUDY, storage=storage)
            found = self.study.user_attrs.get(IDENTITY, {})
            if other := [what for what, value in identity.items() if found.get(what) != value]:
                what = " and another ".join(other)
                raise ScenarioError(f"{path}: belongs to a search with another {what}; choose another --storage")
        elif names:
            raise ScenarioError(f"{path}: holds other studies ({names[0]!r}); choose another --storage")
        else:
            self.study = optuna.create_study(study_name=STUDY, storage=storage, directions=["minimize"] * n_objectives)
            self.study.set_user_attr(IDENTITY, dict(identity))

    @property
    def known(self) -> list[FrozenTrial]:
        return self.study.get_trials(deepcopy=False, states=[TrialState.COMPLETE])

    def add(self, trial: FrozenTrial) -> None:
        self.study.add_trial(trial)
