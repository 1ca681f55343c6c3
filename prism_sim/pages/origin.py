"""Where a report comes from: the scenario as written, the sources of its numbers, and how far to trust them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from markupsafe import Markup

from prism_sim.pages.document import PageSection
from prism_sim.pages.markup import PageTable, TableRow, items, joined, paragraph
from prism_sim.pages.sources import ASSUMED, FITTED, SOURCED, SourcedNumber, numbers_of
from prism_sim.scenario import Scenario
from prism_sim.simulation.provenance import provenance

TRUST = (
    "Bytes and FLOPs are exact: they are what the strategy's real mathematics exchanges and computes.",
    "Which of two ways is faster turns on ratios and is the safer part; how many milliseconds it takes is as good as "
    "the numbers of the devices and of the network.",
    "Differences below 15 % are within the uncertainty of a prediction.",
    "A range, where one is shown, is from 5 % to 95 % of samples of those numbers whose fit has an interval. It is no "
    "error of the model, and numbers without an interval count as exact.",
    "Measure what matters: `prism-sim calibrate` on the device, `prism-sim fit` from rows that were timed. How "
    "predictions met measurements so far is in docs/trust.md of prism-sim.",
)
MEANINGS = {
    FITTED: "fitted to measurements that others published",
    SOURCED: "as its source states it",
    ASSUMED: "assumed, without a source",
}


def origin_sections(scenario: Scenario, resolved: Scenario, numerics: bool) -> Iterator[PageSection]:
    """scenario: as it was written; resolved: as it was simulated, where `auto` is a strategy's name."""
    yield PageSection("The scenario", _as_written(scenario, resolved))
    numbers = numbers_of(scenario)
    if numbers or scenario.model.hub_id:
        yield PageSection("Where its numbers come from", _sources(scenario, numbers))
    yield PageSection("How far to trust it", items(_caveats(scenario, numbers, numerics)))


def provenance_table(scenario: Scenario) -> PageTable:
    """Versions, seed and hash, as `--json` writes them."""
    return described_provenance(provenance(scenario))


def described_provenance(found: dict[str, Any]) -> PageTable:
    """Of a result's JSON."""
    versions = {name: version or "not installed" for name, version in found["versions"].items()}
    others = {name: found[name] for name in ("seed", "weights", "scenario_hash") if name in found}
    plugins = {f"plug-in {name}": what for name, what in found.get("plugins", {}).items()}
    rows = [(name.replace("_", " "), str(value)) for name, value in {**others, **versions, **plugins}.items()]
    return PageTable.of("What it was computed with", ["", "value"], rows, text=(0, 1))


def _as_written(scenario: Scenario, resolved: Scenario) -> Markup:
    text = scenario.path.read_text(encoding="utf-8")
    parts = [paragraph(f"{scenario.path.name}, as written:"), Markup("<pre><code>{}</code></pre>").format(text)]
    if scenario.written.overrides:
        given = [f"{'.'.join(map(str, one.path))} = {one.value}" for one in scenario.written.overrides]
        parts += [paragraph("Changed by --set:"), items(given)]
    if resolved.strategy.name != scenario.strategy.name:
        parts.append(paragraph(f"strategy {scenario.strategy.name} stands for {resolved.strategy.name} here."))
    return joined(parts)


def _sources(scenario: Scenario, numbers: list[SourcedNumber]) -> Markup:
    kinds = Counter(number.kind for number in numbers)
    counted = [f"{kinds[kind]} {MEANINGS[kind]}" for kind in MEANINGS if kinds[kind]]
    rows = [
        TableRow((one.of, one.figure.field.replace("_", " "), one.figure.text, _interval(one), one.kind, _source(one)))
        for one in numbers
    ]
    columns = ("preset", "number", "value", "90 % interval of its fit", "kind", "source")
    parts = []
    if numbers:
        parts.append(paragraph(f"Of {len(numbers)} numbers of presets, {', '.join(counted)}."))
        parts.append(PageTable("Preset numbers that the scenario does not state itself", columns, rows).__html__())
    if scenario.model.hub_id:
        parts.append(paragraph(f"The model's dimensions are those of {scenario.model.hub_id} on the Hugging Face hub."))
    return joined(parts)


def _interval(number: SourcedNumber) -> str:
    return "" if number.figure.interval is None else " to ".join(number.figure.interval)


def _source(number: SourcedNumber) -> str:
    """Without the word that its kind says already."""
    return number.figure.source.removeprefix(f"{ASSUMED}: ") if number.kind == ASSUMED else number.figure.source


def _caveats(scenario: Scenario, numbers: list[SourcedNumber], numerics: bool) -> Iterator[str]:
    assumed = sum(number.kind == ASSUMED for number in numbers)
    if assumed:
        yield f"{assumed} of the {len(numbers)} preset numbers above are assumptions: measure those that matter."
    if scenario.model.weights == "random":
        yield "The weights are random: what the outputs lose says nothing of a trained model's accuracy."
    if not numerics:
        yield "The real outputs were not computed (--no-numerics)."
    yield from TRUST
