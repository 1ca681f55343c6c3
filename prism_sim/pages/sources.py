"""Where the numbers of a scenario come from: of each preset number that it uses, the source."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from prism_sim.scenario import Scenario
from prism_sim.syntax.presets import Figure, HardwarePreset

REPLACES = {"bandwidth": ("up", "down")}  # fields that one field states at once
FITTED, ASSUMED, SOURCED = "fitted", "assumption", "source"


@dataclass(frozen=True, slots=True)
class SourcedNumber:
    """A preset's number. of: the preset, and the runtime whose number it is."""

    of: str
    figure: Figure

    @property
    def kind(self) -> str:
        """Whether it was fitted to measurements, comes from a source, or is assumed."""
        source = self.figure.source
        return next((kind for kind in (FITTED, ASSUMED) if source.startswith(kind)), SOURCED)


def numbers_of(scenario: Scenario) -> list[SourcedNumber]:
    """All that its presets state and the scenario itself does not, each once."""
    return list(dict.fromkeys(_numbers(scenario)))


def _numbers(scenario: Scenario) -> Iterator[SourcedNumber]:
    tree, book = scenario.written.source.tree, scenario.written.source.presets
    for section in tree.get("devices", []):
        if name := section.get("preset"):
            preset = book.device(name)
            runtime = section.get("runtime") or preset.runtime
            yield from _of(preset, runtime, section)
    network = tree.get("network", {})
    for section in (network, *network.get("links", [])):
        if name := section.get("preset"):
            yield from _of(book.network(name), None, section)


def _of(preset: HardwarePreset, runtime: str | None, section: Mapping[str, Any]) -> Iterator[SourcedNumber]:
    stated = _stated(section)
    name = preset.name if runtime is None else f"{preset.name} ({runtime})"
    yield from (SourcedNumber(name, figure) for figure in preset.figures_under(runtime) if figure.field not in stated)


def _stated(section: Mapping[str, Any]) -> Collection[str]:
    given = {field for field, value in section.items() if value is not None}
    return given | {replaced for field in given for replaced in REPLACES.get(field, ())}
