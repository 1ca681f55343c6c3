"""One page that is open: its scenario, where its controls stand, what was answered, and the figures beside that."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import altair as alt
import marimo as mo

from prism_sim.choice.compare import Comparison, compare
from prism_sim.choice.comparison_verdict import comparison_verdict
from prism_sim.choice.result import RunResult
from prism_sim.exploring.answer_text import outputs_text
from prism_sim.exploring.answers import KeptAnswers, Shown
from prism_sim.exploring.controls import Controls, overrides_of
from prism_sim.exploring.copied import as_command, as_scenario
from prism_sim.exploring.curves import order_along, over_compression, rivals
from prism_sim.exploring.later import Drawn, Later
from prism_sim.exploring.lost_text import lost_text
from prism_sim.exploring.markup import copied, meaning, paragraph, section
from prism_sim.exploring.meanings import MEANINGS
from prism_sim.pages.charts import along_chart, break_even_chart, strategies_chart, timeline_chart
from prism_sim.reports.breakeven import sentences
from prism_sim.scenario import Scenario
from prism_sim.why.breakeven import BreakEven

ALONG = (("network.bandwidth", "single"), ("network.latency", "single"), ("network.bandwidth", "voltage"))


class PageState:
    """Of one browser's page; two of them know nothing of each other."""

    def __init__(self, scenario: Scenario, controls: Controls, written: Sequence[str] = ()) -> None:
        """written: the command line's own overrides, with which the scenario was read."""
        self.scenario, self.controls, self.written = scenario, controls, tuple(written)
        self.answers = KeptAnswers(scenario)
        self.later = Later()

    def ask(self, places: Mapping[str, Any], typed: str) -> Shown:
        """With controls at these places and these other fields, which win."""
        moved = [one for control in self.controls.controls for one in control.overrides(places[control.name])]
        return self.answers.ask((*moved, *overrides_of(typed)))

    def show(self, name: str, shown: Shown) -> Drawn:
        """The figure of this name for the answer that is shown; after a wrong value, as it was."""
        if shown.result is None or shown.problem is not None:
            return self.later.drawn.get(name)
        draw: Callable[[RunResult], Drawn] = getattr(self, name)
        return self.later.show(name, partial(draw, shown.result))

    def copied(self, shown: Shown) -> Drawn:
        """The scenario as it is answered, as a file and as a command."""
        if shown.result is None:
            return None
        command = as_command(self.scenario.path, [*self.written, *shown.overrides])
        parts = meaning(MEANINGS["copy"]), copied(as_scenario(shown.result.scenario)), copied(command)
        return mo.Html(section("Keep it", "<h2>Keep it</h2>", *parts))

    def timeline(self, result: RunResult) -> Drawn:
        return _figure("Who does what when", timeline_chart(result.simulation), MEANINGS["timeline"])

    def compression(self, result: RunResult) -> Drawn:
        scenario = result.scenario
        found = self.answers.once("compression", scenario, lambda: over_compression(scenario))
        if not found:
            name = scenario.strategy.name
            return _note("Compression", f"{name} sends its rows as they are here: there is no compression to vary.")
        rate = result.simulation.compression[1]
        chart = along_chart(found, "compression_rate", present=rate, title="Latency along the compression rate")
        return _figure("Latency along the compression rate", chart, MEANINGS["compression"])

    def strategies(self, result: RunResult) -> Drawn:
        scenario = result.scenario
        found: Comparison = self.answers.once("compare", scenario, lambda: compare(scenario, numerics=False))
        said = "".join(map(paragraph, comparison_verdict(found)))
        refused = "".join(paragraph(text, "note") for text in _refused(found))
        return _figure("All strategies", strategies_chart(found), MEANINGS["strategies"], said + refused)

    def flips(self, result: RunResult) -> Drawn:
        """Break-evens, the first of them drawn."""
        scenario = result.scenario
        found = list(self._orders(scenario))
        if not found:
            return _note("Break-evens", "On one device, or over links of their own, there is no one bandwidth to vary.")
        said = "".join(paragraph(" ".join(_said(one))) for one in found)
        chart = break_even_chart(found[0], present=scenario.network.up_bits_per_s)
        return _figure("Where the order flips", chart, MEANINGS["bandwidth"], said)

    def lost(self, shown: Shown, is_asked: bool) -> Drawn:
        """What the real outputs lose: known, or computed where the button asks for it."""
        result = shown.result
        if result is None or shown.problem is not None:
            return self.later.drawn.get("lost")
        if outputs_text(result.simulation) == "exact":
            return _note("Outputs", f"{result.simulation.job.strategy} is exact: nothing is lost but rounding.")
        if is_asked or self.answers.knows("lost", result.scenario):
            self.later.drawn["lost"] = _note("Outputs", "Computing the outputs ...")
            return self.later.show("lost", lambda: self._lost(result))
        return _note(
            "Outputs", "Lossy, by how much is not computed as yet: it needs PyTorch and takes seconds to minutes."
        )

    def _lost(self, result: RunResult) -> Drawn:
        return mo.Html(
            section(
                "Outputs", "<h2>Outputs</h2>", self.answers.once("lost", result.scenario, lambda: lost_text(result))
            )
        )

    def _orders(self, scenario: Scenario) -> Iterator[BreakEven]:
        known = [*rivals(scenario)]
        for field, against in ALONG:
            if against in known:
                found = partial(order_along, scenario, field, against)
                if (one := self.answers.once(f"{field} {against}", scenario, found)) is not None:
                    yield one


def _said(found: BreakEven) -> Iterator[str]:
    yield f"{found.own} against {found.other}:"
    yield from sentences(found)


def _refused(found: Comparison) -> Iterator[str]:
    """What is no alternative here, and why: 'prism x2, x3: does not fit ...'."""
    sizes: dict[tuple[str, str], list[str]] = {}
    for one in found.candidates:
        if one.reason is not None:
            sizes.setdefault((one.strategy, one.reason), []).append(f"x{len(one.devices)}")
    for (name, reason), over in sizes.items():
        yield f"{name} {', '.join(over)}: {reason}"


def _figure(name: str, chart: Any, means: str, said: str = "") -> Drawn:
    """Its subtitle as text, which a narrow page can wrap; without the menu, which leads to other machines."""
    subtitle = [paragraph(line, "note") for line in chart.title.subtitle]
    shown = chart.copy(deep=False)
    shown.title, shown.usermeta = alt.Undefined, {"embedOptions": {"actions": False}}
    heading = section(name, f"<h2>{name}</h2>", said, *subtitle, kind="said")
    return mo.vstack([mo.Html(heading), mo.as_html(shown), mo.Html(meaning(means))], gap=0.25)


def _note(name: str, text: str) -> Drawn:
    return mo.Html(section(name, f"<h2>{name}</h2>", paragraph(text, "note")))
