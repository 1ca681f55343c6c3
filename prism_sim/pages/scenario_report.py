"""A scenario's report: the answer first, then the figures and tables behind it, and where its numbers come from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property, partial

from prism_sim.choice.compare import Comparison, compare
from prism_sim.choice.comparison_verdict import comparison_verdict
from prism_sim.choice.result import RunResult
from prism_sim.choice.run import run
from prism_sim.choice.verdict import verdict
from prism_sim.pages.charts import parts_chart, strategies_chart, timeline_chart
from prism_sim.pages.document import PageHead, PageSection, page
from prism_sim.pages.markup import drawing, items, joined, paragraph
from prism_sim.pages.origin import origin_sections, provenance_table
from prism_sim.pages.sweep_report import swept_section
from prism_sim.pages.told import told
from prism_sim.pages.varied_fields import break_even_section, compression_section
from prism_sim.progress import SILENT, Progress
from prism_sim.reports.compare import show_comparison
from prism_sim.reports.explain import sentences, show_explanation
from prism_sim.reports.run import show
from prism_sim.scenario import Scenario
from prism_sim.why.explain import Explanation, explained

UP_TO = ", up to the first token"


@dataclass(frozen=True)
class ScenarioAnswers:
    """What `run`, `compare` and `explain` say of one scenario; one simulation serves the first and the last."""

    result: RunResult
    comparison: Comparison
    explanation: Explanation

    @staticmethod
    def of(scenario: Scenario, numerics: bool, progress: Progress) -> ScenarioAnswers:
        """Raises ScenarioError, as `run` does."""
        result = run(scenario, numerics, progress)
        comparison = compare(scenario, numerics, progress)
        return ScenarioAnswers(result, comparison, explained(result.scenario, result.simulation))

    @cached_property
    def verdicts(self) -> list[str]:
        """The run's, the comparison's and the explanation's."""
        return [verdict(self.result), *comparison_verdict(self.comparison), " ".join(sentences(self.explanation))]


def scenario_report(scenario: Scenario, numerics: bool = True, jobs: int = 1, progress: Progress = SILENT) -> str:
    """The page, as text of HTML: with the scenario's sweep, if it has one, in so many processes.

    Raises ScenarioError where the scenario is wrong, ModuleNotFoundError without the extra `report`.
    """
    answers = ScenarioAnswers.of(scenario, numerics, progress)
    own = answers.result.scenario
    sections = [
        _run_section(answers),
        _comparison_section(answers),
        _explanation_section(answers),
        break_even_section(own),
        *compression_section(answers.result),
        *([swept_section(scenario, numerics, jobs)] if scenario.written.sweep else []),
        *origin_sections(scenario, own, numerics),
    ]
    first, *others = answers.verdicts
    lead = joined([paragraph(first, "verdict"), items(others)])
    foot = joined([paragraph(f"Written on {date.today().isoformat()} by prism-sim."), provenance_table(own).__html__()])
    return page(PageHead(own.name, lead, foot), sections, progress)


def _run_section(answers: ScenarioAnswers) -> PageSection:
    result = answers.result
    simulation = result.simulation
    beside = {simulation.job.strategy: simulation.breakdown_s}
    if result.voltage is not None and result.voltage is not simulation:
        beside["voltage"] = result.voltage.breakdown_s
    if result.single.fits and simulation.plan.n_ranks > 1:
        beside[f"{result.single.devices[result.single.device_of[0]].name} alone"] = result.single.breakdown_s
    body = [
        drawing(parts_chart(beside)),
        told(partial(show, result), "The run", _elsewhere(answers)),
        drawing(timeline_chart(simulation, "Who does what when" + (UP_TO if simulation.job.new_tokens else ""))),
    ]
    return PageSection("How long it takes", joined(body))


def _comparison_section(answers: ScenarioAnswers) -> PageSection:
    found = answers.comparison
    bars = {name: one.simulation.breakdown_s for name, one in found.named() if one.fits and one.simulation is not None}
    body = [
        drawing(strategies_chart(found)),
        told(partial(show_comparison, found), "Strategies on the same hardware", _elsewhere(answers)),
        drawing(parts_chart(bars, "Where the latency of each goes")),
    ]
    return PageSection("Against other strategies", joined(body))


def _explanation_section(answers: ScenarioAnswers) -> PageSection:
    body = told(partial(show_explanation, answers.explanation), "The critical path", _elsewhere(answers))
    return PageSection("Why, and what would help most", body)


def _elsewhere(answers: ScenarioAnswers) -> Sequence[str]:
    """What stands at the head of the page."""
    return (answers.result.scenario.name, *answers.verdicts)
