"""What a page has asked: each answer once, and the last one that could be given."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from prism_sim.choice.result import RunResult
from prism_sim.choice.run import run
from prism_sim.exploring.files import refuse_files
from prism_sim.scenario import Scenario, ScenarioError

MOST_KEPT = 200  # answers of one page
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Shown:
    """What the page shows. problem: why what was asked cannot be answered, so that this is an earlier answer; or None.

    result: None where nothing could be answered yet. overrides: with which `result` was asked.
    """

    result: RunResult | None
    overrides: tuple[str, ...]
    problem: str | None = None


@dataclass
class KeptAnswers:
    """Of one scenario on one page. found: answers by what they are about and what determines them, the latest last."""

    scenario: Scenario
    last: Shown = Shown(None, ())
    found: OrderedDict[tuple[Any, ...], Any] = field(default_factory=OrderedDict)

    def ask(self, overrides: Sequence[str]) -> Shown:
        """The answer with these overrides; where there is none, the last that there was, and why."""
        try:
            refuse_files(overrides, self.scenario)
            scenario = self.scenario.with_overrides(overrides)
            result = self.once("run", scenario, lambda: run(scenario, numerics=False))
        except ScenarioError as error:
            return Shown(self.last.result, self.last.overrides, str(error))
        self.last = Shown(result, tuple(overrides))
        return self.last

    def once(self, what: str, scenario: Scenario, compute: Callable[[], T]) -> T:
        """Computed where this was not asked before, or long ago. Fields that are not used show in an answer, too."""
        key = _key(what, scenario)
        if key not in self.found:
            self.found[key] = compute()
            if len(self.found) > MOST_KEPT:
                self.found.popitem(last=False)
        answer: T = self.found[key]
        return answer

    def knows(self, what: str, scenario: Scenario) -> bool:
        return _key(what, scenario) in self.found


def _key(what: str, scenario: Scenario) -> tuple[Any, ...]:
    return what, scenario.hash, scenario.written.unused_fields, scenario.name
